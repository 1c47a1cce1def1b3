"""The graph: typed equations in single-assignment form, as values that passes turn into other values.

A `Symbol` is one value of a graph; during tracing it takes the place of a native array. Arguments, variables and
constants are inputs, each with a symbol. An equation's operands are symbols, literals, or None for an omitted optional
operand.
"""

from __future__ import annotations

import importlib
import math
import os
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..dispatch.wrappers import Unchecked
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.node import leaf
from ..tensors.symbol import Symbol, type_text
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = [
    "Equation",
    "Graph",
    "Input",
    "Literal",
    "Operand",
    "Source",
    "names",
    "render",
    "render_equation",
    "unused_name",
    "unwrapped",
]

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
        members: the equations that a fused one computes at once.
    """

    op: Op
    resolution: Resolution
    operands: tuple[Operand, ...]
    attributes: dict[str, Any]
    outputs: tuple[Symbol, ...]
    source: tuple[str, int]
    members: tuple[Equation, ...] = ()

    @property
    def regions(self) -> Any:
        """The subgraphs of an equation for control flow, a `polytape.graph.regions.Regions`; None for other ops."""
        return self.attributes.get("regions")

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

    def uses(self) -> Counter[Symbol]:
        """How often each symbol is an operand, an output or an assigned value."""
        uses = Counter(symbol for equation in self.equations for symbol in equation.symbols())
        uses.update(self.results())
        return uses

    def to_dot(self) -> str:
        """The graph in the language of Graphviz."""
        return str(_drawing().to_dot(self))

    def save_svg(self, path: str | os.PathLike[str]) -> None:
        """Draw the graph to an SVG file; see `polytape.graph.drawing.save_svg`."""
        _drawing().save_svg(self, path)

    def __str__(self) -> str:
        return render(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.equations)} equations>"


def _drawing() -> Any:
    # By name: drawing needs the graph, and loads with the first picture.
    return importlib.import_module("polytape.graph.drawing")


def names(graph: Graph) -> dict[Symbol, str]:
    """A unique name for each symbol: an input's own name, else ``x0``, ``v0`` or ``c0``; for the others a, b, c, ..."""
    by_symbol: dict[Symbol, str] = {}
    taken: set[str] = set()
    values = [x for source in graph.sources for x in source.inputs]
    for prefix, inputs in (("x", graph.arguments), ("v", graph.variables), ("s", values), ("c", graph.constants)):
        for position, graph_input in enumerate(inputs):
            by_symbol[graph_input.symbol] = unused_name(graph_input.name or f"{prefix}{position}", taken)
    letters = (name for name in _letters() if name not in taken)
    for equation in graph.equations:
        for symbol in equation.outputs:
            by_symbol[symbol] = next(letters)
    for symbol in [x for equation in graph.equations for member in equation.members for x in member.outputs]:
        if symbol not in by_symbol:  # within a fused equation
            by_symbol[symbol] = next(letters)
    return by_symbol


def unused_name(label: str, taken: set[str]) -> str:
    """A name that is not ``taken``, made from a label; it is added to these."""
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
    for text, equation in zip(texts, graph.equations, strict=True):
        lines += [f"{text:<{width}}# {location(equation)}", *region_lines(equation)]
        lines += [f"{f'    {render_equation(x, known)}':<{width}}# {location(x)}" for x in equation.members]
    variable_names = {id(x.holder): known[x.symbol] for x in graph.variables}
    for position, (variable, symbol) in enumerate(graph.writes):
        target = variable_names.get(id(variable)) or variable.name or f"w{position}"
        lines.append(f"  assign {target} = {known.get(symbol, '?')}")
    lines.append(f"  return {', '.join(known.get(symbol, '?') for symbol in graph.outputs)}".rstrip())
    return "\n".join(lines)


def region_lines(equation: Equation) -> list[str]:
    """The regions of an equation as text, indented; nothing for other equations."""
    if equation.regions is None:
        return []
    texts = [render(graph).removeprefix("graph ") for graph in equation.regions.graphs]
    return [f"    {line}" for text in texts for line in text.splitlines()]


def render_equation(equation: Equation, known: dict[Symbol, str]) -> str:
    """One equation without its source line; a symbol that has no name in ``known`` prints as ``?``."""
    outputs = ", ".join(f"{known.get(symbol, '?')}: {describe(symbol)}" for symbol in equation.outputs)
    operands = [
        known.get(x, "?") if isinstance(x, Symbol) else literal_text(equation, x) if isinstance(x, Literal) else str(x)
        for x in equation.operands
    ]
    attributes = [f"{name}={render_value(value)}" for name, value in equation.attributes.items() if name != "regions"]
    if equation.regions is not None:
        attributes += equation.regions.settings
    return f"{outputs} = {equation.op.name.rstrip('_')}({', '.join([*operands, *attributes])})"


def literal_text(equation: Equation, literal: Literal) -> str:
    """A number, with its dtype unless that is the dtype of the first operand, or of the result where all are bools.

    NaN and the infinities always have the dtype: they could be names.
    """
    default = next((x.dtype for x in equation.symbols() if x.dtype.kind != "b"), equation.outputs[0].dtype)
    value = literal.value
    text = str(literal)
    if value != value and isinstance(value, float) and math.copysign(1.0, value) < 0.0:
        text = "-nan"
    finite = isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value))
    return text if literal.type.dtype is default and finite else f"{literal.type.dtype}({text})"


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
