"""The graph: typed equations in single-assignment form, as values that passes turn into other values.

A `Symbol` is one value of a graph and stands where a native array stands. Arguments, variables and constants are
inputs, each with a symbol; an equation's operands are symbols, literals, or None where an optional one is left out.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..registry.entry import Entry
from ..registry.kinds import Kind
from ..registry.op import Op
from ..state.variable import Variable
from ..tensors.tensor import Symbol, Tensor

__all__ = ["Equation", "Graph", "Input", "Literal", "Operand", "names"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A Python number in the dtype of its equation; a host value, whatever the device."""

    value: complex
    kind: Kind

    def __str__(self) -> str:
        return repr(self.value)

    def array(self) -> Any:
        """Its native array of shape ()."""
        return self.kind.scalar(self.value) if self.kind.takes(self.value) else self.kind.make_scalar(self.value)


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
    entry: Entry
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
        kind: its backend, device and dtype.
        holder: the variable that is read at each call, a constant's tensor, or None for an argument.
        handle: the user's own handle on a constant, which may be watched or pointed elsewhere later.
    """

    name: str
    symbol: Symbol
    kind: Kind
    holder: Tensor | None = None
    handle: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A traced function.

    Attributes:
        name: the function's.
        arguments, variables, constants: the inputs.
        equations: in an order in which they can run.
        outputs: the results, ``kinds`` theirs.
        writes: the variables that are assigned after the run, and with what.
        locks: held from reading the variables until they are assigned.
    """

    name: str
    arguments: tuple[Input, ...]
    variables: tuple[Input, ...]
    constants: tuple[Input, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Symbol, ...]
    kinds: tuple[Kind, ...]
    writes: tuple[tuple[Variable, Symbol], ...]
    locks: tuple[Any, ...] = ()

    def inputs(self) -> tuple[Input, ...]:
        """Arguments, variables and constants."""
        return (*self.arguments, *self.variables, *self.constants)

    def results(self) -> tuple[Symbol, ...]:
        """Outputs, and what variables are assigned."""
        return (*self.outputs, *(symbol for _, symbol in self.writes))

    def __str__(self) -> str:
        from .printing import render

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
