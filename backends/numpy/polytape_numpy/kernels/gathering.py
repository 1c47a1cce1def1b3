"""Elements at positions along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the gathering family on the arrays of ``xp``."""
    return [Kernel("take_along_axis", _take_along_axis(xp), fresh=True)]


def _take_along_axis(xp: Any) -> Callable[..., Array]:
    arange = xp.arange

    def take_along_axis(x: Array, indices: Array, *, axis: int = -1) -> Array:
        if x.ndim != indices.ndim or not x.ndim:
            raise ValueError(f"shapes {x.shape} and {indices.shape} have different numbers of axes")
        place = range(x.ndim)[axis]
        along = [arange(size).reshape(-1, *(1,) * (x.ndim - 1 - k)) for k, size in enumerate(x.shape)]
        along[place] = indices
        return x[tuple(along)]

    return take_along_axis
