"""Cumulative sums, products and extremes along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_LEAST: Final = 1e-280  # of a product in float64, whose quotient by any of its factors is in the range


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the cumulative family on the arrays of ``xp``."""
    return [
        Kernel("cumulative_sum", _accumulated(xp, "cumsum", 0), fresh=True),
        Kernel("cumulative_prod", _accumulated(xp, "cumprod", 1), fresh=True),
        *([] if xp.__name__ != "numpy" else _ufuncs(xp)),
    ]


def _ufuncs(xp: Any) -> list[Kernel]:
    """The kernels of functions with a method ``accumulate``, which CuPy's lack."""
    return [
        Kernel("cumulative_max", _along(xp.maximum.accumulate), fresh=True),
        Kernel("cumulative_min", _along(xp.minimum.accumulate), fresh=True),
        Kernel("other_products", _other_products, dtypes=("float32", "float64"), fresh=True),
        Kernel("cumulative_prod_gradient", _product_gradient, dtypes=("float32", "float64"), fresh=True),
        Kernel("logcumsumexp", _along(xp.logaddexp.accumulate), dtypes=("float32", "float64"), fresh=True),
    ]


def _along(accumulate: Callable[..., Array]) -> Callable[..., Array]:
    def along(x: Array, *, axis: int = -1) -> Array:
        return accumulate(x, axis)

    return along


def _accumulated(xp: Any, name: str, initial: int) -> Callable[..., Array]:
    # NumPy's functions reach these loops through 0.5 us of Python, but CuPy's ufuncs have no accumulate.
    ufunc = xp.add if name == "cumsum" else xp.multiply
    accumulate: Callable[..., Array] = ufunc.accumulate if xp.__name__ == "numpy" else getattr(xp, name)
    float32, full, concatenate = xp.dtype("float32"), xp.full, xp.concatenate

    def accumulated(x: Array, *, axis: int | None = None, dtype: Any, include_initial: bool = False) -> Array:
        if axis is None:
            if x.ndim != 1:
                raise ValueError(f"an array of rank {x.ndim} needs an axis")
            axis = 0
        if x.ndim == 0:
            raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")
        half = dtype.itemsize == 2 and dtype.kind not in "iu"  # each step would be rounded: a sum of ones stops at 2048
        result = accumulate(x, axis, float32 if half else dtype)
        if half:
            result = result.astype(dtype)
        if include_initial:
            shape = list(x.shape)
            shape[axis] = 1
            result = concatenate((full(shape, initial, dtype), result), axis)
        return result

    return accumulated


def _divisible(y: Array) -> bool:
    """Whether all products can be divided by their factors."""
    size = abs(y)
    return not size.size or bool(size.min() > _LEAST and size.max() < 1 / _LEAST)


def _other_products(x: Array, *, axis: int = -1) -> Array:
    axis = range(x.ndim)[axis]  # NumPy ignores the axis of an array of rank 0, and takes several
    total = np.multiply.reduce(x, axis, "d", keepdims=True)
    if _divisible(total):
        return (total / x).astype(x.dtype, copy=False)
    return (_before(x, axis) * np.flip(_before(np.flip(x, axis), axis), axis)).astype(x.dtype, copy=False)


def _before(x: Array, axis: int) -> Array:
    """The products of the elements before each one, in float64."""
    x = np.moveaxis(x, axis, -1)
    y = np.ones(x.shape)
    np.multiply.accumulate(x[..., :-1], -1, "d", y[..., 1:])
    return np.moveaxis(y, -1, axis)


def _product_gradient(incoming: Array, x: Array, *, axis: int = -1) -> Array:
    if incoming.shape != x.shape:
        raise ValueError(f"shapes {incoming.shape} and {x.shape} differ")
    y = np.multiply.accumulate(x, axis, "d")
    if not _divisible(y):
        return (_before(x, axis) * _weighted(incoming, x, axis)).astype(x.dtype, copy=False)
    y *= incoming
    sums = np.flip(np.add.accumulate(np.flip(y, axis), axis), axis)
    return (sums / x).astype(x.dtype, copy=False)


def _weighted(incoming: Array, x: Array, axis: int) -> Array:
    """R with ``R[j] = incoming[j] + x[j + 1] * R[j + 1]``, where a factor may be 0: each pass doubles its terms."""
    total = np.moveaxis(incoming, axis, -1).astype("d")
    factor = np.zeros(total.shape)
    factor[..., :-1] = np.moveaxis(x, axis, -1)[..., 1:]
    step = 1
    while step < x.shape[axis]:
        total[..., :-step] += total[..., step:] * factor[..., :-step]
        factor[..., :-step] *= factor[..., step:].copy()
        factor[..., -step:] = 0
        step *= 2
    return np.moveaxis(total, -1, axis)
