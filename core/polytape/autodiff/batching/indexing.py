"""Batching of ``x[key]``, its transpose and ``x[key] = value``: a full slice of the batch comes first in the key."""

from __future__ import annotations

from typing import Any

from ...registry import tables
from ...tensors.tensor import operators
from .movement import from_front, to_front
from .rules import Call, rule, size_of

__all__: list[str] = []

_WHOLE = ("slice", None, None, None)


def _key(call: Call) -> Any:
    key = call.attribute("key")
    return type(key)([_WHOLE, *key])


def _axes_of_indices(call: Call, first: int) -> int:
    """How many axes the index tensors have together."""
    return max([call.rank(position) for position in range(first, len(call.operands))], default=0)


def _separated(call: Call) -> bool:
    """Whether a slice, a new axis or an ellipsis is between two index tensors: their axes come first then."""
    kinds = [part[0] in ("int", "array") for part in call.attribute("key")]
    while kinds and not kinds[0]:
        kinds.pop(0)
    while kinds and not kinds[-1]:
        kinds.pop()
    return not all(kinds)


def _selects_first(call: Call, first: int) -> bool:
    """Whether the axes of the index tensors come before the batch in what the batch's key selects."""
    return len(call.operands) > first and _separated(call)


# --- an index per element ---------------------------------------------------------------------------------------------


def _indices(call: Call, first: int) -> list[Any]:
    """The index tensors, which broadcast with the batch as their first axis."""
    rank = _axes_of_indices(call, first)
    return [call.aligned(position, rank) for position in range(first, len(call.operands))]


def _numbered(call: Call, first: int) -> tuple[Any, list[Any]]:
    """A key and index tensors for the whole batch: the first index is the number of the element.

    They select [size, *axes of the index tensors, *other axes]: no part of a key may come before an index tensor that
    stands first, so the axes of index tensors are in front.
    """
    key, indices = call.attribute("key"), _indices(call, first)
    count = tables.get_op("arange")(start=0, stop=call.size, step=1, dtype="int64", device=indices[0].device)
    number = operators.reshape(count, (call.size, *(1,) * _axes_of_indices(call, first)))
    return type(key)([("array",), *key]), [number, *indices]


def _indices_last(call: Call, x: Any, first: int, before: int) -> Any:
    """What a numbered key selects, with the ``before`` axes that an element has in front of those of its indices."""
    axes = _axes_of_indices(call, first)
    order = (0, *range(1 + axes, 1 + axes + before), *range(1, 1 + axes), *range(1 + axes + before, len(x.shape)))
    return tables.get_op("permute_dims")(x, order) if before and axes else x


def _indices_first(call: Call, x: Any, first: int, before: int) -> Any:
    """The inverse of `_indices_last`."""
    axes = _axes_of_indices(call, first)
    order = (0, *range(1 + before, 1 + before + axes), *range(1, 1 + before), *range(1 + before + axes, len(x.shape)))
    return tables.get_op("permute_dims")(x, order) if before and axes else x


def _axes_before(call: Call, first: int) -> int:
    """How many axes of what the key selects in one element come before those of the index tensors."""
    if _separated(call):
        return 0
    count = 0
    shape = call.results[0] if call.op.name == "scatter_add" else call.shapes[0] or ()
    parts = call.attribute("key")
    consumed = sum(part[0] in ("int", "array", "slice") for part in parts)
    for part in parts:
        if part[0] in ("int", "array"):
            break
        count += len(shape) - consumed if part[0] == "ellipsis" else 1
    return count


@rule("getitem")
def _getitem(call: Call) -> Any:
    if any(call.batched[1:]):
        before = _axes_before(call, 1)
        if not call.batched[0]:
            return to_front(call.again([call.operands[0], *_indices(call, 1)]), before)
        key, indices = _numbered(call, 1)
        return _indices_last(call, call.again([call.operands[0], *indices], key=key), 1, before)
    y = call.again(call.operands, key=_key(call))
    return to_front(y, _axes_of_indices(call, 1)) if _selects_first(call, 1) else y


@rule("scatter_add")
def _scatter_add(call: Call) -> Any:
    shape = (call.size, *call.results[0])
    if any(call.batched[1:]):
        key, indices = _numbered(call, 1)
        values = _indices_first(call, call.full(0), 1, _axes_before(call, 1))
        return call.again([values, *indices], key=key, shape=shape)
    values = call.operands[0]
    if _selects_first(call, 1):
        values = from_front(values, _axes_of_indices(call, 1))
    return call.again([values, *call.operands[1:]], key=_key(call), shape=shape)


@rule("setitem")
def _setitem(call: Call) -> Any:
    x, value = call.full(0), call.operands[1]
    if any(call.batched[2:]):
        key, indices = _numbered(call, 2)
        if call.batched[1] or call.rank(1):
            shape = _selected(call, x)
            wide = operators.broadcast_to(call.aligned(1, len(shape)), (call.size, *shape))
            value = _indices_first(call, wide, 2, _axes_before(call, 2))
        return call.again([x, value, *indices], key=key)
    if call.batched[1]:
        value = call.aligned(1, len(_selected(call, x)))
        if _selects_first(call, 2):
            value = from_front(value, _axes_of_indices(call, 2))
    elif _selects_first(call, 2):
        rank, axes = call.rank(1), _axes_of_indices(call, 2)
        shape = _selected(call, x)
        value = operators.broadcast_to(value, shape) if rank else value
        value = operators.reshape(value, (*shape[:axes], 1, *shape[axes:])) if rank and size_of(shape) else value
    return call.again([x, value, *call.operands[2:]], key=_key(call))


def _selected(call: Call, x: Any) -> tuple[int, ...]:
    """The shape that the key selects in one element."""
    shapes = [call.shapes[0], *call.shapes[2:]]
    rule = tables.get_op("getitem").shape_rule
    shape: tuple[int, ...] = tuple(rule(*shapes, key=call.attribute("key")))
    return shape
