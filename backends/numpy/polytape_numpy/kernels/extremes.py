"""Largest and smallest elements along axes, in an order that NumPy's loops compute fast.

NumPy takes 30 ns for each row of a reduction along a leading axis, and for each result of one along the last axis,
however short the rows are. The order does not matter for these functions, nor that an element is taken twice, so that
short rows are joined to long ones, and the last axis of short rows is reduced as the first one of their transpose.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, Final

from .rows import LONG

__all__ = ["extreme_reduce"]

Array = Any
Axis = int | tuple[int, ...] | None

_SMALL: Final = 1024  # elements; NumPy's own reduction of fewer takes as long as two calls
_FEW: Final = 64  # results along the last axis, whose reductions take as long as the steps below
_ROWS: Final = 256  # rows of a leading axis, likewise
_WIDE: Final = 512  # elements of a row; NumPy takes long rows as fast as they come from memory
_JOINED: Final = 4096  # elements of joined rows
_NARROW: Final = 40  # elements of a row; up to here the transpose is faster than argmax
_BLOCK: Final = 65536  # elements that are transposed at a time, which stay in a core's second-level cache
_SCALAR: Final = 192  # integers of a row; NumPy's argmax of fewer takes longer than its max


def extreme_reduce(xp: Any, name: str) -> Callable[..., Array]:
    """``xp.maximum.reduce`` or ``xp.minimum.reduce`` by its name, as a function of array, axis and keepdims."""
    if xp.__name__ != "numpy":
        method = "max" if name == "maximum" else "min"  # cupy.maximum has no reduce
        return lambda x, axis=None, keepdims=False: getattr(x, method)(axis, None, keepdims)
    combine = getattr(xp, name)
    reduce, position, ascontiguousarray = combine.reduce, f"arg{name[:3]}", xp.ascontiguousarray

    def extreme(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        if x.size >= _SMALL and axis is not None and x.flags.c_contiguous and _served(x.dtype):
            plan = _plan(x.shape, axis, keepdims)
            if plan is not None:
                block, shape = plan
                return (of_rows(x.reshape(block)) if len(block) == 2 else of_columns(x.reshape(block))).reshape(shape)
        return reduce(x, axis, None, None, keepdims)

    def of_rows(x: Array) -> Array:
        count, n = x.shape
        if n > _NARROW:
            if n < _SCALAR and x.dtype.kind != "f":
                return reduce(x, 1)
            places = getattr(x, position)(1)  # uses SIMD and finds NaN
            places += xp.arange(0, x.size, n)
            return x.reshape(-1).take(places)
        y, height = xp.empty(count, x.dtype), _BLOCK // n
        for start in range(0, count, height):
            part = slice(start, start + height)
            reduce(ascontiguousarray(x[part].T), 0, None, y[part])
        return y

    def of_columns(x: Array) -> Array:
        lead, rows, width = x.shape
        joined = min(_JOINED // width, rows // 2)
        count = rows // joined
        y = reduce(x[:, : count * joined].reshape(lead, count, joined * width), 1)
        if count * joined < rows:  # those left over, with some of the others
            combine(y, x[:, -joined:].reshape(lead, joined * width), out=y)
        y = y.reshape(lead, joined, width)
        return reduce(y, 1) if width >= joined else reduce(ascontiguousarray(y.transpose(0, 2, 1)), 2)

    return extreme


def _served(dtype: Any) -> bool:
    return dtype.char in "fd" or (dtype.kind in "iu" and dtype.itemsize >= 4)


@lru_cache(maxsize=256)
def _plan(shape: tuple[int, ...], axis: Axis, keepdims: bool) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """How a contiguous array is reduced, if not by NumPy.

    Returns:
        The shape of the matrix of rows or of the stack of matrices whose rows are reduced, and the shape of the result;
        None if the axes are not adjacent, or if there are too few rows.
    """
    rank = len(shape)
    axes = sorted(k % rank for k in (axis if isinstance(axis, tuple) else (axis,)) if -rank <= k < rank)  # type: ignore[operator]
    if len(axes) != (len(axis) if isinstance(axis, tuple) else 1) or not axes:
        return None  # NumPy raises the error
    first, stop = axes[0], axes[-1] + 1
    if axes != list(range(first, stop)):
        return None
    lead, rows, width = prod(shape[:first]), prod(shape[first:stop]), prod(shape[stop:])
    result = (*shape[:first], *((1,) * (stop - first) if keepdims else ()), *shape[stop:])
    if width == 1:
        return ((lead, rows), result) if lead >= _FEW and 0 < rows <= LONG else None
    return ((lead, rows, width), result) if rows >= _ROWS and 0 < width <= _WIDE else None
