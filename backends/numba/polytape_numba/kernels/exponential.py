"""log1p of float32 in one pass: NumPy has no SIMD loop for it, and makes seven passes by its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from .compiled import large_vector, loops

__all__ = ["kernels"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernel ``log1p``."""
    return [Kernel("log1p", log1p, dtypes=("float32",), when=large_vector, fresh=True)]


def log1p(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().log1p(x.reshape(-1), y.reshape(-1))
    return y
