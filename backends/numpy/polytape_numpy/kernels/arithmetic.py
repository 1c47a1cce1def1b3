"""Arithmetic: the functions of the module itself, and powers of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any
_SIGNED = ("int8", "int16", "int32", "int64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the arithmetic family on the arrays of ``xp``."""
    # On a GPU, power has no negative exponents to reject.
    own = [Kernel("power", _integer_power(xp), dtypes=_SIGNED, fresh=True)] if xp.__name__ == "numpy" else []
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
