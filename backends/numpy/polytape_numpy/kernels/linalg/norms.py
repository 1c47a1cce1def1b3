"""The Euclidean norm: the root of a plain sum of squares, and a scaled one only where that leaves the range."""

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
    """The kernels of the norms family on the arrays of ``xp``: none on a device, which would have to wait for them."""
    if xp.__name__ != "numpy":
        return []
    dtypes = ("float16", "float32", "float64", "complex64", "complex128")
    return [Kernel("euclidean_norm", _euclidean_norm(xp), dtypes=dtypes, fresh=True)]


def _euclidean_norm(xp: Any) -> Callable[..., Array]:
    add, sqrt, where, isfinite = add_reduce(xp), xp.sqrt, xp.where, xp.isfinite

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

    quiet_plain, quiet_scaled = silent(xp, plain), silent(xp, scaled)

    def euclidean_norm(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if x.ndim == 0 and axis not in (None, ()):
            raise ValueError(f"axis {axis} is out of bounds for an array of rank 0")  # NumPy accepts 0 and -1
        wide = x.astype("float32") if x.dtype.itemsize == 2 else x
        total = quiet_plain(wide, axis)
        # Squares that underflow are then too small to matter in a sum of fewer than 1e6 of them.
        small, large = (1e-25, 3e38) if total.dtype.itemsize == 4 else (1e-280, 1e308)
        if not total.size or not x.size or (total.min() > small and total.max() < large):
            y = sqrt(total)
        else:
            y = quiet_scaled(wide, axis)
        if not keepdims:
            y = y.reshape(()) if axis is None else y.squeeze(axis)
        return y.astype(x.real.dtype, copy=False)

    return euclidean_norm
