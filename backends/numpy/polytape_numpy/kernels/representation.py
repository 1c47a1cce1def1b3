"""The bits of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the representation family on the arrays of ``xp``."""
    floating = ("float16", "float32", "float64")
    own = {"frexp": _frexp, "ldexp": _ldexp} if xp.__name__ == "numpy" else {}
    return [
        Kernel("bitcast", lambda x, *, dtype: x.view(dtype)),
        *(Kernel(op, make(xp), dtypes=floating, fresh=True) for op, make in own.items()),
        Kernel("signbit", xp.signbit, dtypes=floating, out=True),
        Kernel("copysign", xp.copysign, dtypes=floating, out=True),
        Kernel("nextafter", xp.nextafter, dtypes=floating, out=True),
    ]


def _frexp(xp: Any) -> Callable[..., tuple[Array, Array]]:
    xp_frexp, isfinite, where = xp.frexp, xp.isfinite, xp.where

    def frexp(x: Array) -> tuple[Array, Array]:
        mantissa, exponent = xp_frexp(x)
        # C leaves the exponent of infinity and NaN open.
        return mantissa, where(isfinite(x), exponent, 0).astype("int32", copy=False)

    return frexp


def _ldexp(xp: Any) -> Callable[..., Array]:
    xp_ldexp = xp.ldexp

    def ldexp(x1: Array, x2: Array) -> Array:
        if x2.dtype.kind == "u":
            x2 = xp.minimum(x2, 65_535) if x2.dtype.itemsize > 2 else x2
            x2 = x2.astype("int32")
        return xp_ldexp(x1, x2)

    return ldexp
