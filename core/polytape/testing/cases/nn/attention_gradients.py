"""Rows of the gradient of attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import attention_gradients
from ...case import Case
from ...makers import booleans, exactly, floats, integers
from ...samples import error, sample
from .attention import HIDDEN, weights

__all__ = ["CASES"]


def _summed(x: Any, shape: Any) -> Any:
    lead = x.ndim - len(shape)
    repeated = (*range(lead), *[k for k in range(lead, x.ndim) if shape[k - lead] != x.shape[k]])
    return x.sum(repeated).reshape(shape)


def _gradient(
    g: Any, query: Any, key: Any, value: Any, mask: Any = None, *, is_causal: bool = False, scale: float | None = None
) -> Any:
    w = weights(query, key, mask, is_causal, scale)
    back = g @ np.swapaxes(value, -1, -2)
    back = w * (back - (back * w).sum(-1, keepdims=True)) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    dq, dk, dv = back @ key, np.swapaxes(back, -1, -2) @ query, np.swapaxes(w, -1, -2) @ g
    return _summed(dq, query.shape), _summed(dk, key.shape), _summed(dv, value.shape)


_OPERANDS = (floats(2, 3, 6), floats(2, 3, 4), floats(2, 5, 4), floats(2, 5, 6))

CASES = [
    Case(
        attention_gradients.attention_gradient,
        *_OPERANDS,
        reference=_gradient,
        result=("same", "same", "same"),
        scale=32.0,
        more=[
            sample(floats(3, 2), floats(3, 4), floats(5, 4), floats(5, 2)),
            sample(floats(2, 3, 3, 2), floats(2, 1, 3, 4), floats(3, 5, 4), floats(5, 2)),
            sample(floats(2, 3, 2), floats(3, 4), floats(5, 4), floats(2, 5, 2)),
            sample(*_OPERANDS, booleans(3, 5)),
            sample(*_OPERANDS, exactly(HIDDEN, "bool")),
            sample(*_OPERANDS, floats(2, 1, 5)),
            sample(*_OPERANDS, is_causal=True),
            sample(floats(5, 2), floats(5, 4), floats(3, 4), floats(3, 2), is_causal=True, scale=2.0),
            sample(floats(3, 2), floats(3, 4), floats(0, 4), floats(0, 2)),
            sample(floats(0, 2), floats(0, 4), floats(3, 4), floats(3, 2)),
        ],
        errors=[
            error(ShapeError, "the incoming gradient has the wrong shape", floats(3, 6), *_OPERANDS[1:]),
            error(ShapeError, "do not match", floats(3, 2), floats(3, 4), floats(5, 3), floats(5, 2)),
            error(ShapeError, "do not match", floats(3, 2), floats(4), floats(5, 4), floats(5, 2)),
            error(ShapeError, "the mask does not match the scores", *_OPERANDS, booleans(4, 2, 3, 5)),
            error(DTypeError, "the mask has the wrong dtype", *_OPERANDS, integers(3, 5)),
        ],
    ),
]
