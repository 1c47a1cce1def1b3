"""Kernels: the error function in single and half precision; for the rest, the bodies take no longer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..constants import numbers
from ..quiet import silent

__all__ = ["kernels"]

Array = Any

# erf(x) is tanh(x * q(x * x)) with at most 3.1 ulp in float32; q, highest power first, is fitted for erf's own relative
# error. Its leading coefficient is positive, so that large numbers need not be clamped.
_COEFFICIENTS: Final = (
    5.421577946588955e-9, 2.757666899951367e-8, -4.7946104147850595e-6, 8.459660643953309e-5, -6.148382912664174e-4,
    -1.952881142127153e-4, 0.10276986410714822, 1.1283792471879162,
)  # fmt: skip
_FEW: Final = 32  # elements; the calls below take as long as 32 of the C library
_BLOCK: Final = 16384  # elements; the buffers then stay in the cache


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``erf`` on the arrays of ``xp``."""
    return [Kernel("erf", _erf(xp), dtypes=("bfloat16", "float16", "float32"), fresh=True)]


def _erf(xp: Any) -> Callable[[Array], Array]:
    on_host, array = xp.__name__ == "numpy", xp.array
    multiply, tanh, empty_like = xp.multiply, xp.tanh, xp.empty_like
    first, *others, last = [numbers(xp, factor).get("f", factor) for factor in _COEFFICIENTS]

    def compute(x: Array, y: Array) -> None:
        square = x * x
        multiply(square, first, out=y)
        for coefficient in others:
            y += coefficient
            y *= square
        y += last
        y *= x
        tanh(y, out=y)

    def erf(x: Array) -> Array:
        if x.dtype.itemsize == 2:
            return erf(x.astype("float32")).astype(x.dtype)
        if on_host and x.size <= _FEW:
            return array([math.erf(number) for number in x.reshape(-1).tolist()], x.dtype).reshape(x.shape)
        flat = x.reshape(-1)
        y = empty_like(flat)
        for start in range(0, flat.size, _BLOCK):
            compute(flat[start : start + _BLOCK], y[start : start + _BLOCK])
        return y.reshape(x.shape)

    return silent(xp, erf)
