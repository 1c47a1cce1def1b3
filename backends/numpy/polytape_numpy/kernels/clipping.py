"""Elements kept within bounds by NumPy's clip, called below its Python function.

Beside numbers its loop uses SIMD, while that of maximum and minimum does not: it takes a quarter of their time.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

__all__ = ["LIMITS", "clip_of"]

Array = Any


# By dtype, the bounds that leave all numbers as they are, as arrays of rank 0. For other dtypes, clip takes as long as
# maximum and minimum.
LIMITS: Final = {np.dtype(char): (np.array(-np.inf, char), np.array(np.inf, char)) for char in "fd"}


def clip_of(xp: Any) -> Any:
    """The ufunc ``clip(x, least, greatest)``; None in other modules than NumPy."""
    if xp.__name__ != "numpy":
        return None
    umath: Any = importlib.import_module("numpy._core.umath")
    return getattr(umath, "clip", None)  # None also in a version of NumPy that has it elsewhere
