"""What tensors contain, as text for errors; computed by ops, where the tensors are."""

from __future__ import annotations

from typing import Any

from ..dtypes import BOOL, COMPLEX, FLOATING
from ..registry.tables import get_op
from ..tensors.symbol import type_text
from ..tensors.tensor import Tensor

__all__ = ["contents", "has", "summary", "what_is_in"]


def has(x: Tensor, nan: bool, inf: bool) -> bool:
    """Whether a tensor has NaN or infinite numbers, which only floating dtypes have; waits for the result."""
    if x.type.category < FLOATING:
        return False
    if nan and inf:
        return not bool(get_op("all")(get_op("isfinite")(x)))
    return bool(get_op("any")(get_op("isnan" if nan else "isinf")(x))) if nan or inf else False


def what_is_in(x: Tensor) -> str:
    """``NaN``, ``infinity``, or both."""
    found = [word for word, nan in (("NaN", True), ("infinity", False)) if has(x, nan, not nan)]
    return " and ".join(found)


def count(x: Tensor) -> int:
    """How many numbers are NaN or infinite."""
    return int(get_op("count_nonzero")(get_op("logical_not")(get_op("isfinite")(x))))


def first(x: Tensor) -> tuple[tuple[int, ...], Any]:
    """The index and the value of the first number that is NaN or infinite."""
    if not x.shape:
        return (), x.item()
    flat = get_op("reshape")(x, (-1,))
    position = rest = int(get_op("argmax")(get_op("astype")(get_op("logical_not")(get_op("isfinite")(flat)), "int32")))
    index: list[int] = []
    for size in reversed(x.shape):
        rest, here = divmod(rest, size)
        index.insert(0, here)
    return tuple(index), flat[position].item()


def summary(x: Tensor) -> str:
    """How many numbers of a tensor are NaN or infinite, and the first of them."""
    index, value = first(x)
    where = f" at index {list(index)}" if x.shape else ""
    return f"{count(x)} of {x.size} numbers, the first is {value}{where}"


def contents(x: Tensor) -> str:
    """Type, shape and range of a tensor: ``float32[3] from -1.0 to 2.0, and 1 NaN``."""
    text = type_text(x.type.dtype, x.shape)
    if x.size == 0 or x.type.category <= BOOL:
        return text
    values = get_op("abs")(x) if x.type.category == COMPLEX else x
    extra = ""
    if x.type.category >= FLOATING:
        bad = count(x)
        if bad == x.size:
            return f"{text}, all {what_is_in(x)}"
        extra = f", and {bad} of {x.size} are {what_is_in(x)}" if bad else ""
        finite = get_op("isfinite")(x)
        low = get_op("min")(get_op("where")(finite, values, values.type.high))
        high = get_op("max")(get_op("where")(finite, values, -values.type.high))
    else:
        low, high = get_op("min")(values), get_op("max")(values)
    label = "absolute values " if values is not x else ""
    return f"{text}, {label}from {low.item():g} to {high.item():g}{extra}"
