"""Convolutions of each channel by itself; those of all channels are products, which numba does no better than NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops
from ..universal import REAL, Fn, numpy_kernels

__all__ = ["kernels", "output_sizes"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

_TAPS: Final = 4  # elements of the images per element of the weights


def kernels() -> list[Kernel]:
    """The kernel ``conv``."""
    return [Kernel("conv", _conv(numpy_kernels("nn.convolution")["conv"]), dtypes=REAL, fresh=True)]


@lru_cache(maxsize=256)
def output_sizes(
    x: Shape, w: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape, rhs_dilation: Shape, groups: int
) -> tuple[int, int] | None:
    """The sizes of a convolution of images with one channel in and out per group; otherwise None."""
    if len(x) != 4 or len(w) != 4 or max(lhs_dilation) > 1 or w[2] != 1:
        return None
    if groups != x[3] or w[3] != groups or 0 in x or 0 in w:
        return None
    windows = zip(x[1:3], w[:2], stride, padding, rhs_dilation, strict=True)
    height, width = [(n + sum(pair) - (k - 1) * d - 1) // s + 1 for n, k, s, pair, d in windows]
    return (height, width) if min(height, width) > 0 else None


def _conv(otherwise: Fn) -> Fn:
    def conv(
        x: Array,
        w: Array,
        *,
        stride: Shape,
        padding: Pairs,
        lhs_dilation: Shape,
        rhs_dilation: Shape,
        groups: int,
        data_format: str,
    ) -> Array:
        sizes = None
        # With windows as large as the images, NumPy's sums are faster.
        if data_format == "channels_last" and groups > 1 and FEW <= w.size * _TAPS <= x.size:
            sizes = output_sizes(x.shape, w.shape, stride, padding, lhs_dilation, rhs_dilation, groups)
        if sizes is None:
            return otherwise(
                x, w, stride=stride, padding=padding, lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation,
                groups=groups, data_format=data_format,
            )  # fmt: skip
        x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
        before = (padding[0][0], padding[1][0])
        y = np.empty((x.shape[0], *sizes, x.shape[3]), x.dtype)
        loops().depthwise(x, w.reshape(*w.shape[:2], -1), stride, before, rhs_dilation, y)
        return y

    return conv
