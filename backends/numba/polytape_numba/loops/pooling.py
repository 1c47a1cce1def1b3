"""Maxima of windows of images with the channels last, and the elements that they came from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE, like

__all__ = ["max_pool", "max_pool_gradient"]

Array = Any
Pair = tuple[int, int]


@register_jitable(**INLINE)
def _take_larger(x: Array, y: Array) -> None:
    for c in range(y.size):
        y[c] = x[c] if x[c] > y[c] or x[c] != x[c] else y[c]  # NaN stays


@compiled(EXACT)
def max_pool(x: Array, size: Pair, stride: Pair, before: Pair, dilation: Pair, y: Array) -> None:
    """Write the largest element of each window of ``x`` [n, height, width, channels] to ``y``.

    Args:
        x: the images.
        size, stride, before, dilation: per axis, the size of a window, the distance between windows, the elements of
            padding before the image, and the distance between elements of a window.
        y: is overwritten.
    """
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                pixel = y[n, i, j]
                pixel[:] = -np.inf
                for a in range(size[0]):
                    row = i * stride[0] + a * dilation[0] - before[0]
                    if row < 0 or row >= x.shape[1]:
                        continue
                    for b in range(size[1]):
                        column = j * stride[1] + b * dilation[1] - before[1]
                        if 0 <= column < x.shape[2]:
                            _take_larger(x[n, row, column], pixel)


@compiled(EXACT)
def max_pool_gradient(
    g: Array, x: Array, result: Array, size: Pair, stride: Pair, before: Pair, dilation: Pair, y: Array
) -> None:
    """Add to ``y`` each element of ``g`` where the first largest element of its window is; see `max_pool`."""
    zero = like(x[0, 0, 0, 0], 0.0)
    left = np.empty(g.shape[2:], x.dtype)  # of a row of windows, the gradients whose element is not found yet
    for n in range(g.shape[0]):
        for i in range(g.shape[1]):
            left[:] = g[n, i]
            for a in range(size[0]):
                row = i * stride[0] + a * dilation[0] - before[0]
                if row < 0 or row >= x.shape[1]:
                    continue
                for b in range(size[1]):
                    for j in range(g.shape[2]):
                        column = j * stride[1] + b * dilation[1] - before[1]
                        if column < 0 or column >= x.shape[2]:
                            continue
                        # Slices instead of indices would take longer than the elements of few channels.
                        for c in range(x.shape[3]):
                            value, rest = x[n, row, column, c], left[j, c]
                            found = value == result[n, i, j, c] or value != value
                            y[n, row, column, c] += rest if found else zero
                            left[j, c] = zero if found else rest
