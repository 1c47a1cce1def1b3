"""Depthwise convolution in one pass; NumPy makes two passes per element of the window."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernel ``conv``, of images with one group per channel."""
    return [Kernel("conv", depthwise, dtypes=_REAL, when=served, fresh=True)]


def _sizes(x: Array, w: Array, stride: Shape, padding: Pairs, dilation: Shape) -> list[int]:
    windows = zip(x.shape[1:-1], w.shape[:-2], stride, padding, dilation, strict=True)
    return [(n + sum(pair) - (k - 1) * d - 1) // s + 1 for n, k, s, pair, d in windows]


def served(
    x: Array,
    w: Array,
    *,
    stride: Shape,
    padding: Pairs,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    groups: int,
    data_format: str,
) -> bool:
    """Whether the operands are large images in C order, with one group and one result per channel."""
    return bool(
        data_format == "channels_last"
        and x.ndim == w.ndim == 4
        and groups == x.shape[-1] == w.shape[-1] > 1
        and w.shape[-2] == 1
        and max(lhs_dilation) == 1
        and w.size * _TAPS <= x.size
        and x.size >= FEW
        and x.flags.carray
        and w.flags.carray
        and min(_sizes(x, w, stride, padding, rhs_dilation)) > 0
    )


_TAPS: Final = 4  # with windows as large as the images, as in gradients of weights, NumPy's sums are faster


def depthwise(
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
    sizes = _sizes(x, w, stride, padding, rhs_dilation)
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]), x.dtype)
    before = (int(padding[0][0]), int(padding[1][0]))
    loops().depthwise(x, w.reshape(*w.shape[:2], -1), tuple(stride), before, tuple(rhs_dilation), y)
    return y
