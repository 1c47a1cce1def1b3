"""Rows: the gamma function and its relatives. Where Python has no reference, series in extended precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....errors import OutOfRangeError
from ....ops.special import gamma
from ...case import Case
from ...makers import exactly, floats
from ...samples import error, sample
from .error import vectorized

__all__ = ["CASES", "lgamma_of"]

_INF = float("inf")
_NAN = float("nan")
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)


def _is_pole(x: float) -> bool:
    return x <= 0 and x == math.floor(x) if math.isfinite(x) else x < 0


def lgamma_of(x: float) -> float:
    """Python's lgamma, with its poles."""
    return _INF if _is_pole(x) else math.lgamma(x)


def _gammasgn(x: float) -> float:
    if x == 0 or math.isnan(x):
        return x if math.isnan(x) else math.copysign(1.0, x)
    return _NAN if _is_pole(x) else 1.0 if x > 0 or math.floor(x) % 2 == 0 else -1.0


def _digamma(x: float) -> float:
    if math.isnan(x) or x == _INF:
        return x
    if _is_pole(x):
        return _NAN if x else math.copysign(_INF, -x)
    if x < 0:
        return _digamma(1.0 - x) - math.pi / math.tan(math.pi * (x - round(x)))
    z, total = np.longdouble(x), np.longdouble(0)
    while z < 30:
        total -= 1 / z
        z += 1
    total += np.log(z) - 1 / (2 * z)
    return float(total - sum(b / (2 * k) / z ** (2 * k) for k, b in enumerate(_BERNOULLI, 1)))


def _zeta(s: float, q: float) -> float:
    if math.isnan(s) or math.isnan(q) or s < 1 or (q < 0 and s != 1 and not _is_pole(q)):
        return _NAN
    if s == 1 or q <= 0:
        return _INF
    if math.isinf(s) or math.isinf(q):
        return 0.0 if q > 1 else 1.0 if q == 1 else _INF
    order, start = np.longdouble(s), np.longdouble(q)
    total = sum((start + k) ** -order for k in range(60))
    end = start + 60
    total += end ** (1 - order) / (order - 1) + end**-order / 2
    term = order * end ** (-order - 1)
    for k, b in enumerate(_BERNOULLI, 1):
        total += b / math.factorial(2 * k) * term
        term *= (order + 2 * k - 1) * (order + 2 * k) / end**2
    return float(total)


def _polygamma(x: Any, *, n: int) -> Any:
    if n == 0:
        return vectorized(_digamma)(x)
    sign = -1.0 if n % 2 == 0 else 1.0
    return vectorized(lambda z: sign * math.factorial(n) * _zeta(n + 1.0, z))(x)


def _betaln(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return _NAN
    p, q = min(a, b), max(a, b)
    if q == _INF:
        return -_INF if p > 0 else _INF
    return lgamma_of(p) + lgamma_of(q) - lgamma_of(p + q)


def _beta(a: float, b: float) -> float:
    value = _betaln(a, b)
    size = math.exp(value) if value < 700 else value
    return size * _gammasgn(a) * _gammasgn(b) * _gammasgn(a + b)


_POSITIVE = floats(2, 3, low=0.25, high=3.0)
_POINTS = [0.01, 1.4616, 1.49, 1.51, 2.49, 3.0, 7.4, 7.6, 20.3, -0.3, -1.6]
CASES = [
    Case(gamma.lgamma, _POSITIVE, near=_POINTS, reference=vectorized(lgamma_of), ulp=6.0, scale=1.0),
    Case(gamma.gammasgn, near=[-1.5, -2.5, 3.0], reference=vectorized(_gammasgn)),
    Case(gamma.digamma, _POSITIVE, near=_POINTS, reference=vectorized(_digamma), ulp=6.0, scale=1.0),
    Case(
        gamma.polygamma_,
        _POSITIVE,
        n=1,
        more=[
            sample(floats(4, low=0.25, high=3.0), n=0),
            sample(floats(2, 1, 3, low=0.25, high=3.0), n=2),
            sample(floats(low=0.25, high=3.0), n=3),
            sample(exactly([0.0, -1.0, _NAN, _INF, 1.0, 12.5]), n=2, smooth=False),
        ],
        errors=[
            error(OutOfRangeError, "no such order", floats(2), n=-1),
            error(OutOfRangeError, "no such order", floats(2), n=101),
            error(OutOfRangeError, "no such order", floats(2), n=1.0),
        ],
        reference=_polygamma,
        ulp=8.0,
        scale=1.0,
    ),
    Case(
        gamma.zeta,
        floats(2, 3, low=1.5, high=6.0),
        _POSITIVE,
        near=[1.5, 3.0, 12.0],
        reference=vectorized(_zeta),
        ulp=8.0,
    ),
    Case(
        gamma.betaln,
        _POSITIVE,
        _POSITIVE,
        near=[0.1, 7.9, 8.1, 20.0],
        reference=vectorized(_betaln),
        ulp=16.0,
        scale=4.0,
        signs=False,
    ),
    Case(gamma.beta, _POSITIVE, _POSITIVE, near=[0.1, 7.9, 8.1], reference=vectorized(_beta), ulp=64.0, signs=False),
]
