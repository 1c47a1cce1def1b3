"""Convolutions of images with the channels last, of each channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE

__all__ = ["depthwise", "depthwise_weights"]

Array = Any
Pair = tuple[int, int]


@register_jitable(**INLINE)
def _add_products(a: Array, b: Array, y: Array) -> None:
    for k in range(y.size):
        y[k] += a[k] * b[k]


@register_jitable(**INLINE)
def _add_three_products(a: Array, b: Array, y: Array) -> None:
    """Three times `_add_products`, for three neighbours in ``a`` and ``b``: the result is written once."""
    n = y.size
    a1, a2, b1, b2 = a[n:], a[2 * n :], b[n:], b[2 * n :]
    for k in range(n):
        y[k] += a[k] * b[k] + a1[k] * b1[k] + a2[k] * b2[k]


@compiled(EXACT)
def _add_window_row(row: Array, w: Array, width: int, left: int, distance: int, y: Array) -> None:
    """Add to ``y`` [channels] the products of a row of an image with a row of a window, both without axes."""
    channels = y.size
    taps = w.size // channels
    b = 0
    while b < taps:
        j = left + b * distance
        if distance == 1 and b + 3 <= taps and j >= 0 and j + 3 <= width:
            _add_three_products(row[j * channels : (j + 3) * channels], w[b * channels : (b + 3) * channels], y)
            b += 3
            continue
        if 0 <= j < width:
            _add_products(row[j * channels : (j + 1) * channels], w[b * channels : (b + 1) * channels], y)
        b += 1


@compiled(EXACT)
def depthwise(x: Array, w: Array, stride: Pair, before: Pair, dilation: Pair, y: Array) -> None:
    """Write to ``y`` [n, height, width, channels] the convolution of ``x`` with ``w`` [rows, columns, channels].

    ``before`` are the rows and columns of zeros before the images.
    """
    height, width, channels = x.shape[1:]
    taps = w.reshape(w.shape[0], w.shape[1] * channels)
    for n in range(y.shape[0]):
        image = x[n].reshape(height, width * channels)
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                pixel = y[n, i, j]
                pixel[:] = 0
                left = j * stride[1] - before[1]
                for a in range(w.shape[0]):
                    row = i * stride[0] + a * dilation[0] - before[0]
                    if 0 <= row < height:
                        _add_window_row(image[row], taps[a], width, left, dilation[1], pixel)


@compiled(EXACT)
def depthwise_weights(g: Array, x: Array, stride: Pair, before: Pair, dilation: Pair, dw: Array) -> None:
    """Write to ``dw`` [rows, columns, channels] the gradient of `depthwise` with respect to its weights."""
    height, width = x.shape[1:3]
    part, total = np.zeros(dw.shape, x.dtype), np.zeros(dw.shape)
    for n in range(g.shape[0]):
        for i in range(g.shape[1]):
            for a in range(dw.shape[0]):
                row = i * stride[0] + a * dilation[0] - before[0]
                if row < 0 or row >= height:
                    continue
                for j in range(g.shape[2]):
                    for b in range(dw.shape[1]):
                        column = j * stride[1] + b * dilation[1] - before[1]
                        if 0 <= column < width:
                            _add_products(x[n, row, column], g[n, i, j], part[a, b])
        # The products of one image are summed in their own dtype, the images in float64.
        total += part
        part[:] = 0
    dw[:] = total
