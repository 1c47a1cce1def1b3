"""Rows of the norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.linalg import norms
from ...case import Case
from ...makers import each, exactly, floating
from ...samples import sample

__all__ = ["CASES"]


def _norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    scale = np.abs(x).max(axis=axis, keepdims=True, initial=0.0)
    scale = np.where((scale > 0) & (scale < np.inf), scale, 1.0)
    y = np.sqrt(np.sum(np.abs(x / scale) ** 2, axis=axis, keepdims=True)) * scale
    return y if keepdims else y.reshape(np.sum(x, axis=axis).shape)


def _part(dtype: str, attributes: Any) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype if dtype[0] in "fb" else "float32")


CASES = [
    Case(
        norms.euclidean_norm,
        reference=_norm,
        result=_part,
        more=[
            sample(exactly([3e30, 4e30]), smooth=False),
            sample(exactly([3e-30, 4e-30]), smooth=False),
            # Squares that underflow, or overflow, in each precision, alone and in rows beside others.
            sample(exactly([3e-21, 4e-21]), smooth=False),
            sample(each([3e-160, 4e-160], "float64"), smooth=False),
            sample(exactly([[3e-21, 4e-21], [3.0, 4.0]]), axis=1, smooth=False),
            sample(exactly([[1e-30, 3e30], [3.0, 4.0]]), axis=1, smooth=False),
            sample(each([[3e-160, 4e-160], [3.0, 4.0]], "float64"), axis=1, smooth=False),
            sample(each([[3e160, 4e160], [3.0, 4.0]], "float64"), axis=1, smooth=False),
            sample(each([3e-21, 4e-21j], "complex64"), smooth=False),
            sample(exactly(np.ones((3000, 2))), axis=0, smooth=False),  # in half precision 2048 + 1 is 2048
            sample(exactly([[0.0, 0.0], [3.0, float("inf")], [1.0, float("nan")]]), axis=1, smooth=False),
        ],
        large=[sample(floating(150_001)), sample(floating(300, 500), axis=0), sample(floating(300, 500), axis=1)],
    ),
]
