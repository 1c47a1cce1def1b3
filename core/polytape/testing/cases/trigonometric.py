"""Rows of the trigonometric and hyperbolic functions."""

from __future__ import annotations

from ...ops import trigonometric
from ..case import Case

__all__ = ["CASES"]

CASES = [
    Case(trigonometric.tanh, near=[1e-8, 20.0, -20.0]),
]
