"""Rows of numerical analysis."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ...ops import numerical
from ..case import Case
from ..makers import floats, numbers
from ..samples import error, sample

__all__ = ["CASES"]

CASES: list[Case] = [
    Case(
        numerical.convolve_,
        numbers(7),
        numbers(3),
        more=[sample(numbers(2), numbers(5)), sample(numbers(1), numbers(1)), sample(floats(40), floats(30))],
        reference=np.convolve,
        scale=64.0,
        errors=[
            error(ShapeError, "can be convolved", floats(2, 2), floats(3)),
            error(ShapeError, "can be convolved", floats(0), floats(3)),
        ],
    )
]
