"""Rows of the normalizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import ShapeError
from ....ops.nn import norms
from ...case import Case
from ...makers import exactly, floats, reals
from ...samples import error, sample

__all__ = ["CASES"]


def _layer_norm(x: Any, weight: Any = None, bias: Any = None, *, axis: Any = -1, epsilon: float = 1e-5) -> Any:
    x = np.asarray(x, "float64")
    d = x - x.mean(axis=axis, keepdims=True) if x.size else x
    y = d / np.sqrt((d * d).mean(axis=axis, keepdims=True) + epsilon) if x.size else x
    return y * (1.0 if weight is None else weight) + (0.0 if bias is None else bias)


def _layer_norm_gradient(g: Any, x: Any, *, axis: Any = -1, epsilon: float = 1e-5) -> Any:
    if not x.size:
        return x
    d = x - x.mean(axis=axis, keepdims=True)
    r = 1.0 / np.sqrt((d * d).mean(axis=axis, keepdims=True) + epsilon)
    y = d * r
    return (g - g.mean(axis=axis, keepdims=True) - y * (g * y).mean(axis=axis, keepdims=True)) * r


def _rms_norm(x: Any, weight: Any = None, *, axis: Any = -1, epsilon: float = 1e-6) -> Any:
    x = np.asarray(x, "float64")
    y = x / np.sqrt((x * x).mean(axis=axis, keepdims=True) + epsilon) if x.size else x
    return y * (1.0 if weight is None else weight)


def _rms_norm_gradient(g: Any, x: Any, *, axis: Any = -1, epsilon: float = 1e-6) -> Any:
    if not x.size:
        return x
    r = 1.0 / np.sqrt((x * x).mean(axis=axis, keepdims=True) + epsilon)
    y = x * r
    return (g - y * (g * y).mean(axis=axis, keepdims=True)) * r


def _batch_norm(
    x: Any, mean: Any, variance: Any, weight: Any = 1.0, bias: Any = 0.0, *, momentum: float, axis: int, epsilon: float
) -> Any:
    rows = np.moveaxis(np.asarray(x, "float64"), axis, -1).reshape(-1, len(mean))
    y = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + epsilon) * weight + bias
    spread = rows.var(0, ddof=1 if len(rows) > 1 else 0)
    moved = np.moveaxis(x, axis, -1).shape
    averages = [old * momentum + new * (1 - momentum) for old, new in ((mean, rows.mean(0)), (variance, spread))]
    return np.moveaxis(y.reshape(moved), -1, axis), *averages


_SETTINGS: Any = {"momentum": 0.75, "axis": -1, "epsilon": 1e-3}
_FIVE = (floats(5), floats(5), floats(5), floats(5))
_SHAPES = ((5,), (2, 3, 4), (0, 3), (1, 4), (40, 3000), (200, 70))
_WRONG_GRADIENT = [
    error(ShapeError, "the incoming gradient has the wrong shape", floats(4), floats(3, 4)),
    error(ShapeError, "there is no axis 2", floats(3, 4), floats(3, 4), axis=2),
    error(ShapeError, "there is no axis", floats(), floats()),
]
_WRONG = [
    error(ShapeError, "there is no axis 2", floats(3, 4), axis=2),
    error(ShapeError, "an axis is named twice", floats(3, 4), axis=(1, -1)),
    error(ShapeError, "do not broadcast", floats(3, 4), floats(3)),
    error(ShapeError, "the weight would enlarge the result", floats(3, 4), floats(2, 3, 4)),
]

CASES = [
    Case(
        norms.layer_norm,
        reals(3, 4),
        reference=_layer_norm,
        scale=8.0,
        more=[
            *(sample(floats(*shape)) for shape in _SHAPES),
            sample(floats(3, 4), floats(4)),
            sample(floats(3, 4), floats(4), floats(4)),
            sample(floats(300, 64), floats(64), floats(64)),
            sample(floats(2, 3, 4), floats(3, 4), floats(3, 1), axis=(1, 2)),
            sample(floats(2, 3, 4), floats(1, 3, 1), axis=(0, -1)),
            sample(floats(3, 4), axis=0, epsilon=0.5),
            sample(floats(3, 0), smooth=False),
            sample(exactly([[1e4, 1e4 + 8, 1e4 + 16], [2.0, 2.0, 2.0]]), smooth=False, epsilon=1.0),
            sample(exactly([[float("nan"), 1.0], [1.0, 2.0]]), smooth=False),
        ],
        errors=[*_WRONG, error(ShapeError, "the bias would enlarge", floats(3, 4), floats(4), floats(2, 3, 4))],
    ),
    Case(
        norms.layer_norm_gradient,
        floats(3, 4),
        floats(3, 4),
        reference=_layer_norm_gradient,
        scale=32.0,
        more=[
            *(sample(floats(*shape), floats(*shape)) for shape in _SHAPES),
            sample(floats(2, 3, 4), floats(2, 3, 4), axis=(0, 2)),
            sample(floats(3, 4), floats(3, 4), axis=0, epsilon=0.5),
            sample(floats(3, 0), floats(3, 0), smooth=False),
        ],
        errors=_WRONG_GRADIENT,
    ),
    Case(
        norms.rms_norm,
        reals(3, 4),
        reference=_rms_norm,
        scale=4.0,
        more=[
            *(sample(floats(*shape)) for shape in _SHAPES),
            sample(floats(3, 4), floats(4)),
            sample(floats(300, 64), floats(64)),
            sample(floats(2, 3, 4), floats(3, 1), axis=(1, 2)),
            sample(floats(3, 4), axis=0, epsilon=0.5),
            sample(floats(3, 0), smooth=False),
            sample(exactly([[0.0, 0.0], [1.0, float("nan")]]), smooth=False),
        ],
        errors=_WRONG,
    ),
    Case(
        norms.rms_norm_gradient,
        floats(3, 4),
        floats(3, 4),
        reference=_rms_norm_gradient,
        scale=32.0,
        more=[
            *(sample(floats(*shape), floats(*shape)) for shape in _SHAPES),
            sample(floats(2, 3, 4), floats(2, 3, 4), axis=(0, 2)),
            sample(floats(3, 4), floats(3, 4), axis=0, epsilon=0.5),
            sample(floats(3, 0), floats(3, 0), smooth=False),
        ],
        errors=_WRONG_GRADIENT,
    ),
    Case(
        norms.batch_norm_,
        floats(4, 3),
        floats(3),
        floats(3),
        **_SETTINGS,
        reference=_batch_norm,
        result=("same", "same", "same"),
        gradient="none flows through the averages; tests/core/ops/nn/test_norms.py checks that of y",
        scale=32.0,
        more=[
            sample(floats(6, 5), *_FIVE[:3], **_SETTINGS),
            sample(floats(6, 5), *_FIVE, **_SETTINGS),
            sample(floats(2, 5, 3, 2), *_FIVE, **{**_SETTINGS, "axis": 1}),
            sample(floats(2, 3, 5), *_FIVE, **{**_SETTINGS, "momentum": 0.0}),
            sample(floats(1, 5), *_FIVE, smooth=False, **_SETTINGS),
            sample(exactly([[float("nan"), 1.0], [1.0, 2.0]]), floats(2), floats(2), smooth=False, **_SETTINGS),
        ],
        large=[
            sample(floats(30, 20, 50, 5), *_FIVE, **_SETTINGS),
            sample(floats(30, 5, 20, 50), *_FIVE, **{**_SETTINGS, "axis": 1}),
        ],
        errors=[
            error(ShapeError, "the mean does not match", floats(4, 3), floats(2), floats(3), **_SETTINGS),
            error(ShapeError, "the bias does not match", floats(6, 5), *_FIVE[:3], floats(1), **_SETTINGS),
            error(ShapeError, "has no statistics", floats(0, 3), floats(3), floats(3), **_SETTINGS),
            error(ShapeError, "there is no axis 2", floats(4, 3), floats(3), floats(3), **{**_SETTINGS, "axis": 2}),
        ],
    ),
]
