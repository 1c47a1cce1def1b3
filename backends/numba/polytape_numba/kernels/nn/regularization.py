"""Dropout with a given mask, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import loops, two_vectors
from ..universal import REAL

__all__ = ["kernels"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernel ``masked_scale``."""
    dtypes = [(dtype, "bool") for dtype in REAL]
    return [Kernel("masked_scale", masked_scale, dtypes=dtypes, when=served, fresh=True)]


def served(x: Array, kept: Array, *, scale: float = 1.0) -> bool:
    """Whether both operands have one shape and are in C order."""
    return two_vectors(x, kept)


def masked_scale(x: Array, kept: Array, *, scale: float = 1.0) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().masked_scale(x.reshape(-1), kept.reshape(-1), float(scale), y.reshape(-1))
    return y
