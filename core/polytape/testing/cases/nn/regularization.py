"""Rows of dropout."""

from __future__ import annotations

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import regularization
from ...case import Case
from ...makers import booleans, exactly, floating, floats
from ...samples import error, sample

__all__ = ["CASES"]

CASES = [
    Case(
        regularization.masked_scale,
        floating(2, 3),
        booleans(2, 3),
        scale=2.0,
        reference=lambda x, kept, *, scale=1.0: np.where(kept, x * scale, 0),
        more=[
            sample(floats(4, 5), booleans(4, 5), scale=1.25),
            sample(floats(2, 3), booleans(3), scale=1.25),
            sample(floats(), booleans(), scale=1.25),
            sample(floats(2, 0), booleans(1), scale=1.25),
            sample(
                exactly([np.inf, np.nan, -np.inf, 1.0]),
                exactly([False, False, True, True], "bool"),
                scale=2.0,
                smooth=False,
            ),
        ],
        errors=[
            error(ShapeError, "do not broadcast", floats(2, 3), booleans(2), scale=2.0),
            error(DTypeError, "the mask is not bool", floats(2, 3), floats(2, 3), scale=2.0),
            error(DTypeError, "needs floating-point numbers", booleans(2, 3), booleans(2, 3), scale=2.0),
        ],
    ),
]
