"""Rows of the norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.linalg import norms
from ...case import Case
from ...makers import exactly, floating
from ...samples import sample

__all__ = ["CASES"]


def _norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    scale = np.abs(x).max(initial=0.0)
    scale = scale if 0 < scale < np.inf else 1.0
    return np.sqrt(np.sum(np.abs(x / scale) ** 2, axis=axis, keepdims=keepdims)) * scale


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
            sample(exactly([[0.0, 0.0], [3.0, float("inf")], [1.0, float("nan")]]), axis=1, smooth=False),
        ],
        large=[sample(floating(150_001)), sample(floating(300, 500), axis=0), sample(floating(300, 500), axis=1)],
    ),
]
