"""The graph: typed equations in single-assignment form, as values that passes turn into other values.

A `Symbol` is one value of a graph; during tracing it takes the place of a native array. Arguments, variables and
constants are inputs, each with a symbol. An equation's operands are symbols, literals, or None for an omitted optional
operand.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.node import leaf
from ..tensors.symbol import Symbol, type_text
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Equation", "Graph", "Input", "Literal", "Operand", "Source", "names", "render", "render_equation"]

WIDTH = 52  # column of the source lines, unless an equation is longer


@dataclass(frozen=True, slots=True)
class Literal:
    """A Python number in the dtype of its equation; a host value on every device."""

    value: complex
    type: TensorType

    def __str__(self) -> str:
        return repr(self.value)

    def array(self) -> Any:
        """The literal as a native array of shape ()."""
        return self.type.scalar(self.value) if self.type.takes(self.value) else self.type.make_scalar(self.value)


Operand = Symbol | Literal | None


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """One call of an op: its operands and attributes, and the symbols it defines.

    Attributes:
        op, resolution: the op, and the kernel resolved for it.
        operands: a symbol, a literal or None for each operand.
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
        """The operands that are symbols."""
        return (operand for operand in self.operands if isinstance(operand, Symbol))

    def substitute(self, replacements: dict[Symbol, Symbol]) -> Equation:
        """The equation with the symbols among its operands replaced."""
        if not any(symbol in replacements for symbol in self.symbols()):
            return self
        operands = [replacements.get(x, x) if isinstance(x, Symbol) else x for x in self.operands]
        return replace(self, operands=tuple(operands))


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """An input of a graph: an argument, a variable or a constant.

    Attributes:
        name: the parameter's or variable's name; empty if it has none.
        symbol: its value in the graph.
        type: its backend, device and dtype.
        holder: the variable that is read at each call, a constant's tensor, or None for an argument.
        handle: the user's own handle on a constant, which may be watched or given another array later.
    """

    name: str
    symbol: Symbol
    type: TensorType
    holder: Tensor | None = None
    handle: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A function whose values a graph reads at the start of each run, such as an optimizer's learning rate.

    Attributes:
        owner: the object that the values belong to.
        key: identifies the source among those of all traces of the same function.
        read: ``() -> native arrays``, one for each input.
        mark: of the trace that the source belongs to.
        inputs: the values in the graph.
    """

    owner: Any
    key: tuple[int, int]
    read: Callable[[], Sequence[Any]]
    mark: object
    inputs: list[Input]

    def tensor(self, name: str, tensor_type: TensorType, shape: tuple[int, ...]) -> Tensor:
        """Add a value; returns it as a tensor of the trace."""
        symbol = Symbol(self.mark, None, len(self.inputs), shape, tensor_type.dtype)
        self.inputs.append(Input(name, symbol, tensor_type))
        return Tensor(symbol, tensor_type, leaf(tensor_type, shape))


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A traced function.

    Attributes:
        name: the function's name.
        arguments, variables, constants: the inputs.
        equations: in an order in which they can run.
        outputs: the results; ``output_types``: their types.
        writes: the variables that are assigned after the run, each with its new value.
        sources: what else is read at the start of each run.
    """

    name: str
    arguments: tuple[Input, ...]
    variables: tuple[Input, ...]
    constants: tuple[Input, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Symbol, ...]
    output_types: tuple[TensorType, ...]
    writes: tuple[tuple[Variable, Symbol], ...]
    sources: tuple[Source, ...] = ()

    def inputs(self) -> tuple[Input, ...]:
        """Arguments, variables, values of sources, and constants."""
        return (*self.arguments, *self.state(), *self.constants)

    def state(self) -> tuple[Input, ...]:
        """The inputs that are read at the start of each run: variables, then values of sources."""
        return (*self.variables, *(x for source in self.sources for x in source.inputs))

    def results(self) -> tuple[Symbol, ...]:
        """The outputs, and the values assigned to variables."""
        return (*self.outputs, *(symbol for _, symbol in self.writes))

    def __str__(self) -> str:
        return render(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.equations)} equations>"


def names(graph: Graph) -> dict[Symbol, str]:
    """A unique name for each symbol: an input's own name, else ``x0``, ``v0`` or ``c0``; for the others a, b, c, ..."""
    by_symbol: dict[Symbol, str] = {}
    taken: set[str] = set()
    values = [x for source in graph.sources for x in source.inputs]
    for prefix, inputs in (("x", graph.arguments), ("v", graph.variables), ("s", values), ("c", graph.constants)):
        for position, graph_input in enumerate(inputs):
            by_symbol[graph_input.symbol] = _unused_name(graph_input.name or f"{prefix}{position}", taken)
    letters = (name for name in _letters() if name not in taken)
    for equation in graph.equations:
        for symbol in equation.outputs:
            by_symbol[symbol] = next(letters)
    return by_symbol


def _unused_name(label: str, taken: set[str]) -> str:
    label = "".join(character if character.isalnum() else "_" for character in label)
    name, count = label, 0
    while name in taken:
        count += 1
        name = f"{label}_{count}"
    taken.add(name)
    return name


def _letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    labels = [""]
    while True:
        labels = [prefix + letter for prefix in labels for letter in string.ascii_lowercase]
        yield from labels


# --- printing -------------------------------------------------------------------------------------------------------


def render(graph: Graph) -> str:
    """The graph as text; the same trace always gives the same text."""
    known = names(graph)
    arguments = ", ".join(f"{known[x.symbol]}: {describe(x.symbol)}" for x in graph.arguments)
    results = ", ".join(describe(symbol) for symbol in graph.outputs)
    if len(graph.outputs) != 1:
        results = f"({results})"
    lines = [f"graph {graph.name}({arguments}) -> {results}"]
    lines += [f"  variable {known[x.symbol]}: {describe(x.symbol)}" for x in graph.variables]
    lines += [f"  read {known[x.symbol]}: {describe(x.symbol)}" for source in graph.sources for x in source.inputs]
    lines += [f"  constant {known[x.symbol]}: {describe(x.symbol)}" for x in graph.constants]
    texts = [f"  {render_equation(equation, known)}" for equation in graph.equations]
    width = max([WIDTH, *(len(text) + 2 for text in texts)])
    lines += [f"{text:<{width}}# {location(equation)}" for text, equation in zip(texts, graph.equations, strict=True)]
    variable_names = {id(x.holder): known[x.symbol] for x in graph.variables}
    for position, (variable, symbol) in enumerate(graph.writes):
        target = variable_names.get(id(variable)) or variable.name or f"w{position}"
        lines.append(f"  assign {target} = {known.get(symbol, '?')}")
    lines.append(f"  return {', '.join(known.get(symbol, '?') for symbol in graph.outputs)}".rstrip())
    return "\n".join(lines)


def render_equation(equation: Equation, known: dict[Symbol, str]) -> str:
    """One equation without its source line; a symbol that has no name in ``known`` prints as ``?``."""
    outputs = ", ".join(f"{known.get(symbol, '?')}: {describe(symbol)}" for symbol in equation.outputs)
    operands = [known.get(x, "?") if isinstance(x, Symbol) else str(x) for x in equation.operands]
    attributes = [f"{name}={render_value(value)}" for name, value in equation.attributes.items()]
    return f"{outputs} = {equation.op.name.rstrip('_')}({', '.join([*operands, *attributes])})"


def describe(symbol: Symbol) -> str:
    """A symbol's dtype and shape: ``float32[2,3]``."""
    return type_text(symbol.dtype, symbol.shape)


def location(equation: Equation) -> str:
    """The user's file and line that an equation comes from: ``train.py:41``."""
    file, line = equation.source
    return f"{os.path.basename(file)}:{line}"


def render_value(value: object) -> str:
    """An attribute's value as text; a dtype prints as its name."""
    return str(value) if isinstance(value, np.dtype) else repr(value)
