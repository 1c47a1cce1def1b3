"""Normalizations of the rows of a matrix and their gradients; each row stays in the cache."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..cache import compiled
from .functions import EXACT, INLINE
from .sums import row_dot, row_squares, row_sum

__all__ = ["layer_norm", "layer_norm_gradient", "layer_norm_gradients", "rms_norm", "rms_norm_gradient"]

Array = Any

_BLOCK: Final = 64  # rows whose gradients are summed in their own dtype; the sums of blocks are added in float64


@compiled(INLINE)
def _write_scaled(row: Array, centre: Any, factor: Any, weight: Array, bias: Array, y: Array) -> None:
    """Write ``(row - centre) * factor * weight + bias``; a weight or bias without elements is left out."""
    if weight.size and bias.size:
        for j in range(row.size):
            y[j] = (row[j] - centre) * factor * weight[j] + bias[j]
        return
    for j in range(row.size):
        y[j] = (row[j] - centre) * factor
    if weight.size:
        for j in range(row.size):
            y[j] *= weight[j]
    if bias.size:
        for j in range(row.size):
            y[j] += bias[j]


@compiled(EXACT)
def layer_norm(x: Array, weight: Array, bias: Array, epsilon: float, y: Array) -> None:
    """Write ``(x - mean) / sqrt(variance + epsilon) * weight + bias`` of each row."""
    real, n = x.dtype.type, x.shape[1]
    for i in range(x.shape[0]):
        centre = real(row_sum(x[i]) / n)
        factor = real(1.0 / math.sqrt(row_squares(x[i], centre) / n + epsilon))
        _write_scaled(x[i], centre, factor, weight, bias, y[i])


@compiled(EXACT)
def rms_norm(x: Array, weight: Array, epsilon: float, y: Array) -> None:
    """Write ``x / sqrt(mean(x * x) + epsilon) * weight`` of each row."""
    real, n = x.dtype.type, x.shape[1]
    for i in range(x.shape[0]):
        factor = real(1.0 / math.sqrt(row_dot(x[i], x[i]) / n + epsilon))
        _write_scaled(x[i], real(0.0), factor, weight, weight[:0], y[i])


@compiled(INLINE)
def _write_gradient(g: Array, row: Array, centre: Any, factor: Any, mean_g: Any, mean_gy: Any, y: Array) -> None:
    for j in range(row.size):
        y[j] = (g[j] - mean_g - (row[j] - centre) * factor * mean_gy) * factor


@compiled(EXACT)
def layer_norm_gradient(g: Array, x: Array, epsilon: float, y: Array) -> None:
    """Write the gradient of `layer_norm` without weight and bias."""
    real, n = x.dtype.type, x.shape[1]
    for i in range(x.shape[0]):
        centre = real(row_sum(x[i]) / n)
        factor = 1.0 / math.sqrt(row_squares(x[i], centre) / n + epsilon)
        for j in range(n):
            y[i, j] = x[i, j] - centre
        mean_gy = row_dot(g[i], y[i]) * factor / n
        _write_gradient(g[i], x[i], centre, real(factor), real(row_sum(g[i]) / n), real(mean_gy), y[i])


@compiled(INLINE)
def _write_gradients(
    g: Array, weight: Array, centre: Any, factor: Any, mean: Any, slope: Any, y: Array, products: Array, sums: Array
) -> None:
    """Add ``g * normalized`` to the products and ``g`` to the sums; ``y``, the distances, become the gradient."""
    for j in range(g.size):
        products[j] += g[j] * (y[j] * factor)
        sums[j] += g[j]
        y[j] = (g[j] * weight[j] - mean - y[j] * slope) * factor


@compiled(EXACT)
def layer_norm_gradients(
    g: Array, x: Array, weight: Array, epsilon: float, dx: Array, dweight: Array, dbias: Array
) -> None:
    """Write the gradients of `layer_norm` with respect to ``x``, the weight and the bias."""
    real, n = x.dtype.type, x.shape[1]
    products, sums, scaled = np.zeros(n, x.dtype), np.zeros(n, x.dtype), np.empty(n, x.dtype)
    all_products, all_sums = np.zeros(n), np.zeros(n)
    for i in range(x.shape[0]):
        centre = real(row_sum(x[i]) / n)
        factor = 1.0 / math.sqrt(row_squares(x[i], centre) / n + epsilon)
        for j in range(n):
            dx[i, j] = x[i, j] - centre
            scaled[j] = g[i, j] * weight[j]
        mean, slope = real(row_sum(scaled) / n), real(row_dot(scaled, dx[i]) / n * (factor * factor))
        _write_gradients(g[i], weight, centre, real(factor), mean, slope, dx[i], products, sums)
        if i % _BLOCK == _BLOCK - 1 or i == x.shape[0] - 1:
            for j in range(n):
                all_products[j] += products[j]
                all_sums[j] += sums[j]
                products[j], sums[j] = real(0.0), real(0.0)
    for j in range(n):
        dweight[j], dbias[j] = all_products[j], all_sums[j]


@compiled(EXACT)
def rms_norm_gradient(g: Array, x: Array, epsilon: float, y: Array) -> None:
    """Write the gradient of `rms_norm` without weight."""
    real, n = x.dtype.type, x.shape[1]
    for i in range(x.shape[0]):
        factor = 1.0 / math.sqrt(row_dot(x[i], x[i]) / n + epsilon)
        mean_gy = row_dot(g[i], x[i]) * factor / n
        _write_gradient(g[i], x[i], real(0.0), real(factor), real(0.0), real(mean_gy), y[i])
