"""Rows: modified Bessel functions, against integrals by the trapezoidal rule, which converges exponentially."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....ops.special import bessel
from ...case import Case
from .error import vectorized

__all__ = ["CASES"]

_ANGLES = np.arange(2001) * (np.longdouble(math.pi) / 2000)
_ENDS = np.where((np.arange(2001) == 0) | (np.arange(2001) == 2000), 0.5, 1.0) / 2000


def _bessel(order: int, scaled: bool) -> Any:
    def reference(x: float) -> float:
        if math.isnan(x) or math.isinf(x):
            limit = 0.0 if scaled else math.inf
            return x if math.isnan(x) else math.copysign(limit, x) if order else limit
        y = np.longdouble(abs(x))
        if abs(x) < 1.0:  # cancellation in the integral
            terms = [(y / 2) ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(20)]
            value = sum(terms) * np.exp(-y)
        else:
            value = np.sum(np.exp(y * (np.cos(_ANGLES) - 1)) * np.cos(order * _ANGLES) * _ENDS)
        value = float(value if scaled else value * np.exp(y))
        return math.copysign(value, x) if order else value

    return vectorized(reference)


_POINTS = [-30.0, 0.01, 3.0, 7.9, 8.1, 12.0, 40.0, -700.0]
CASES = [
    Case(bessel.i0, near=_POINTS[:-1], reference=_bessel(0, False), ulp=16.0),
    Case(bessel.i0e, near=_POINTS, reference=_bessel(0, True), ulp=8.0, avoid="ties"),
    Case(bessel.i1, near=_POINTS[:-1], reference=_bessel(1, False), ulp=16.0),
    Case(bessel.i1e, near=_POINTS, reference=_bessel(1, True), ulp=8.0, avoid="ties"),
]
