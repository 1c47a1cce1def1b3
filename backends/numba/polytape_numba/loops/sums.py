"""Sums of rows: blocks are summed in the array's own dtype, their sums in float64, which bounds the error."""

from __future__ import annotations

from typing import Any, Final

from ..cache import compiled
from .functions import INLINE, SUMS

__all__ = ["block_sum", "row_dot", "row_squares", "row_sum"]

Array = Any

_BLOCK: Final = 512  # elements summed in the array's own dtype
# The loops run over slices instead of bounds: a possibly negative index would prevent SIMD (0.52 instead of 0.09 ns per
# element).


@compiled(SUMS)
def block_sum(block: Array) -> Any:
    """The sum of up to 512 elements, in their own dtype."""
    total = block.dtype.type(0.0)
    for j in range(block.size):
        total += block[j]
    return total


@compiled(SUMS)
def _block_dot(a: Array, b: Array) -> Any:
    total = a.dtype.type(0.0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@compiled(SUMS)
def _block_squares(block: Array, centre: Any) -> Any:
    total = block.dtype.type(0.0)
    for j in range(block.size):
        distance = block[j] - centre
        total += distance * distance
    return total


@compiled(INLINE)
def row_sum(row: Array) -> float:
    """The sum of a vector."""
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        total += block_sum(row[start : start + _BLOCK])
    return total


@compiled(INLINE)
def row_dot(a: Array, b: Array) -> float:
    """The sum of the products of two vectors of one length."""
    total = 0.0
    for start in range(0, a.size, _BLOCK):
        total += _block_dot(a[start : start + _BLOCK], b[start : start + _BLOCK])
    return total


@compiled(INLINE)
def row_squares(row: Array, centre: Any) -> float:
    """The sum of the squared distances of a vector's elements from ``centre``, a number of its dtype."""
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        total += _block_squares(row[start : start + _BLOCK], centre)
    return total
