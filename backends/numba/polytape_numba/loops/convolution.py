"""Convolution of each channel by itself, with the channels last."""

from __future__ import annotations

from typing import Any

from ..cache import compiled
from .functions import EXACT

__all__ = ["depthwise"]

Array = Any


@compiled(EXACT)
def _add_products(a: Array, b: Array, y: Array) -> None:
    for k in range(y.size):
        y[k] += a[k] * b[k]


@compiled(EXACT)
def depthwise(
    x: Array, w: Array, stride: tuple[int, int], before: tuple[int, int], dilation: tuple[int, int], y: Array
) -> None:
    """Add to ``y`` [n, height, width, channels] the convolution of ``x`` with ``w`` [rows, columns, channels].

    ``before`` are the rows and columns of zeros before the images.
    """
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for a in range(w.shape[0]):
                row = i * stride[0] + a * dilation[0] - before[0]
                if row < 0 or row >= x.shape[1]:
                    continue
                for j in range(y.shape[2]):
                    for b in range(w.shape[1]):
                        column = j * stride[1] + b * dilation[1] - before[1]
                        if 0 <= column < x.shape[2]:
                            _add_products(x[n, row, column], w[a, b], y[n, i, j])
