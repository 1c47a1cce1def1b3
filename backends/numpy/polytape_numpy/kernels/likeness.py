"""Triangles of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the likeness family on the arrays of ``xp``."""
    return [Kernel("tril", _triangle(xp, True), fresh=True), Kernel("triu", _triangle(xp, False), fresh=True)]


def _triangle(xp: Any, lower: bool) -> Callable[..., Array]:
    arange, where = xp.arange, xp.where

    def triangle(x: Array, *, k: int = 0) -> Array:
        if x.ndim < 2:
            raise ValueError("the operand is no matrix")
        rows, columns = x.shape[-2:]
        zero = x.dtype.type(0)
        row, column = arange(k, k + rows).reshape(-1, 1), arange(columns)
        return where(row >= column if lower else row <= column, x, zero)

    return triangle
