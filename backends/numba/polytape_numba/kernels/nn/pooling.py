"""Maxima of windows of images, and their gradient: one pass over memory instead of one per element of a window."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops
from ..universal import REAL, Fn, numpy_kernels

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def kernels() -> list[Kernel]:
    """The kernels ``max_pool`` and ``max_pool_gradient``."""
    few = numpy_kernels("nn.pooling")
    return [
        Kernel("max_pool", _max_pool(few["max_pool"]), dtypes=REAL, fresh=True),
        Kernel("max_pool_gradient", _max_pool_gradient(few["max_pool_gradient"]), dtypes=REAL, fresh=True),
    ]


@lru_cache(maxsize=256)
def _result_shape(shape: Shape, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Any:
    """The shape of a pool of images with the channels last; None for other pools."""
    if len(shape) != 4 or axes != (1, 2) or min(*padding[0], *padding[1]) < 0:
        return None
    windows = zip(shape[1:3], size, stride, padding, dilation, strict=True)
    height, width = [(n + sum(pair) - (k - 1) * d - 1) // s + 1 for n, k, s, pair, d in windows]
    return (shape[0], height, width, shape[3]) if min(height, width) > 0 else None


def _max_pool(otherwise: Fn) -> Fn:
    def max_pool(x: Array, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Array:
        shape = _result_shape(x.shape, size, stride, padding, dilation, axes) if x.size >= FEW else None
        if shape is None or not x.flags.carray:
            return otherwise(x, size=size, stride=stride, padding=padding, dilation=dilation, axes=axes)
        y = np.empty(shape, x.dtype)
        loops().max_pool(x, size, stride, (padding[0][0], padding[1][0]), dilation, y)
        return y

    return max_pool


def _max_pool_gradient(otherwise: Fn) -> Fn:
    def max_pool_gradient(
        incoming: Array,
        x: Array,
        result: Array,
        *,
        size: Shape,
        stride: Shape,
        padding: Pairs,
        dilation: Shape,
        axes: Shape,
    ) -> Array:
        shape = _result_shape(x.shape, size, stride, padding, dilation, axes) if x.size >= FEW else None
        served = incoming.shape == result.shape == shape and x.flags.carray and result.flags.carray
        if not served or not incoming.flags.carray:
            return otherwise(
                incoming, x, result, size=size, stride=stride, padding=padding, dilation=dilation, axes=axes
            )
        y, before = np.zeros(x.shape, x.dtype), (padding[0][0], padding[1][0])
        loops().max_pool_gradient(incoming, x, result, size, stride, before, dilation, y)
        return y

    return max_pool_gradient
