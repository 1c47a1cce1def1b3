"""Exponentials, logarithms and roots: the functions of the module itself, some with a complex form of their own."""

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
    own = {"log1p": _complex_log1p, "expm1": _complex_expm1} if is_numpy else {}
    complex_ = [Kernel(op, make(xp), dtypes=("complex64", "complex128"), fresh=True) for op, make in own.items()]
    real = [
        Kernel(name, getattr(xp, name), dtypes=("float16", "float32", "float64"), out=True)
        for name in ("cbrt", "logaddexp")
    ]
    return [*complex_, *ufuncs(xp, "exp exp2 expm1 log log1p log2 log10 sqrt"), *real]


def _complex_log1p(xp: Any) -> Callable[..., Array]:
    absolute, asarray, log1p, where = xp.abs, xp.asarray, xp.log1p, xp.where

    def complex_log1p(x: Array) -> Array:
        # NumPy computes log(|1 + x|), which is 0 for all small numbers.
        y = asarray(log1p(x))
        real, imag = x.real, x.imag
        y.real = where(absolute(x) < 0.5, log1p(real * (2 + real) + imag * imag) / 2, y.real)
        return y

    return complex_log1p


def _complex_expm1(xp: Any) -> Callable[..., Array]:
    asarray, exp, expm1, isfinite = xp.asarray, xp.exp, xp.expm1, xp.isfinite

    def complex_expm1(x: Array) -> Array:
        y = asarray(expm1(x))
        special = ~isfinite(x)
        if special.any():
            # exp has the standard's special values, and nothing to lose near 0 there.
            y[special] = exp(x[special]) - 1
        y.real = y.real + 0.0  # by the standard, the real part of a zero is not -0
        return y

    return complex_expm1
