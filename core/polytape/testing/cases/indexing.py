"""Rows of indexing, its transpose, and indexed assignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import indexing, keys
from ..case import Case
from ..makers import anything, counts, exactly, floats, integers, numbers, reals
from ..samples import Sample, error, sample

__all__ = ["CASES"]


def _key(key: Any) -> Any:
    """The template of a key. A list in the key marks the position of an index array, which is a separate operand."""
    return keys.split_key(key)[0]


def _entry(part: tuple[Any, ...]) -> Any:
    tag = part[0]
    if tag == "slice":
        return slice(*part[1:])
    return part[1] if tag == "int" else Ellipsis if tag == "ellipsis" else None


def _index(key: Any, indices: tuple[Any, ...]) -> Any:
    arrays = iter(indices)
    return tuple(next(arrays) if part[0] == "array" else _entry(part) for part in key)


def _getitem(x: Any, *indices: Any, key: Any) -> Any:
    return x[_index(key, indices)]


def _scatter_add(values: Any, *indices: Any, key: Any, shape: Any) -> Any:
    y = np.zeros(shape, values.dtype)
    np.add.at(y, _index(key, indices), values)
    return y


def _setitem(x: Any, value: Any, *indices: Any, key: Any) -> Any:
    y = x.copy()
    y[_index(key, indices)] = value
    return y


_MANY_ROWS = integers(3000, low=-200, high=199, dtype="int64")
_ROWS = exactly([2, 0, -1, 2], "int64")
_OUTSIDE = exactly([0, 3], "int64")  # of an axis of size 3
_SMALL = exactly([0, 1, 1], "uint8")
_COLUMN = exactly([[1], [0]], "int32")
_REPEATED = exactly([[0, 1, 2], [2, 1, 0], [1, 0, 2]], "int64")

CASES = [
    Case(
        indexing.getitem,
        anything(3, 4),
        key=_key(np.s_[1:, 0]),
        reference=_getitem,
        more=[
            sample(anything(), key=()),
            sample(anything(), key=_key(np.s_[None, ...])),
            sample(anything(5), key=_key(np.s_[-1])),
            sample(anything(5), key=_key(np.s_[::-2])),
            sample(anything(5), key=_key(np.s_[3:1])),
            sample(anything(0, 3), key=_key(np.s_[:, 1])),
            sample(anything(2, 3, 4, 1, 2), key=_key(np.s_[0, ..., None, 1:])),
            sample(anything(3, 4), _ROWS, key=_key(np.s_[[0]])),
            sample(anything(3, 4), _SMALL, key=_key(np.s_[[0]])),
            sample(anything(3, 4), _ROWS, key=_key(np.s_[1:2, [0]])),
            sample(anything(3, 4), _SMALL, _COLUMN, key=_key(np.s_[[0], [0]])),
            sample(anything(3, 4, 2), _SMALL, key=_key(np.s_[[0], :, 1])),
            sample(anything(2, 3, 4), _SMALL, key=_key(np.s_[0, ..., [0], 1:])),
            sample(anything(2, 3, 4), _SMALL, key=_key(np.s_[..., 0, [0], 1:])),
            sample(anything(3, 4), exactly(np.zeros((0,)), "int64"), key=_key(np.s_[[0]])),
        ],
        errors=[
            error(ShapeError, "too many indices", floats(2), key=_key(np.s_[0, 0])),
            error(ShapeError, "too many indices", floats(2), _SMALL, key=_key(np.s_[[0], :])),
            error(ShapeError, "too many indices", floats(3), _ROWS, key=_key(np.s_[[0], :])),
            error(ShapeError, "index 2 is out of range", floats(2), key=_key(np.s_[2])),
            error(ShapeError, "two ellipses", floats(2, 2), key=_key(np.s_[..., 0, ...])),
            error(ShapeError, "the shapes do not broadcast", floats(3, 3), _SMALL, _ROWS, key=_key(np.s_[[0], [0]])),
            error(DTypeError, "indices must be integers", floats(3), floats(2), key=_key(np.s_[[0]])),
            error(OutOfRangeError, "out of range", floats(3), _OUTSIDE, key=_key(np.s_[[0]]), host=True),
        ],
    ),
    Case(
        indexing.scatter_add,
        numbers(2),
        key=_key(np.s_[1:, 0]),
        shape=(3, 4),
        reference=_scatter_add,
        more=[
            sample(numbers(), key=_key(np.s_[1]), shape=(3,)),
            sample(numbers(3), key=_key(np.s_[::-2]), shape=(5,)),
            sample(numbers(0), key=_key(np.s_[3:1]), shape=(5,)),
            sample(numbers(4, 2), _ROWS, key=_key(np.s_[[0]]), shape=(3, 2)),
            sample(numbers(4, 0), _ROWS, key=_key(np.s_[[0]]), shape=(3, 0)),
            sample(numbers(4, 80), _ROWS, key=_key(np.s_[[0]]), shape=(3, 80), smooth=False),
            sample(numbers(2, 4), _ROWS, key=_key(np.s_[1:, [0]]), shape=(3, 3)),
            sample(numbers(2, 3), _SMALL, _COLUMN, key=_key(np.s_[[0], [0]]), shape=(3, 4)),
        ],
        scale=8.0,
        errors=[
            error(ShapeError, "the values do not match the key", floats(3), key=_key(np.s_[1:, 0]), shape=(3, 4)),
            error(ShapeError, "the values do not match the key", floats(3), _ROWS, key=_key(np.s_[[0]]), shape=(3,)),
            error(OutOfRangeError, "out of range", floats(2), _OUTSIDE, key=_key(np.s_[[0]]), shape=(3,), host=True),
        ],
        large=[
            sample(
                counts(3000, 50),
                _MANY_ROWS,
                key=_key(np.s_[[0]]),
                shape=(200, 50),
            )
        ],
    ),
    Case(
        indexing.setitem_,
        anything(3, 4),
        anything(2),
        key=_key(np.s_[1:, 0]),
        reference=_setitem,
        more=[
            sample(anything(), anything(), key=()),
            sample(anything(5), anything(), key=_key(np.s_[::-2])),
            sample(anything(5), anything(0), key=_key(np.s_[3:1])),
            sample(anything(3, 4), anything(1, 4), key=_key(np.s_[...])),
            sample(anything(3, 4), anything(2, 4), exactly([2, 0], "int64"), key=_key(np.s_[[0]])),
            # Indices that are repeated: the last value counts.
            sample(anything(3, 4), anything(4, 4), _ROWS, key=_key(np.s_[[0]])),
            sample(anything(3, 4), anything(2, 3), _SMALL, _COLUMN, key=_key(np.s_[[0], [0]])),
            sample(anything(3, 4, 2), anything(4, 1), _ROWS, key=_key(np.s_[[0], 1])),
            # The last in row-major order, whatever the order in memory is.
            Sample([anything(4), anything(3, 3), _REPEATED], {"key": _key(np.s_[[0]])}, layout="transposed"),
        ],
        errors=[
            error(ShapeError, "broadcast", floats(3, 4), floats(3), key=_key(np.s_[1:, 0])),
            error(ShapeError, "broadcast", floats(3), floats(1, 3), key=_key(np.s_[...])),
            error(ShapeError, "broadcast", floats(3), floats(3), key=_key(np.s_[0])),
            error(OutOfRangeError, "out of range", floats(3), floats(2), _OUTSIDE, key=_key(np.s_[[0]]), host=True),
        ],
        large=[sample(reals(200, 50), reals(3000, 50), _MANY_ROWS, key=_key(np.s_[[0]]))],
    ),
]
