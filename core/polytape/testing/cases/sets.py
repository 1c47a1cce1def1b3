"""Rows of set operations."""

from __future__ import annotations

import numpy as np

from ...ops import sets
from ..case import Case
from ..makers import anything, exactly, reals
from ..samples import sample

__all__ = ["CASES"]

_NAN = float("nan")

CASES: list[Case] = [
    Case(
        sets.isin,
        anything(3, 4),
        anything(20),
        more=[
            sample(anything(3, 4), anything(2), invert=True),
            sample(anything(), anything(2, 5)),
            sample(anything(3), anything(0)),
            sample(exactly([_NAN, 0.0, 9.0]), exactly([_NAN, -0.0, *range(8)])),
        ],
        large=[sample(reals(50_001), exactly(np.arange(-3.0, 3.0, 0.5)))],
    )
]
