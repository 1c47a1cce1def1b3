"""Kernels: logsumexp, with its sums in blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..extremes import extreme_reduce
from ..quiet import silent
from ..rows import column, is_rows
from ..summing import add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None

_NEAR: Final = 60.0  # exp of larger numbers, or sums of them, could overflow
_SMALL: Final = 65536  # elements, whose exponentials stay in the cache


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``logsumexp`` on the arrays of ``xp``."""
    return [Kernel("logsumexp", _logsumexp(xp), fresh=True)]


def _logsumexp(xp: Any) -> Callable[..., Array]:
    exp, isfinite, log, where, reduce = xp.exp, xp.isfinite, xp.log, xp.where, add_reduce(xp)
    on_host, extreme = xp.__name__ == "numpy", extreme_reduce(xp, "maximum")

    def of_near_numbers(x: Array) -> Array:
        """By rows, without their largest elements, since no exponential overflows."""
        n = x.shape[-1]
        total = exp(x).dot(column(n, x.dtype.char)) if x.size <= _SMALL else sums(x.reshape(-1, n))
        return log(total)

    def sums(rows: Array) -> Array:
        y = xp.empty((len(rows), 1), rows.dtype)
        height = _SMALL // rows.shape[1]
        for start in range(0, len(rows), height):
            block = slice(start, start + height)
            y[block] = exp(rows[block]).dot(column(rows.shape[1], rows.dtype.char))
        return y

    def compute(x: Array, axis: Axis, keepdims: bool) -> Array:
        if on_host and is_rows(x, axis) and x.item(x.argmax()) < _NEAR and x.item(x.argmin()) > -_NEAR:
            y = of_near_numbers(x).reshape((*x.shape[:-1], 1))
            return y if keepdims else y[..., 0]
        if x.dtype.itemsize == 2:
            return compute(x.astype("float32"), axis, keepdims).astype(x.dtype)
        if x.ndim == 0 and axis not in (None, ()):
            raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")  # NumPy ignores it
        largest = extreme(x, axis, True) if x.size else x.max(axis, None, True, initial=-float("inf"))
        shifted = x - where(isfinite(largest), largest, 0).astype(x.dtype, copy=False)
        y = log(reduce(exp(shifted), axis, None, None, True)) + largest
        return y if keepdims else y.squeeze(axis)

    silently = silent(xp, compute)

    def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        return silently(x, axis, keepdims)

    return logsumexp
