"""The gradients of the weights of convolutions of each channel by itself; NumPy's products serve the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytape.backend import Kernel

from ..compiled import FEW, loops
from ..universal import REAL, Fn, numpy_kernels
from .convolution import output_sizes

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def kernels() -> list[Kernel]:
    """The kernel ``conv_weight_gradient``."""
    fn = _conv_weight_gradient(numpy_kernels("nn.convolution_gradients")["conv_weight_gradient"])
    return [Kernel("conv_weight_gradient", fn, dtypes=REAL, fresh=True)]


def _conv_weight_gradient(otherwise: Fn) -> Fn:
    def conv_weight_gradient(
        incoming: Array,
        x: Array,
        *,
        window: Shape,
        stride: Shape,
        padding: Pairs,
        lhs_dilation: Shape,
        rhs_dilation: Shape,
        groups: int,
        data_format: str,
    ) -> Array:
        sizes = None
        if data_format == "channels_last" and groups > 1 and x.size >= FEW and x.ndim == incoming.ndim == 4:
            w = (*window, x.shape[3] // groups, incoming.shape[3])
            sizes = output_sizes(x.shape, w, stride, padding, lhs_dilation, rhs_dilation, groups)
        if sizes is None or incoming.shape[:3] != (x.shape[0], *sizes) or not incoming.size:
            return otherwise(
                incoming, x, window=window, stride=stride, padding=padding, lhs_dilation=lhs_dilation,
                rhs_dilation=rhs_dilation, groups=groups, data_format=data_format,
            )  # fmt: skip
        g, x = np.ascontiguousarray(incoming), np.ascontiguousarray(x)
        dw = np.empty((*window, groups), x.dtype)
        loops().depthwise_weights(g, x, stride, (padding[0][0], padding[1][0]), rhs_dilation, dw)
        return dw.reshape(w)

    return conv_weight_gradient
