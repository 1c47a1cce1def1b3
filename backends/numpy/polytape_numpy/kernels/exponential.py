"""Exponentials, logarithms and roots: the functions of the module itself, some with a complex form of their own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .constants import numbers
from .quiet import silent
from .ufuncs import ufuncs

__all__ = ["kernels", "log1p_of_float32", "uses_simd"]

Array = Any
_LARGE: Final = 256  # elements
_BLOCK: Final = 16384  # elements, whose intermediate results stay in the cache


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the exponential family on the arrays of ``xp``."""
    is_numpy = xp.__name__ == "numpy"
    own = {"log1p": _complex_log1p, "expm1": _complex_expm1}
    complex_ = [Kernel(op, make(xp), dtypes=("complex64", "complex128"), fresh=True) for op, make in own.items()]
    real = [
        Kernel(name, getattr(xp, name), dtypes=("float16", "float32", "float64"), out=True)
        for name in ("cbrt", "logaddexp")
    ]
    if is_numpy and not uses_simd(xp, "log1p"):
        complex_.append(Kernel("log1p", _log1p(xp), dtypes=("float32",), fresh=True))
    return [*complex_, *ufuncs(xp, "exp exp2 expm1 log log1p log2 log10 sqrt"), *real]


def uses_simd(xp: Any, name: str) -> bool:
    """Whether the loop of a function of NumPy for float32 uses the processor's SIMD instructions."""
    introspect: Any = importlib.import_module("numpy.lib.introspect")
    loops = introspect.opt_func_info(func_name=f"^{name}$", signature="^float32$").get(name, {})
    return not any("baseline" in loop["current"] for loop in loops.values())


def log1p_of_float32(xp: Any) -> Callable[[Array], Array]:
    """``log(1 + x)`` by the module's log, for numbers above -1 that are finite; NaN for other numbers.

    What rounding takes from 1 + x is added to the logarithm: W. Kahan's correction. At most 3.5 ulp.
    """
    log, one = xp.log, numbers(xp, 1).get("f", 1)

    def log1p(x: Array) -> Array:
        u = x + one
        rest = u - one
        rest -= x
        rest /= u
        y = log(u, out=u)
        y -= rest
        return y

    return log1p


def _log1p(xp: Any) -> Callable[[Array], Array]:
    finite, general, empty_like, copysign = log1p_of_float32(xp), xp.log1p, xp.empty_like, xp.copysign

    def compute(x: Array) -> Array:
        flat = x.reshape(-1)
        y = empty_like(flat)
        for start in range(0, flat.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            # The result has the sign of the number, and 1 + x loses that of -0.
            copysign(finite(flat[block]), flat[block], out=y[block])
        smallest = y.item(y.argmin())
        if smallest != smallest:  # argmin finds NaN
            undefined = y != y
            y[undefined] = general(flat[undefined])
        return y.reshape(x.shape)

    of_large = silent(xp, compute)

    def log1p(x: Array) -> Array:
        return general(x) if x.size < _LARGE else of_large(x)

    return log1p


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
    asarray, exp, expm1, isfinite, where = xp.asarray, xp.exp, xp.expm1, xp.isfinite, xp.where
    on_host = xp.__name__ == "numpy"  # a device would have to be waited for

    def complex_expm1(x: Array) -> Array:
        y = asarray(expm1(x))
        finite = isfinite(x)
        if not on_host or not finite.all():
            # exp has the standard's special values, and nothing to lose near 0 there.
            y = where(finite, y, exp(x) - 1)
        y.real = y.real + 0.0  # by the standard, the real part of a zero is not -0
        return y

    return complex_expm1
