"""Execution of a graph op by op: generated Python code, in which kernels and attributes are bound to names."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from ..dispatch.wrappers import Unchecked
from ..errors import TraceError
from ..state.update import read_all, replace_all
from ..tensors.tensor import Symbol, Tensor
from .ir import Equation, Graph, Literal, location, names, render_equation

__all__ = ["Executable"]

_numbers = itertools.count()
ATTEMPTS = range(1000)  # how often a run is repeated because another thread assigned a variable that it assigns too


class Executable:
    """A graph compiled to two Python functions, one on native arrays and one on tensors.

    Attributes:
        graph: the graph.
        run: ``(*arguments, *state) -> (*outputs, *assigned values)``, on native arrays.
        call: ``(*tensors) -> tensor``, or a tuple of tensors if ``single`` is false. Reads the variables and sources,
            runs, then assigns the variables, all or none; if an op raises, nothing is assigned. It runs again if
            another thread changed an assigned variable in the meantime.
        source: the generated code.
    """

    def __init__(self, graph: Graph, single: bool = False) -> None:
        self.graph = graph
        self.file = f"<graph {graph.name} {next(_numbers)}>"
        code = _Code(graph)
        code.write_run()
        code.write_call(single)
        self.source = "\n".join(code.lines)
        self.equation_of_line = code.equation_of_line
        exec(compile(self.source, self.file, "exec"), code.namespace)
        self.run: Any = code.namespace["run"]
        self.call: Any = code.namespace["call"]

    def explain(self, error: BaseException) -> None:
        """Add a note to an error from `run` or `call`: the equation that failed and the user's line it comes from."""
        traceback = error.__traceback__
        while traceback is not None:
            equation = self.equation_of_line.get(traceback.tb_lineno)
            if traceback.tb_frame.f_code.co_filename == self.file and equation is not None:
                text = render_equation(equation, names(self.graph))
                error.add_note(f"in graph {self.graph.name}: {text}  # {location(equation)}")
                return
            traceback = traceback.tb_next


class _Code:
    """The generated code, its namespace, and the equation that each line belongs to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"Tensor": Tensor}
        self.equation_of_line: dict[int, Equation] = {}
        self.local: dict[Symbol, str] = {}
        for prefix, inputs in (("x", graph.arguments), ("v", graph.state()), ("c", graph.constants)):
            self.local.update({x.symbol: f"{prefix}{position}" for position, x in enumerate(inputs)})
        for symbol, name in names(graph).items():
            self.local.setdefault(symbol, f"_{name}")  # generated names include Python keywords, such as as and if
        for x in graph.constants:
            self.bind(self.local[x.symbol], x.holder.array if x.holder is not None else None)
        dead_after = last_uses(graph)
        self.buffers = reusable(graph, dead_after)
        self.body = [
            (equation, [*self.equation(position, equation), *self.deletion(dead_after[position])])
            for position, equation in enumerate(graph.equations)
        ]

    def bind(self, name: str, value: Any) -> str:
        self.namespace[name] = value
        return name

    def write_run(self) -> None:
        """Write the function on native arrays."""
        graph = self.graph
        inputs = [self.local[x.symbol] for x in (*graph.arguments, *graph.state())]
        self.lines.append(f"def run({', '.join(inputs)}):")
        self.write_body("    ")
        self.lines.append(f"    return ({''.join(f'{self.local[symbol]}, ' for symbol in graph.results())})")

    def write_call(self, single: bool) -> None:
        """Write the function on tensors; it repeats the equations, since calling `run` costs as much as a small op."""
        graph = self.graph
        arguments = [self.local[x.symbol] for x in graph.arguments]
        self.lines.append(f"def call({', '.join(arguments)}):")
        self.lines += [f"    {name} = {name}.array" for name in arguments]
        indent = "    "
        for position, source in enumerate(graph.sources):
            values = "".join(f"{self.local[x.symbol]}, " for x in source.inputs)
            self.lines.append(f"    {values}= {self.bind(f's{position}', source.read)}()")
        if graph.writes:
            self.lines.append(f"    for _ in {self.bind('attempts', ATTEMPTS)}:")
            indent = "        "
        if graph.variables:
            values = "".join(f"{self.local[x.symbol]}, " for x in graph.variables)
            holders = self.bind("holders", [x.holder for x in graph.variables])
            self.lines.append(f"{indent}{values}= {self.bind('read_all', read_all)}({holders})")
        self.write_body(indent)
        if graph.writes:
            self.write_assignment()
        results = [
            f"Tensor({self.local[symbol]}, {self.bind(f'o{position}', tensor_type)}, None)"
            for position, (symbol, tensor_type) in enumerate(zip(graph.outputs, graph.output_types, strict=True))
        ]
        returned = results[0] if single else f"({''.join(f'{result}, ' for result in results)})"
        self.lines.append(f"    return {returned}")

    def write_assignment(self) -> None:
        """Write the end of the loop that assigns the variables."""
        graph = self.graph
        symbols = {id(x.holder): self.local[x.symbol] for x in graph.variables}
        written = self.bind("written", [variable for variable, _ in graph.writes])
        before = [symbols.get(id(variable), "None") for variable, _ in graph.writes]
        after = [self.local[symbol] for _, symbol in graph.writes]
        self.bind("replace_all", replace_all)
        self.lines += [
            f"        if replace_all({written}, ({', '.join(before)},), ({', '.join(after)},)):",
            "            break",
            "    else:",
            f"        raise {self.bind('contended', contended)}({graph.name!r})",
        ]

    def write_body(self, indent: str) -> None:
        """Write the equations' lines, and keep which equation each line belongs to."""
        for equation, lines in self.body:
            for line in lines:
                self.lines.append(indent + line)
                self.equation_of_line[len(self.lines)] = equation

    def equation(self, position: int, equation: Equation) -> list[str]:
        fn, attributes = unwrapped(equation)
        kernel = self.bind(f"k{position}", fn)
        arguments = [self.operand(position, index, operand) for index, operand in enumerate(equation.operands)]
        arguments += [f"{name}={self.bind(f'p{position}_{name}', value)}" for name, value in attributes.items()]
        outputs = [self.local[symbol] for symbol in equation.outputs]
        buffer = self.buffers[position]
        if buffer is not None:
            return [f"{outputs[0]} = {kernel}({', '.join([*arguments, f'out={self.local[buffer]}'])})"]
        targets = ", ".join(outputs) + ("," if equation.op.outputs is not None else "")
        lines = [f"{targets} = {kernel}({', '.join(arguments)})"]
        for index, symbol in enumerate(equation.outputs):
            if not symbol.shape:
                # NumPy's ufuncs return scalars instead of 0-d arrays.
                tensor_type = equation.resolution.result_types[index]
                type_name = self.bind(f"t{position}_{index}", tensor_type.array_type)
                lift = self.bind(f"l{position}_{index}", tensor_type.lift)
                name = outputs[index]
                lines.append(f"if type({name}) is not {type_name}: {name} = {lift}({name})")
        return lines

    def operand(self, position: int, index: int, operand: Symbol | Literal | None) -> str:
        if isinstance(operand, Literal):
            return self.bind(f"n{position}_{index}", operand.array())
        return "None" if operand is None else self.local[operand]

    def deletion(self, symbols: list[Symbol]) -> list[str]:
        return [f"del {', '.join(self.local[symbol] for symbol in symbols)}"] if symbols else []


def contended(name: str) -> TraceError:
    """The error for a function whose variables change during each run."""
    return TraceError(
        f"{name} could not assign its variables.",
        expected="a run during which no other thread and no signal handler assigns these variables",
        got=f"other assignments during each of {len(ATTEMPTS)} runs",
        fix="assign to the variables from one thread at a time, for example under a lock",
    )


def unwrapped(equation: Equation) -> tuple[Any, dict[str, Any]]:
    """The kernel without its wrappers, and its attributes.

    Attributes that a wrapper binds, and the ``spec`` of an unchecked kernel, are constant once the shapes are known.
    """
    fn: Any = equation.resolution.fn
    attributes = {name: value for name, value in equation.attributes.items() if name not in ("device", "dtype")}
    while True:
        if isinstance(fn, partial) and not fn.args:
            attributes = {**fn.keywords, **attributes}
            fn = fn.func
        elif isinstance(fn, Unchecked):
            attributes["spec"] = tuple((symbol.shape, symbol.dtype) for symbol in equation.outputs)
            fn = fn.fn
        else:
            return fn, attributes


def reusable(graph: Graph, dead_after: list[list[Symbol]]) -> list[Symbol | None]:
    """For each equation, the temporary that its kernel may write its result into, or None.

    An equation whose result has axes may overwrite an operand that it is the last to use. One whose result is 0-d
    overwrites a temporary that went out of use earlier: with 0-d arrays, NumPy takes 750 ns if operand and result
    overlap, 240 ns if they do not, and 460 ns for a new result.

    No other array shares memory with these buffers: each was allocated by a kernel, and has been read only by kernels
    whose results do not alias their operands. The 0-d temporaries are removed from ``dead_after``, since they are kept
    for reuse.
    """
    unshared: set[Symbol] = set()
    spare_scalars: list[Symbol] = []
    buffers: list[Symbol | None] = []
    for position, equation in enumerate(graph.equations):
        kernels = equation.resolution.candidates
        if len(kernels) != 1 or not kernels[0].fresh or kernels[0].writes:
            unshared.difference_update(equation.symbols())
            buffers.append(None)
            continue
        output = equation.outputs[0]
        unused = [x for x in (dead_after[position] if output.shape else spare_scalars) if x in unshared]
        matching = [x for x in unused if x.shape == output.shape and x.dtype == output.dtype]
        accepts_out = kernels[0].out and not equation.attributes and len(equation.outputs) == 1
        buffers.append(matching[0] if matching and accepts_out else None)
        if buffers[-1] in spare_scalars:
            spare_scalars.remove(matching[0])
        unshared.update(equation.outputs)
        scalars = [x for x in dead_after[position] if not x.shape and x in unshared]
        spare_scalars += scalars
        dead_after[position] = [x for x in dead_after[position] if x not in scalars]
    return buffers


def last_uses(graph: Graph) -> list[list[Symbol]]:
    """For each equation, the symbols that no later equation needs, so that their memory can be freed."""
    # Arguments, variables and constants are held elsewhere.
    needed = {*graph.results(), *(x.symbol for x in graph.inputs())}
    dead_after: list[list[Symbol]] = []
    for equation in reversed(graph.equations):
        symbols = [symbol for symbol in dict.fromkeys((*equation.outputs, *equation.symbols())) if symbol not in needed]
        needed.update(symbols)
        dead_after.append(symbols)
    return dead_after[::-1]
