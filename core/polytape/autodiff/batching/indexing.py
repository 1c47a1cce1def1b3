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


@rule("getitem")
def _getitem(call: Call) -> Any:
    if any(call.batched[1:]):
        return NotImplemented
    y = call.again(call.operands, key=_key(call))
    return to_front(y, _axes_of_indices(call, 1)) if _selects_first(call, 1) else y


@rule("scatter_add")
def _scatter_add(call: Call) -> Any:
    if any(call.batched[1:]):
        return NotImplemented
    values = call.operands[0]
    if _selects_first(call, 1):
        values = from_front(values, _axes_of_indices(call, 1))
    shape = (call.size, *call.results[0])
    return call.again([values, *call.operands[1:]], key=_key(call), shape=shape)


@rule("setitem")
def _setitem(call: Call) -> Any:
    if any(call.batched[2:]):
        return NotImplemented
    x, value = call.full(0), call.operands[1]
    if call.batched[1]:
        selected = len(_selected(call, x))
        value = call.aligned(1, selected)
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
