"""Batching of ops that rearrange, join, take and scatter elements."""

from __future__ import annotations

from typing import Any

from ...registry import tables
from ...tensors.tensor import Tensor, operators
from .rules import Call, rule, size_of

__all__ = ["from_front", "to_front"]


def to_front(x: Any, axis: int) -> Tensor:
    """``x`` with one axis moved to the front."""
    result: Tensor = x
    if axis:
        order = (axis, *[k for k in range(len(x.shape)) if k != axis])
        result = tables.get_op("permute_dims")(x, order)
    return result


def from_front(x: Any, axis: int) -> Tensor:
    """``x`` with its first axis moved to ``axis``."""
    rank = len(x.shape)
    order = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    result: Tensor = tables.get_op("permute_dims")(x, tuple(order)) if axis else x
    return result


@rule("reshape")
def _reshape(call: Call) -> Any:
    return operators.reshape(call.operands[0], (call.size, *call.results[0]))


@rule("permute_dims")
def _permute(call: Call) -> Any:
    rank = call.rank()
    return call.again(call.operands, axes=(0, *[axis % rank + 1 for axis in call.attribute("axes")]))


@rule("slice")
def _slice(call: Call) -> Any:
    start, stop, step = (tuple(call.attribute(name)) for name in ("start", "stop", "step"))
    return call.again(call.operands, start=(0, *start), stop=(call.size, *stop), step=(1, *step))


@rule("slice_update")
def _slice_update(call: Call) -> Any:
    start, step = tuple(call.attribute("start")), tuple(call.attribute("step"))
    return call.again(call.all_full(), start=(0, *start), step=(1, *step))


@rule("concat")
def _concat(call: Call) -> Any:
    axis = call.attribute("axis")
    operands = call.all_full()
    if axis is None:
        return call.again([operators.reshape(x, (call.size, size_of(x.shape[1:]))) for x in operands], axis=1)
    return call.again(operands, axis=axis % call.rank() + 1)


@rule("stack")
def _stack(call: Call) -> Any:
    return call.again(call.all_full(), axis=call.attribute("axis") % (call.rank() + 1) + 1)


# --- take and scatter -------------------------------------------------------------------------------------------------


def _in_rows(indices: Any, count: int, size: int) -> Tensor:
    """Positions in a table of ``size`` blocks with ``count`` rows each, from positions in each element's own block.

    A position that does not exist leads to a row that does not exist, not to a row of another element.
    """
    where, logical_and = tables.get_op("where"), tables.get_op("logical_and")
    wide = operators.astype(indices, "int64")
    arange = tables.get_op("arange")
    first = arange(start=0, stop=size, step=1, dtype="int64", device=wide.device) * count
    positions = where(wide < 0, wide + count, wide)
    inside = logical_and(positions >= 0, positions < count)
    offset = operators.reshape(first, (size, *(1,) * (len(wide.shape) - 1)))
    result: Tensor = where(inside, positions + offset, size * count)
    return result


@rule("take")
def _take(call: Call) -> Any:
    x, indices = call.operands
    axis = call.attribute("axis")
    axis = 0 if axis is None else axis % call.rank()
    if not call.batched[1]:
        return call.again([x, indices], axis=axis + 1)
    taken = len(call.results[0]) - call.rank() + 1  # how many axes the indices have in one element
    if not call.batched[0]:
        return to_front(call.again([x, indices], axis=axis), axis)
    if not size_of(call.results[0]):
        return NotImplemented
    table = to_front(x, axis + 1)  # [taken axis, batch, ...]
    table = from_front(table, 1)  # [batch, taken axis, ...]
    count, rest = table.shape[1], table.shape[2:]
    rows = operators.reshape(table, (call.size * count, *rest))
    y = call.again([rows, _in_rows(indices, count, call.size)], axis=0)  # [batch, *indices, ...]
    order = (0, *range(1 + taken, 1 + taken + axis), *range(1, 1 + taken), *range(1 + taken + axis, len(y.shape)))
    return tables.get_op("permute_dims")(y, order)


@rule("scatter")
def _scatter(call: Call) -> Any:
    axis = call.attribute("axis") % call.rank()
    x, values = call.full(0), call.full(2)
    if not call.batched[1]:
        return call.again([x, call.operands[1], values], axis=axis + 1)
    table, block = from_front(to_front(x, axis + 1), 1), from_front(to_front(values, axis + 1), 1)
    count, rest = table.shape[1], table.shape[2:]
    if not count or not size_of(rest) or not block.shape[1]:
        return NotImplemented
    indices = operators.reshape(_in_rows(call.operands[1], count, call.size), (call.size * block.shape[1],))
    rows = operators.reshape(table, (call.size * count, *rest))
    y = call.again([rows, indices, operators.reshape(block, (call.size * block.shape[1], *rest))], axis=0)
    return from_front(to_front(operators.reshape(y, table.shape), 1), axis + 1)


@rule("segment_max", "segment_min", "segment_sum", "segment_mean", "segment_prod")
def _segments(call: Call) -> Any:
    if call.batched[1]:
        return NotImplemented
    return to_front(call.again([from_front(call.operands[0], 1), call.operands[1]]), 1)
