"""Rows of the losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, OutOfRangeError, ShapeError
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


def _nll(labels: Any, log_probabilities: Any) -> Any:
    return -np.take_along_axis(log_probabilities, labels[..., None].astype("int64"), -1)[..., 0]


def _dense_cross_entropy(labels: Any, logits: Any) -> Any:
    return -np.where(labels == 0, 0.0, labels * log_softmax(logits)).sum(-1)


def _binary_cross_entropy(labels: Any, logits: Any) -> Any:
    return np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))


_ROWS = ((), (1,), (0,), (3, 2), (700,))
_OUTSIDE = [exactly([0, label], "int32") for label in (-1, 4)]  # of 4 classes

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
            *[
                error(OutOfRangeError, "a label is out of range", labels, floats(2, 4), host=True)
                for labels in _OUTSIDE
            ],
        ],
        large=[sample(_labels(1500, classes=100), floats(1500, 100))],
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
            *[
                error(OutOfRangeError, "out of range", floats(2), labels, floats(2, 4), host=True)
                for labels in _OUTSIDE
            ],
        ],
        large=[sample(floats(1500), _labels(1500, classes=100), floats(1500, 100))],
    ),
    Case(
        losses.softmax_cross_entropy_with_logits,
        floats(5, 4, low=0.0, high=1.0),
        floats(5, 4),
        reference=_dense_cross_entropy,
        scale=512.0,  # the sum of the terms of 1000 classes
        more=[
            *(sample(floats(*rows, 10), floats(*rows, 10)) for rows in _ROWS),
            sample(floats(64, 1000), floats(64, 1000)),
            sample(floats(3, 0), floats(3, 0)),
            sample(exactly([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]), LARGE, smooth=False),
            sample(exactly([[0.0, 1.0]]), exactly([[-np.inf, 2.0]]), smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not match", floats(4), floats(5, 4)),
            error(ShapeError, "labels and logits do not match", floats(), floats()),
            error(DTypeError, "needs floating-point numbers", integers(5, 4), integers(5, 4)),
        ],
        large=[sample(floats(1500, 100, low=0.0, high=1.0), floats(1500, 100))],
    ),
    Case(
        losses.sigmoid_cross_entropy_with_logits,
        reference=_binary_cross_entropy,
        scale=8.0,
        signs=False,
    ),
    Case(
        losses.nll_loss,
        _labels(5, classes=4),
        floats(5, 4),
        reference=_nll,
        more=[
            sample(_labels(classes=4, dtype="int64"), floats(4)),
            sample(_labels(3, 2, classes=4, dtype="uint8"), floats(3, 2, 4)),
            sample(_labels(0, classes=4), floats(0, 4)),
            sample(exactly([1], "int32"), exactly([[-np.inf, -1.0]]), smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not match", _labels(4, classes=4), floats(5, 4)),
            error(DTypeError, "labels must be class indices", floats(5), floats(5, 4)),
        ],
    ),
]
