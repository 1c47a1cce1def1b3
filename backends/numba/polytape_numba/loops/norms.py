"""Normalizations of the rows of a matrix and their gradients; each row stays in the cache."""

from __future__ import annotations

import math
from typing import Any

from ..cache import compiled
from .functions import EXACT
from .sums import row_dot, row_squares, row_sum

__all__ = ["layer_norm", "layer_norm_gradient", "rms_norm", "rms_norm_gradient"]

Array = Any


@compiled(EXACT)
def _write_scaled(row: Array, centre: Any, factor: Any, weight: Array, bias: Array, y: Array) -> None:
    """Write ``(row - centre) * factor * weight + bias``; a weight or bias without elements is left out."""
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


@compiled(EXACT)
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


@compiled(EXACT)
def rms_norm_gradient(g: Array, x: Array, epsilon: float, y: Array) -> None:
    """Write the gradient of `rms_norm` without weight."""
    real, n = x.dtype.type, x.shape[1]
    for i in range(x.shape[0]):
        factor = 1.0 / math.sqrt(row_dot(x[i], x[i]) / n + epsilon)
        mean_gy = row_dot(g[i], x[i]) * factor / n
        _write_gradient(g[i], x[i], real(0.0), real(factor), real(0.0), real(mean_gy), y[i])
