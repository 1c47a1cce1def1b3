"""Sums and extremes of the rows of a contiguous array on the host, by calls that use SIMD and return at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

__all__ = ["LONG", "by_rows", "column", "is_rows", "number", "ones"]

Array = Any

_BLOCK: Final = 65536  # elements of the rows that are worked on together, which stay in a core's second-level cache
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
    if x.size <= 2 * _BLOCK:
        fill(*rows)
        return y
    height = _BLOCK // n
    for start in range(0, len(rows[0]), height):
        fill(*[matrix[start : start + height] for matrix in rows])
    return y
