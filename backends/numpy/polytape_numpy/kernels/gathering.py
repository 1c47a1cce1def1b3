"""Elements at positions along an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the gathering family on the arrays of ``xp``."""
    return [Kernel("take_along_axis", _take_along_axis(xp), fresh=True)]


@lru_cache(maxsize=64)
def _numbers(rows: int) -> Array:
    """The numbers of rows, as a column."""
    return np.arange(rows).reshape(-1, 1)


def _take_along_axis(xp: Any) -> Callable[..., Array]:
    arange, on_host = xp.arange, xp.__name__ == "numpy"

    def take_along_axis(x: Array, indices: Array, *, axis: int = -1) -> Array:
        if x.ndim != indices.ndim or not x.ndim:
            raise ValueError(f"shapes {x.shape} and {indices.shape} have different numbers of axes")
        place = range(x.ndim)[axis]
        if x.ndim == 1:
            return x[indices]
        if on_host and place == x.ndim - 1 == 1 and len(x) == len(indices):
            return x[_numbers(len(x)), indices]
        along = [arange(size).reshape(-1, *(1,) * (x.ndim - 1 - k)) for k, size in enumerate(x.shape)]
        along[place] = indices
        return x[tuple(along)]

    return take_along_axis
