"""The first elements of rows in order."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE

__all__ = ["top_k"]

Array = Any


@register_jitable(**INLINE)
def _before(a: Any, b: Any, largest: bool) -> Any:
    """Whether ``a`` comes before ``b``, and they are not equal; NaN is the largest number."""
    if largest:
        return (a > b) | ((a != a) & (b == b))
    return (a < b) | ((b != b) & (a == a))


@compiled(EXACT)
def top_k(x: Array, largest: bool, values: Array, indices: Array) -> None:
    """Write the first elements of each row of ``x``, and where they are, to ``values`` and ``indices`` [rows, k]."""
    k = values.shape[1]
    for i in range(x.shape[0]):
        row, best, places = x[i], values[i], indices[i]
        count = 0
        for j in range(row.size):
            v = row[j]
            if count == k and not _before(v, best[k - 1], largest):
                continue
            p = min(count, k - 1)
            while p > 0 and _before(v, best[p - 1], largest):
                best[p], places[p] = best[p - 1], places[p - 1]
                p -= 1
            best[p], places[p] = v, j
            count = min(count + 1, k)
