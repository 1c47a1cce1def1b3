"""Dropout with a given mask."""

from __future__ import annotations

from typing import Any

from ..cache import compiled
from .functions import EXACT, like

__all__ = ["masked_scale"]

Array = Any


@compiled(EXACT)
def masked_scale(x: Array, kept: Array, scale: float, y: Array) -> None:
    """Write ``x * scale`` where ``kept`` is true, 0 elsewhere, to ``y``; all without axes."""
    for i in range(y.size):
        scaled = x[i] * like(x[i], scale)
        y[i] = scaled if kept[i] else like(x[i], 0.0)
