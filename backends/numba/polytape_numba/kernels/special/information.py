"""logsumexp over contiguous rows, each of which is read from memory once."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, many_short_rows

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None


def kernels() -> list[Kernel]:
    """The kernel ``logsumexp``."""
    return [Kernel("logsumexp", logsumexp, dtypes=("float32", "float64"), when=served, fresh=True)]


def served(x: Array, *, axis: Axis = None, keepdims: bool = False) -> bool:
    """Whether the operand is in C order, the axis is its last one, and there are not many short rows."""
    return contiguous_rows(x, axis) and not many_short_rows(x, 64, 1024)


def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    y = np.empty((*x.shape[:-1], 1) if keepdims else x.shape[:-1], x.dtype)
    loops().logsumexp(x.reshape(-1, x.shape[-1]), y.reshape(-1))
    return y
