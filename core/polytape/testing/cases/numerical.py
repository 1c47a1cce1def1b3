"""Rows of numerical analysis."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ...ops import numerical
from ..case import Case
from ..makers import each, exactly, floats, numbers
from ..samples import error, sample

__all__ = ["CASES"]

CASES: list[Case] = [
    Case(
        numerical.convolve_,
        numbers(7),
        numbers(3),
        more=[
            sample(numbers(2), numbers(5)),
            sample(numbers(1), numbers(1)),
            sample(floats(40), floats(30)),
            # In bfloat16 256 + 1 is 256, and integers of 16 bits wrap, which sums in float32 do not.
            sample(exactly(np.ones(300)), exactly(np.ones(300)), smooth=False),
            sample(each([32767, 32766, 3], "int16"), each([32765, 1, 7], "int16")),
            sample(each([65535, 65533, 3], "uint16"), each([65533, 1, 7], "uint16")),
        ],
        reference=np.convolve,
        scale=64.0,
        errors=[
            error(ShapeError, "can be convolved", floats(2, 2), floats(3)),
            error(ShapeError, "can be convolved", floats(0), floats(3)),
        ],
    )
]
