"""Rows of further elementwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import elementwise
from ..case import Case
from ..makers import each, exactly, floats, nonzero, reals
from ..samples import sample

__all__ = ["CASES"]

_NAN = float("nan")


def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    y = x if min is None else np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


def _lerp(x1: Any, x2: Any, weight: Any) -> Any:
    return np.where(weight < 0.5, x1 + weight * (x2 - x1), x2 - (x2 - x1) * (1 - weight))


def _sinc(x: Any) -> Any:
    # NumPy's own rounds pi * x, which overflows for the largest numbers and moves the zeros.
    return np.where(x == np.round(x), np.where(np.isfinite(x), x == 0, _NAN), np.sinc(np.where(np.abs(x) > 1e15, 0, x)))


CASES = [
    Case(elementwise.positive),
    Case(elementwise.reciprocal, nonzero(2, 3), reference=lambda x: 1.0 / x, near=[1e30, 1e-30]),
    Case(
        elementwise.clip_,
        floats(2, 3),
        floats(2, 3, low=-1.0, high=-0.5),
        floats(2, 3, low=0.5, high=1.0),
        avoid="ties",
        reference=_clip,
        signs=False,
        more=[
            sample(reals(9), reals(9), reals(9), smooth=False),
            sample(reals(9), reals(9), smooth=False),
            sample(
                exactly([1.0, _NAN, 3.0, 4.0]),
                exactly([2.0, 1.0, _NAN, 3.0]),
                exactly([3.0, 2.0, 2.0, 1.0]),
                smooth=False,
            ),
        ],
    ),
    Case(elementwise.heaviside, avoid="ties", more=[sample(exactly([0.0, -0.0, _NAN]), exactly([0.5, 2.0, 1.0]))]),
    Case(
        elementwise.sinc,
        reference=_sinc,
        signs=False,
        near=[1e-8, 0.3, 2.0, 3e38],
        scale=0.5,
        more=[sample(exactly([0.0, 1e-3, 0.05]))],
    ),
    Case(elementwise.deg2rad, near=[1e30, 180.0]),
    Case(elementwise.rad2deg, near=[1e30]),
    Case(
        elementwise.lerp,
        floats(2, 3),
        floats(2, 3),
        floats(2, 3, low=0.0, high=0.4),
        reference=_lerp,
        scale=4.0,
        signs=False,
        more=[sample(exactly([0.1, 0.1]), exactly([0.7, 0.7]), exactly([0.0, 1.0]), smooth=False)],
    ),
    Case(
        elementwise.gcd,
        more=[sample(each([12, -18, 0, 97], "int32", "int64"), each([18, 12, 0, 89], "int32", "int64"))],
    ),
    Case(elementwise.lcm, more=[sample(each([4, -6, 0], "int32", "int64"), each([6, 4, 5], "int32", "int64"))]),
]
