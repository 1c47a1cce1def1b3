"""Sums and products of the elements of a row up to each one, and sums of rows by number."""

from __future__ import annotations

from typing import Any

from ..cache import compiled
from .functions import EXACT

__all__ = ["add_rows", "cumulative_prod", "cumulative_sum"]

Array = Any


@compiled(EXACT)
def cumulative_sum(x: Array, y: Array, first: int) -> None:
    """Write the sums of each row, computed in float64, to ``y`` from column ``first`` on, and 0 before it."""
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(first):
            y[i, j] = total
        row, results = x[i], y[i, first:]
        for j in range(row.size):
            total += row[j]
            results[j] = total


@compiled(EXACT)
def cumulative_prod(x: Array, y: Array, first: int) -> None:
    """As `cumulative_sum`, for products, with 1 before the first."""
    for i in range(x.shape[0]):
        total = 1.0
        for j in range(first):
            y[i, j] = total
        row, results = x[i], y[i, first:]
        for j in range(row.size):
            total *= row[j]
            results[j] = total


@compiled(EXACT)
def add_rows(numbers: Array, x: Array, y: Array) -> bool:
    """Add each row of ``x`` to the row of ``y`` with its number; return whether there is such a row for all of them."""
    count = y.shape[0]
    for i in range(numbers.size):
        if numbers[i] < -count or numbers[i] >= count:
            return False
    for i in range(numbers.size):
        k = numbers[i] + count if numbers[i] < 0 else numbers[i]
        source, target = x[i], y[k]
        for j in range(source.size):
            target[j] += source[j]
    return True
