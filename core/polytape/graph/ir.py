"""The graph: typed equations in single-assignment form, as values that passes turn into other values.

A `Symbol` is one value of a graph and stands where a native array stands. Arguments, variables and constants are
inputs, each with a symbol; an equation's operands are symbols, literals, or None where an optional one is left out.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.symbol import Symbol, type_text
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Equation", "Graph", "Input", "Literal", "Operand", "names", "render", "render_equation"]

WIDTH = 52  # where the source lines stand, unless an equation is longer


@dataclass(frozen=True, slots=True)
class Literal:
    """A Python number in the dtype of its equation; a host value, whatever the device."""

    value: complex
    type: TensorType

    def __str__(self) -> str:
        return repr(self.value)

    def array(self) -> Any:
        """Its native array of shape ()."""
        return self.type.scalar(self.value) if self.type.takes(self.value) else self.type.make_scalar(self.value)


Operand = Symbol | Literal | None


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """One op: what it is called with, and the symbols it defines.

    Attributes:
        op, entry: the op, and the kernel resolved for it.
        operands: per operand a symbol, a literal, or None.
        attributes: those that differ from the op's defaults, as hashable values.
        outputs: the symbols it defines.
        source: the user's file and line.
    """

    op: Op
    resolution: Resolution
    operands: tuple[Operand, ...]
    attributes: dict[str, Any]
    outputs: tuple[Symbol, ...]
    source: tuple[str, int]

    def symbols(self) -> Iterator[Symbol]:
        """Its operands that are symbols."""
        return (operand for operand in self.operands if isinstance(operand, Symbol))

    def substitute(self, found: dict[Symbol, Symbol]) -> Equation:
        """The same equation on other operands."""
        if not any(symbol in found for symbol in self.symbols()):
            return self
        operands = [found.get(one, one) if isinstance(one, Symbol) else one for one in self.operands]
        return replace(self, operands=tuple(operands))


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """A value that a graph starts from.

    Attributes:
        name: the parameter's or variable's name, empty where it has none.
        symbol: its value in the graph.
        type: its backend, device and dtype.
        holder: the variable that is read at each call, a constant's tensor, or None for an argument.
        handle: the user's own handle on a constant, which may be watched or pointed elsewhere later.
    """

    name: str
    symbol: Symbol
    type: TensorType
    holder: Tensor | None = None
    handle: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A traced function.

    Attributes:
        name: the function's.
        arguments, variables, constants: the inputs.
        equations: in an order in which they can run.
        outputs: the results, ``output_types`` their types.
        writes: the variables that are assigned after the run, and with what.
        locks: held from reading the variables until they are assigned.
    """

    name: str
    arguments: tuple[Input, ...]
    variables: tuple[Input, ...]
    constants: tuple[Input, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Symbol, ...]
    output_types: tuple[TensorType, ...]
    writes: tuple[tuple[Variable, Symbol], ...]
    locks: tuple[Any, ...] = ()

    def inputs(self) -> tuple[Input, ...]:
        """Arguments, variables and constants."""
        return (*self.arguments, *self.variables, *self.constants)

    def results(self) -> tuple[Symbol, ...]:
        """Outputs, and what variables are assigned."""
        return (*self.outputs, *(symbol for _, symbol in self.writes))

    def __str__(self) -> str:
        return render(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.equations)} equations>"


def names(graph: Graph) -> dict[Symbol, str]:
    """Each symbol's name: an argument's own, ``v0`` for a nameless variable, ``c0`` for a constant, then a, b, c."""
    found: dict[Symbol, str] = {}
    taken: set[str] = set()
    for prefix, inputs in (("x", graph.arguments), ("v", graph.variables), ("c", graph.constants)):
        for position, one in enumerate(inputs):
            found[one.symbol] = _free(one.name or f"{prefix}{position}", taken)
    letters = (name for name in _letters() if name not in taken)
    for equation in graph.equations:
        for symbol in equation.outputs:
            found[symbol] = next(letters)
    return found


def _free(wanted: str, taken: set[str]) -> str:
    wanted = "".join(one if one.isalnum() else "_" for one in wanted)
    name, count = wanted, 0
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    taken.add(name)
    return name


def _letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    previous = [""]
    while True:
        previous = [head + letter for head in previous for letter in string.ascii_lowercase]
        yield from previous


# --- as text --------------------------------------------------------------------------------------------------------


def render(graph: Graph) -> str:
    """The graph as text; the same trace always gives the same text."""
    known = names(graph)
    arguments = ", ".join(f"{known[one.symbol]}: {describe(one.symbol)}" for one in graph.arguments)
    results = ", ".join(describe(symbol) for symbol in graph.outputs)
    if len(graph.outputs) != 1:
        results = f"({results})"
    lines = [f"graph {graph.name}({arguments}) -> {results}"]
    lines += [f"  variable {known[one.symbol]}: {describe(one.symbol)}" for one in graph.variables]
    lines += [f"  constant {known[one.symbol]}: {describe(one.symbol)}" for one in graph.constants]
    texts = [f"  {render_equation(equation, known)}" for equation in graph.equations]
    width = max([WIDTH, *(len(text) + 2 for text in texts)])
    lines += [f"{text:<{width}}# {where(equation)}" for text, equation in zip(texts, graph.equations, strict=True)]
    read = {id(one.holder): known[one.symbol] for one in graph.variables}
    for position, (variable, symbol) in enumerate(graph.writes):
        target = read.get(id(variable)) or variable.name or f"w{position}"
        lines.append(f"  assign {target} = {known.get(symbol, '?')}")
    lines.append(f"  return {', '.join(known.get(symbol, '?') for symbol in graph.outputs)}".rstrip())
    return "\n".join(lines)


def render_equation(equation: Equation, known: dict[Symbol, str]) -> str:
    """One equation without its source line; a symbol that is not known prints as ``?``."""
    outputs = ", ".join(f"{known.get(symbol, '?')}: {describe(symbol)}" for symbol in equation.outputs)
    operands = [known.get(one, "?") if isinstance(one, Symbol) else str(one) for one in equation.operands]
    attributes = [f"{name}={show(value)}" for name, value in equation.attributes.items()]
    return f"{outputs} = {equation.op.name.rstrip('_')}({', '.join([*operands, *attributes])})"


def describe(symbol: Symbol) -> str:
    """``float32[2,3]``."""
    return type_text(symbol.dtype, symbol.shape)


def where(equation: Equation) -> str:
    """``train.py:41``."""
    file, line = equation.source
    return f"{os.path.basename(file)}:{line}"


def show(value: object) -> str:
    """An attribute's value; a dtype by its name."""
    return str(value) if isinstance(value, np.dtype) else repr(value)
