"""Numerical analysis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the numerical family on the arrays of ``xp``."""
    return [Kernel("convolve", _convolve(xp), fresh=True)]


def _convolve(xp: Any) -> Callable[..., Array]:
    xp_convolve = xp.convolve

    def convolve(x1: Array, x2: Array) -> Array:
        dtype = x1.dtype
        if dtype.itemsize == 2 and dtype.kind not in "iu":
            return xp_convolve(x1.astype("float32"), x2.astype("float32")).astype(dtype)
        return xp_convolve(x1, x2)

    return convolve
