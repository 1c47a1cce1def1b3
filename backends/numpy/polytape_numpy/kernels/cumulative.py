"""Cumulative sums, products and extremes along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


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
