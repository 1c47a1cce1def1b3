"""Rows of the reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import reduction
from ..case import Case, error, sample
from ..makers import anything, exactly, floating, floats, integers, numbers, reals

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")
_TIED = [[1.0, 3.0, 3.0], [2.0, 2.0, -1.0]]
_ORDER = error(DTypeError, "has no order on complex numbers", numbers(3), varied="complex64")
_EMPTY = error(ShapeError, "nothing to choose from", floats(0, 3), axis=0)


def _axes(maker: Any) -> list[Any]:
    return [
        sample(maker()),
        sample(maker(1)),
        sample(maker(4, 5), axis=0),
        sample(maker(4, 5), axis=-1, keepdims=True),
        sample(maker(4, 5), keepdims=True),
        sample(maker(2, 3, 4), axis=(0, 2)),
        sample(maker(2, 3, 4), axis=(-1, 0), keepdims=True),
        sample(maker(2, 3, 4), axis=()),
        sample(maker(2, 1, 3, 1, 2), axis=(1, 3)),
    ]


def _bad_axes() -> list[Any]:
    return [
        error(ShapeError, "there is no axis 2", floats(2, 3), axis=2),
        error(ShapeError, "there is no axis -3", floats(2, 3), axis=-3),
        error(ShapeError, "there is no axis 0", floats(), axis=0),
        error(ShapeError, "an axis is named twice", floats(2, 3), axis=(0, -2)),
    ]


def _sum(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


def _sum_dtype(dtype: str, attributes: dict[str, Any]) -> str:
    if "dtype" in attributes:
        return str(attributes["dtype"])
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


CASES = [
    Case(
        reduction.sum,
        anything(4, 5),
        axis=1,
        more=[
            *_axes(anything),
            sample(anything(0, 3), axis=0),
            sample(anything(0, 3), axis=1),
            sample(floats(300)),
            sample(exactly(np.ones(4096))),  # in half precision 2048 + 1 is 2048
            sample(integers(4, 5, low=-9, dtype="int8"), dtype="float64"),
            sample(floats(4), dtype="float64"),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0, -_INF]), smooth=False),
        ],
        reference=_sum,
        result=_sum_dtype,
        scale=16.0,
        errors=_bad_axes(),
    ),
    Case(
        reduction.mean,
        floating(4, 5),
        axis=1,
        more=[
            *_axes(floating),
            sample(floating(300)),
            sample(exactly(np.ones(4096))),
            sample(floating(3, 0), axis=0),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0]), smooth=False),
        ],
        scale=2.0,
        errors=[*_bad_axes(), error(DTypeError, "needs floating numbers", integers(3))],
    ),
    Case(
        reduction.max,
        reals(4, 5),
        axis=1,
        keepdims=True,
        avoid="ties",
        more=[
            *_axes(reals),
            sample(reals(3, 0), axis=0),
            sample(exactly(_TIED), axis=1, smooth=False),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([-_INF, -1.0]), smooth=False),
        ],
        errors=[*_bad_axes(), _EMPTY, _ORDER],
    ),
    Case(
        reduction.argmax,
        reals(4, 5),
        axis=1,
        more=[
            sample(reals()),
            sample(reals(1)),
            sample(reals(4, 5)),
            sample(reals(4, 5), keepdims=True),
            sample(reals(4, 5), axis=0, keepdims=True),
            sample(reals(2, 3, 4), axis=-2),
            sample(reals(3, 0), axis=0),
            sample(exactly(_TIED), axis=1),
            sample(exactly([1.0, _NAN, 2.0])),
            sample(exactly([-_INF, _INF, _INF])),
        ],
        result="int64",
        errors=[
            error(ShapeError, "there is no axis 2", floats(2, 3), axis=2),
            error(ShapeError, "there is no axis -1", floats(), axis=-1),
            error(ShapeError, "takes one axis", floats(2, 3), axis=(0, 1)),
            _EMPTY,
            _ORDER,
        ],
    ),
]
