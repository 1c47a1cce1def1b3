"""Further elementwise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .clipping import LIMITS, clip_of

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the elementwise family on the arrays of ``xp``."""
    return [
        Kernel("positive", lambda x: x),
        Kernel("clip", _clip(xp), fresh=True),
        Kernel(
            "reciprocal", lambda x: xp.divide(xp.ones((), x.dtype), x), fresh=True
        ),  # twice as fast as xp.reciprocal
        Kernel("gcd", xp.gcd, dtypes=("integral",), out=True),
        Kernel("lcm", xp.lcm, dtypes=("integral",), out=True),
    ]


def _clip(xp: Any) -> Callable[..., Array]:
    maximum, minimum, between = xp.maximum, xp.minimum, clip_of(xp)

    def clip(x: Array, min: Array | None = None, max: Array | None = None) -> Array:
        limits = LIMITS.get(x.dtype)
        if between is not None and limits is not None:
            return between(x, limits[0] if min is None else min, limits[1] if max is None else max)
        if min is None:
            return x.copy() if max is None else minimum(x, max)
        y = maximum(x, min)
        return y if max is None else minimum(y, max)

    return clip
