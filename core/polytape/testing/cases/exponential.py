"""Rows of exponentials, logarithms and roots."""

from __future__ import annotations

from ...ops import exponential
from ..case import Case
from ..makers import floats, positive, reals
from ..samples import sample

__all__ = ["CASES"]

_REALS = [sample(reals(5), smooth=False)]  # integers are cast; below 0 the results are NaN

CASES = [
    Case(exponential.exp, near=[-100.0, 88.0, 100.0, 1e-8]),
    Case(exponential.log, positive(2, 3), near=[1e-30, 1e30, 0.999], more=_REALS),
    Case(
        exponential.log1p,
        floats(2, 3, low=-0.7, high=3.0),
        near=[1e-30, 1e-8, 1e30, -0.999],
        more=[*_REALS, sample(positive(5))],
    ),
    Case(exponential.sqrt, positive(2, 3), near=[1e-30, 1e30], more=_REALS),
]
