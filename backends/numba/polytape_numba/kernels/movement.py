"""Rows added at positions, as in the gradient of rows that are taken."""

from __future__ import annotations

from math import prod
from typing import Any

from polytape.backend import Kernel

from .compiled import loops
from .segment import are_rows

__all__ = ["kernels"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernel ``scatter``, for float32, float64 and signed indices."""
    return [Kernel("scatter", scatter, when=served, fresh=True)]


def served(x: Array, indices: Array, values: Array, *, axis: int = 0, mode: str = "add") -> bool:
    """Whether whole rows are added, and values and indices are large and in C order."""
    return bool(
        mode == "add"
        and axis == 0
        and indices.ndim == 1
        and x.flags.c_contiguous
        and values.dtype == x.dtype
        and values.shape == (*indices.shape, *x.shape[1:])
        and are_rows(values, indices)
    )


def scatter(x: Array, indices: Array, values: Array, *, axis: int = 0, mode: str = "add") -> Array:
    y = x.copy()
    width = prod(x.shape[1:])
    if not loops().add_rows(indices, values.reshape(-1, width), y.reshape(-1, width)):
        raise IndexError(f"an index is out of bounds for axis 0 with size {x.shape[0]}")
    return y
