"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .specialised import of_matmul, of_vdot

__all__ = ["kernels"]

Array = Any

_OUTER: Final = 2048  # elements of a result; for fewer, einsum's parsing takes longer than the products


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``matmul`` and ``vdot`` on the arrays of ``xp``."""
    return [
        Kernel("matmul", _matmul(xp), fresh=True, specialise=of_matmul),
        Kernel("vdot", _vdot(xp), fresh=True, specialise=of_vdot),
    ]


def _matmul(xp: Any) -> Callable[..., Array]:
    stacked, outer = xp.matmul, xp.einsum if xp.__name__ == "numpy" else None

    def matmul(x1: Array, x2: Array) -> Array:
        rank1, rank2 = x1.ndim, x2.ndim
        if rank2 == 2 and rank1 == 2:
            return x1.dot(x2)  # for 10x10 350 ns; xp.dot takes 570 ns, xp.matmul 920 ns
        if rank2 == 2 and rank1 > 2 and x1.size:
            # One large product instead of one BLAS call per matrix of the stack.
            return x1.reshape(-1, x1.shape[-1]).dot(x2).reshape((*x1.shape[:-1], x2.shape[1]))
        if 1 <= rank1 <= 2 and 1 <= rank2 <= 2:
            return x1.dot(x2)
        if outer is not None and rank1 == rank2 > 2 and x2.shape[-2] == 1 == x1.shape[-1] and _are_outer(x1, x2):
            return outer("...ik,...kj->...ij", x1, x2, order="C")
        # NumPy returns float32 for stacks of bfloat16 matrices.
        return stacked(x1, x2).astype(x1.dtype, copy=False)

    return matmul


def _are_outer(x1: Array, x2: Array) -> bool:
    """Whether einsum takes less time for stacks of outer products, to the same bits, than one BLAS call for each.

    64 products of 64 and 128 elements take 0.2 of the time, and 0.4 if they are large (64 of 512 x 512).
    """
    return x1.dtype.char in "fd" and x1.dtype == x2.dtype and x1.size * x2.shape[-1] >= _OUTER


def _vdot(xp: Any) -> Callable[..., Array]:
    flattened = xp.vdot

    def vdot(x1: Array, x2: Array) -> Array:
        if x1.ndim == 1:
            return x1.dot(x2)
        if x1.shape != x2.shape:
            raise ValueError(f"shapes {x1.shape} and {x2.shape} differ")
        return flattened(x1, x2)

    return vdot
