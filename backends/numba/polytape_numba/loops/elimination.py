"""The steps of an LU factorization with partial pivoting, in place."""

from __future__ import annotations

from typing import Any

from ..cache import compiled
from .functions import EXACT

__all__ = ["eliminate", "substitute"]

Array = Any


@compiled(EXACT)
def _pivot(x: Array, k: int) -> int:
    """The row of the largest element of column k on or below the diagonal, or of NaN."""
    best, row = abs(x[k, k]), k
    for i in range(k + 1, x.shape[0]):
        size = abs(x[i, k])
        if size > best or (size != size and best == best):
            best, row = size, i
    return row


@compiled(EXACT)
def _subtract(factor: Any, source: Array, target: Array) -> None:
    for j in range(target.size):
        target[j] -= factor * source[j]


@compiled(EXACT)
def eliminate(x: Array, order: Array, start: int, stop: int) -> None:
    """Eliminate the columns from ``start`` to ``stop`` of a matrix, whose rows are exchanged as a whole."""
    for k in range(start, stop):
        row = _pivot(x, k)
        if row != k:
            order[k], order[row] = order[row], order[k]
            for j in range(x.shape[1]):
                x[k, j], x[row, j] = x[row, j], x[k, j]
        head = x[k, k]
        if head != 0:  # otherwise there are only zeros below it
            for i in range(k + 1, x.shape[0]):
                x[i, k] /= head
                _subtract(x[i, k], x[k, k + 1 : stop], x[i, k + 1 : stop])


@compiled(EXACT)
def substitute(x: Array, start: int, stop: int) -> None:
    """Solve for the rows from ``start`` to ``stop``, right of these columns, with the lower factor among them."""
    for k in range(start, stop):
        for i in range(k + 1, stop):
            _subtract(x[i, k], x[k, stop:], x[i, stop:])
