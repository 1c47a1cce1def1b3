"""Rows of the activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import ShapeError
from ....ops.nn import activations
from ...case import Case
from ...makers import exactly, floats, reals
from ...samples import error, sample

__all__ = ["CASES", "LARGE", "log_softmax", "sigmoid", "softmax"]


def sigmoid(x: Any) -> Any:
    """The reference of ``sigmoid``."""
    x = np.asarray(x, "float64")
    return np.where(x < 0, np.exp(x) / (1.0 + np.exp(x)), 1.0 / (1.0 + np.exp(-x)))


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The reference of ``log_softmax``."""
    x = np.asarray(x, "float64")
    shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax(x: Any, axis: int = -1) -> Any:
    """The reference of ``softmax``."""
    return np.exp(log_softmax(x, axis))


LARGE = exactly([[1000.0, 999.0, -1000.0], [-60000.0, -60000.0, -60000.0]])
_ROWS = [
    # These reach kernels that serve only large operands: short rows, long rows, and the first axis.
    sample(floats(700, 10, low=-8.0, high=8.0)),
    sample(floats(64, 1000)),
    sample(floats(300, 70), axis=0),
    sample(LARGE, smooth=False),
]
_LARGE_ROWS = [sample(floats(*shape), axis=axis) for shape in ((300, 500), (40, 5000)) for axis in (0, 1)]
_LARGE_ROWS += [sample(floats(6001, 3), axis=0), sample(floats(7000, 2), axis=-1)]
_MANY = sample(floats(20, 16), smooth=False)
_BAD_AXIS = error(ShapeError, "there is no axis 2", floats(700, 10), axis=2)


def _softmax_gradient(incoming: Any, result: Any, axis: int = -1) -> Any:
    return result * (incoming - (incoming * result).sum(axis=axis, keepdims=True))


def _log_softmax_gradient(incoming: Any, result: Any, axis: int = -1) -> Any:
    return incoming - np.exp(result) * incoming.sum(axis=axis, keepdims=True)


_GRADIENT = (floats(3, 4), floats(3, 4))
_GRADIENT_SAMPLES: Any = {
    "large": [sample(floats(*shape), floats(*shape)) for shape in ((300, 500), (40, 5000))],
    "more": [
        sample(floats(5), floats(5)),
        sample(floats(2, 3, 4), floats(2, 3, 4), axis=1),
        sample(floats(3, 0), floats(3, 0)),
        sample(floats(20, 16), floats(20, 16), smooth=False),
    ],
    "errors": [
        error(ShapeError, "the incoming gradient has the wrong shape", floats(4), floats(3, 4)),
        error(ShapeError, "there is no axis 2", floats(3, 4), floats(3, 4), axis=2),
        error(ShapeError, "there is no axis", floats(), floats()),
    ],
}


def _glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


CASES = [
    Case(activations.relu, avoid="ties", signs=False, reference=lambda x: np.maximum(x, 0)),
    Case(
        activations.relu_gradient,
        avoid="ties",
        signs=False,
        reference=lambda g, y: np.where(y > 0, g, 0),
        large=[sample(floats(50, 60), floats(50, 60))],
    ),
    Case(activations.sigmoid, more=[_MANY], near=[-100.0, -20.0, 20.0, 100.0], reference=sigmoid),
    Case(activations.softmax, more=_ROWS, large=_LARGE_ROWS, reference=softmax, ulp=16.0, errors=[_BAD_AXIS]),
    Case(activations.log_softmax, more=_ROWS, large=_LARGE_ROWS, reference=log_softmax, scale=8.0, errors=[_BAD_AXIS]),
    Case(activations.sigmoid_gradient, reference=lambda g, y: g * y * (1.0 - y), ulp=16.0),
    Case(activations.softmax_gradient, *_GRADIENT, reference=_softmax_gradient, scale=16.0, **_GRADIENT_SAMPLES),
    Case(
        activations.log_softmax_gradient, *_GRADIENT, reference=_log_softmax_gradient, scale=64.0, **_GRADIENT_SAMPLES
    ),
    Case(
        activations.glu,
        reals(3, 4),
        reference=_glu,
        more=[sample(floats(4, 3), axis=0), sample(floats(2, 6, 3), axis=-2), sample(floats(3, 0))],
        errors=[
            error(ShapeError, "the axis cannot be halved", floats(3, 3)),
            error(ShapeError, "there is no axis 2", floats(3, 4), axis=2),
            error(ShapeError, "there is no axis", floats()),
        ],
    ),
]
