"""Rows of exponentials, logarithms and roots."""

from __future__ import annotations

from ...ops import exponential
from ..case import Case
from ..makers import floats, positive

__all__ = ["CASES"]

CASES = [
    Case(exponential.exp, near=[-100.0, 88.0, 100.0, 1e-8]),
    Case(exponential.log, positive(2, 3), near=[1e-30, 1e30, 0.999]),
    Case(exponential.log1p, floats(2, 3, low=-0.7, high=3.0), near=[1e-30, 1e-8, 1e30, -0.999]),
    Case(exponential.sqrt, positive(2, 3), near=[1e-30, 1e30]),
]
