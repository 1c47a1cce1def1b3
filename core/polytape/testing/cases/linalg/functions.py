"""Rows of the functions of matrices."""

from __future__ import annotations

import numpy as np

from ....errors import ShapeError
from ....ops.linalg import functions
from ...case import Case
from ...makers import exactly, floats
from ...samples import error, sample
from .factorizations import ULP, separated

__all__ = ["CASES"]

_SINGULAR = exactly([[1.0, 2.0], [2.0, 4.0]], "float64")

CASES = [
    Case(
        functions.pinv_,
        separated(4, 3),
        reference=lambda x, rtol=None: np.linalg.pinv(x, rcond=1e-15 if rtol is None else rtol.real),
        more=[
            sample(separated(3, 4)),
            sample(separated(2, 3, 3)),
            sample(_SINGULAR, exactly(1e-10, "float64"), smooth=False),
            sample(separated(0, 3)),
        ],
        result=lambda dtype, attributes: dtype or "float64",
        errors=[error(ShapeError, "takes matrices", floats(3))],
        ulp=ULP,
        scale=2.0,
    ),
]
