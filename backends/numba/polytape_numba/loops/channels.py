"""Batch normalization of the channels of ``x[n, channels, elements]``, and its gradient.

Where the channels are the last axis, there is one element, and the loops run along the channels.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE
from .sums import row_dot, row_squares, row_sum

__all__ = ["batch_norm", "batch_norm_gradient"]

Array = Any

_BLOCK: Final = 64  # rows summed in the array's own dtype; the sums of blocks are added in float64


# --- Sums per channel, for channels along the last axis ---


@register_jitable(**INLINE)
def _into(part: Array, total: Array) -> None:
    for j in range(part.size):
        total[j] += part[j]
        part[j] = 0


@register_jitable(**INLINE)
def _add_row(row: Array, part: Array) -> None:
    for j in range(part.size):
        part[j] += row[j]


@register_jitable(**INLINE)
def _add_squares(row: Array, centre: Array, part: Array) -> None:
    for j in range(part.size):
        distance = row[j] - centre[j]
        part[j] += distance * distance


@register_jitable(**INLINE)
def _add_products(g: Array, row: Array, centre: Array, part: Array) -> None:
    for j in range(part.size):
        part[j] += g[j] * (row[j] - centre[j])


@compiled(EXACT)
def _column_sums(x: Array, part: Array, total: Array) -> None:
    total[:] = 0
    for start in range(0, x.shape[0], _BLOCK):
        for k in range(start, min(x.shape[0], start + _BLOCK)):
            _add_row(x[k], part)
        _into(part, total)


@compiled(EXACT)
def _column_squares(x: Array, centre: Array, part: Array, total: Array) -> None:
    total[:] = 0
    for start in range(0, x.shape[0], _BLOCK):
        for k in range(start, min(x.shape[0], start + _BLOCK)):
            _add_squares(x[k], centre, part)
        _into(part, total)


@compiled(EXACT)
def _column_products(g: Array, x: Array, centre: Array, part: Array, total: Array) -> None:
    total[:] = 0
    for start in range(0, x.shape[0], _BLOCK):
        for k in range(start, min(x.shape[0], start + _BLOCK)):
            _add_products(g[k], x[k], centre, part)
        _into(part, total)


# --- Statistics ---


@compiled(EXACT)
def _statistics(x: Array, centre: Array, total: Array) -> None:
    """Write the mean of each channel to ``centre``, and the sum of the squared distances from it to ``total``."""
    count, channels, size = x.shape
    if size == 1:
        rows, part = x.reshape(count, channels), np.zeros(channels, x.dtype)
        _column_sums(rows, part, total)
        for j in range(channels):
            centre[j] = total[j] / count
        _column_squares(rows, centre, part, total)
        return
    for j in range(channels):
        total[j] = 0
        for i in range(count):
            total[j] += row_sum(x[i, j])
        centre[j] = total[j] / (count * size)
        total[j] = 0
        for i in range(count):
            total[j] += row_squares(x[i, j], centre[j])


# --- The normalization ---


@compiled(INLINE)
def _write_line(row: Array, centre: Array, factor: Array, bias: Array, y: Array) -> None:
    for j in range(y.size):
        y[j] = (row[j] - centre[j]) * factor[j] + bias[j]


@compiled(INLINE)
def _write_channel(row: Array, centre: Any, factor: Any, bias: Any, y: Array) -> None:
    for j in range(y.size):
        y[j] = (row[j] - centre) * factor + bias


@compiled(EXACT)
def batch_norm(
    x: Array, mean: Array, variance: Array, weight: Array, bias: Array, momentum: float, epsilon: float,
    y: Array, new_mean: Array, new_variance: Array,
) -> None:  # fmt: skip
    """Write the normalized batch to ``y``, and the moving averages with its statistics added."""
    count, channels, size = x.shape
    n = count * size
    centre, factor = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    total = np.empty(channels, np.float64)
    _statistics(x, centre, total)
    for j in range(channels):
        factor[j] = weight[j] / math.sqrt(total[j] / n + epsilon)
        new_mean[j] = mean[j] * momentum + centre[j] * (1.0 - momentum)
        new_variance[j] = variance[j] * momentum + total[j] / max(n - 1, 1) * (1.0 - momentum)
    for i in range(count):
        if size == 1:
            _write_line(x[i].reshape(channels), centre, factor, bias, y[i].reshape(channels))
        else:
            for j in range(channels):
                _write_channel(x[i, j], centre[j], factor[j], bias[j], y[i, j])


# --- The gradient: (g - mean(g) - normalized x * mean(g * normalized x)) * factor ---


@compiled(INLINE)
def _write_line_back(g: Array, row: Array, centre: Array, slope: Array, mean: Array, factor: Array, dx: Array) -> None:
    for j in range(dx.size):
        dx[j] = (g[j] - mean[j] - (row[j] - centre[j]) * slope[j]) * factor[j]


@compiled(INLINE)
def _write_channel_back(g: Array, row: Array, centre: Any, slope: Any, mean: Any, factor: Any, dx: Array) -> None:
    for j in range(dx.size):
        dx[j] = (g[j] - mean - (row[j] - centre) * slope) * factor


@compiled(EXACT)
def _sums_back(g: Array, x: Array, centre: Array, total: Array, products: Array) -> None:
    """Write the sums of ``g`` and of ``g * (x - centre)`` of each channel."""
    count, channels, size = x.shape
    if size == 1:
        part = np.zeros(channels, x.dtype)
        _column_sums(g.reshape(count, channels), part, total)
        _column_products(g.reshape(count, channels), x.reshape(count, channels), centre, part, products)
        return
    distance = np.empty(size, x.dtype)
    for j in range(channels):
        total[j] = 0
        products[j] = 0
        for i in range(count):
            for k in range(size):
                distance[k] = x[i, j, k] - centre[j]
            total[j] += row_sum(g[i, j])
            products[j] += row_dot(g[i, j], distance)


@compiled(EXACT)
def batch_norm_gradient(
    g: Array, x: Array, weight: Array, epsilon: float, dx: Array, dweight: Array, dbias: Array
) -> None:
    """Write the gradients of `batch_norm` with respect to ``x``, the weight and the bias."""
    count, channels, size = x.shape
    n = count * size
    centre, factor, slope = np.empty(channels, x.dtype), np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    mean = np.empty(channels, x.dtype)
    spread, total, products = np.empty(channels), np.empty(channels), np.empty(channels)
    _statistics(x, centre, spread)
    _sums_back(g, x, centre, total, products)
    for j in range(channels):
        scale = 1.0 / math.sqrt(spread[j] / n + epsilon)
        dweight[j] = products[j] * scale
        dbias[j] = total[j]
        mean[j] = total[j] / n
        slope[j] = products[j] / n * (scale * scale)
        factor[j] = weight[j] * scale
    for i in range(count):
        if size == 1:
            line = dx[i].reshape(channels)
            _write_line_back(g[i].reshape(channels), x[i].reshape(channels), centre, slope, mean, factor, line)
        else:
            for j in range(channels):
                _write_channel_back(g[i, j], x[i, j], centre[j], slope[j], mean[j], factor[j], dx[i, j])
