"""Elements at positions along an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_LONG: Final = 256  # elements of a row, which take as long as the calls for a row of its own
_FEW: Final = 8  # rows


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the gathering family on the arrays of ``xp``."""
    own = [Kernel("add_along_axis", _add_along_axis, fresh=True)] if xp.__name__ == "numpy" else []
    return [Kernel("take_along_axis", _take_along_axis(xp), fresh=True), *own]


@lru_cache(maxsize=64)
def _numbers(rows: int) -> Array:
    """The numbers of rows, as a column."""
    return np.arange(rows).reshape(-1, 1)


def _take_along_axis(xp: Any) -> Callable[..., Array]:
    arange, empty, on_host = xp.arange, xp.empty, xp.__name__ == "numpy"

    def take_along_axis(x: Array, indices: Array, *, axis: int = -1) -> Array:
        if x.ndim != indices.ndim or not x.ndim:
            raise ValueError(f"shapes {x.shape} and {indices.shape} have different numbers of axes")
        place = range(x.ndim)[axis]
        if x.ndim == 1:
            return x[indices]
        if on_host and place == x.ndim - 1 == 1 and len(x) == len(indices):
            if indices.shape[1] >= _LONG and indices.dtype.kind == "i":
                y = empty(indices.shape, x.dtype)
                for row, positions, taken in zip(x, indices, y, strict=True):
                    taken[...] = row.take(positions)
                return y
            return x[_numbers(len(x)), indices]
        along = [arange(size).reshape(-1, *(1,) * (x.ndim - 1 - k)) for k, size in enumerate(x.shape)]
        along[place] = indices
        return x[tuple(along)]

    return take_along_axis


def _add_along_axis(values: Array, indices: Array, *, size: int, axis: int = -1) -> Array:
    if not values.ndim or values.shape != indices.shape:
        raise ValueError(f"shapes {values.shape} and {indices.shape} do not fit")
    place = range(values.ndim)[axis]
    if place != values.ndim - 1:
        moved = [np.moveaxis(x, place, -1) for x in (values, indices)]
        return np.moveaxis(_add_along_axis(*moved, size=size), -1, place)
    n, lead = values.shape[-1], values.shape[:-1]
    dtype = values.dtype
    if dtype.itemsize == 2 and dtype.kind not in "iu":
        values = values.astype("float32")  # each addition would be rounded
    y = np.zeros((*lead, size), values.dtype)
    if values.size:
        count = prod(lead)
        _add_to_rows(
            values.reshape(count, n), indices.reshape(count, n).astype("int64", copy=False), y.reshape(count, size)
        )
    return y.astype(dtype, copy=False)


def _add_to_rows(values: Array, indices: Array, y: Array) -> None:
    count, size = y.shape
    if count <= _FEW or values.shape[1] >= _LONG:
        for row, positions, sums in zip(values, indices, y, strict=True):
            np.add.at(sums, positions, row)
        return
    smallest = indices.min()
    if smallest < -size or indices.max() >= size:
        raise IndexError(f"an index is out of bounds for an axis with size {size}")
    if smallest < 0:
        indices = np.where(indices < 0, indices + size, indices)
    np.add.at(y.reshape(-1), (indices + _numbers(count) * size).reshape(-1), values.reshape(-1))
