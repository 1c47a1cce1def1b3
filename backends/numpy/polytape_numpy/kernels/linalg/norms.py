"""The Euclidean norm: the root of a plain sum of squares, and a scaled one only where that leaves the range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..quiet import silent
from ..summing import add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...] | None

_BLOCK: Final = 16384  # elements, whose squares BLAS sums in SIMD lanes


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the norms family on the arrays of ``xp``: none on a device, which would have to wait for them."""
    if xp.__name__ != "numpy":
        return []
    dtypes = ("float16", "float32", "float64", "complex64", "complex128")
    return [Kernel("euclidean_norm", _euclidean_norm(xp), dtypes=dtypes, fresh=True)]


def _norm_by_dot(x: Array) -> float | None:
    """The norm of all elements of a contiguous array; None if the sum of squares leaves the range."""
    x = x.reshape(-1)
    if x.size <= _BLOCK:
        total = float(x.dot(x))
    else:
        blocks = [x[start : start + _BLOCK] for start in range(0, x.size, _BLOCK)]
        total = sum([float(block.dot(block)) for block in blocks])
    small, large = (1e-25, 3e38) if x.itemsize == 4 else (1e-280, 1e308)
    return math.sqrt(total) if small < total < large else None


def _euclidean_norm(xp: Any) -> Callable[..., Array]:
    add, sqrt, where, isfinite, array = add_reduce(xp), xp.sqrt, xp.where, xp.isfinite, xp.array

    def plain(x: Array, axis: Axis) -> Array:
        squares = x.real * x.real
        if x.dtype.kind == "c":
            squares += x.imag * x.imag
        return add(squares, axis, None, None, True)

    def scaled(x: Array, axis: Axis) -> Array:
        size = abs(x)
        largest = size.max(axis, keepdims=True)
        scale = where((largest == 0) | ~isfinite(largest), largest.dtype.type(1), largest)
        size /= scale
        size *= size
        return sqrt(add(size, axis, None, None, True)) * scale

    quiet_plain, quiet_scaled, by_dot = silent(xp, plain), silent(xp, scaled), silent(xp, _norm_by_dot)

    def euclidean_norm(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if x.ndim == 0 and axis not in (None, ()):
            raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")  # NumPy accepts 0 and -1
        if axis is None and x.ndim and x.dtype.char in "fd" and x.flags.c_contiguous:
            norm = by_dot(x)
            if norm is not None:
                y = array(norm, x.dtype)
                return y.reshape((1,) * x.ndim) if keepdims else y
        wide = x.astype("float32") if x.dtype.itemsize == 2 else x
        total = quiet_plain(wide, axis)
        # Squares that underflow are then too small to matter in a sum of fewer than 1e6 of them.
        small, large = (1e-25, 3e38) if total.dtype.itemsize == 4 else (1e-280, 1e308)
        plainly = not x.size or (total.min() > small and total.max() < large)
        y = sqrt(total) if plainly else quiet_scaled(wide, axis)
        if not keepdims:
            y = y.squeeze(axis)
        return y.astype(x.real.dtype, copy=False)

    return euclidean_norm
