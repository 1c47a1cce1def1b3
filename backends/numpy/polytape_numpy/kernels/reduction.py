"""Reductions over one axis, several or all."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from polytape.backend import Kernel

from .summing import SMALL, add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``sum``, ``mean``, ``max`` and ``argmax`` on the arrays of ``xp``."""
    return [
        Kernel("sum", _sum(xp), fresh=True),
        Kernel("mean", _mean(xp), fresh=True),
        Kernel("max", _max, fresh=True),
        Kernel("argmax", _argmax, fresh=True),
    ]


def _check_axis(x: Array, axis: Axis) -> None:
    # NumPy ignores axis 0 or -1 of a rank-0 array; in the array API standard it is an error.
    if x.ndim == 0 and axis != ():
        raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")


def _sum(xp: Any) -> Callable[..., Array]:
    # xp.sum reaches the same loop as add.reduce through 1.3 us of Python. In half precision 2048 + 1 is 2048 (bfloat16:
    # 256 + 1 is 256), so such sums are computed in float32.
    reduce, accurate, float32 = xp.add.reduce, add_reduce(xp), xp.dtype("float32")

    def sum(x: Array, *, axis: Axis = None, dtype: Any, keepdims: bool = False) -> Array:
        if axis is not None:
            _check_axis(x, axis)
        add = reduce if x.size <= SMALL else accurate
        if dtype.itemsize == 2 and dtype.kind not in "iu":
            return add(x, axis, float32, None, keepdims).astype(dtype)
        return add(x, axis, dtype, None, keepdims)

    return sum


def _mean(xp: Any) -> Callable[..., Array]:
    reduce, accurate, float32 = xp.add.reduce, add_reduce(xp), xp.dtype("float32")

    def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is None:
            count = x.size
        else:
            _check_axis(x, axis)
            count = x.shape[axis] if type(axis) is int else prod(x.shape[k] for k in axis)  # type: ignore[union-attr]
        add = reduce if x.size <= SMALL else accurate
        dtype = x.dtype
        if dtype.itemsize == 2:
            return (add(x, axis, float32, None, keepdims) / count).astype(dtype)
        return add(x, axis, None, None, keepdims) / count

    return mean


# max and argmax use the methods of arrays, since cupy.maximum has no reduce.
def _max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    return x.max(axis, None, keepdims)


def _argmax(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    if axis is not None:
        _check_axis(x, axis)
    if keepdims:
        return x.argmax(axis, keepdims=True)
    return x.argmax(axis)
