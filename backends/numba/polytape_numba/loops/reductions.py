"""Reductions of all elements of a vector, of each row of a matrix, and of the middle axis of three."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.extending import overload, register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE, SUMS
from .sums import row_dot, row_squares, row_sum

__all__ = ["ALL", "COLUMNS", "ROWS", "norm_of_rows", "row_max", "row_min", "var_of_rows"]

Array = Any

_BLOCK: Final = 64  # rows summed in the array's own dtype; with 128, the sum of equal numbers has an error of 1e-6


# --- Extremes ---


def _ordered(row: Array) -> tuple[Any, Any, Any]:
    """The largest and the smallest of the elements' bits as integers of the same order, and the bits of infinity.

    Integers are compared at five times the speed of floats. NaN is beyond the infinities, on the side of its sign bit.
    """
    raise NotImplementedError  # numba compiles the overload below instead


@overload(_ordered, jit_options=INLINE)
def _select_ordered(row: Array) -> Callable[[Array], Any]:
    return _ordered32 if row.dtype == numba.float32 else _ordered64


def _ordered32(row: Array) -> Any:
    bits = row.view(np.int32)
    most, least = np.int32(-0x80000000), np.int32(0x7FFFFFFF)
    for j in range(bits.size):
        k = bits[j]
        k = np.int32(k ^ ((k >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        most, least = max(most, k), min(least, k)
    return most, least, np.int32(0x7F800000)


def _ordered64(row: Array) -> Any:
    bits = row.view(np.int64)
    most, least = np.int64(-0x8000000000000000), np.int64(0x7FFFFFFFFFFFFFFF)
    for j in range(bits.size):
        k = bits[j]
        k = k ^ ((k >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))
        most, least = max(most, k), min(least, k)
    return most, least, np.int64(0x7FF0000000000000)


def _number(row: Array, k: Any) -> Any:
    """The number of the row's dtype that `_ordered` maps to ``k``."""
    raise NotImplementedError


@overload(_number, jit_options=INLINE)
def _select_number(row: Array, k: Any) -> Callable[[Array, Any], Any]:
    return _number32 if row.dtype == numba.float32 else _number64


def _number32(row: Array, k: Any) -> Any:
    return np.int32(k ^ ((k >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


def _number64(row: Array, k: Any) -> Any:
    return np.int64(k ^ ((k >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))).view(np.float64)


@register_jitable(**INLINE)
def _max(row: Array) -> Any:
    most, least, infinite = _ordered(row)
    return _number(row, most) if most <= infinite and least >= ~infinite else row.dtype.type(np.nan)


@register_jitable(**INLINE)
def _min(row: Array) -> Any:
    most, least, infinite = _ordered(row)
    return _number(row, least) if most <= infinite and least >= ~infinite else row.dtype.type(np.nan)


# --- Sums and products ---


@register_jitable(**INLINE)
def _sum(row: Array) -> Any:
    return row_sum(row)


@register_jitable(**INLINE)
def _mean(row: Array) -> Any:
    return row_sum(row) / row.size


@compiled(SUMS)
def _product(row: Array) -> float:
    total = 1.0
    for j in range(row.size):
        total *= row[j]
    return total


@compiled(EXACT)
def _product_in_order(row: Array) -> float:
    total = 1.0
    for j in range(row.size):
        total *= row[j]
    return total


@register_jitable(**INLINE)
def _prod(row: Array) -> Any:
    total = _product(row)
    # In another order, partial products can overflow or vanish where those in the order of memory do not.
    return total if 0 < abs(total) < np.inf else _product_in_order(row)


# --- Loops ---


def _of_all(name: str, fn: Callable[[Array], Any]) -> Any:
    """The loop ``(x[n], y[])`` of a function of a row."""

    def loop(x: Array, y: Array) -> None:
        y[()] = fn(x)

    loop.__name__ = loop.__qualname__ = f"{name}_of_all"  # numba's cache files have this name
    return compiled(EXACT)(loop)


def _of_rows(name: str, fn: Callable[[Array], Any]) -> Any:
    """The loop ``(x[rows, n], y[rows])`` of a function of a row."""

    def loop(x: Array, y: Array) -> None:
        for i in range(x.shape[0]):
            y[i] = fn(x[i])

    loop.__name__ = loop.__qualname__ = f"{name}_of_rows"
    return compiled(EXACT)(loop)


row_max, row_min = _max, _min  # for the loops of clusters

_FUNCTIONS: Final = {"max": _max, "mean": _mean, "min": _min, "prod": _prod, "sum": _sum}
ALL: Final = {name: _of_all(name, fn) for name, fn in _FUNCTIONS.items()}
ROWS: Final = {name: _of_rows(name, fn) for name, fn in _FUNCTIONS.items()}


@compiled(EXACT)
def var_of_rows(x: Array, correction: float, y: Array) -> None:
    """Write the variance of each row to ``y``."""
    degrees = max(x.shape[1] - correction, 0.0)
    for i in range(x.shape[0]):
        centre = x.dtype.type(row_sum(x[i]) / x.shape[1])
        y[i] = row_squares(x[i], centre) / degrees


@compiled(EXACT)
def norm_of_rows(x: Array, smallest: float, largest: float, y: Array) -> bool:
    """Write the root of the sum of squares of each row to ``y``. Return whether each sum is in the range."""
    for i in range(x.shape[0]):
        total = row_dot(x[i], x[i])
        if not smallest < total < largest:
            return False
        y[i] = math.sqrt(total)
    return True


# --- The middle axis ---


@register_jitable(**INLINE)
def _add_row(row: Array, y: Array) -> None:
    for j in range(y.size):
        y[j] += row[j]


@register_jitable(**INLINE)
def _sum_of_rows(x: Array, y: Array) -> None:
    """Write the sum of the rows of ``x`` to ``y``: blocks in the array's own dtype, their sums in float64."""
    y[:] = 0
    if x.shape[0] <= _BLOCK:
        for k in range(x.shape[0]):
            _add_row(x[k], y)
        return
    total = np.zeros(y.size)
    for start in range(0, x.shape[0], _BLOCK):
        y[:] = 0
        for k in range(start, min(x.shape[0], start + _BLOCK)):
            _add_row(x[k], y)
        for j in range(y.size):
            total[j] += y[j]
    for j in range(y.size):
        y[j] = total[j]


@compiled(EXACT)
def _sum_of_columns(x: Array, y: Array) -> None:
    for i in range(x.shape[0]):
        _sum_of_rows(x[i], y[i])


@compiled(EXACT)
def _mean_of_columns(x: Array, y: Array) -> None:
    count = y.dtype.type(x.shape[1])
    for i in range(x.shape[0]):
        _sum_of_rows(x[i], y[i])
        for j in range(y.shape[1]):
            y[i, j] /= count


# Written as NumPy's maximum: an operand that is NaN is the result.
@compiled(EXACT)
def _max_of_columns(x: Array, y: Array) -> None:
    for i in range(x.shape[0]):
        y[i] = x[i, 0]
        for k in range(1, x.shape[1]):
            row, best = x[i, k], y[i]
            for j in range(row.size):
                best[j] = best[j] if (best[j] >= row[j]) | (best[j] != best[j]) else row[j]


@compiled(EXACT)
def _min_of_columns(x: Array, y: Array) -> None:
    for i in range(x.shape[0]):
        y[i] = x[i, 0]
        for k in range(1, x.shape[1]):
            row, best = x[i, k], y[i]
            for j in range(row.size):
                best[j] = best[j] if (best[j] <= row[j]) | (best[j] != best[j]) else row[j]


COLUMNS: Final = {
    "max": _max_of_columns, "mean": _mean_of_columns, "min": _min_of_columns, "sum": _sum_of_columns,
}  # fmt: skip
