"""Arithmetic: the functions of the module itself, and powers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any
_LARGE: Final = 64  # elements
_SIGNED = ("int8", "int16", "int32", "int64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the arithmetic family on the arrays of ``xp``."""
    # On a GPU, power has no negative exponents to reject.
    own = [Kernel("power", _integer_power(xp), dtypes=_SIGNED, fresh=True)] if xp.__name__ == "numpy" else []
    own += [Kernel("power", _float_power(xp), dtypes=("float32", "float64"), fresh=True)]
    names = "add subtract multiply divide power maximum minimum negative square abs sign"
    return [*own, *ufuncs(xp, names)]


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

    def float_power(x1: Array, x2: Array) -> Array:
        if not on_host or x2.ndim or not x1.ndim:
            return power(x1, x2)
        exponent = x2.item()
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
        return power(x1, x2)

    return float_power
