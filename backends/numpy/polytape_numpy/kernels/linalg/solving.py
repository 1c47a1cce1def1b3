"""Linear systems and determinants by the module's own linear algebra, and triangular systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .rejections import reporting
from .triangular import substitution

__all__ = ["kernels"]

Array = Any
_DTYPES: Final = ("float32", "float64", "complex64", "complex128")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the solving family on the arrays of ``xp``."""
    linalg = xp.linalg

    def det(x: Array) -> Array:
        return linalg.det(x)

    def slogdet(x: Array) -> tuple[Array, Array]:
        sign, logarithm = linalg.slogdet(x)
        return sign, logarithm

    def inv(x: Array) -> Array:
        return linalg.inv(x)

    functions = {
        "det": det,
        "slogdet": slogdet,
        "inv": inv,
        "solve": _solve(xp),
        "solve_triangular": _solve_triangular(xp),
    }
    return [Kernel(op, reporting(xp, op, fn), dtypes=_DTYPES, fresh=True) for op, fn in functions.items()]


def _solve(xp: Any) -> Callable[..., Array]:
    fn = xp.linalg.solve

    def solve(x1: Array, x2: Array) -> Array:
        if x2.ndim == 0:
            raise ValueError("a number is no vector")
        return fn(x1, x2)

    return solve


def _solve_triangular(xp: Any) -> Callable[..., Array]:
    substitute, contiguous, broadcast_to = substitution(xp), xp.ascontiguousarray, xp.broadcast_to

    def solve_triangular(x1: Array, x2: Array, *, upper: bool = False, unit_diagonal: bool = False) -> Array:
        if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x1.shape[-2] or x1.shape[-1] != x2.shape[-2]:
            raise ValueError(f"shapes {x1.shape} and {x2.shape} do not fit")
        lead = x2.shape[:-2]
        if x1.ndim > 2:
            lead = np.broadcast_shapes(x1.shape[:-2], lead)
        y = broadcast_to(x2, (*lead, *x2.shape[-2:])).copy()
        if y.size:  # matrix products of strided arrays, which are not BLAS's, would be slow
            substitute(contiguous(x1), y, upper, unit_diagonal)
        return y

    return solve_triangular
