"""Rows of exponentials, logarithms and roots."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ops import exponential
from ..case import Case
from ..makers import FLOATS, Maker, between, each, exactly, floats, positive, reals
from ..samples import sample
from .complex_parts import at_limits, on_the_cut

__all__ = ["CASES"]

_REALS = [sample(reals(5), smooth=False)]  # integers are cast; below 0 the results are NaN
# Where log(1 + x) and exp(x) - 1 lose all digits, and where NumPy's own functions do; then infinities and NaN.
_SMALL = [1e-9 + 2e-9j, -1e-3 + 1e-4j, 0.3 - 0.2j, -0.25 + 0.1j, -1e-20j, 0.6 + 0.4j]
_LIMITS = [complex(math.inf, 0.0), complex(-math.inf, 1.0), complex(math.nan, 0.0), complex(0.0, 0.0)]


def _log1p(x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.log1p(x)
    real = np.log1p(x.real * (2 + x.real) + x.imag * x.imag) / 2
    y = np.asarray(np.where(abs(x) < 0.7, real, np.log1p(x).real), complex)
    y.imag = np.arctan2(x.imag, 1 + x.real)  # a product with 1j would lose the sign of a zero
    return y


def _expm1(x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.expm1(x)
    y = np.asarray(np.where(np.isfinite(x), np.expm1(x), np.exp(x) - 1))
    y.real += 0.0  # by the standard, the real part of a zero is not -0
    return y


_NEAR_1 = {"complex64": 16.0, "complex128": 16.0}  # the logarithm of a number near 1 is near 0


def _above(low: float, *shape: int) -> Maker:
    return Maker(f"floats from {low:g}", shape, FLOATS, between(low, 3.0), True)


CASES = [
    Case(exponential.exp, near=[-100.0, 88.0, 100.0, 1e-8], more=[at_limits()]),
    Case(
        exponential.expm1,
        near=[-100.0, 88.0, 100.0, 1e-8, -1e-30],
        reference=_expm1,
        more=[
            sample(each([*_SMALL, *_LIMITS], "complex64", "complex128"), smooth=False),
            sample(each([complex(-0.0, 0.0)], "complex64", "complex128"), smooth=False, signs=True),
            at_limits(),
        ],
    ),
    Case(exponential.exp2, near=[-100.0, 127.0, 200.0, 1e-8], ulp={"complex64": 32.0, "complex128": 32.0}),
    Case(exponential.log, positive(2, 3), near=[1e-30, 1e30, 0.999], more=[*_REALS, on_the_cut(), at_limits()]),
    Case(
        exponential.log1p,
        floats(2, 3, low=-0.7, high=3.0),
        near=[1e-30, 1e-8, 1e30, -0.999],
        reference=_log1p,
        more=[
            *_REALS,
            sample(positive(5)),
            sample(each(_SMALL, "complex64", "complex128"), smooth=False),
            sample(floats(300, low=-0.7, high=3.0), smooth=False),
            at_limits(),
        ],
        large=[sample(exactly(np.resize([-1.0, -2.0, math.inf, math.nan, 0.5, -0.0], 601)))],
    ),
    Case(
        exponential.log2,
        positive(2, 3),
        near=[1e-30, 1e30, 0.999, 8.0, 0.125],
        more=[*_REALS, sample(exactly(2.0 ** np.arange(-14, 15)), smooth=False)],
        ulp=_NEAR_1,
    ),
    Case(
        exponential.log10,
        positive(2, 3),
        near=[1e-30, 1e30, 0.999, 1000.0],
        more=[*_REALS, sample(exactly(10.0 ** np.arange(5)), smooth=False)],
        ulp=_NEAR_1,
    ),
    Case(exponential.sqrt, positive(2, 3), near=[1e-30, 1e30], more=[*_REALS, on_the_cut(), at_limits()]),
    Case(exponential.rsqrt, _above(0.25, 2, 3), reference=lambda x: 1.0 / np.sqrt(x), near=[1e-30, 1e30]),
    Case(
        exponential.cbrt,
        floats(2, 3, low=0.5, high=3.0),
        near=[8.0, -27.0, 1e-30, 1e30],
        more=[sample(exactly([-8.0, 27.0]))],
    ),
    Case(
        exponential.logaddexp,
        near=[-100.0, 100.0, 1e30],
        more=[sample(exactly([3.0, 3.0]), exactly([3.0, 3.5]))],
        scale=1.0,
    ),
]
