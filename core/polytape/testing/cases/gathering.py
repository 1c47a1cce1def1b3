"""Rows of the elements at positions along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import gathering
from ..case import Case
from ..makers import anything, exactly, floats, integers, reals
from ..samples import error, sample

__all__ = ["CASES"]

_COLUMNS = exactly([[0, 3], [1, 1], [-1, 2]], "int64")


def _take_along_axis(x: Any, indices: Any, *, axis: int = -1) -> Any:
    return np.take_along_axis(x, indices, axis)


CASES = [
    Case(
        gathering.take_along_axis,
        anything(3, 4),
        _COLUMNS,
        reference=_take_along_axis,
        more=[
            sample(anything(3, 4), exactly([[2, 0, 1, -1]], "int32"), axis=0),
            sample(anything(1, 4), _COLUMNS),
            sample(anything(5), exactly([4, 4, 0], "uint8")),
            sample(floats(5), exactly([4, 4, 0], "uint64")),
            sample(anything(2, 3, 2), exactly([[[1, 0]], [[2, 2]]], "int64"), axis=1),
            sample(anything(3, 4), exactly(np.zeros((3, 0)), "int64")),
            sample(anything(3, 0), exactly(np.zeros((3, 0)), "int64")),
        ],
        errors=[
            error(ShapeError, "another number of axes", floats(3, 4), exactly([0, 1], "int64")),
            error(ShapeError, "do not broadcast", floats(3, 4), exactly([[0, 1], [1, 0]], "int64")),
            error(ShapeError, "there is no axis 2", floats(3, 4), _COLUMNS, axis=2),
            error(ShapeError, "there is no axis", floats(), exactly(0, "int64")),
            *[
                error(OutOfRangeError, "out of range", floats(*shape), exactly(np.full(shape, k), "int64"), host=True)
                for shape in ((3,), (1, 3), (1, 1, 3))
                for k in (3, -4)
            ],
            error(DTypeError, "indices must be integers", floats(3), floats(3)),
        ],
        large=[sample(reals(300, 500), integers(300, 500, low=-300, high=299), axis=axis) for axis in (0, 1)],
    ),
]
