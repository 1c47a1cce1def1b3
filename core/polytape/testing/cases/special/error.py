"""Rows: the error function and its relatives. The references are Python's, refined by Newton steps."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from ....ops.special import error
from ...case import Case
from ...makers import floats
from ...samples import sample

__all__ = ["CASES", "vectorized"]

_NAN = float("nan")


def vectorized(f: Any) -> Any:
    """A function of Python floats, elementwise on arrays."""
    return np.vectorize(f, otypes=["float64"])


def _erfcx(x: float) -> float:
    if x < 25.0:
        # exp would magnify the rounding error of the square.
        return float(np.exp(np.longdouble(x) ** 2) * math.erfc(x))
    if math.isnan(x):
        return x
    term = total = 1.0
    for k in range(1, 15):
        term *= -(2 * k - 1) / (2.0 * x) / x
        total += term
    return total / x / math.sqrt(math.pi)


def _ndtr(x: float) -> float:
    if math.isnan(x) or abs(x) > 40.0:
        return x if math.isnan(x) else float(x > 0)
    z = -x * math.sqrt(0.5)
    lost = np.longdouble(x) ** 2 / 2 - np.longdouble(z) ** 2  # by the rounding of z
    return float(math.erfc(z) / 2 * np.exp(-lost)) if x < -1.0 else math.erfc(z) / 2


def _log_ndtr(x: float) -> float:
    if x > 0:
        return math.log1p(-_ndtr(-x))
    if x < -30.0:
        return -x * x / 2 + math.log(max(_erfcx(-x * math.sqrt(0.5)) / 2, 1e-300))
    return math.log(_ndtr(x)) if x == x else x


def _ndtri(p: float) -> float:
    if not 0.0 < p < 1.0:
        return math.copysign(math.inf, p - 0.5) if p in (0.0, 1.0) else _NAN
    tail = min(p, 1.0 - p)
    x = NormalDist().inv_cdf(tail)
    x += (tail - _ndtr(x)) / (math.exp(-x * x / 2) / math.sqrt(2 * math.pi))
    return x if p <= 0.5 else -x


def _erfinv(x: float) -> float:
    a = abs(x)
    if not a < 1.0:
        return math.copysign(math.inf, x) if a == 1.0 else _NAN
    y = a * math.sqrt(math.pi) / 2 if a < 0.5 else -NormalDist().inv_cdf((1.0 - a) / 2) * math.sqrt(0.5)
    for _ in range(4):
        excess = math.erf(y) - a if a < 0.5 else (1.0 - a) - math.erfc(y)
        y -= excess * math.exp(y * y) * math.sqrt(math.pi) / 2
    return math.copysign(y, x)


_ULP = {"float32": 6.0, "float64": 8.0}
_POINTS = [-30.0, -9.0, -4.0, -0.47, -0.46, -1e-5, 1e-5, 0.46, 0.47, 3.9, 4.0, 9.0]
CASES = [
    Case(
        error.erf,
        floats(2, 3, low=-3.0, high=3.0),
        near=[*_POINTS, 1e30],
        more=[sample(floats(130, 300), smooth=False)],  # more than a kernel computes at once
        reference=vectorized(math.erf),
        ulp=_ULP,
    ),
    Case(error.erfc, floats(2, 3, low=-3.0, high=3.0), near=_POINTS, reference=vectorized(math.erfc), ulp=_ULP),
    Case(error.erfcx, near=[*_POINTS[1:], 30.0, 1e4], reference=vectorized(_erfcx), ulp=_ULP),
    Case(
        error.erfinv,
        floats(2, 3, low=-0.9, high=0.9),
        near=[0.84, 0.86, 0.999, 1e-5, -0.9999],
        reference=vectorized(_erfinv),
        ulp=_ULP,
    ),
    Case(error.ndtr, floats(2, 3, low=-3.0, high=3.0), near=_POINTS, reference=vectorized(_ndtr), ulp=_ULP),
    Case(
        error.log_ndtr,
        floats(2, 3, low=-3.0, high=3.0),
        near=[*_POINTS, -100.0],
        reference=vectorized(_log_ndtr),
        ulp=_ULP,
        signs=False,  # log_ndtr(40) is -0
    ),
    Case(
        error.ndtri,
        floats(2, 3, low=0.05, high=0.95),
        near=[0.01, 1e-7, 0.07, 0.08, 0.93],
        reference=vectorized(_ndtri),
        ulp=_ULP,
    ),
]
