"""What several traces of one function have in common, and how the rest depends on unknown sizes.

A `Value` is a part of a graph that may depend on the sizes: a function of a `Filler`, which has them. `Agreement`
compares the same part of all traces and returns its `Value`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..dispatch import convert
from ..errors import TraceError
from ..random.generator import Draws
from ..registry.tensor_type import TensorType
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor
from .formulas import Sizes, formula, grid
from .ir import Equation, Graph, Literal, Source, location, render_value
from .sizes import Size, Watch

__all__ = ["Agreement", "Block", "Call", "Filler", "Inner", "Traced", "Value", "block_of"]

LARGEST: Final = 64  # elements of a constant whose values may depend on a size


@dataclass(frozen=True, slots=True)
class Traced:
    """One trace: the graph, the conditions under which it is valid, what else was returned, and noted comparisons."""

    graph: Graph
    guards: tuple[Callable[[], bool], ...]
    extra: Any
    watch: Watch


class Filler:
    """The sizes that a template is filled in for, and the shapes of the symbols so far."""

    def __init__(self, sizes: Sizes, shapes: list[tuple[int, ...]]) -> None:
        self.sizes = sizes
        self.shapes = shapes


Value = Callable[[Filler], Any]


@dataclass(frozen=True, slots=True)
class Inner:
    """The regions of an equation: their graphs, the shapes of the equation's results, and data."""

    blocks: tuple[Block, ...]
    results: tuple[Value, ...]
    data: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Call:
    """An equation.

    Attributes:
        equation: that of the last trace.
        operands: for each operand the number of its symbol, the value of a literal, or None.
        settling: whether an attribute that the kernel depends on is different for other sizes.
    """

    equation: Equation
    operands: tuple[int | Value | None, ...]
    attributes: dict[str, Value]
    settling: bool
    regions: Inner | None


@dataclass(frozen=True, slots=True)
class Block:
    """A graph or a region.

    Attributes:
        shapes: of each input.
        constants: what makes each constant of the type that it is given; None for those that all traces share.
        outputs, writes: numbers of symbols.
    """

    shapes: tuple[Value, ...]
    constants: tuple[Callable[[Filler, TensorType], Tensor] | None, ...]
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]
    writes: tuple[int, ...]


class Agreement:
    """The comparison of traces.

    Args:
        name: the function's.
        inputs: name and shape of each tensor; ``~k`` is the unknown size k.
        count: how many unknown sizes there are.
        traced: the traces, for each of ``grid(count)``.
    Raises:
        TraceError: a trace has compared a size.
    """

    def __init__(self, name: str, inputs: Sequence[tuple[str, Any]], count: int, traced: Sequence[Traced]) -> None:
        self.name = name
        self.inputs = inputs
        self.count = count
        self.sizes = grid(count)
        self.symbols = 0
        self.axes: dict[tuple[int, ...], tuple[int, int]] = {}  # sizes of an axis in all traces -> symbol, axis
        for x in traced:
            for line, text in x.watch.found:
                raise self.needed(f"Python compares a size, {text}, at {os.path.basename(line[0])}:{line[1]}")

    def needed(self, got: str) -> TraceError:
        """The error for a function that needs an unknown size."""
        unknown = [f"axis {k} of {label}" for label, shape in self.inputs for k, n in enumerate(shape) if n < 0]
        return TraceError(
            f"{self.name} needs a size that its input_signature leaves open: {', '.join(unknown)}.",
            expected="the same graph for every size, but for numbers that follow from it by a formula",
            got=got,
            fix="give the size in place of None; or leave out input_signature: then each size is a trace of its own",
        )

    def value(self, values: Sequence[Any], where: str, stored: Callable[[Any], Any] = lambda x: x) -> Value:
        """The value that has been these in the traces; ``stored`` rounds a number as it is stored."""
        values = [_plain(x) for x in values]
        first = values[0]
        if all(_same(first, x) for x in values):
            return lambda fill: first
        kind = type(first)
        if issubclass(kind, (tuple, list, dict)) and all(type(x) is kind and len(x) == len(first) for x in values):
            return self.container(kind, values, where, stored)
        found = formula(values, self.count, stored)
        if found is not None:
            return lambda fill: found(fill.sizes)
        if all(type(x) is int for x in values) and tuple(values) in self.axes:
            symbol, axis = self.axes[tuple(values)]
            return lambda fill: fill.shapes[symbol][axis]
        sizes: dict[str, Sizes] = {}  # with each value, the first that have it
        for x, known in zip(values, self.sizes, strict=True):
            sizes.setdefault(render_value(x), known)
        texts = [f"{text} for {', '.join(map(str, known))}" for text, known in sizes.items()]
        raise self.needed(f"{where} is {'; '.join(texts)}")

    def container(self, kind: Any, values: Sequence[Any], where: str, stored: Callable[[Any], Any]) -> Value:
        """The value of containers of the same kind and length."""
        if issubclass(kind, dict):
            if any(list(x) != list(values[0]) for x in values):
                raise self.needed(f"{where} has different keys")
            members = {key: self.value([x[key] for x in values], where, stored) for key in values[0]}
            return lambda fill: kind((key, member(fill)) for key, member in members.items())
        parts = [self.value(group, where, stored) for group in zip(*values, strict=True)]
        return lambda fill: kind([part(fill) for part in parts])

    def shape(self, symbols: Sequence[Symbol], where: str) -> Value:
        """The shape of a value."""
        return self.value([tuple(x.shape) for x in symbols], where)

    def define(self, symbols: Sequence[Symbol]) -> None:
        """Number a symbol, and remember its sizes."""
        if len({len(x.shape) for x in symbols}) == 1:
            for axis, sizes in enumerate(zip(*[map(int, x.shape) for x in symbols], strict=True)):
                self.axes.setdefault(sizes, (self.symbols, axis))
        self.symbols += 1

    def constant(self, holders: Sequence[Any], where: str) -> Callable[[Filler, TensorType], Tensor] | None:
        """What makes a captured tensor; None if all traces share it.

        Along an axis whose size differs it must repeat the same values, as the cotangent of a mean does.
        """
        first = holders[0]
        if first is None or all(x.array is first.array for x in holders):
            return None
        shapes = [tuple([int(n) for n in x.array.shape]) for x in holders]
        shape = self.value(shapes, f"the shape of {where}")
        hosts = [np.asarray(x.numpy()) for x in holders]
        for axis, sizes in enumerate(zip(*shapes, strict=True)):
            if len(set(sizes)) > 1:
                parts = [x[(slice(None),) * axis + (slice(0, 1),)] for x in hosts]
                if any(x.tobytes() != repeated(y, x.shape).tobytes() for x, y in zip(hosts, parts, strict=True)):
                    raise self.needed(f"{where} has other values for each size; polytape's ops compute it in the graph")
                hosts = parts
        base = hosts[0]
        listed = [tuple(x.reshape(-1).tolist()) for x in hosts]
        same = all(x.tobytes() == base.tobytes() for x in hosts)
        if not same and base.size > LARGEST:
            raise self.needed(f"{where} has other values for each size; polytape's ops compute it in the graph")
        numbers = None if same else self.value(listed, where, lambda x: np.asarray(x, base.dtype).item())

        def make(fill: Filler, kind: TensorType) -> Tensor:
            host = base if numbers is None else np.asarray(numbers(fill), base.dtype).reshape(base.shape)
            host = repeated(host, shape(fill))
            return Tensor(convert.asarray(host, None, kind.device, None).array, kind, None)

        return make

    def sources(self, graphs: Sequence[Graph]) -> list[Callable[[Filler], Any]]:
        """What reads each source's values."""
        listed = [x.sources for x in graphs]
        if any([source.key for source in x] != [source.key for source in listed[0]] for x in listed):
            raise self.needed("what is read at the start of a run")
        return [self.reader(group) for group in zip(*listed, strict=True)]

    def reader(self, sources: Sequence[Source]) -> Callable[[Filler], Any]:
        """What reads a source's values; the draws of a generator take more of it for larger tensors."""
        read = sources[-1].read
        if not isinstance(read, Draws):
            return lambda fill: read
        words = self.value([tuple(x.read.words) for x in sources], "how much random numbers it draws")  # type: ignore[attr-defined]  # all are draws
        generator = read.generator
        return lambda fill: Draws(generator, words(fill))


def repeated(host: Any, shape: tuple[int, ...]) -> Any:
    """A host array, repeated along its axes of size 1 up to a shape."""
    for axis, size in enumerate(shape):
        if host.shape[axis] != size:
            host = host.repeat(size, axis)
    return host


def block_of(graphs: Sequence[Graph], agreement: Agreement) -> Block:
    """The block that all these graphs are.

    Raises:
        TraceError: they differ in another way than by formulas.
    """
    numbers: list[dict[Symbol, int]] = [{} for _ in graphs]
    inputs = [x.inputs() for x in graphs]
    if len({len(x) for x in inputs}) > 1:
        raise agreement.needed("how many tensors and variables it reads")
    shapes = []
    for group in zip(*inputs, strict=True):
        shapes.append(agreement.shape([x.symbol for x in group], f"the shape of {group[0].name or 'a constant'}"))
        _define([x.symbol for x in group], numbers, agreement)
    constants = tuple(
        [
            agreement.constant([x.holder for x in group], "a constant")
            for group in zip(*[x.constants for x in graphs], strict=True)
        ]
    )
    calls = []
    for equations in zip(*[x.equations for x in graphs], strict=False):
        calls.append(_call(equations, numbers, agreement))
    counts = [len(x.equations) for x in graphs]
    if min(counts) < max(counts):
        longest = max(graphs, key=lambda x: len(x.equations))
        extra = longest.equations[min(counts)]
        raise agreement.needed(f"from {min(counts)} to {max(counts)} equations; the first more: {_title(extra)}")
    outputs = _numbers([x.outputs for x in graphs], numbers, agreement, "its results")
    writes = _numbers([[symbol for _, symbol in x.writes] for x in graphs], numbers, agreement, "its assignments")
    return Block(tuple(shapes), constants, tuple(calls), outputs, writes)


def _define(symbols: Sequence[Symbol], numbers: list[dict[Symbol, int]], agreement: Agreement) -> None:
    for symbol, known in zip(symbols, numbers, strict=True):
        known[symbol] = len(known)
    agreement.define(symbols)


def _numbers(
    listed: Sequence[Sequence[Symbol]], numbers: list[dict[Symbol, int]], agreement: Agreement, what: str
) -> tuple[int, ...]:
    found = {tuple([known[x] for x in symbols]) for symbols, known in zip(listed, numbers, strict=True)}
    if len(found) > 1:
        raise agreement.needed(f"which values are {what}")
    return found.pop()


def _call(equations: Sequence[Equation], numbers: list[dict[Symbol, int]], agreement: Agreement) -> Call:
    first, last = equations[0], equations[-1]
    for x in equations[1:]:
        kinds = (x.op.name, len(x.operands), x.attributes.keys(), x.resolution.result_types)
        if kinds != (first.op.name, len(first.operands), first.attributes.keys(), first.resolution.result_types):
            raise agreement.needed(f"{_title(first)}, or {_title(x)}")
    operands = tuple(
        [_operand(group, numbers, agreement, first) for group in zip(*[x.operands for x in equations], strict=True)]
    )
    inner = None if first.regions is None else _inner(equations, agreement)
    attributes = {
        name: agreement.value([x.attributes[name] for x in equations], f"{name} of {_title(first)}")
        for name in first.attributes
        if name != "regions"
    }
    differing = {name for name in attributes if any(x.attributes[name] != last.attributes[name] for x in equations)}
    for k in range(len(first.outputs)):
        _define([x.outputs[k] for x in equations], numbers, agreement)
    return Call(last, operands, attributes, bool(differing & set(first.op.dtype_attributes)), inner)


def _operand(
    group: Sequence[Any], numbers: list[dict[Symbol, int]], agreement: Agreement, equation: Equation
) -> int | Value | None:
    if isinstance(group[0], Literal) and all(isinstance(x, Literal) and x.type is group[0].type for x in group):
        return agreement.value([x.value for x in group], f"a number in {_title(equation)}")
    found = {known.get(x) if isinstance(x, Symbol) else x for x, known in zip(group, numbers, strict=True)}
    if len(found) > 1:
        raise agreement.needed(f"an operand of {_title(equation)}")
    number: int | None = found.pop()
    return number


def _inner(equations: Sequence[Equation], agreement: Agreement) -> Inner:
    regions = [x.regions for x in equations]
    where = _title(equations[0])
    blocks = tuple([block_of(graphs, agreement) for graphs in zip(*[x.graphs for x in regions], strict=True)])
    results = tuple(
        [
            agreement.value([shape for _, shape in group], f"the shape of a result of {where}")
            for group in zip(*[x.results for x in regions], strict=True)
        ]
    )
    data = {name: agreement.value([x.data()[name] for x in regions], f"{name} of {where}") for name in regions[0].DATA}
    return Inner(blocks, results, data)


def _title(equation: Equation) -> str:
    return f"{equation.op.name} at {location(equation)}"


def _plain(value: Any) -> Any:
    """A value with plain integers for sizes."""
    if isinstance(value, Size):
        return int(value)
    if isinstance(value, tuple) and any(isinstance(x, (Size, tuple)) for x in value):
        return type(value)([_plain(x) for x in value])
    return value


def _same(first: Any, other: Any) -> bool:
    """Whether two values are equal, with their types, the sign of zero, and NaN equal to itself."""
    if type(first) is not type(other):
        return False
    if isinstance(first, (float, complex)):
        return repr(first) == repr(other)
    if isinstance(first, np.ndarray):
        return bool(first.dtype is other.dtype and first.shape == other.shape and first.tobytes() == other.tobytes())
    return first is other or bool(first == other)
