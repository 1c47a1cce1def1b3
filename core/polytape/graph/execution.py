"""Running a graph op by op: one generated Python function per graph, with kernels and attributes bound to names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import partial
from typing import Any

from ..dispatch.wrappers import Unchecked
from ..tensors.tensor import Symbol, Tensor
from .ir import Equation, Graph, Literal, names, render_equation, where

__all__ = ["Executable"]

_numbers = itertools.count()


class Executable:
    """A graph as functions on native arrays and on tensors.

    Attributes:
        graph: the graph.
        run: ``(*arguments, *variables) -> (*outputs, *assigned values)``, native arrays.
        call: ``(*tensors) -> tensor``, or a tuple of tensors where ``single`` is false: reads the variables, runs,
            then assigns; nothing is assigned where an op raises.
        source: the generated code.
    """

    def __init__(self, graph: Graph, single: bool = False) -> None:
        self.graph = graph
        self.file = f"<graph {graph.name} {next(_numbers)}>"
        self.locks = Locks(graph.locks)
        made = _Source(graph)
        made.bound["locks"] = self.locks
        made.write_run()
        made.write_call(single)
        self.source = "\n".join(made.lines)
        self.owners = made.owners
        exec(compile(self.source, self.file, "exec"), made.bound)
        self.run: Any = made.bound["run"]
        self.call: Any = made.bound["call"]

    def explain(self, error: BaseException) -> None:
        """Note on an error from `run` or `call` which equation, and which of the user's lines, it came from."""
        frame = error.__traceback__
        while frame is not None:
            equation = self.owners.get(frame.tb_lineno)
            if frame.tb_frame.f_code.co_filename == self.file and equation is not None:
                text = render_equation(equation, names(self.graph))
                error.add_note(f"in graph {self.graph.name}: {text}  # {where(equation)}")
                return
            frame = frame.tb_next


class Locks:
    """Several locks as one, always taken in the same order, so that two graphs cannot wait for each other."""

    def __init__(self, locks: Iterable[Any]) -> None:
        self.locks = sorted(locks, key=id)

    def __enter__(self) -> None:
        for lock in self.locks:
            lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        for lock in self.locks:
            lock.release()


class _Source:
    """The generated code, the names bound in it, and which equation each of its lines belongs to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.bound: dict[str, Any] = {"Tensor": Tensor}
        self.owners: dict[int, Equation] = {}
        self.local: dict[Symbol, str] = {}
        for prefix, inputs in (("x", graph.arguments), ("v", graph.variables), ("c", graph.constants)):
            self.local.update({one.symbol: f"{prefix}{position}" for position, one in enumerate(inputs)})
        for symbol, name in names(graph).items():
            self.local.setdefault(symbol, f"_{name}")  # a, b, c may be Python's own words further on
        for one in graph.constants:
            self.bind(self.local[one.symbol], one.holder.array if one.holder is not None else None)
        dying = last_uses(graph)
        self.buffers = reusable(graph, dying)
        self.body = [
            (equation, [*self.equation(position, equation), *self.deletion(dying[position])])
            for position, equation in enumerate(graph.equations)
        ]

    def bind(self, name: str, value: Any) -> str:
        self.bound[name] = value
        return name

    def write_run(self) -> None:
        """The function on native arrays."""
        graph = self.graph
        inputs = [self.local[one.symbol] for one in (*graph.arguments, *graph.variables)]
        self.lines.append(f"def run({', '.join(inputs)}):")
        self.write_body("    ")
        self.lines.append(f"    return ({''.join(f'{self.local[symbol]}, ' for symbol in graph.results())})")

    def write_call(self, single: bool) -> None:
        """The function on tensors, with the equations written out once more: a call costs as much as a small op."""
        graph = self.graph
        arguments = [self.local[one.symbol] for one in graph.arguments]
        self.lines.append(f"def call({', '.join(arguments)}):")
        self.lines += [f"    {name} = {name}.array" for name in arguments]
        indent = "    "
        if graph.locks:
            self.lines.append("    with locks:")
            indent = "        "
        for position, one in enumerate(graph.variables):
            self.lines.append(f"{indent}{self.local[one.symbol]} = {self.bind(f'h{position}', one.holder)}.array")
        self.write_body(indent)
        for position, (variable, symbol) in enumerate(graph.writes):
            self.lines.append(f"{indent}{self.bind(f'w{position}', variable)}.array = {self.local[symbol]}")
        made = [
            f"Tensor({self.local[symbol]}, {self.bind(f'o{position}', tensor_type)}, None)"
            for position, (symbol, tensor_type) in enumerate(zip(graph.outputs, graph.output_types, strict=True))
        ]
        self.lines.append(f"    return {made[0] if single else ''.join(['(', *(f'{one}, ' for one in made), ')'])}")

    def write_body(self, indent: str) -> None:
        """The equations' lines, and whose they are."""
        for equation, lines in self.body:
            for line in lines:
                self.lines.append(indent + line)
                self.owners[len(self.lines)] = equation

    def equation(self, position: int, equation: Equation) -> list[str]:
        fn, attributes = unfolded(equation)
        kernel = self.bind(f"k{position}", fn)
        words = [self.operand(position, place, one) for place, one in enumerate(equation.operands)]
        words += [f"{name}={self.bind(f'p{position}_{name}', value)}" for name, value in attributes.items()]
        outputs = [self.local[symbol] for symbol in equation.outputs]
        buffer = self.buffers[position]
        if buffer is not None:
            return [f"{outputs[0]} = {kernel}({', '.join([*words, f'out={self.local[buffer]}'])})"]
        targets = ", ".join(outputs) + ("," if equation.op.outputs is not None else "")
        lines = [f"{targets} = {kernel}({', '.join(words)})"]
        for place, symbol in enumerate(equation.outputs):
            if not symbol.shape:
                # NumPy's ufuncs give scalars for 0-d results.
                tensor_type = equation.resolution.result_types[place]
                type_name = self.bind(f"t{position}_{place}", tensor_type.array_type)
                lift = self.bind(f"l{position}_{place}", tensor_type.lift)
                name = outputs[place]
                lines.append(f"if type({name}) is not {type_name}: {name} = {lift}({name})")
        return lines

    def operand(self, position: int, place: int, operand: Symbol | Literal | None) -> str:
        if isinstance(operand, Literal):
            return self.bind(f"n{position}_{place}", operand.array())
        return "None" if operand is None else self.local[operand]

    def deletion(self, symbols: list[Symbol]) -> list[str]:
        return [f"del {', '.join(self.local[symbol] for symbol in symbols)}"] if symbols else []


def unfolded(equation: Equation) -> tuple[Any, dict[str, Any]]:
    """The kernel and its attributes, without the wrappers whose work is done once shapes are known."""
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


def reusable(graph: Graph, dying: list[list[Symbol]]) -> list[Symbol | None]:
    """Per equation the temporary that its kernel may write its result into, if there is one.

    An array may be one that dies here. For a number it is one that died before: NumPy takes 750 ns where operand and
    result overlap in a 0-d array, 240 where they do not, and 460 for a new one.

    Nobody else sees these buffers: a kernel made each afresh, and only kernels that keep nothing of an operand in their
    results have read it. Takes the numbers out of ``dying``: they wait for their next use.
    """
    own: set[Symbol] = set()
    idle: list[Symbol] = []
    buffers: list[Symbol | None] = []
    for position, equation in enumerate(graph.equations):
        candidates = equation.resolution.candidates
        if len(candidates) != 1 or not candidates[0].fresh or candidates[0].writes:
            own.difference_update(equation.symbols())
            buffers.append(None)
            continue
        output = equation.outputs[0]
        offered = [one for one in (dying[position] if output.shape else idle) if one in own]
        fits = [one for one in offered if one.shape == output.shape and one.dtype == output.dtype]
        served = candidates[0].out and not equation.attributes and len(equation.outputs) == 1
        buffers.append(fits[0] if fits and served else None)
        if buffers[-1] in idle:
            idle.remove(fits[0])
        own.update(equation.outputs)
        spare = [one for one in dying[position] if not one.shape and one in own]
        idle += spare
        dying[position] = [one for one in dying[position] if one not in spare]
    return buffers


def last_uses(graph: Graph) -> list[list[Symbol]]:
    """Per equation the symbols that nothing after it needs: their memory can go."""
    # Arguments, variables and constants are held elsewhere.
    needed = {*graph.results(), *(one.symbol for one in graph.inputs())}
    dying: list[list[Symbol]] = []
    for equation in reversed(graph.equations):
        here = [symbol for symbol in dict.fromkeys((*equation.outputs, *equation.symbols())) if symbol not in needed]
        needed.update(here)
        dying.append(here)
    return dying[::-1]
