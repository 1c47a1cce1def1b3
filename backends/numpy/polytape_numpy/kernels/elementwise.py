"""Further elementwise functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any

_LARGE: Final = 4096  # elements


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


def _is_number(bound: Array | None) -> bool:
    return bound is None or bound.ndim == 0


def _ufunc_of_clip() -> Any:
    """NumPy's ufunc behind its clip, without the Python in between; None in a version that has it elsewhere."""
    umath: Any = importlib.import_module("numpy._core.umath")
    return getattr(umath, "clip", None)


def _clip(xp: Any) -> Callable[..., Array]:
    maximum, minimum, on_host = xp.maximum, xp.minimum, xp.__name__ == "numpy"
    between = _ufunc_of_clip() if on_host else None

    def clip(x: Array, min: Array | None = None, max: Array | None = None) -> Array:
        if between is not None and min is not None and max is not None and x.dtype.kind in "fiu":
            return between(x, min, max)
        # Beside numbers, NumPy's clip uses SIMD, but its call takes 1 us of Python.
        if on_host and x.size >= _LARGE and x.dtype.kind in "fiu" and _is_number(min) and _is_number(max):
            return x.copy() if min is max is None else x.clip(min, max)
        if min is None:
            return x.copy() if max is None else minimum(x, max)
        y = maximum(x, min)
        return y if max is None else minimum(y, max)

    return clip
