"""Rows: the incomplete gamma and beta functions, against longer series in extended precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....ops.special import incomplete
from ...case import Case
from ...makers import floats
from .error import vectorized

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")


def _gamma_parts(a: float, x: float) -> tuple[Any, Any]:
    """The lower and the upper function for finite positive arguments, the smaller one accurate."""
    p, z = np.longdouble(a), np.longdouble(x)
    density = np.exp(p * np.log(z) - z - math.lgamma(a + 1.0))
    if x < a + 1.0:
        total = np.longdouble(1)
        for n in range(400, 0, -1):
            total = 1 + total * z / (p + n)
        return density * total, 1 - density * total
    total = z + 801 - p
    for n in range(400, 0, -1):
        total = z + 2 * n - 1 - p - n * (n - p) / total
    return 1 - density * p / total, density * p / total


def _gamma(lower: bool) -> Any:
    def reference(a: float, x: float) -> float:
        if math.isnan(a) or math.isnan(x) or a < 0 or x < 0 or (a == x and a in (0.0, _INF)):
            return _NAN
        if x in (0.0, _INF) or a in (0.0, _INF):
            is_lower_1 = x == _INF or a == 0
            return float(is_lower_1 == lower)
        return float(_gamma_parts(a, x)[0 if lower else 1])

    return vectorized(reference)


def _betainc(a: float, b: float, x: float) -> float:
    if any(map(math.isnan, (a, b, x))) or a < 0 or b < 0 or (a == b and a in (0.0, _INF)) or not 0 <= x <= 1:
        return _NAN
    if x in (0.0, 1.0):
        return x
    if a in (0.0, _INF) or b in (0.0, _INF):
        return float(a == 0 or b == _INF)
    if x > (a + 1) / (a + b + 2):
        return float(1 - _beta_lower(b, a, 1 - np.longdouble(x)))
    return float(_beta_lower(a, b, np.longdouble(x)))


def _beta_lower(a: float, b: float, x: Any) -> Any:
    p, q = np.longdouble(a), np.longdouble(b)
    total = np.longdouble(1)
    for m in range(300, -1, -1):
        total = 1 - (p + m) * (p + q + m) / ((p + 2 * m) * (p + 2 * m + 1)) * x / total
        if m:
            total = 1 + m * (q - m) / ((p + 2 * m - 1) * (p + 2 * m)) * x / total
    inverse_beta = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return np.exp(p * np.log(x) + q * np.log1p(-x) + inverse_beta) / (p * total)


_POSITIVE = floats(2, 3, low=0.25, high=3.0)
# In double precision the references have the rounding error of Python's lgamma, which small results magnify.
_ULP = {"float32": 64.0, "float64": 4096.0}
_SLOW = (
    "a second derivative through a thousand ops takes 30 s; tests/core/ops/special/test_incomplete.py has a short one"
)
CASES = [
    Case(
        incomplete.gammainc, _POSITIVE, _POSITIVE, near=[0.01, 12.0], reference=_gamma(True), ulp=_ULP, gradient=_SLOW
    ),
    Case(
        incomplete.gammaincc, _POSITIVE, _POSITIVE, near=[0.01, 12.0], reference=_gamma(False), ulp=_ULP, gradient=_SLOW
    ),
    Case(
        incomplete.betainc,
        _POSITIVE,
        _POSITIVE,
        floats(2, 3, low=0.05, high=0.95),
        near=[12.0],
        reference=vectorized(_betainc),
        ulp={"float32": 256.0, "float64": 4096.0},
        gradient=_SLOW,
    ),
]
