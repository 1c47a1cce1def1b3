"""Rows of the neural ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import nn
from ..case import Case, error, sample
from ..makers import exactly, floats, integers, numbers, reals

__all__ = ["CASES"]


def _sigmoid(x: Any) -> Any:
    return np.where(x < 0, np.exp(x) / (1.0 + np.exp(x)), 1.0 / (1.0 + np.exp(-x)))


def _log_softmax(x: Any, axis: int = -1) -> Any:
    shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(_log_softmax(x, axis))


def _cross_entropy(labels: Any, logits: Any) -> Any:
    if not labels.size:
        return np.zeros(labels.shape)
    return -np.take_along_axis(_log_softmax(logits), labels[..., None].astype("int64"), -1)[..., 0]


def _cross_entropy_gradient(incoming: Any, labels: Any, logits: Any) -> Any:
    hot = labels[..., None] == np.arange(logits.shape[-1])
    return (_softmax(logits) - hot) * incoming[..., None]


_INTEGERS = error(DTypeError, "needs floating numbers", integers(3))
_LARGE = exactly([[1000.0, 999.0, -1000.0], [-60000.0, -60000.0, -60000.0]])
_AXES = [
    sample(floats(5)),
    sample(floats(3, 4), axis=0),
    sample(floats(2, 3, 4), axis=1),
    sample(floats(2, 1, 3, 1, 2), axis=-2),
    sample(floats(0, 3)),
    sample(floats(1)),
    # Kernels that are worth their start only from some size on are chosen here, for each layout of the axis.
    sample(floats(700, 10, low=-8.0, high=8.0)),
    sample(floats(64, 1000)),
    sample(floats(300, 70), axis=0),
    sample(_LARGE, smooth=False),
]
_BAD_AXES = [
    _INTEGERS,
    error(ShapeError, "there is no axis 2", floats(2, 3), axis=2),
    error(ShapeError, "there is no axis", floats(), axis=-1),
    error(ShapeError, "there is no axis 2", floats(700, 10), axis=2),
    error(DTypeError, "has no order on complex numbers", numbers(3), varied="complex64"),
]


def _labels(*shape: int, classes: int, dtype: str = "int32") -> Any:
    return integers(*shape, high=classes - 1, dtype=dtype)


_ROWS = ((), (1,), (0,), (3, 2), (700,))

CASES = [
    Case(
        nn.relu,
        reals(2, 3),
        avoid="ties",
        signs=False,
        reference=lambda x: np.maximum(x, 0),
        errors=[error(DTypeError, "has no order on complex numbers", numbers(3), varied="complex64")],
    ),
    Case(nn.sigmoid, floats(2, 3), near=[-100.0, -20.0, 20.0, 100.0], reference=_sigmoid, errors=[_INTEGERS]),
    Case(nn.softmax, floats(3, 4), more=_AXES, reference=_softmax, ulp=16.0, errors=_BAD_AXES),
    Case(nn.log_softmax, floats(3, 4), more=_AXES, reference=_log_softmax, scale=8.0, errors=_BAD_AXES),
    Case(
        nn.sparse_softmax_cross_entropy_with_logits,
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
            sample(exactly([2, 1], "int32"), _LARGE, smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not fit", _labels(4, classes=4), floats(5, 4)),
            error(ShapeError, "labels and logits do not fit", _labels(5, 4, classes=4), floats(5, 4)),
            error(ShapeError, "labels and logits do not fit", _labels(699, classes=4), floats(700, 10)),
            error(ShapeError, "labels and logits do not fit", _labels(classes=4), floats()),
            error(DTypeError, "labels are class numbers", floats(5), floats(5, 4)),
            error(DTypeError, "needs floating numbers", _labels(5, classes=4), integers(5, 4)),
        ],
    ),
    Case(
        nn.softmax_cross_entropy_gradient,
        floats(5),
        _labels(5, classes=4),
        floats(5, 4),
        reference=_cross_entropy_gradient,
        scale=2.0,
        more=[
            *(sample(floats(*rows), _labels(*rows, classes=10), floats(*rows, 10)) for rows in _ROWS),
            sample(floats(700), _labels(700, classes=10, dtype="int64"), floats(700, 10)),
            sample(floats(64), _labels(64, classes=1000), floats(64, 1000)),
            sample(exactly([1.0, -2.0]), exactly([2, 1], "int32"), _LARGE, smooth=False),
        ],
        errors=[
            error(ShapeError, "labels and logits do not fit", floats(5), _labels(4, classes=4), floats(5, 4)),
            error(ShapeError, "the incoming gradient does not fit", floats(4), _labels(5, classes=4), floats(5, 4)),
            error(ShapeError, "the incoming gradient", floats(1), _labels(700, classes=4), floats(700, 10)),
        ],
    ),
]
