"""Rows of the ops that join and roll."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...ops import joining
from ..case import Case
from ..makers import anything, floats
from ..samples import error, sample

__all__ = ["CASES"]


def _stack(*arrays: Any, axis: int = 0) -> Any:
    return np.stack(arrays, axis)


CASES = [
    Case(
        joining.stack,
        anything(2, 3),
        anything(2, 3),
        reference=_stack,
        more=[
            sample(anything(), anything(), anything()),
            sample(anything(2, 3), anything(2, 3), axis=-1),
            sample(anything(2, 3), axis=1),
            sample(anything(0, 3), anything(0, 3), axis=2),
            sample(anything(3), anything(3), anything(3)),
            sample(anything(3)),
        ],
        errors=[
            error(ShapeError, "the shapes differ", floats(2, 3), floats(3)),
            error(ShapeError, "the shapes differ", floats(3), floats(2)),
            error(ShapeError, "the shapes differ", floats(3), floats(3, 1)),
            error(ShapeError, "the shapes differ", floats(2), floats(1), floats(3)),  # together as many as of one shape
            error(ShapeError, "there is no axis 2", floats(2), floats(2), axis=2),
            error(ShapeError, "nothing to join"),
        ],
    ),
    Case(
        joining.roll,
        anything(2, 5),
        shift=2,
        reference=lambda x, shift, axis=None: np.roll(x, shift, axis),
        more=[
            sample(anything(2, 5), shift=5, axis=1),  # a whole turn, which must not be the operand itself
            sample(anything(2, 5), shift=-1, axis=1),
            sample(anything(2, 5), shift=(1, 7), axis=(0, -1)),
            sample(anything(2, 5), shift=3, axis=(0, 1)),
            sample(anything(), shift=1),
            sample(anything(0, 3), shift=1, axis=0),
            sample(anything(0, 3), shift=1),
        ],
        errors=[
            error(ShapeError, "there is no axis 2", floats(2, 3), shift=1, axis=2),
            error(ShapeError, "shifts and axes differ", floats(2, 3), shift=(1, 2), axis=0),
        ],
    ),
]
