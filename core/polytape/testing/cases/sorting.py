"""Rows of sorting and searching."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import OutOfRangeError, ShapeError
from ...ops import sorting
from ..case import Case
from ..makers import anything, each, exactly, floats, reals
from ..samples import error, sample

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")
_SPECIAL = exactly([2.0, _NAN, -_INF, 1.0, _NAN, 2.0, _INF, 1.0])
_CLOSE = exactly([1 + 2e-10, 1.0, 1 + 3e-10, 1 + 1e-10])  # and _LARGE: equal if they are sorted in a narrower dtype
_LARGE = [2**53 + 1, 2**53, 2**53 + 3, 2**53 + 2]
_ZEROS = exactly([0.0, -1.0, -0.0, 0.0, -0.0, 1.0])


def _argsort(x: Any, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def _sort(x: Any, *, axis: int = -1, **attributes: Any) -> Any:
    return np.take_along_axis(x, _argsort(x, axis=axis, **attributes), axis)


def _top_k(x: Any, *, k: int, axis: int = -1, largest: bool = True) -> Any:
    order = np.take(_argsort(x, axis=axis, descending=largest), np.arange(k), axis=axis)
    return np.take_along_axis(x, order, axis), order


def _searchsorted(x1: Any, x2: Any, *, side: Any = "left") -> Any:
    return np.searchsorted(x1, x2, side=side)


def _nonzero(x: Any, *, size: int) -> Any:
    found = np.argwhere(x).T[:, :size]
    return np.concatenate([found, np.zeros((x.ndim, size - found.shape[1]), "int64")], 1)


_ORDERED = [
    sample(anything(3, 4), descending=True),
    sample(anything(2, 3, 4), axis=0, descending=True),
    sample(_SPECIAL, smooth=False),
    sample(_SPECIAL, smooth=False, descending=True),
    sample(_ZEROS, smooth=False, signs=True),
    sample(_ZEROS, smooth=False, signs=True, descending=True),
    sample(exactly(np.cos(np.arange(300.0) ** 2))),
    sample(exactly([0.0, -0.0, 2.0, -0.0, -2.0, 0.0, -0.0] * 50), smooth=False, signs=True),
    sample(_CLOSE, smooth=False),
    sample(each(_LARGE, "int64", "uint64")),
]
# More of them than a stable sort serves, along an axis that is not the last one in memory, and along the last one.
_MANY_ZEROS = exactly(np.resize([0.0, -0.0, 2.0, -0.0, -2.0, _NAN, 0.0, 1.0], (30, 91)))
_IN_ORDER = [
    sample(_MANY_ZEROS, axis=0, smooth=False, signs=True),
    sample(_MANY_ZEROS, smooth=False, signs=True, descending=True),
]
_MANY = [sample(reals(20_001)), sample(reals(300, 500), axis=0, descending=True), sample(reals(300, 500))]
_HIDING_NAN = np.where(np.arange(80) == 7, _NAN, np.where(np.arange(80) % 40 < 2, 5.0, -np.arange(80.0)))
_FIRSTS = np.where(np.arange(300) % 3 == 0, 5.0, -np.arange(300.0))
_SAME = np.resize([1.0 + 0.0j, complex(1.0, -0.0), complex(1.0, -0.0)], 100)  # equal, so that they keep their order
_SORTED = exactly([-2.0, -0.0, 0.0, 0.0, 1.5, _INF, _NAN, _NAN])
_SOUGHT = exactly([[_NAN, _INF, -_INF], [0.0, 1.5, 1.0]])

_TIED = np.round(np.cos(np.arange(2100.0) ** 2) * 50) / 8  # with many ties
_TIED[::97], _TIED[1::97], _TIED[2::97], _TIED[3::97] = _NAN, -0.0, -_INF, -_NAN
CASES: list[Case] = [
    Case(
        sorting.argsort,
        more=[
            *_ORDERED,
            sample(exactly(_TIED)),
            sample(exactly(_TIED), descending=True),
            sample(exactly(_TIED.reshape(-1, 1)), axis=0),
            sample(each(np.arange(2100) * 7919 % 251 - 125, "int32", "int64")),
        ],
        reference=_argsort,
        large=_MANY,
    ),
    Case(
        sorting.sort,
        avoid="ties",
        more=[*_ORDERED, *_IN_ORDER, sample(each(_SAME, "complex64", "complex128"), smooth=False, signs=True)],
        reference=_sort,
        large=_MANY,
    ),
    Case(
        sorting.top_k,
        reals(3, 4),
        k=2,
        avoid="ties",
        more=[
            sample(reals(2, 3, 4), k=3, axis=1, largest=False),
            sample(reals(5), k=0),
            sample(reals(0), k=0),
            sample(reals(0, 3), k=2),
            sample(floats(2, 50), k=3),
            sample(floats(50, 2), k=3, axis=0, largest=False),
            sample(reals(2, 50), k=3),
            sample(_SPECIAL, k=4, smooth=False),
            sample(_CLOSE, k=1, smooth=False),
            sample(each(_LARGE, "int64", "uint64"), k=1),
            sample(_SPECIAL, k=4, largest=False, smooth=False),
            sample(exactly(np.where(np.arange(40) == 7, _NAN, np.arange(40.0))), k=2, smooth=False),
            # As many elements as are sought tie with the last of them, beside NaN.
            sample(exactly(_HIDING_NAN), k=4, smooth=False),
            sample(exactly(_HIDING_NAN.reshape(2, 40)), k=2, smooth=False),
            sample(exactly(_FIRSTS), k=100, smooth=False),
            sample(exactly(-_FIRSTS), k=100, largest=False, smooth=False),
            sample(reals(50), k=3, largest=False),
        ],
        reference=_top_k,
        result=("same", "int64"),
        errors=[
            error(ShapeError, "cannot take 5 elements", floats(3, 4), k=5),
            error(ShapeError, "there is no axis", floats(3, 4), k=1, axis=2),
        ],
        large=[
            sample(reals(150_001), k=10),
            sample(reals(300, 500), k=5),
            sample(reals(300, 500), k=5, axis=0, largest=False),
        ],
    ),
    Case(
        sorting.searchsorted_,
        exactly(np.sort(np.cos(np.arange(13.0)))),
        floats(2, 3, low=-1.0, high=1.0),
        more=[
            sample(_SORTED, _SOUGHT, side="left"),
            sample(_SORTED, _SOUGHT, side="right"),
            sample(exactly(np.arange(-4.0, 5.0).repeat(2)), reals(7), side="right"),
            sample(exactly(np.zeros(0)), floats(3)),
            sample(exactly([1.0]), floats()),
            sample(exactly([1.0, 1 + 1e-10, 1 + 3e-10]), exactly([1 + 2e-10, 1.0])),
            sample(each([2**53, 2**53 + 2, 2**53 + 3], "int64"), exactly([2**53 + 1, 2**53 + 3], "int64")),
        ],
        reference=_searchsorted,
        result="int64",
        errors=[
            error(ShapeError, "must have one axis", floats(2, 3), floats(4)),
            error(OutOfRangeError, "there is no side", floats(2), floats(4), side="up"),
        ],
        large=[
            sample(exactly(np.arange(-4.0, 4.0, 1e-3).round(3)), floats(20_001), side=side)
            for side in ("left", "right")
        ],
    ),
    Case(
        sorting.nonzero_,
        anything(3, 4),
        size=5,
        more=[
            sample(anything(4), size=2),
            sample(anything(2, 1, 3), size=9),
            sample(anything(0, 3), size=2),
            sample(anything(), size=1),
            sample(exactly([0.0, -0.0, _NAN, 1.0]), size=2),
        ],
        reference=_nonzero,
        result="int64",
    ),
]
