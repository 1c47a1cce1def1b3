"""Rows: functions of information theory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.special import information
from ...case import Case
from ...makers import exactly, floats
from ...samples import sample

__all__ = ["CASES"]

_INF = float("inf")
_NAN = float("nan")


def _xlogy(x1: Any, x2: Any) -> Any:
    return np.where((x1 == 0) & ~np.isnan(x2), 0.0, x1 * np.log(x2))


def _xlog1py(x1: Any, x2: Any) -> Any:
    return np.where((x1 == 0) & ~np.isnan(x2), 0.0, x1 * np.log1p(x2))


def _entr(x: Any) -> Any:
    return np.where(x == 0, 0.0, np.where(x < 0, -_INF, -x * np.log(x)))


def _rel_entr(x1: Any, x2: Any) -> Any:
    change = (x1 - x2) / x2
    logarithm = np.where(np.abs(change) < 0.5, np.log1p(change), np.log(x1) - np.log(x2))
    value = np.where((x1 > 0) & (x2 > 0), x1 * logarithm, np.where((x1 == 0) & (x2 >= 0), 0.0, _INF))
    return np.where(np.isnan(x1) | np.isnan(x2), _NAN, value)


def _kl_div(x1: Any, x2: Any) -> Any:
    value = _rel_entr(x1, x2)
    return np.where(np.isfinite(value), value - x1 + x2, value)


def _logit(x: Any) -> Any:
    inside = (x >= 0) & (x <= 1)
    return np.where(np.abs(x - 0.5) < 0.2, np.log1p((2 * x - 1) / (1 - x)), np.where(inside, np.log(x / (1 - x)), _NAN))


def _logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    x = np.asarray(x, "float64")
    largest = np.max(x, axis=axis, keepdims=True, initial=-_INF)
    y = np.log(np.sum(np.exp(x - np.where(np.isfinite(largest), largest, 0)), axis=axis, keepdims=True))
    y = np.where(np.isfinite(largest), y + largest, largest)
    return y if keepdims else y.reshape(np.sum(x, axis=axis).shape)


_POSITIVE = floats(2, 3, low=0.25, high=3.0)
CASES = [
    Case(information.xlogy, floats(2, 3), _POSITIVE, reference=_xlogy),
    Case(information.xlog1py, floats(2, 3), _POSITIVE, near=[1e-4], reference=_xlog1py),
    Case(information.entr, _POSITIVE, reference=_entr),
    Case(information.rel_entr, _POSITIVE, _POSITIVE, near=[1.01, 0.99], reference=_rel_entr, ulp=8.0),
    Case(information.kl_div, _POSITIVE, _POSITIVE, near=[1.01, 0.99], reference=_kl_div, ulp=8.0, scale=4.0),
    Case(
        information.logit,
        floats(2, 3, low=0.05, high=0.95),
        near=[0.34, 0.36, 0.499, 0.501, 0.64, 0.66, 1e-5],
        reference=_logit,
    ),
    Case(
        information.logsumexp,
        more=[
            sample(floats(64, 100), axis=0),
            sample(floats(20, 16), axis=-1),
            sample(exactly([[1000.0, 999.0, -1000.0], [-60000.0, -60000.0, -60000.0]]), axis=1, smooth=False),
            sample(exactly([-_INF, -_INF]), smooth=False),
            sample(exactly([_INF, 1.0, 1000.0]), smooth=False),
            sample(exactly([_NAN, 1.0, _INF]), smooth=False),
            # In rows, on both sides of the bound from which exponentials could overflow or vanish.
            *[sample(exactly([[near, 1.0], [2.0, -near]]), axis=1, smooth=False) for near in (59.0, 100.0, 800.0)],
            sample(exactly([[800.0, 1.0], [2.0, 3.0]]), axis=1, smooth=False),
            sample(exactly([[-800.0, -801.0], [2.0, 3.0]]), axis=1, smooth=False),
            sample(exactly([[_INF, 1.0], [2.0, 100.0], [-_INF, -_INF]]), axis=1, smooth=False),
            sample(exactly([[-100.0, -101.0], [-200.0, -201.0]]), axis=1, smooth=False),
        ],
        reference=_logsumexp,
        scale=4.0,
        large=[sample(floats(*shape), axis=axis) for shape in ((300, 500), (40, 5000)) for axis in (0, 1)],
    ),
]
