"""lgamma and digamma of float32, computed in float64 in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import loops, one_vector

__all__ = ["kernels"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernels ``lgamma`` and ``digamma``."""
    return [
        Kernel("lgamma", lgamma, dtypes=("float32",), when=one_vector, fresh=True),
        Kernel("digamma", digamma, dtypes=("float32",), when=one_vector, fresh=True),
    ]


def lgamma(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().lgamma(x.reshape(-1), y.reshape(-1))
    return y


def digamma(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().digamma(x.reshape(-1), y.reshape(-1))
    return y
