"""Rearranging, joining and casting. Results may be views, since kernels do not write the arrays of tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
# Up to this size a copy (280 ns for 30 elements) is faster than the view of xp.broadcast_to (2.4 us).
_SMALL: Final = 4096


def kernels(xp: Any) -> list[Kernel]:
    """The kernels that reshape, permute, broadcast, join and cast the arrays of ``xp``."""
    return [
        Kernel("reshape", _reshape),
        Kernel("permute_dims", _permute_dims),
        Kernel("broadcast_to", _broadcast_to(xp)),
        Kernel("concat", _concat(xp), fresh=True),
        Kernel("astype", _astype),
        Kernel("stop_gradient", _same),
        Kernel("identity", _same),
    ]


def _reshape(x: Array, *, shape: Any) -> Array:
    y = x.reshape(shape)
    # NumPy takes one negative size of any value for -1.
    if (y.shape != shape and -1 not in shape) if type(shape) is tuple else shape < -1:
        raise ValueError(f"shape {shape} has a negative size")
    return y


def _permute_dims(x: Array, *, axes: tuple[int, ...]) -> Array:
    return x.transpose(axes)


def _broadcast_to(xp: Any) -> Callable[..., Array]:
    view, empty = xp.broadcast_to, xp.empty

    def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
        # Assignment would also drop leading axes of size 1, so the rank is tested.
        if x.ndim <= len(shape) and prod(shape) <= _SMALL:
            y = empty(shape, x.dtype)
            y[...] = x
            return y
        return view(x, shape)

    return broadcast_to


def _concat(xp: Any) -> Callable[..., Array]:
    concatenate = xp.concatenate

    def concat(*arrays: Array, axis: int | None = 0) -> Array:
        return concatenate(arrays, axis)

    return concat


def _astype(x: Array, *, dtype: Any) -> Array:
    return x.astype(dtype, copy=False)


def _same(x: Array) -> Array:
    return x
