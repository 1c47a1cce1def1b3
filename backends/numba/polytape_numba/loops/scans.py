"""Sums and products of the elements of a row up to each one, and elements and sums by position."""

from __future__ import annotations

from typing import Any

from ..cache import compiled
from .functions import EXACT

__all__ = ["add_along", "add_rows", "cumulative_prod", "cumulative_sum", "product_gradient", "take_along"]

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


@compiled(EXACT)
def product_gradient(g: Array, x: Array, y: Array) -> None:
    """Write the gradient of the products of each row to ``y``: R of the elements behind, times those before."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        behind = 0.0
        for j in range(n - 1, -1, -1):
            behind += g[i, j]
            y[i, j] = behind
            behind *= x[i, j]
        before = 1.0
        for j in range(n):
            y[i, j] *= before
            before *= x[i, j]


@compiled(EXACT)
def take_along(x: Array, indices: Array, y: Array) -> bool:
    """Write the elements of each row at the row's indices to ``y``. Return whether every index exists."""
    size = x.shape[1]
    for i in range(indices.shape[0]):
        row, positions, taken = x[i], indices[i], y[i]
        for j in range(positions.size):
            k = positions[j]
            if k < 0:
                k += size
            if k < 0 or k >= size:
                return False
            taken[j] = row[k]
    return True


@compiled(EXACT)
def add_along(values: Array, indices: Array, y: Array) -> bool:
    """Add each row of values at the row's indices to ``y``. Return whether every index exists."""
    size = y.shape[1]
    for i in range(indices.shape[0]):
        row, positions, sums = values[i], indices[i], y[i]
        for j in range(positions.size):
            k = positions[j]
            if k < 0:
                k += size
            if k < 0 or k >= size:
                return False
            sums[k] += row[j]
    return True
