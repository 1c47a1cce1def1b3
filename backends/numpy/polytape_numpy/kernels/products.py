"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``matmul`` and ``vdot`` on the arrays of ``xp``."""
    return [Kernel("matmul", _matmul(xp), fresh=True), Kernel("vdot", _vdot(xp), fresh=True)]


def _matmul(xp: Any) -> Callable[..., Array]:
    stacked = xp.matmul

    def matmul(x1: Array, x2: Array) -> Array:
        rank1, rank2 = x1.ndim, x2.ndim
        if rank2 == 2 and rank1 == 2:
            return x1.dot(x2)  # for 10x10 350 ns; xp.dot takes 570 ns, xp.matmul 920 ns
        if rank2 == 2 and rank1 > 2 and x1.size:
            # One large product instead of one BLAS call per matrix of the stack.
            return x1.reshape(-1, x1.shape[-1]).dot(x2).reshape((*x1.shape[:-1], x2.shape[1]))
        if 1 <= rank1 <= 2 and 1 <= rank2 <= 2:
            return x1.dot(x2)
        # NumPy returns float32 for stacks of bfloat16 matrices.
        return stacked(x1, x2).astype(x1.dtype, copy=False)

    return matmul


def _vdot(xp: Any) -> Callable[..., Array]:
    flattened = xp.vdot

    def vdot(x1: Array, x2: Array) -> Array:
        if x1.ndim == 1:
            return x1.dot(x2)
        if x1.shape != x2.shape:
            raise ValueError(f"shapes {x1.shape} and {x2.shape} differ")
        return flattened(x1, x2)

    return vdot
