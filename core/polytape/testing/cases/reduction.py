"""Rows of the reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import reduction
from ..case import Case
from ..makers import exactly, floating, floats, integers
from ..samples import sample

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")
_TALL = floats(20_000, 3, low=0.5, high=1.5)
_TIED = [[1.0, 3.0, 3.0], [2.0, 2.0, -1.0]]


def _sum(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


def _mean(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (x.size / total.size) if total.size else total  # np.mean warns if there are no elements


def _sum_dtype(dtype: str, attributes: dict[str, Any]) -> str:
    if "dtype" in attributes:
        return str(attributes["dtype"])
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


CASES = [
    Case(
        reduction.sum,
        more=[
            sample(floats(300)),
            sample(exactly(np.ones(4096))),  # in half precision 2048 + 1 is 2048
            sample(_TALL, axis=0),  # added row after row in float32, the sum has an error of 1e-5
            sample(integers(4, 5, low=-9, dtype="int8"), dtype="float64"),
            sample(floats(4), dtype="float64"),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0, -_INF]), smooth=False),
        ],
        reference=_sum,
        result=_sum_dtype,
        scale=16.0,
    ),
    Case(
        reduction.mean,
        more=[
            sample(floating(300)),
            sample(exactly(np.ones(4096))),
            sample(_TALL, axis=0),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0]), smooth=False),
        ],
        reference=_mean,
        scale=2.0,
    ),
    Case(
        reduction.max,
        avoid="ties",
        more=[
            sample(exactly(_TIED), axis=1, smooth=False),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([-_INF, -1.0]), smooth=False),
        ],
    ),
    Case(
        reduction.argmax,
        more=[
            sample(exactly(_TIED), axis=1),
            sample(exactly([1.0, _NAN, 2.0])),
            sample(exactly([-_INF, _INF, _INF])),
        ],
    ),
]
