"""Sums and extremes of the rows of a contiguous array on the host, by calls that use SIMD and return at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

__all__ = ["BLOCK", "LONG", "beside_row", "by_rows", "column", "is_rows", "number", "ones"]

Array = Any

BLOCK: Final = 65536  # elements of the rows that are worked on together, which stay in a core's second-level cache
_JOINED: Final = 2048  # elements of joined rows
_NARROW: Final = 32  # elements of a row, up to which joining takes less time
_MANY: Final = 16384  # elements of the rows, likewise
LONG: Final = 4096  # elements of a row; of longer rows, products with ones have larger errors than a reduction


@lru_cache(maxsize=64)
def column(n: int, char: str, divisor: int = 1) -> Array:
    """A column of ``1 / divisor``: the product of rows with it is their sum, in a third of the time of a reduction."""
    return np.full((n, 1), 1.0 / divisor, char)


@lru_cache(maxsize=64)
def ones(n: int, char: str) -> Array:
    """A vector of ones: as with `column`, the product of rows with it is their sum."""
    return np.ones(n, char)


@lru_cache(maxsize=256)
def number(value: float, char: str) -> Array:
    """A number as an array of rank 0: a ufunc takes 0.4 to 1 us longer beside a Python number."""
    return np.array(value, char)


def is_rows(x: Array, axis: Any) -> bool:
    """Whether ``axis`` is the last one of a contiguous float32 or float64 array with rows of moderate length."""
    rank: int = x.ndim
    return bool(
        rank
        and (axis == -1 or axis == rank - 1)
        and x.dtype.char in "fd"
        and 0 < x.shape[-1] <= LONG
        and x.size
        and x.flags.c_contiguous
    )


def by_rows(fill: Callable[..., None], *operands: Array) -> Array:
    """A new array that ``fill(*rows, results)`` writes, where rows and results are matrices that fit into the cache."""
    x = operands[-1]
    n, y = x.shape[-1], np.empty(x.shape, x.dtype)
    rows = [operand.reshape(-1, n) for operand in (*operands, y)]
    if x.size <= 2 * BLOCK:
        fill(*rows)
        return y
    height = BLOCK // n
    for start in range(0, len(rows[0]), height):
        fill(*[matrix[start : start + height] for matrix in rows])
    return y


def _is_row(row: Array, x: Array) -> bool:
    """Whether each row of an array of NumPy meets all of ``row``."""
    fits = row.ndim <= x.ndim and x.shape[-1:] == row.shape[-1:] == (row.size,)
    return fits and type(x) is np.ndarray and row.dtype == x.dtype


def beside_row(ufunc: Callable[..., Array], x: Array, row: Array, out: Array | None = None) -> Array:
    """``ufunc(x, row, out)``, in less time if ``row`` is a short row, which all rows of ``x`` meet.

    A ufunc starts anew for each row of x. Short rows are joined, and meet copies of the given one: with 10 elements per
    row, 100,000 rows take 0.4 of the time.
    """
    n = row.size
    if x.size < _MANY or n > _NARROW or not _is_row(row, x):
        return ufunc(x, row) if out is None else ufunc(x, row, out=out)
    if out is None:
        out = np.empty(x.shape, x.dtype)
    if not (x.flags.c_contiguous and out.flags.c_contiguous):
        return ufunc(x, row, out=out)
    joined = _JOINED // n * n
    flat, results, whole = x.reshape(-1), out.reshape(-1), x.size - x.size % joined
    rows = np.tile(row.reshape(-1), joined // n)
    ufunc(flat[:whole].reshape(-1, joined), rows, out=results[:whole].reshape(-1, joined))
    ufunc(flat[whole:], rows[: x.size - whole], out=results[whole:])
    return out
