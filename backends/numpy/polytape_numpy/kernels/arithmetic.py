"""Arithmetic: the functions of the module itself, and powers."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

from polytape.backend import Kernel

from .clipping import LIMITS, clip_of
from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any
_LARGE: Final = 64  # elements
_MANY: Final = 2048  # elements, from which on a square root and a product or quotient take less time than a power
_CLIPPED: Final = 2048  # elements, from which on clip takes less time than maximum
_ROOTS: Final = {"f": (-0.5, 1.5), "d": (1.5,)}
_SIGNED = ("int8", "int16", "int32", "int64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the arithmetic family on the arrays of ``xp``."""
    # On a GPU, power has no negative exponents to reject.
    own = [Kernel("power", _integer_power(xp), dtypes=_SIGNED, fresh=True)] if xp.__name__ == "numpy" else []
    own += [Kernel("power", _float_power(xp), dtypes=("float32", "float64"), fresh=True)]
    names = "add subtract multiply divide power negative square abs sign"
    own += [Kernel(name, _bounded(xp, name), out=True) for name in ("maximum", "minimum")]
    return [*own, *ufuncs(xp, names)]


def _bounded(xp: Any, name: str) -> Callable[..., Array]:
    """``xp.maximum`` or ``xp.minimum``, of many elements and a number by clip."""
    general, clip = getattr(xp, name), clip_of(xp)
    if clip is None:
        return general  # type: ignore[no-any-return]

    # Clip keeps -0 beside a bound of 0, where maximum returns the bound. So the choice depends only on the operands'
    # sizes, which a part of a compiled cluster has in common with the whole, and not on ``out``.
    def bounded(x1: Array, x2: Array, out: Array | None = None) -> Array:
        if x1.size == x2.size or x1.size < _CLIPPED > x2.size:
            return general(x1, x2) if out is None else general(x1, x2, out=out)
        x, bound = (x2, x1) if x1.size == 1 else (x1, x2)
        limits = LIMITS.get(x.dtype)
        if bound.size != 1 or limits is None:
            return general(x1, x2) if out is None else general(x1, x2, out=out)
        least, most = (bound, limits[1]) if name == "maximum" else (limits[0], bound)
        return clip(x, least, most) if out is None else clip(x, least, most, out=out)

    return bounded


def _integer_power(xp: Any) -> Callable[..., Array]:
    power, where = xp.power, xp.where

    def integer_power(x1: Array, x2: Array) -> Array:
        try:
            return power(x1, x2)
        except ValueError:
            negative = x2 < 0
            if not negative.any():
                raise
            inverse = where(abs(x1) == 1, where(x2 & 1, x1, x1 * x1), 0)
            return where(negative, inverse, power(x1, where(negative, 0, x2)))

    return integer_power


def _float_power(xp: Any) -> Callable[..., Array]:
    power, square, multiply, divide, copysign = xp.power, xp.square, xp.multiply, xp.divide, xp.copysign
    on_host = xp.__name__ == "numpy"  # on a device, reading the exponent would wait for it
    sqrt, square_root = xp.sqrt, _square_root(xp)

    def float_power(x1: Array, x2: Array) -> Array:
        if not on_host or x2.size != 1 or x2.ndim > x1.ndim:
            return power(x1, x2)
        exponent = x2.item()
        if exponent == 0.5:
            return square_root(x1)
        if not x1.ndim:
            return power(x1, x2)
        if exponent == 2.0:
            return square(x1)
        if exponent == 3.0:
            y = square(x1)
            return multiply(y, x1, out=y)
        if exponent == -1.0:
            return divide(1, x1)
        if x1.size >= _LARGE and exponent == exponent // 1:
            # NumPy's power takes 20 times as long for a negative base.
            y = power(abs(x1), x2)
            return copysign(y, x1, out=y) if exponent % 2 else y
        if x1.size >= _MANY and exponent in _ROOTS[x1.dtype.char] and x1.item(x1.argmin()) > -inf:  # argmin finds NaN
            y = sqrt(x1) if exponent > 0 else square_root(x1)
            return multiply(x1, y, out=y) if exponent > 0 else divide(1, y, out=y)
        return power(x1, x2)

    return float_power


def _square_root(xp: Any) -> Callable[[Array], Array]:
    """``x ** 0.5``, which is 0 for -0 and infinite for -inf; NumPy's power returns -0 and NaN."""
    sqrt, where = xp.sqrt, xp.where

    def square_root(x: Array) -> Array:
        y = sqrt(x)
        smallest = x.item(x.argmin()) if x.size else 1.0
        if smallest > 0.0:
            return y
        y += 0.0
        return y if smallest > -inf else where(x == -inf, inf, y)  # argmin finds NaN, which hides -inf

    return square_root
