"""Reductions of neighbouring axes of arrays in C order; NumPy's kernels serve all others."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .compiled import FEW, loops, many_short_rows
from .universal import REAL, numpy_kernels

__all__ = ["BY_DOT", "DOTS", "form", "kernels"]

Array = Any
Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]
Fn = Callable[..., Array]

BY_DOT: Final = ("mean", "sum")  # NumPy's kernels use BLAS for many short rows of float32, up to these sizes:
DOTS: Final = (256, 8192)  # elements of a row, and of all rows
_WIDE: Final = 16  # columns: the sum of shorter rows takes longer than NumPy's


def kernels() -> list[Kernel]:
    """The kernels of the reductions, of float32 and float64."""
    few = numpy_kernels("reduction")
    return [
        *[Kernel(op, _summed(op, few[op]), dtypes=REAL, fresh=True) for op in ("prod", "sum")],
        *[Kernel(op, _plain(op, few[op]), dtypes=REAL, fresh=True) for op in ("max", "mean", "min")],
        Kernel("var", _var(few["var"], False), dtypes=REAL, fresh=True),
        Kernel("std", _var(few["std"], True), dtypes=REAL, fresh=True),
    ]


@lru_cache(maxsize=256)
def form(shape: Shape, axis: Axis, keepdims: bool) -> tuple[Shape, Shape] | None:
    """The shape as (elements before the reduced axes, in them, behind them), and that of the result.

    None if the axes are not neighbours, or do not exist.
    """
    rank = len(shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    places = sorted([k + rank if k < 0 else k for k in axes])
    if not places or places != list(range(places[0], places[-1] + 1)) or places[0] < 0 or places[-1] >= rank:
        return None
    first, stop = places[0], places[-1] + 1
    middle = (1,) * len(places) if keepdims else ()
    return (prod(shape[:first]), prod(shape[first:stop]), prod(shape[stop:])), (*shape[:first], *middle, *shape[stop:])


def _reduced(name: str, x: Array, axis: Axis, keepdims: bool) -> Array | None:
    """The reduction along axes by a compiled loop; None if none serves the operand."""
    if x.size < FEW or not x.flags.carray:
        return None
    if x.ndim == 2 and type(axis) is int and not keepdims:
        return _of_matrix(name, x, axis)
    found = form(x.shape, axis, keepdims)
    if found is None:
        return None
    (before, n, behind), shape = found
    if behind == 1:
        if name in BY_DOT and x.itemsize == 4 and n < DOTS[0] and x.size > DOTS[1]:
            return None
        y = np.empty(shape, x.dtype)
        loops().ROWS[name](x.reshape(before, n), y.reshape(before))
        return y
    if behind >= _WIDE and name != "prod":
        y = np.empty(shape, x.dtype)
        loops().COLUMNS[name](x.reshape(before, n, behind), y.reshape(before, behind))
        return y
    return None


def _of_matrix(name: str, x: Array, axis: int) -> Array | None:
    """As `_reduced`, for an axis of a matrix, without a look-up of `form`, which takes 0.3 us."""
    rows, columns = x.shape
    if axis == 1 or axis == -1:
        if name in BY_DOT and x.itemsize == 4 and many_short_rows(x, *DOTS):
            return None
        y = np.empty(rows, x.dtype)
        loops().ROWS[name](x, y)
        return y
    if (axis == 0 or axis == -2) and columns >= _WIDE and name != "prod":
        y = np.empty(columns, x.dtype)
        loops().COLUMNS[name](x.reshape(1, rows, columns), y.reshape(1, columns))
        return y
    return None


def _of_all(name: str) -> Callable[[Array], Array | None]:
    """The reduction of all elements; None if no loop serves the operand."""
    loop: Callable[..., None] | None = None

    def of_all(x: Array) -> Array | None:
        nonlocal loop
        if x.size < FEW or not x.flags.carray:
            return None
        if loop is None:
            loop = loops().ALL[name]
        y = np.empty((), x.dtype)
        loop(x if x.ndim == 1 else x.reshape(-1), y)
        return y

    return of_all


def _summed(name: str, otherwise: Fn) -> Fn:
    of_all = _of_all(name)

    def sum(x: Array, *, axis: Axis = None, dtype: Any, keepdims: bool = False) -> Array:
        y = None
        if dtype is x.dtype:
            y = of_all(x) if axis is None and not keepdims else _reduced(name, x, axis, keepdims)
        return otherwise(x, axis=axis, dtype=dtype, keepdims=keepdims) if y is None else y

    sum.__name__ = name
    return sum


def _plain(name: str, otherwise: Fn) -> Fn:
    of_all = _of_all(name)

    def reduction(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        y = of_all(x) if axis is None and not keepdims else _reduced(name, x, axis, keepdims)
        return otherwise(x, axis=axis, keepdims=keepdims) if y is None else y

    reduction.__name__ = name
    return reduction


def _var(otherwise: Fn, root: bool) -> Fn:
    def var(x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        found = form(x.shape, axis, keepdims) if x.size >= FEW and x.flags.carray else None
        if found is None or found[0][2] != 1:
            return otherwise(x, axis=axis, correction=correction, keepdims=keepdims)
        (before, n, _), shape = found
        y = np.empty(shape, x.dtype)
        loops().var_of_rows(x.reshape(before, n), float(correction), y.reshape(before))
        return np.sqrt(y) if root else y

    return var
