"""Pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ...errors import ShapeError
from ...ops.nn import pooling, pooling_forms
from ...ops.nn.geometry import Padding, PerAxis, tensors
from ...tensors.tensor import Tensor, TensorLike
from ..modules import Module

__all__ = [
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
]


def of_rank(layer: object, x: TensorLike, rank: int) -> Tensor:
    """``x`` as a tensor with ``rank`` axes beside those of the batch and the channels.

    Raises:
        ShapeError: it has another number of axes.
    """
    (x,) = tensors(x)
    if x.ndim != rank + 2:
        raise ShapeError(
            f"{type(layer).__name__} takes a batch of {rank}-dimensional data.",
            expected=f"an input of rank {rank + 2}, with axes for the batch and the channels",
            got=f"shape {x.shape}",
            fix="use the layer for another number of axes, or insert the missing axes of size 1",
        )
    return x


class Pool(Module):
    """A pool over `rank` axes; base of `MaxPool2D`, `AvgPool2D`, and so on.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.max_pool`.
    """

    rank: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        size: PerAxis = 2,
        stride: PerAxis | None = None,
        padding: Padding = "valid",
        *,
        data_format: str = "channels_last",
    ) -> None:
        self.size, self.stride, self.padding, self.data_format = size, stride, padding, data_format

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = of_rank(self, x, self.rank)
        arguments: dict[str, Any] = {
            "stride": self.stride, "padding": self.padding, "data_format": self.data_format
        }  # fmt: skip
        return self.function(x, self.size, **arguments)


class GlobalPool(Module):
    """A pool of all elements of each channel; base of `GlobalMaxPool2D`, `GlobalAvgPool2D`, and so on.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: as for `polytape.nn.global_max_pool`.
    """

    rank: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, *, keepdims: bool = False, data_format: str = "channels_last") -> None:
        self.keepdims, self.data_format = keepdims, data_format

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = of_rank(self, x, self.rank)
        return self.function(x, keepdims=self.keepdims, data_format=self.data_format)


class MaxPool1D(Pool):
    """The largest element of each window, over one axis; see `polytape.nn.max_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.max_pool`.

    The input is real[batch, size, channels].
    """

    rank = 1
    function = staticmethod(pooling.max_pool)


class AvgPool1D(Pool):
    """The mean of each window, over one axis; see `polytape.nn.avg_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.avg_pool`; padding does not count.

    The input is floating[batch, size, channels].
    """

    rank = 1
    function = staticmethod(pooling.avg_pool)


class GlobalMaxPool1D(GlobalPool):
    """The largest element of each channel, over one axis; see `polytape.nn.global_max_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is real[batch, size, channels], the result [batch, channels].
    """

    rank = 1
    function = staticmethod(pooling_forms.global_max_pool)


class GlobalAvgPool1D(GlobalPool):
    """The mean of each channel, over one axis; see `polytape.nn.global_avg_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is floating[batch, size, channels], the result [batch, channels].
    """

    rank = 1
    function = staticmethod(pooling_forms.global_avg_pool)


class MaxPool2D(Pool):
    """The largest element of each window, over two axes; see `polytape.nn.max_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.max_pool`.

    The input is real[batch, height, width, channels].
    """

    rank = 2
    function = staticmethod(pooling.max_pool)


class AvgPool2D(Pool):
    """The mean of each window, over two axes; see `polytape.nn.avg_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.avg_pool`; padding does not count.

    The input is floating[batch, height, width, channels].
    """

    rank = 2
    function = staticmethod(pooling.avg_pool)


class GlobalMaxPool2D(GlobalPool):
    """The largest element of each channel, over two axes; see `polytape.nn.global_max_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is real[batch, height, width, channels], the result [batch, channels].
    """

    rank = 2
    function = staticmethod(pooling_forms.global_max_pool)


class GlobalAvgPool2D(GlobalPool):
    """The mean of each channel, over two axes; see `polytape.nn.global_avg_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is floating[batch, height, width, channels], the result [batch, channels].
    """

    rank = 2
    function = staticmethod(pooling_forms.global_avg_pool)


class MaxPool3D(Pool):
    """The largest element of each window, over three axes; see `polytape.nn.max_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.max_pool`.

    The input is real[batch, depth, height, width, channels].
    """

    rank = 3
    function = staticmethod(pooling.max_pool)


class AvgPool3D(Pool):
    """The mean of each window, over three axes; see `polytape.nn.avg_pool`.

    Args:
        size: of a window, an int or one per axis.
        stride: the distance between windows; default: ``size``.
        padding, data_format: as for `polytape.nn.avg_pool`; padding does not count.

    The input is floating[batch, depth, height, width, channels].
    """

    rank = 3
    function = staticmethod(pooling.avg_pool)


class GlobalMaxPool3D(GlobalPool):
    """The largest element of each channel, over three axes; see `polytape.nn.global_max_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is real[batch, depth, height, width, channels], the result [batch, channels].
    """

    rank = 3
    function = staticmethod(pooling_forms.global_max_pool)


class GlobalAvgPool3D(GlobalPool):
    """The mean of each channel, over three axes; see `polytape.nn.global_avg_pool`.

    Args:
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    The input is floating[batch, depth, height, width, channels], the result [batch, channels].
    """

    rank = 3
    function = staticmethod(pooling_forms.global_avg_pool)
