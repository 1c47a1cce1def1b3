"""The first elements of rows in order, in one pass."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .compiled import contiguous_rows, loops
from .universal import REAL

__all__ = ["kernels"]

Array = Any

_MOST: Final = 16  # elements to take: each that is found moves those behind it


def kernels() -> list[Kernel]:
    """The kernel ``top_k``."""
    return [Kernel("top_k", top_k, dtypes=REAL, when=few_of_rows, fresh=True)]


def few_of_rows(x: Array, *, k: int, axis: int = -1, largest: bool = True) -> bool:
    """Whether the operand is in C order, the axis is its last one, and few elements of each row are taken."""
    return contiguous_rows(x, axis) and 0 < k <= _MOST and k <= x.shape[-1]


def top_k(x: Array, *, k: int, axis: int = -1, largest: bool = True) -> tuple[Array, Array]:
    shape = (*x.shape[:-1], k)
    values, indices = np.empty(shape, x.dtype), np.empty(shape, "int64")
    rows = x.size // x.shape[-1]
    loops().top_k(x.reshape(rows, -1), bool(largest), values.reshape(rows, k), indices.reshape(rows, k))
    return values, indices
