"""Triangular systems, which NumPy has no function for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["substitution"]

Array = Any
# Rows; a triangle of this size is solved as a full matrix.
_SMALL: Final = 32


def substitution(xp: Any) -> Callable[[Array, Array, bool, bool], None]:
    """A function ``(x1, x2, upper, unit)`` that overwrites ``x2`` with the solution of ``x1 y = x2``.

    Halves of the triangle are joined by matrix products. The small triangles are solved as upper ones: elimination
    finds zeros below their diagonals, so it exchanges no rows, and what is left is back substitution. The error of each
    row is then small beside the terms of that row (N. Higham (2002), Accuracy and Stability of Numerical Algorithms,
    theorem 8.5). A lower triangle would have its rows exchanged, and lose that where rows differ in magnitude.
    """
    solve_full, tri, where, eye = xp.linalg.solve, xp.tri, xp.where, xp.eye

    def small(x1: Array, x2: Array, unit: bool) -> Array:
        n = x1.shape[-1]
        other = eye(n, dtype=x1.dtype) if unit else x1.dtype.type(0)
        return solve_full(where(tri(n, n, 0 if unit else -1, bool), other, x1), x2)

    def substitute(x1: Array, x2: Array, upper: bool, unit: bool) -> None:
        n = x1.shape[-1]
        if n <= _SMALL and upper:
            x2[...] = small(x1, x2, unit)
        elif n <= _SMALL:  # with its rows and columns in reverse order, a lower triangle is an upper one
            x2[...] = small(x1[..., ::-1, ::-1], x2[..., ::-1, :], unit)[..., ::-1, :]
        else:
            half = n // 2
            top, bottom = slice(None, half), slice(half, None)
            first, last = (bottom, top) if upper else (top, bottom)
            substitute(x1[..., first, first], x2[..., first, :], upper, unit)
            x2[..., last, :] -= x1[..., last, first] @ x2[..., first, :]
            substitute(x1[..., last, last], x2[..., last, :], upper, unit)

    return substitute
