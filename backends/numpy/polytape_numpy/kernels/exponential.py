"""Exponentials, logarithms and roots: the functions of the module itself, and an accurate complex log1p."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the exponential family on the arrays of ``xp``."""
    is_numpy = xp.__name__ == "numpy"
    own = [Kernel("log1p", _complex_log1p(xp), dtypes=("complex64", "complex128"), fresh=True)] if is_numpy else []
    return [*own, *ufuncs(xp, "exp log log1p sqrt")]


def _complex_log1p(xp: Any) -> Callable[..., Array]:
    absolute, asarray, log1p, where = xp.abs, xp.asarray, xp.log1p, xp.where

    def complex_log1p(x: Array) -> Array:
        # NumPy computes log(|1 + x|), which is 0 for all small numbers.
        y = asarray(log1p(x))
        real, imag = x.real, x.imag
        y.real = where(absolute(x) < 0.5, log1p(real * (2 + real) + imag * imag) / 2, y.real)
        return y

    return complex_log1p
