"""Rows of the primitives that move elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import movement
from ..case import Case
from ..makers import anything, counts, exactly, floats, integers, numbers, reals
from ..samples import error, sample

__all__ = ["CASES"]

_NAN = float("nan")
_MANY_ROWS = integers(3000, low=-200, high=199, dtype="int64")
_ROWS = exactly([2, 0, -1, 2], "int64")
_SMALL = exactly([0, 1, 1], "uint8")
_NONE = exactly(np.zeros((0,)), "int32")


def _slice(x: Any, *, start: Any, stop: Any, step: Any) -> Any:
    return x[tuple(slice(a, None if b < 0 else b, k) for a, b, k in zip(start, stop, step, strict=True))]


def _slice_update(x: Any, value: Any, *, start: Any, step: Any) -> Any:
    y = x.copy()
    y[tuple(slice(a, a + n * k, k) for a, n, k in zip(start, value.shape, step, strict=True))] = value
    return y


def _scatter(x: Any, indices: Any, values: Any, *, axis: int = 0, mode: str = "add") -> Any:
    y = np.moveaxis(x.copy(), axis, 0)
    moved = np.moveaxis(values, axis, 0)
    if mode == "set":
        y[indices] = moved
    else:
        {"add": np.add, "max": np.maximum}[mode].at(y, indices, moved)
    return np.moveaxis(y, 0, axis)


def _take(x: Any, indices: Any, *, axis: int | None = None) -> Any:
    return np.take(x, indices, axis=axis)


def _beside(index: int) -> Any:
    """Indices of which the last one is ``index``."""
    return exactly([0, index], "int64")


CASES = [
    Case(
        movement.slice_,
        anything(3, 5),
        start=(1, 4),
        stop=(3, 0),
        step=(1, -2),
        reference=_slice,
        more=[
            sample(anything(), start=(), stop=(), step=()),
            sample(anything(5), start=(4,), stop=(-1,), step=(-1,)),
            sample(anything(5), start=(3,), stop=(3,), step=(1,)),
            sample(anything(0, 3), start=(0, 0), stop=(0, 3), step=(1, 2)),
            sample(anything(2, 1, 3, 2), start=(0, 0, 2, 1), stop=(2, 1, -1, 2), step=(1, 1, -2, 1)),
        ],
        errors=[
            error(ShapeError, "a range leaves its axis", floats(3), start=(1,), stop=(4,), step=(1,)),
            error(ShapeError, "a range leaves its axis", floats(3), start=(1,), stop=(2,), step=(0,)),
            error(ShapeError, "do not fit", floats(3, 2), start=(1,), stop=(2,), step=(1,)),
        ],
    ),
    Case(
        movement.slice_update,
        anything(3, 5),
        anything(2, 2),
        start=(1, 0),
        step=(1, 3),
        reference=_slice_update,
        more=[
            sample(anything(), anything(), start=(), step=()),
            sample(anything(5), anything(0), start=(2,), step=(1,)),
            sample(anything(5), anything(5), start=(0,), step=(1,)),
        ],
        errors=[
            error(ShapeError, "the block does not fit", floats(4), floats(2), start=(-3,), step=(1,)),
            error(ShapeError, "the block does not fit", floats(3), floats(1), start=(3,), step=(1,)),
            error(ShapeError, "the block does not fit", floats(3), floats(2), start=(2,), step=(1,)),
            error(ShapeError, "the block does not fit", floats(3), floats(2, 1), start=(0,), step=(1,)),
        ],
    ),
    Case(
        movement.take,
        anything(3, 4),
        _ROWS,
        axis=0,
        reference=_take,
        more=[
            sample(anything(4), _ROWS),
            sample(anything(3, 4), _SMALL, axis=-1),
            sample(anything(2, 3, 2), exactly([[1, 0], [2, 2]], "int32"), axis=1),
            sample(anything(3, 4), exactly(2, "int64"), axis=0),
            sample(anything(3), _NONE),
            sample(anything(0, 3), _NONE, axis=0),
            sample(anything(2), exactly([1, 0], "uint64")),
        ],
        errors=[
            error(ShapeError, "takes a single axis", floats(3, 4), _SMALL),
            error(ShapeError, "there is no axis 2", floats(3, 4), _SMALL, axis=2),
            error(ShapeError, "no elements to take", floats(0, 4), _SMALL, axis=0),
            *[error(OutOfRangeError, "out of range", floats(3), _beside(k), host=True) for k in (3, -4)],
            error(DTypeError, "indices must be integers", floats(3), floats(2)),
        ],
        large=[
            sample(reals(200, 50), _MANY_ROWS, axis=0),
            sample(reals(50, 200), _MANY_ROWS, axis=1),
        ],
    ),
    Case(
        movement.scatter,
        numbers(3, 2),
        _ROWS,
        numbers(4, 2),
        reference=_scatter,
        scale=8.0,
        more=[
            sample(numbers(2, 4), _SMALL, numbers(2, 3), axis=1),
            sample(numbers(2, 4, 2), _SMALL, numbers(2, 3, 2), axis=1),
            sample(numbers(3), exactly([2, 0, 2], "uint64"), numbers(3)),
            sample(numbers(3), _NONE, numbers(0)),
            sample(floats(4, 3), exactly(np.arange(12) % 7 - 3, "int64"), floats(12, 3)),
            sample(floats(4, 200), exactly(np.arange(12) % 7 - 3, "int64"), floats(12, 200)),
            sample(numbers(0, 3), _NONE, numbers(0, 3)),
            sample(numbers(2, 3, 2), exactly([2, 0], "int64"), numbers(2, 2, 2), axis=-2, mode="set"),
            sample(anything(3), exactly([2, 0], "int64"), anything(2), mode="set"),
            sample(reals(3, 2), _ROWS, reals(4, 2), mode="max"),
            sample(
                exactly([0.0, 1.0, 2.0]),
                exactly([1, 1, 0], "int64"),
                exactly([1.0, 0.5, _NAN]),
                mode="max",
                smooth=False,
            ),
        ],
        errors=[
            error(ShapeError, "do not match the indices", floats(3), _SMALL, floats(2)),
            error(ShapeError, "do not match the indices", floats(3), _SMALL, floats(1), mode="set"),
            error(ShapeError, "do not match the indices", floats(3), exactly([[0, 1]], "int64"), floats(1, 2)),
            error(ShapeError, "there is no mode", floats(3), _SMALL, floats(3), mode="min"),
            *[error(OutOfRangeError, "out of range", floats(3), _beside(k), floats(2), host=True) for k in (3, -4)],
            *[
                error(OutOfRangeError, "out of range", floats(2, 3), _beside(k), floats(2, 2), axis=1, host=True)
                for k in (3, -4)
            ],
            error(DTypeError, "indices must be integers", floats(3), floats(2), floats(2)),
        ],
        large=[
            sample(counts(200, 50), _MANY_ROWS, counts(3000, 50)),
            sample(counts(200, 50), _MANY_ROWS, counts(3000, 50), mode="max"),
        ],
    ),
]
