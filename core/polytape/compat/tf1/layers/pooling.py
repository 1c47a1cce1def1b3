"""Pools."""

from __future__ import annotations

from typing import Any, ClassVar

from ....nn.layers import pooling
from .base import Layer
from .native import Native
from .specs import InputSpec

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pool(Native, pooling.Pool):
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        **kwargs: Any,
    ) -> None:
        Layer.__init__(self, **kwargs)
        pooling.Pool.__init__(self, pool_size, strides, padding.lower(), data_format=data_format or "channels_last")
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _GlobalPool(Native, pooling.GlobalPool):
    rank: ClassVar[int]

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        Layer.__init__(self, **kwargs)
        pooling.GlobalPool.__init__(self, data_format=data_format or "channels_last")
        self.input_spec = InputSpec(ndim=self.rank + 2)


class MaxPooling1D(_Pool, pooling.MaxPool1D):
    """The largest element of each window, over one axis; the arguments are those of `MaxPooling2D`."""


class MaxPooling2D(_Pool, pooling.MaxPool2D):
    """The largest element of each window, over two axes.

    Args:
        pool_size: of a window, an int or one per axis.
        strides: the distance between windows; default: ``pool_size``.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        kwargs: those of `Layer`.
    """


class MaxPooling3D(_Pool, pooling.MaxPool3D):
    """The largest element of each window, over three axes; the arguments are those of `MaxPooling2D`."""


class AveragePooling1D(_Pool, pooling.AvgPool1D):
    """The mean of each window, over one axis; the arguments are those of `MaxPooling2D`."""


class AveragePooling2D(_Pool, pooling.AvgPool2D):
    """The mean of each window, over two axes; the arguments are those of `MaxPooling2D`."""


class AveragePooling3D(_Pool, pooling.AvgPool3D):
    """The mean of each window, over three axes; the arguments are those of `MaxPooling2D`."""


class GlobalMaxPooling1D(_GlobalPool, pooling.GlobalMaxPool1D):
    """The largest element of each channel, over one axis; the argument is ``data_format``."""


class GlobalMaxPooling2D(_GlobalPool, pooling.GlobalMaxPool2D):
    """The largest element of each channel, over two axes; the argument is ``data_format``."""


class GlobalMaxPooling3D(_GlobalPool, pooling.GlobalMaxPool3D):
    """The largest element of each channel, over three axes; the argument is ``data_format``."""


class GlobalAveragePooling1D(_GlobalPool, pooling.GlobalAvgPool1D):
    """The mean of each channel, over one axis; the argument is ``data_format``."""


class GlobalAveragePooling2D(_GlobalPool, pooling.GlobalAvgPool2D):
    """The mean of each channel, over two axes; the argument is ``data_format``."""


class GlobalAveragePooling3D(_GlobalPool, pooling.GlobalAvgPool3D):
    """The mean of each channel, over three axes; the argument is ``data_format``."""
