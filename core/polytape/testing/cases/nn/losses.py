"""Rows of the losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import losses
from ...case import Case
from ...makers import exactly, floats, integers
from ...samples import error, sample
from .activations import LARGE, log_softmax, softmax

__all__ = ["CASES"]


def _cross_entropy(labels: Any, logits: Any) -> Any:
    if not labels.size:
        return np.zeros(labels.shape)
    return -np.take_along_axis(log_softmax(logits), labels[..., None].astype("int64"), -1)[..., 0]


def _cross_entropy_gradient(incoming: Any, labels: Any, logits: Any) -> Any:
    one_hot = labels[..., None] == np.arange(logits.shape[-1])
    return (softmax(logits) - one_hot) * incoming[..., None]


def _labels(*shape: int, classes: int, dtype: str = "int32") -> Any:
    return integers(*shape, high=classes - 1, dtype=dtype)


_ROWS = ((), (1,), (0,), (3, 2), (700,))

CASES = [
    Case(
        losses.sparse_softmax_cross_entropy_with_logits,
        _labels(5, classes=4),
        floats(5, 4),
        reference=_cross_entropy,
        scale=8.0,
        more=[
            *(sample(_labels(*rows, classes=10), floats(*rows, 10)) for rows in _ROWS),
            sample(_labels(5, classes=4, dtype="int64"), floats(5, 4)),
            sample(_labels(700, classes=10, dtype="int64"), floats(700, 10)),
            sample(_labels(5, classes=4, dtype="uint8"), floats(5, 4)),
            sample(_labels(64, classes=1000), floats(64, 1000)),
            sample(exactly([2, 1], "int32"), LARGE, smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not match", _labels(4, classes=4), floats(5, 4)),
            error(ShapeError, "labels and logits do not match", _labels(5, 4, classes=4), floats(5, 4)),
            error(ShapeError, "labels and logits do not match", _labels(699, classes=4), floats(700, 10)),
            error(ShapeError, "labels and logits do not match", _labels(classes=4), floats()),
            error(DTypeError, "labels must be class indices", floats(5), floats(5, 4)),
            error(DTypeError, "needs floating-point numbers", _labels(5, classes=4), integers(5, 4)),
        ],
    ),
    Case(
        losses.softmax_cross_entropy_gradient,
        floats(5),
        _labels(5, classes=4),
        floats(5, 4),
        reference=_cross_entropy_gradient,
        scale=2.0,
        more=[
            *(sample(floats(*rows), _labels(*rows, classes=10), floats(*rows, 10)) for rows in _ROWS),
            sample(floats(700), _labels(700, classes=10, dtype="int64"), floats(700, 10)),
            sample(floats(64), _labels(64, classes=1000), floats(64, 1000)),
            sample(exactly([1.0, -2.0]), exactly([2, 1], "int32"), LARGE, smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not match", floats(5), _labels(4, classes=4), floats(5, 4)),
            error(
                ShapeError, "the incoming gradient has the wrong shape", floats(4), _labels(5, classes=4), floats(5, 4)
            ),
            error(ShapeError, "the incoming gradient", floats(1), _labels(700, classes=4), floats(700, 10)),
        ],
    ),
]
