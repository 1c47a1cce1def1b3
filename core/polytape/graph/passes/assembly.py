"""Assembly: a sum of arrays that are zero outside a part each, where the parts make up the whole, is a concatenation.

    before                                                        after
    a: float32[n,4] = scatter_add(x, key=[:, 0:2], shape=(n, 4))  a: float32[n,4] = concat(x, y, axis=1)
    b: float32[n,4] = scatter_add(y, key=[:, 2:4], shape=(n, 4))  c: float32[n,4] = add(a, 0.0)
    c: float32[n,4] = add(a, b)

Gradients of slices have this form: those of a cell's gates, of the steps of a sequence. Each array of the sum has the
size of the whole, and all may exist at once. The result has the same bits, in whatever order the terms are added: each
element is a number plus zeros. That is the number itself, or 0.0 for -0.0, hence the addition. The order of elements in
memory is also the same, since a later sum depends on it: only parts that certainly lie row by row are concatenated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ...dtypes import FLOATING
from ...ops.manipulation import concat, reshape
from ...tensors.symbol import Symbol
from ...tensors.tensor import Tensor
from ..ir import Equation, Graph, Literal
from ..tracing import trace

__all__ = ["assembly"]

# Ops whose result lies row by row if their operands do. The same holds for elementwise ones and some products.
ARRANGING: Final = frozenset({"concat", "expand_dims", "identity", "reshape", "scatter_add", "squeeze"})


class _Part(NamedTuple):
    """The elements ``start`` to ``stop`` along an axis, and their values."""

    axis: int
    start: int
    stop: int
    values: Symbol


def assembly(graph: Graph) -> Graph:
    """The graph with concatenations; the arrays that they leave unused, `dead_code` removes."""
    terms: dict[Symbol, list[_Part]] = {}  # of the results that are a part, or a sum of parts
    for equation in graph.equations:
        part = _part(equation)
        if part is not None:
            terms[equation.outputs[0]] = [part]
    if len(terms) < 2:
        return graph
    uses = graph.uses()
    inner: set[Symbol] = set()  # the operands of larger sums
    for equation in graph.equations:
        if equation.op.name == "add":
            operands, kind = equation.operands, equation.resolution.result_type
            if any(x is not kind for x in equation.resolution.operand_types):
                continue
            shape = equation.outputs[0].shape
            if all(isinstance(x, Symbol) and uses[x] == 1 and x in terms and x.shape == shape for x in operands):
                terms[equation.outputs[0]] = [part for x in operands for part in terms[x]]  # type: ignore[index]  # symbols
                inner.update(equation.symbols())
    by_rows = _by_rows(graph) if inner else set()
    members: list[Equation] = []
    for equation in graph.equations:
        output = equation.outputs[0] if equation.outputs else None
        parts = [] if output is None or output in inner else terms.get(output, [])
        known = all(part.values in by_rows or len(part.values.shape) < 2 for part in parts)
        members += (_assembled(equation, parts) if known else None) or [equation]
    return graph if len(members) == len(graph.equations) else replace(graph, equations=tuple(members))


def _by_rows(graph: Graph) -> set[Symbol]:
    """The values that certainly lie in memory row by row, with or without gaps."""
    orders: dict[Symbol, list[int]] = {}
    for x in graph.constants:
        if x.holder is not None and x.type.backend.host and x.holder.array.flags.c_contiguous:
            orders[x.symbol] = _rows(x.symbol.shape)
    for equation in graph.equations:
        for symbol in equation.symbols():
            if len(symbol.shape) < 2:
                orders[symbol] = _rows(symbol.shape)
        order = _order(equation, orders)
        if order is not None:
            orders.update(dict.fromkeys(equation.outputs, order))
    return {symbol for symbol, order in orders.items() if order == _rows(symbol.shape)}


def _rows(shape: tuple[int, ...]) -> list[int]:
    return [axis for axis, size in enumerate(shape) if size != 1]


def _order(equation: Equation, orders: dict[Symbol, list[int]]) -> list[int] | None:
    """The axes of a result that are longer than 1, those with the largest strides first; None if that is unknown."""
    name, operands = equation.op.name, list(equation.symbols())
    rows = _rows(equation.outputs[0].shape) if equation.outputs else []
    if name == "take" or (name == "matmul" and len(operands) == 2 and len(operands[1].shape) == 2):
        return rows
    if any(x not in orders for x in operands) or not operands or not equation.outputs:
        return None
    order, shape = orders[operands[0]], operands[0].shape
    if name == "permute_dims":
        axes = [axis % len(shape) for axis in equation.attributes["axes"]]
        return [axes.index(axis) for axis in order]
    if name == "getitem":
        found = _selected(equation.attributes["key"], len(shape))
        return None if found is None else [found[axis] for axis in order if found[axis] in rows]
    elementwise = equation.op.elementwise and equation.outputs[0].shape in [x.shape for x in operands]
    known = (elementwise or name in ARRANGING) and all(orders[x] == _rows(x.shape) for x in operands)
    return rows if known else None


def _selected(key: Sequence[tuple[Any, ...]], rank: int) -> list[int] | None:
    """For each axis of an operand its axis in the result of a key, -1 for one that an integer removes.

    None for a key with arrays of indices or negative steps.
    """
    axes: list[int] = []
    count = 0
    for part in key:
        if part[0] == "array" or (part[0] == "slice" and (part[3] or 1) < 0):
            return None
        if part[0] == "int":
            axes.append(-1)
        elif part[0] == "ellipsis":
            for _ in range(rank - len([x for x in key if x[0] in ("int", "slice")])):
                axes.append(count)
                count += 1
        else:
            axes += [count] if part[0] == "slice" else []
            count += 1
    return [*axes, *range(count, count + rank - len(axes))]


def _part(equation: Equation) -> _Part | None:
    """The part that a `scatter_add` fills, if it is a range along one axis."""
    values = equation.operands[0] if equation.operands else None
    if equation.op.name != "scatter_add" or len(equation.operands) != 1 or not isinstance(values, Symbol):
        return None
    if equation.resolution.result_type.category != FLOATING:
        return None
    shape = equation.outputs[0].shape
    key = list(equation.attributes["key"])
    missing = [("slice", None, None, None)] * (len(shape) - len([part for part in key if part[0] in ("int", "slice")]))
    if ("ellipsis",) in key:
        position = key.index(("ellipsis",))
        key[position : position + 1] = missing
    else:
        key += missing
    found = None
    for axis, (entry, size) in enumerate(zip(key, shape, strict=False)):
        if entry[0] not in ("int", "slice"):
            return None
        bounds = slice(*entry[1:]).indices(size) if entry[0] == "slice" else (entry[1] % size, entry[1] % size + 1, 1)
        if entry[0] == "slice" and bounds == (0, size, 1):
            continue
        if found is not None or bounds[2] != 1:
            return None
        found = _Part(axis, bounds[0], bounds[1], values)
    return found if len(key) == len(shape) else None


def _assembled(equation: Equation, parts: Sequence[_Part]) -> list[Equation] | None:
    """The equations that compute the sum of these parts by a concatenation; None if they do not make up the whole."""
    result = equation.outputs[0] if equation.outputs else None
    if result is None or len(parts) < 2 or len({part.axis for part in parts}) > 1:
        return None
    parts = sorted(parts, key=lambda part: part.start)
    axis = parts[0].axis
    if [0, *(part.stop for part in parts)] != [*(part.start for part in parts), result.shape[axis]]:
        return None
    kind = equation.resolution.result_type
    zero = Literal(0.0, kind)

    def run(tensors: list[Tensor]) -> list[Tensor]:
        shapes = [(*result.shape[:axis], part.stop - part.start, *result.shape[axis + 1 :]) for part in parts]
        joined = concat([reshape(x, shape) for x, shape in zip(tensors, shapes, strict=True)], axis=axis)
        return [joined]

    body, guards = trace("assembly", [("", kind, part.values.shape) for part in parts], run)
    if guards or body.constants or body.sources:
        return None
    known = dict(zip([x.symbol for x in body.arguments], [part.values for part in parts], strict=True))
    members = [replace(x.substitute(known), source=equation.source) for x in body.equations]
    return [*members, replace(equation, operands=(body.outputs[0], zero))]
