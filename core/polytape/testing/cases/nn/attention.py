"""Rows of attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import attention
from ...case import Case
from ...makers import booleans, exactly, floats, integers
from ...samples import error, sample

__all__ = ["CASES", "HIDDEN", "weights"]


def weights(query: Any, key: Any, mask: Any, is_causal: bool, scale: float | None) -> Any:
    """The weights of the values for each query."""
    scores = query @ np.swapaxes(key, -1, -2) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    if is_causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    top = scores.max(-1, keepdims=True, initial=-np.inf)
    e = np.exp(scores - np.where(top == -np.inf, 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _attention(
    query: Any, key: Any, value: Any, mask: Any = None, *, is_causal: bool = False, scale: float | None = None
) -> Any:
    return weights(query, key, mask, is_causal, scale) @ value


_OPERANDS = (floats(2, 3, 4), floats(2, 5, 4), floats(2, 5, 6))
HIDDEN = [[False] * 5, [True] * 5, [False, True, False, True, True]]

CASES = [
    Case(
        attention.scaled_dot_product_attention,
        *_OPERANDS,
        reference=_attention,
        scale=4.0,
        more=[
            sample(floats(3, 4), floats(5, 4), floats(5, 2)),
            sample(floats(2, 1, 3, 4), floats(3, 5, 4), floats(5, 2)),
            sample(*_OPERANDS, booleans(3, 5)),
            sample(*_OPERANDS, exactly(HIDDEN, "bool")),
            sample(*_OPERANDS, floats(2, 1, 5)),
            sample(*_OPERANDS, exactly([[-np.inf] * 5, [0.0] * 5, [0.0, -np.inf, 0.0, 1.0, -np.inf]]), smooth=False),
            sample(*_OPERANDS, is_causal=True),
            sample(floats(5, 4), floats(3, 4), floats(3, 2), is_causal=True, scale=2.0),
            sample(floats(3, 4), floats(0, 4), floats(0, 2)),
            sample(floats(0, 4), floats(3, 4), floats(3, 2)),
            sample(
                exactly([[1000.0, 0.0]]), exactly([[1000.0, 0.0], [0.0, 1.0]]), exactly([[1.0], [2.0]]), smooth=False
            ),
        ],
        errors=[
            error(ShapeError, "query, key and value do not match", floats(3, 4), floats(5, 3), floats(5, 2)),
            error(ShapeError, "query, key and value do not match", floats(3, 4), floats(5, 4), floats(4, 2)),
            error(ShapeError, "query, key and value do not match", floats(4), floats(5, 4), floats(5, 2)),
            error(ShapeError, "do not broadcast", floats(2, 3, 4), floats(3, 5, 4), floats(5, 2)),
            error(ShapeError, "the mask does not match the scores", *_OPERANDS, booleans(4, 2, 3, 5)),
            error(DTypeError, "the mask has the wrong dtype", *_OPERANDS, integers(3, 5)),
        ],
    ),
]
