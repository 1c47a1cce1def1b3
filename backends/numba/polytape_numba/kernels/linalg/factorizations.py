"""The LU factorization, which NumPy does not have: blocks of columns by compiled loops, the rest by products."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import LARGE, loops

__all__ = ["kernels"]

Array = Any

_BLOCK: Final = 32  # columns
_SMALL: Final = 64  # rows of a matrix up to which the loops alone are faster


def kernels() -> list[Kernel]:
    """The kernel ``lu_factor``."""
    return [Kernel("lu_factor", lu_factor, dtypes=("float32", "float64"), when=large_square_matrices, fresh=True)]


def large_square_matrices(x: Array) -> bool:
    """Whether the operand is a stack of square matrices, large and in C order."""
    return bool(x.ndim >= 2 and x.shape[-1] == x.shape[-2] and x.size >= LARGE and x.flags.carray)


def lu_factor(x: Array) -> tuple[Array, Array]:
    n, packed = x.shape[-1], x.copy()
    order = np.empty(x.shape[:-1], "int64")
    order[...] = np.arange(n)
    block = n if n <= _SMALL else _BLOCK
    functions = loops()
    for matrix, rows in zip(packed.reshape(-1, n, n), order.reshape(-1, n), strict=True):
        for start in range(0, n, block):
            stop = min(start + block, n)
            functions.eliminate(matrix, rows, start, stop)
            if stop < n:
                functions.substitute(matrix, start, stop)
                matrix[stop:, stop:] -= matrix[stop:, start:stop] @ matrix[start:stop, stop:]
    return packed, order
