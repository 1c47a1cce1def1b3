"""Dropout with a given mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the regularization family on the arrays of ``xp``."""
    return [Kernel("masked_scale", _masked_scale(xp), fresh=True)]


def _masked_scale(xp: Any) -> Callable[..., Array]:
    where, zeros = xp.where, xp.zeros

    def masked_scale(x: Array, kept: Array, *, scale: float = 1.0) -> Array:
        y = where(kept, x, zeros((), x.dtype))
        y *= scale
        return y

    return masked_scale
