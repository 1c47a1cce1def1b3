"""Elements at positions along the last axis, and sums by position, without arrays of positions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .compiled import contiguous_rows, loops

__all__ = ["kernels"]

Array = Any

_MANY: Final = 64


def kernels() -> list[Kernel]:
    """The kernels of the gathering family, for float32, float64 and signed indices."""
    dtypes = ("float32", "float64")
    return [
        Kernel("take_along_axis", take_along_axis, dtypes=dtypes, when=large_gathered_rows, fresh=True),
        Kernel("add_along_axis", add_along_axis, dtypes=dtypes, when=large_added_rows, fresh=True),
    ]


def large_gathered_rows(x: Array, indices: Array, *, axis: int = -1) -> bool:
    """Whether the rows of both operands correspond, are in C order, and the indices are many."""
    return bool(
        indices.size >= _MANY  # NumPy takes fewer indices in less time
        and contiguous_rows(indices, axis)
        and x.ndim == indices.ndim
        and x.shape[:-1] == indices.shape[:-1]
        and x.flags.carray
        and indices.dtype.char in "il"
    )


def take_along_axis(x: Array, indices: Array, *, axis: int = -1) -> Array:
    y = np.empty(indices.shape, x.dtype)
    n = indices.shape[-1]
    rows = indices.size // n
    if not loops().take_along(x.reshape(rows, -1), indices.reshape(rows, n), y.reshape(rows, n)):
        raise IndexError(f"an index is out of bounds for an axis with size {x.shape[-1]}")
    return y


def large_added_rows(values: Array, indices: Array, *, size: int, axis: int = -1) -> bool:
    """Whether the operands are large, of one shape and in C order, and the axis is their last one."""
    return bool(
        contiguous_rows(values, axis)
        and values.shape == indices.shape
        and indices.flags.carray
        and indices.dtype.char in "il"
    )


def add_along_axis(values: Array, indices: Array, *, size: int, axis: int = -1) -> Array:
    y = np.zeros((*values.shape[:-1], size), values.dtype)
    n = values.shape[-1]
    rows = values.size // n
    if not loops().add_along(values.reshape(rows, n), indices.reshape(rows, n), y.reshape(rows, size)):
        raise IndexError(f"an index is out of bounds for an axis with size {size}")
    return y
