"""Rows of the elements at positions along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import gathering
from ..case import Case
from ..makers import anything, exactly, floats, integers, numbers, reals
from ..samples import error, sample

__all__ = ["CASES"]

_COLUMNS = exactly([[0, 3], [1, 1], [-1, 2]], "int64")


def _take_along_axis(x: Any, indices: Any, *, axis: int = -1) -> Any:
    return np.take_along_axis(x, indices, axis)


def _add_along_axis(values: Any, indices: Any, *, size: int, axis: int = -1) -> Any:
    place = axis % values.ndim
    y = np.zeros((*values.shape[:place], size, *values.shape[place + 1 :]), values.dtype)
    along = list(np.indices(values.shape, sparse=True))
    along[place] = indices.astype("int64")
    np.add.at(y, tuple(along), values)
    return y


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
            sample(floats(3, 4), exactly(np.arange(900).reshape(3, 300) % 7 - 3, "int32")),
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
    Case(
        gathering.add_along_axis,
        numbers(3, 2),
        _COLUMNS,
        reference=_add_along_axis,
        scale=8.0,
        size=4,
        more=[
            sample(numbers(3, 4), exactly([[2, 0, 1, -1]] * 3, "int32"), size=3, axis=0),
            sample(numbers(3), exactly([4, 4, 0], "uint8"), size=6),
            sample(floats(3), exactly([4, 4, 0], "uint64"), size=5),
            sample(numbers(2, 1, 2), exactly([[[1, 0]], [[2, 2]]], "int64"), size=3, axis=1),
            sample(floats(3, 0), exactly(np.zeros((3, 0)), "int64"), size=2),
            sample(floats(0, 3), exactly(np.zeros((0, 3)), "int64"), size=2, axis=-2),
            sample(floats(12, 4), exactly(np.arange(48).reshape(12, 4) % 8 - 4, "int64"), size=4),
            sample(floats(3, 300), exactly(np.arange(900).reshape(3, 300) % 7, "int32"), size=9),
            sample(
                exactly(np.ones(3000)), exactly(np.zeros(3000), "int64"), size=1
            ),  # in half precision 2048 + 1 is 2048
        ],
        errors=[
            error(ShapeError, "do not match the values", floats(3, 4), exactly([0, 1], "int64"), size=4),
            error(ShapeError, "there is no axis 2", floats(3, 2), _COLUMNS, size=4, axis=2),
            error(DTypeError, "indices must be integers", floats(3), floats(3), size=4),
            *[
                error(
                    OutOfRangeError,
                    "out of range",
                    floats(*shape),
                    exactly(np.full(shape, k), "int64"),
                    size=4,
                    host=True,
                )
                for shape in ((3,), (40, 3))
                for k in (4, -5)
            ],
        ],
        large=[sample(reals(300, 500), integers(300, 500, low=-99, high=99), size=100, axis=axis) for axis in (0, 1)],
    ),
]
