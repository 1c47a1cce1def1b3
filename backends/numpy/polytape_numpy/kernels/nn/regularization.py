"""Dropout with a given mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .masking import kept_bits

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the regularization family on the arrays of ``xp``."""
    return [Kernel("masked_scale", _masked_scale(xp), fresh=True)]


def _masked_scale(xp: Any) -> Callable[..., Array]:
    where, zeros, bitwise_and = xp.where, xp.zeros, xp.bitwise_and

    def masked_scale(x: Array, kept: Array, *, scale: float = 1.0) -> Array:
        if x.dtype.kind == "c" or not kept.ndim:  # of rank 0, the results below would be scalars
            y = where(kept, x, zeros((), x.dtype))
        else:
            ones = kept_bits(xp, kept, x.itemsize)
            reused = ones if ones.shape == x.shape else None
            y = bitwise_and(x.view(ones.dtype), ones, out=reused).view(x.dtype)
        y *= scale
        return y

    return masked_scale
