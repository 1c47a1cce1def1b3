"""The gradients of normalizations with a weight, with respect to all operands at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, two_vectors
from ..universal import REAL, Fn, numpy_kernels
from .norms import as_channels, filled

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...]
Three = tuple[Array, Array, Array]


def kernels() -> list[Kernel]:
    """The kernels of the gradients."""
    few = numpy_kernels("nn.norm_gradients")
    batch, layer = _batch_norm_gradient(few["batch_norm_gradient"]), _layer_norm_gradients(few["layer_norm_gradients"])
    return [
        Kernel("batch_norm_gradient", batch, dtypes=REAL, fresh=True),
        Kernel("layer_norm_gradients", layer, dtypes=REAL, fresh=True),
    ]


def _layer_norm_gradients(otherwise: Fn) -> Fn:
    def layer_norm_gradients(
        incoming: Array, x: Array, weight: Array, *, axis: Axis = -1, epsilon: float = 1e-5
    ) -> Three:
        along = weight.shape == x.shape[-1:] and weight.flags.carray
        if not (along and contiguous_rows(x, axis) and two_vectors(incoming, x)):
            results: Three = otherwise(incoming, x, weight, axis=axis, epsilon=epsilon)
            return results
        n, dtype = x.shape[-1], x.dtype
        dx, dweight, dbias = np.empty(x.shape, dtype), np.empty(n, dtype), np.empty(n, dtype)
        g, rows = incoming.reshape(-1, n), x.reshape(-1, n)
        loops().layer_norm_gradients(g, rows, weight, float(epsilon), dx.reshape(-1, n), dweight, dbias)
        return dx, dweight, dbias

    return layer_norm_gradients


def _batch_norm_gradient(otherwise: Fn) -> Fn:
    def batch_norm_gradient(
        incoming: Array, x: Array, weight: Array | None = None, *, axis: int = -1, epsilon: float = 1e-3
    ) -> Three:
        shape = as_channels(x, axis, weight) if two_vectors(incoming, x) else None
        if shape is None:
            results: Three = otherwise(incoming, x, weight, axis=axis, epsilon=epsilon)
            return results
        count, dtype = shape[1], x.dtype
        dx, dweight, dbias = np.empty(x.shape, dtype), np.empty(count, dtype), np.empty(count, dtype)
        scale = filled(1.0, count, dtype.char) if weight is None else weight
        g, parts = incoming.reshape(shape), x.reshape(shape)
        loops().batch_norm_gradient(g, parts, scale, float(epsilon), dx.reshape(shape), dweight, dbias)
        return dx, dweight, dbias

    return batch_norm_gradient
