"""Rows of the ops on segments, and of one-hot vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import segment
from ..case import Case
from ..makers import counts, exactly, floating, floats, integers, numbers, reals
from ..samples import error, sample

__all__ = ["CASES"]

_MANY_IDS = integers(3000, high=99, dtype="int64")
_IDS = exactly([2, 0, -1, 2, 0], "int64")  # of 4 segments, of which the second has no rows
_FULL = exactly([2, 0, -1, 1, 0], "int64")
_SMALL = exactly([1, 1, 0], "uint8")
_NAN = float("nan")


def _by(update: Any, empty: Callable[[Any], Any]) -> Callable[..., Any]:
    def reference(data: Any, segment_ids: Any, *, num_segments: int) -> Any:
        y = np.full((num_segments, *data.shape[1:]), empty(data), data.dtype)
        update(y, segment_ids.astype("int64"), data)
        return y

    return reference


def _of(empty: float) -> Callable[[Any], Any]:
    """The result for a segment without rows; the samples of integers have none."""
    return lambda x: empty if x.dtype.kind == "f" else (np.iinfo(x.dtype).min if empty < 0 else np.iinfo(x.dtype).max)


def _mean(data: Any, segment_ids: Any, *, num_segments: int) -> Any:
    total = _by(np.add.at, lambda x: 0)(data, segment_ids, num_segments=num_segments)
    sizes = np.bincount(segment_ids.astype("int64") % num_segments, minlength=num_segments)
    return total / np.maximum(sizes, 1).reshape(-1, *(1,) * (data.ndim - 1))


def _one_hot(indices: Any, *, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    classes = np.arange(num_classes).astype(indices.dtype)
    return np.moveaxis(np.equal(indices[..., None], classes), -1, axis) * 1


def _errors(dtype: str, part: str) -> list[Any]:
    outside = [exactly([*[0] * count, k], "int64") for k in (2, -3) for count in (2, 2000)]
    return [
        *[
            error(OutOfRangeError, "out of range", floats(*ids.shape), ids, num_segments=2, host=True, named=False)
            for ids in outside
        ],
        error(ShapeError, "the segments do not match", floats(3, 2), exactly([0, 1], "int64"), num_segments=2),
        error(ShapeError, "the segments do not match", floats(), exactly([0, 1], "int64"), num_segments=2),
        error(ShapeError, "the segments do not match", floats(), exactly(0, "int64"), num_segments=2),
        error(ShapeError, "a size is negative", floats(3), _SMALL, num_segments=-1),
        error(DTypeError, "indices must be integers", floats(3), exactly([0.0, 1.0, 0.0]), num_segments=2),
        error(DTypeError, part, exactly([0, 1, 1], dtype), _SMALL, num_segments=2),
    ]


def _samples(make: Any) -> list[Any]:
    return [
        sample(make(3), _SMALL, num_segments=2),
        sample(make(3, 2, 2), _SMALL, num_segments=3),
        sample(make(0, 3), exactly(np.zeros(0), "int32"), num_segments=2),
        sample(make(6, 2), exactly([0, 0, 0, 0, 0, 0], "int32"), num_segments=1),
    ]


CASES = [
    Case(
        segment.segment_sum,
        numbers(5, 2),
        _IDS,
        num_segments=4,
        reference=_by(np.add.at, lambda x: 0),
        result="same",
        scale=8.0,
        more=[
            *_samples(numbers),
            sample(exactly(np.ones(4096)), exactly(np.zeros(4096), "int64"), num_segments=1),
            sample(floats(12, 3), exactly(np.arange(12) % 7 - 3, "int64"), num_segments=4),
            sample(floats(12, 200), exactly(np.arange(12) % 7 - 3, "int64"), num_segments=4),
        ],
        errors=_errors("bool", "is not defined for bool"),
        large=[sample(counts(3000, 50), _MANY_IDS, num_segments=100)],
    ),
    Case(
        segment.segment_mean,
        floating(5, 2),
        _IDS,
        num_segments=4,
        reference=_mean,
        result="same",
        scale=4.0,
        more=_samples(floating),
        errors=_errors("int32", "needs floating-point numbers"),
    ),
    Case(
        segment.segment_max,
        reals(5, 2),
        _FULL,
        num_segments=3,
        avoid="ties",
        reference=_by(np.maximum.at, _of(-np.inf)),
        result="same",
        more=[
            sample(floats(5, 2), _IDS, num_segments=4, smooth=False),
            sample(exactly([1.0, _NAN, 3.0]), _SMALL, num_segments=2, smooth=False),
        ],
        errors=_errors("complex64", "is not defined for complex numbers"),
        large=[sample(reals(3000, 50), _MANY_IDS, num_segments=100)],
    ),
    Case(
        segment.segment_min,
        reals(5, 2),
        _FULL,
        num_segments=3,
        avoid="ties",
        reference=_by(np.minimum.at, _of(np.inf)),
        result="same",
        more=[
            sample(floats(5, 2), _IDS, num_segments=4, smooth=False),
            sample(exactly([1.0, _NAN, 3.0]), _SMALL, num_segments=2, smooth=False),
        ],
        errors=_errors("complex64", "is not defined for complex numbers"),
        large=[sample(reals(3000, 50), _MANY_IDS, num_segments=100)],
    ),
    Case(
        segment.segment_prod,
        numbers(5, 2),
        _IDS,
        num_segments=4,
        reference=_by(np.multiply.at, lambda x: 1),
        result="same",
        ulp=8.0,
        scale=16.0,
        more=[*_samples(numbers), sample(exactly([0.0, 0.0, 3.0]), _SMALL, num_segments=2)],
        errors=_errors("bool", "is not defined for bool"),
    ),
    Case(
        segment.one_hot,
        exactly([2, 0, -1, 5, 1], "int64"),
        num_classes=3,
        reference=_one_hot,
        result=lambda dtype, attributes: attributes.get("dtype") or "float32",
        more=[
            sample(exactly([[2, 0], [1, 1]], "int32"), num_classes=3, axis=0),
            sample(exactly([[2, 0], [1, 1]], "uint8"), num_classes=4, axis=1, dtype="bool"),
            sample(exactly(1, "uint64"), num_classes=2, dtype="int8"),
            sample(exactly([2**64 - 1, 0, 2**63], "uint64"), num_classes=2),
            sample(exactly([2**63 - 1, 0, -(2**63)], "int64"), num_classes=64),
            sample(exactly([255, 0, 254], "uint8"), num_classes=3),
            sample(exactly([[0, 1]], "int8"), num_classes=0),
            sample(exactly([1, 0], "int16"), num_classes=2, axis=-2, dtype="complex64"),
            sample(exactly([100, -7], "int8"), num_classes=300, dtype="float16"),
        ],
        errors=[
            error(ShapeError, "a size is negative", exactly([0], "int64"), num_classes=-1),
            error(ShapeError, "there is no axis 2", exactly([0], "int64"), num_classes=2, axis=2),
            error(DTypeError, "indices must be integers", floats(3), num_classes=2),
        ],
    ),
]
