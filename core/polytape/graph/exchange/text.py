"""Graphs from their printed text: `polytape.parse_graph`.

The text is turned into the description that a file has in JSON, and read as such. What the text leaves out are values:
of variables, of constants, and of what is read at the start of a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ... import dtypes
from ...device import Device
from ...dispatch.convert import asarray
from ...errors import DTypeError, PolytapeError, TraceError
from ...placement import selection
from ...registry.tables import find_op
from ...tensors.variable import Variable
from ..ir import Equation, Graph
from ..passes.fusion import fused_equation
from .assembling import Held, assemble, state_of
from .equations import kinds, spec_of, steps_of
from .parsing import Constant, Description, Read, Saved
from .placing import Path
from .tokens import Number, read_call
from .values import Malformed, encode

__all__ = ["GraphTextError", "parse_graph"]

TYPE: Final = re.compile(r"(\w+)\[((?:\d+(?:,\d+)*)?)\]")
FUSED: Final = "fused["


class GraphTextError(PolytapeError, ValueError):
    """A text is not that of a graph."""


def parse_graph(text: str, values: Mapping[str, Any] | None = None, device: Device | str | None = None) -> Graph:
    """The graph whose printed text this is: ``str(graph)`` of the result is the text.

    Args:
        text: as ``str(graph)`` gives it; the width of its columns does not matter.
        values: by the names in the text, the variables, and the values of constants and of what is read at the start of
            a run; in regions ``"b.0.c0"`` for the constant ``c0`` of the first region of the equation that defines
            ``b``. A variable without a value is a new one of zeros. A graph without the other values can be printed,
            checked, optimised and drawn, but not run.
        device: where the graph runs; default: where new tensors go.
    Raises:
        GraphTextError: the text is not a graph, or an op's rules do not accept an equation; the message has the place.

    Example:
        >>> import polytape as pt
        >>> text = str(pt.function(lambda x: x * 2.0).graph(pt.asarray([1.0, 2.0])))
        >>> str(pt.parse_graph(text)) == text
        True
    """
    given = dict(values or {})
    try:
        lines = [_Line(k, line) for k, line in enumerate(text.splitlines(), start=1) if line.strip()]
        reader = _Reader(lines, given)
        description = reader.graph()
        state = state_of(description, selection.resolve_device(device), reader.value)
        variables = tuple([_own(given.get(x.name), x) for x in state.variables])
        graph = assemble(description, replace(state, variables=variables))
    except Malformed as error:
        raise GraphTextError(
            f"the text is not a graph: {error.place}.",
            expected=error.expected,
            got=error.got,
            fix="pass str(graph) unchanged, and install the plugins whose ops it has",
        ) from error.__cause__
    if given.keys() - reader.used:
        raise DTypeError(
            f"the graph has no values named {', '.join(sorted(given.keys() - reader.used))}.",
            expected=f"some of {', '.join(sorted(reader.named)) or 'no values'}",
            got=", ".join(sorted(given)),
            fix="use the names in the text",
        )
    graph = replace(graph, sources=tuple([_readable(x, reader) for x in graph.sources]))
    return _finished(graph, (), reader)


class _Line:
    """A line: its number, how far it is indented, its text, and the user's line at its end."""

    def __init__(self, number: int, line: str) -> None:
        found = re.search(r"\s+# (.*):(\d+)$", line)
        self.number = number
        self.source = [found[1], int(found[2])] if found else ["", 0]
        self.text = line[: found.start()].strip() if found else line.strip()
        self.indent = len(line) - len(line.lstrip())

    @property
    def place(self) -> str:
        """For errors."""
        return f"line {self.number}"


class _Block:
    """A graph or region under construction: the numbers of its names, and its parts as in a file."""

    def __init__(self, name: str, prefix: str, path: Path) -> None:
        self.name = name
        self.prefix = prefix
        self.path = path
        self.numbers: dict[str, int] = {}
        self.types: dict[str, dict[str, Any]] = {}
        self.parts: dict[str, list[Any]] = {"arguments": [], "variable": [], "read": [], "constant": []}
        self.equations: list[Any] = []
        self.assigned: list[tuple[str, str, _Line]] = []
        self.outputs: list[int] = []

    def define(self, name: str, kind: dict[str, Any], line: _Line) -> None:
        """Number a name."""
        if name in self.numbers:
            raise Malformed(line.place, "a name that is not used yet", name)
        self.numbers[name] = len(self.numbers)
        self.types[name] = kind

    def number(self, name: str, line: _Line) -> int:
        """The number of a name."""
        if name not in self.numbers:
            raise Malformed(line.place, "a value that is defined before", name)
        return self.numbers[name]


class _Reader:
    """Reads the lines of a graph.

    Attributes:
        given: values by name. named: the names that may have one; ``used``: those that have.
        missing: those of constants and of what is read that have none. absent: the numbers of the constants among them.
        fused: the positions of the members of each fused equation, by the path of the graph or region.
    """

    def __init__(self, lines: Sequence[_Line], given: dict[str, Any]) -> None:
        self.lines = list(lines)
        self.given = given
        self.position = 0
        self.types: dict[str, dict[str, Any]] = {}
        self.named: set[str] = set()
        self.used: set[str] = set()
        self.missing: set[str] = set()
        self.absent: dict[Path, set[int]] = {}
        self.fused: dict[Path, list[range]] = {}

    def graph(self) -> Description:
        """The whole graph."""
        block = self.block("graph ", -1, "", ())
        if self.position < len(self.lines):
            raise Malformed(self.lines[self.position].place, "the end", self.lines[self.position].text)
        parts = block.parts
        saved = [Saved(name, name, _trainable(kind)) for name, kind in parts["variable"]]
        assignments = []
        for target, name, line in block.assigned:
            known = [x.name for x in saved]
            if target not in known:
                saved.append(Saved(target, target, _trainable(block.types[name])))
                self.name_value(target, block.types[name], False)
                known.append(target)
            assignments.append((known.index(target), block.number(name, line)))
        defined = len(parts["arguments"]) + sum(len(parts[kind]) for kind in ("variable", "read", "constant"))
        return Description(
            block.name, (), tuple([spec_of({"name": name, **kind}, name) for name, kind in parts["arguments"]]),
            tuple(saved), len(parts["variable"]),
            tuple([Read((Saved(name, name, False),), None) for name, _ in parts["read"]]),
            tuple([Constant(name) for name, _ in parts["constant"]]),
            steps_of(block.equations, "", defined), tuple(assignments), tuple(block.outputs), None,
        )  # fmt: skip

    def block(self, keyword: str, indent: int, prefix: str, path: Path) -> _Block:
        """A graph or a region, from its header to its return."""
        header = self.next(indent)
        found = re.fullmatch(rf"{keyword}(.+?)\((.*)\) -> .*", header.text)
        if not found:
            raise Malformed(header.place, f"{keyword}name(argument: type, ...) -> types", header.text)
        block = _Block(found[1], prefix, path)
        for name, kind in _typed(found[2], header):
            block.define(name, kind, header)
            block.parts["arguments"].append((name, kind))
        while True:
            line = self.next(header.indent)
            word, _, rest = line.text.partition(" ")
            if word == "return":
                block.outputs = [block.number(name, line) for name in rest.split(", ") if name]
                return block
            if word in ("variable", "read", "constant"):
                ((name, kind),) = _typed(rest, line)
                block.define(name, kind, line)
                block.parts[word].append((f"{prefix}{name}", kind))
                self.name_value(f"{prefix}{name}", kind, word != "variable")
                if word == "constant" and f"{prefix}{name}" in self.missing:
                    self.absent.setdefault(path, set()).add(len(block.parts[word]) - 1)
            elif word == "assign":
                target, _, name = rest.partition(" = ")
                block.assigned.append((target, name, line))
            else:
                self.equation(block, line)

    def next(self, indent: int) -> _Line:
        """The next line, which is indented further than this."""
        if self.position == len(self.lines):
            raise Malformed(f"line {self.lines[-1].number + 1 if self.lines else 1}", "more lines, up to a return", "")
        line = self.lines[self.position]
        if line.indent <= indent:
            raise Malformed(line.place, "a line that is indented further", line.text)
        self.position += 1
        return line

    def deeper(self, indent: int) -> bool:
        """Whether the next line is indented further than this."""
        return self.position < len(self.lines) and self.lines[self.position].indent > indent

    def equation(self, block: _Block, line: _Line) -> None:
        """One equation with its regions, or a fused one with its members."""
        left, equals, right = line.text.partition(" = ")
        if not equals:
            raise Malformed(line.place, "an equation: name: type = op(...)", line.text)
        if right.startswith(FUSED):
            first = len(block.equations)
            while self.deeper(line.indent):
                self.equation(block, self.next(line.indent))
            if len(block.equations) == first:
                raise Malformed(line.place, "the members of the fused equation below it", line.text)
            self.fused.setdefault(block.path, []).append(range(first, len(block.equations)))
            return
        outputs = _typed(left, line)
        call = read_call(right, block.numbers, line.place)
        default = next((block.types[x]["dtype"] for x in call.operands if isinstance(x, str) and not _bool(block, x)),
                       outputs[0][1]["dtype"])  # fmt: skip
        operands = [
            {"number": encode(x.value), "dtype": x.dtype or default} if isinstance(x, Number)
            else None if x is None else block.number(x, line)
            for x in call.operands
        ]  # fmt: skip
        node = {"operands": operands, "outputs": [kind for _, kind in outputs], "source": line.source}
        if call.op in kinds():
            node |= {"op": call.op, "attributes": self.data(call.op, call.attributes)}
            node["regions"] = list(self.regions(block, outputs[0][0], line))
        else:
            known = f"{call.op}_" if find_op(f"{call.op}_") is not None else call.op  # printed without the underscore
            node |= {"op": known, "attributes": call.attributes}
        block.equations.append(node)
        for name, kind in outputs:
            block.define(name, kind, line)

    def data(self, op: str, given: dict[str, Any]) -> dict[str, Any]:
        """The data of an equation with regions; false and null ones are not printed."""
        missing = {name: False if bool in types else None for name, types in kinds()[op].DATA.items()}
        return {**missing, **given}

    def regions(self, around: _Block, name: str, line: _Line) -> Iterator[dict[str, Any]]:
        """The regions of the next equation of a block, whose first result has this name."""
        position = len(around.equations)
        number = 0
        while self.deeper(line.indent):
            block = self.block("", line.indent, f"{around.prefix}{name}.{number}.", (*around.path, position, number))
            arguments = [{"name": label, **kind} for label, kind in block.parts["arguments"]]
            constants = [label for label, _ in block.parts["constant"]]
            yield {"name": block.name, "arguments": arguments, "constants": constants,
                   "equations": block.equations, "outputs": block.outputs}  # fmt: skip
            number += 1

    # --- values ---------------------------------------------------------------------------------------------------

    def name_value(self, name: str, kind: dict[str, Any], needed: bool) -> None:
        """Note that a value with this name may be given."""
        self.types[name] = kind
        self.named.add(name)
        if name in self.given:
            self.used.add(name)
        elif needed:
            self.missing.add(name)

    def value(self, name: str) -> Any:
        """The value with this name, as a host array; zeros if there is none."""
        kind = self.types[name]
        dtype, shape = dtypes.lookup(kind["dtype"]), tuple(kind["shape"])
        if name not in self.given:
            host = np.empty(shape, dtype)
            host.fill(0)
            return host
        found = asarray(self.given[name])
        if found.dtype is not dtype or tuple(found.shape) != shape:
            raise DTypeError(
                f"the value of {name} has another type.", expected=f"{dtype}[{','.join(map(str, shape))}]",
                got=f"{found.dtype}[{','.join(map(str, found.shape))}]", fix="pass a value of the type in the text",
            )  # fmt: skip
        return found.numpy()


def _trainable(kind: dict[str, Any]) -> bool:
    return dtypes.category(dtypes.lookup(kind["dtype"])) == dtypes.FLOATING


def _bool(block: _Block, name: str) -> bool:
    return bool(block.types.get(name, {}).get("dtype") == "bool")


def _typed(text: str, line: _Line) -> list[tuple[str, dict[str, Any]]]:
    """Names with types: ``a: float32[2,3], b: int64[]``."""
    found = []
    for part in text.split(", ") if text else ():
        name, _, kind = part.partition(": ")
        match = TYPE.fullmatch(kind)
        if not name or not match:
            raise Malformed(line.place, "name: dtype[sizes]", part)
        found.append((name, {"dtype": match[1], "shape": [int(n) for n in match[2].split(",") if n]}))
    if not found and text:
        raise Malformed(line.place, "names with types", text)
    return found


def _own(given: Any, variable: Variable) -> Variable:
    """The caller's variable, if one was given."""
    return given if isinstance(given, Variable) else variable


def _readable(source: Any, reader: _Reader) -> Any:
    """A source whose values, if they were not given, cannot be read."""
    missing = [x.name for x in source.inputs if x.name in reader.missing]
    return replace(source, read=_Missing(missing)) if missing and isinstance(source.owner, Held) else source


class _Missing:
    """Reads values that were not given."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __call__(self) -> list[Any]:
        """Raise TraceError."""
        raise TraceError(
            f"the graph has no value for {', '.join(self.names)}.",
            expected="values of what is read at the start of a run",
            got="a graph from a text without them",
            fix=f"pass values={{{self.names[0]!r}: ...}} to polytape.parse_graph",
        )


def _finished(graph: Graph, path: Path, reader: _Reader) -> Graph:
    """The graph without the constants whose values were not given, and with the equations that were fused."""
    absent = reader.absent.get(path, ())
    constants = [replace(x, holder=None, handle=None) if k in absent else x for k, x in enumerate(graph.constants)]
    equations: list[Equation | None] = []
    for position, equation in enumerate(graph.equations):
        if equation.regions is not None:
            inner = [_finished(x, (*path, position, k), reader) for k, x in enumerate(equation.regions.graphs)]
            equation = replace(equation, attributes={"regions": equation.regions.replaced(inner)})
        equations.append(equation)
    uses = graph.uses()
    for members in reader.fused.get(path, ()):
        parts = [graph.equations[k] for k in members]
        fused = fused_equation(parts, uses) if all(x.regions is None and len(x.outputs) == 1 for x in parts) else None
        if fused is not None:  # the backend may compile other clusters than the one that wrote the text
            equations[members.start : members.stop] = [*[None] * (len(members) - 1), fused]
    return replace(graph, constants=tuple(constants), equations=tuple([x for x in equations if x is not None]))
