"""Rows of the gradients of normalizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import ShapeError
from ....ops.nn import norm_gradients
from ...case import Case
from ...makers import exactly, floats
from ...samples import error, sample

__all__ = ["CASES"]


def _layer_norm_gradients(g: Any, x: Any, weight: Any, *, axis: Any = -1, epsilon: float = 1e-5) -> Any:
    lead = x.ndim - weight.ndim
    repeated = (*range(lead), *[k for k in range(lead, x.ndim) if weight.shape[k - lead] != x.shape[k]])
    if not x.size:
        return x, np.zeros(weight.shape), np.zeros(weight.shape)
    d = x - x.mean(axis=axis, keepdims=True)
    r = 1.0 / np.sqrt((d * d).mean(axis=axis, keepdims=True) + epsilon)
    y, scaled = d * r, g * weight
    dx = (scaled - scaled.mean(axis=axis, keepdims=True) - y * (scaled * y).mean(axis=axis, keepdims=True)) * r
    return dx, (g * y).sum(repeated).reshape(weight.shape), g.sum(repeated).reshape(weight.shape)


def _batch_norm_gradient(g: Any, x: Any, weight: Any = None, *, axis: int, epsilon: float) -> Any:
    axes = tuple(k for k in range(x.ndim) if k != axis % x.ndim)
    shape = [n if k == axis % x.ndim else 1 for k, n in enumerate(x.shape)]
    scale = np.ones(x.shape[axis]) if weight is None else weight
    dx, dweight, dbias = _layer_norm_gradients(g, x, scale.reshape(shape), axis=axes, epsilon=epsilon)
    return dx, dweight.reshape(-1), dbias.reshape(-1)


_SETTINGS: Any = {"axis": -1, "epsilon": 1e-3}
_MATRIX = (floats(3, 4), floats(3, 4))
_WRONG = error(ShapeError, "the incoming gradient has the wrong shape", floats(4), floats(3, 4), floats(4), axis=-1)

CASES = [
    Case(
        norm_gradients.layer_norm_gradients,
        *_MATRIX,
        floats(4),
        reference=_layer_norm_gradients,
        result=("same", "same", "same"),
        scale=64.0,
        more=[
            *(sample(floats(*shape), floats(*shape), floats(shape[-1])) for shape in ((5,), (2, 3, 4), (0, 3))),
            sample(floats(70, 33), floats(70, 33), floats(33), smooth=False),
            sample(floats(2, 3, 4), floats(2, 3, 4), floats(3, 1), axis=(0, 2), epsilon=0.5),
            sample(floats(2, 3, 4), floats(2, 3, 4), floats(2, 3, 4), axis=(1, 2)),
            sample(floats(2, 3, 4), floats(2, 3, 4), floats(), axis=0, epsilon=0.5),
            sample(floats(3, 0), floats(3, 0), floats(0), smooth=False),
            sample(
                exactly([[1.0, 2.0], [3.0, 1.0]]), exactly([[float("nan"), 1.0], [1.0, 2.0]]), floats(2), smooth=False
            ),
        ],
        errors=[
            _WRONG,
            error(ShapeError, "there is no axis 2", *_MATRIX, floats(4), axis=2),
            error(ShapeError, "the weight would enlarge", *_MATRIX, floats(2, 3, 4)),
        ],
    ),
    Case(
        norm_gradients.batch_norm_gradient,
        *_MATRIX,
        **_SETTINGS,
        reference=_batch_norm_gradient,
        result=("same", "same", "same"),
        scale=64.0,
        more=[
            sample(*_MATRIX, floats(4), **_SETTINGS),
            sample(floats(2, 5, 3, 2), floats(2, 5, 3, 2), floats(5), axis=1, epsilon=1e-3),
            sample(floats(2, 3, 5), floats(2, 3, 5), floats(5), **_SETTINGS),
            sample(floats(1, 9), floats(1, 9), floats(9), smooth=False, **_SETTINGS),
            sample(floats(150, 40), floats(150, 40), floats(40), smooth=False, **_SETTINGS),
        ],
        errors=[
            error(ShapeError, "the incoming gradient has the wrong shape", floats(3), floats(3, 4), **_SETTINGS),
            error(ShapeError, "the weight does not match", *_MATRIX, floats(3), **_SETTINGS),
            error(ShapeError, "has no statistics", floats(0, 3), floats(0, 3), **_SETTINGS),
            error(ShapeError, "there is no axis 2", *_MATRIX, **{**_SETTINGS, "axis": 2}),
        ],
    ),
]
