"""Kernels: logsumexp, with its sums in blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from ..quiet import silent
from ..summing import add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``logsumexp`` on the arrays of ``xp``."""
    return [Kernel("logsumexp", _logsumexp(xp), fresh=True)]


def _logsumexp(xp: Any) -> Callable[..., Array]:
    exp, isfinite, log, minimum, where, reduce = xp.exp, xp.isfinite, xp.log, xp.minimum, xp.where, add_reduce(xp)

    def compute(x: Array, axis: Axis, keepdims: bool) -> Array:
        if x.dtype.itemsize == 2:
            return compute(x.astype("float32"), axis, keepdims).astype(x.dtype)
        if x.ndim == 0 and axis not in (None, ()):
            raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")  # NumPy ignores it
        largest = x.max(axis, None, True, initial=-float("inf"))
        finite = isfinite(largest)
        shifted = x - where(finite, largest, 0).astype(x.dtype, copy=False)
        if not finite.all():
            minimum(shifted, 0, out=shifted)  # beside an infinite element, exp could overflow
        y = log(reduce(exp(shifted), axis, None, None, True)) + largest
        return y if keepdims else y.squeeze(axis)

    silently = silent(xp, compute)

    def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return silently(x, axis, keepdims)

    return logsumexp
