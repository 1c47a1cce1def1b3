"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Unpack

from ...ops.manipulation import reshape
from ...ops.nn import convolution_forms as forms
from ...ops.nn.geometry import Padding, PerAxis
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from .convolution import ConvolutionLayer
from .dense import positive
from .weights import Function, WeightOptions

__all__ = ["DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]

Shape = tuple[int | None, ...]


class DepthwiseConv2D(ConvolutionLayer):
    """A convolution of each channel by itself, see `polytape.nn.depthwise_conv2d`.

    Args:
        size: of the window, an int or one per axis.
        multiplier: the number of windows, and so of channels of the result, per channel.
        stride, padding, dilation, data_format, activation, use_bias, options: as for `Conv2D`.

    The input is floating[batch, height, width, channels], the result has ``channels * multiplier`` channels.

    Attributes:
        weight: [*size, channels, multiplier].
        bias: [channels * multiplier], or None.

    Raises:
        SettingError: ``multiplier`` is not a positive integer. ShapeError: at the call, as from
            `polytape.nn.depthwise_conv2d`.
    """

    rank = 2
    weight: Variable

    def __init__(
        self,
        size: PerAxis,
        stride: PerAxis = 1,
        padding: Padding = "valid",
        *,
        multiplier: int = 1,
        dilation: PerAxis = 1,
        activation: Function | str | None = None,
        use_bias: bool = True,
        data_format: str = "channels_last",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(size, stride, padding, dilation, activation, use_bias, data_format, options)
        self.multiplier = positive("multiplier", multiplier)

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        channels = self._channels(shape)
        self._make("weight", (*self.size, channels, self.multiplier), "glorot_uniform")
        if self.use_bias:
            self._make("bias", (channels * self.multiplier,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return self._finish(forms.depthwise_conv2d(x, self.weight, **self._arguments()))


class Separable(ConvolutionLayer):
    """A convolution of each channel by itself, then one that mixes the channels; base of `SeparableConv2D`.

    Args:
        filters: the number of channels of the result.
        size, stride, padding, dilation: of the first convolution.
        multiplier: the number of windows per channel of the first convolution.
        data_format, activation, use_bias, options: as for `Conv2D`.

    Attributes:
        depthwise_weight: [*size, channels, multiplier].
        pointwise_weight: [1, ..., channels * multiplier, filters].
        bias: [filters], or None.
    """

    depthwise_weight: Variable
    pointwise_weight: Variable

    def __init__(
        self,
        filters: int,
        size: PerAxis,
        stride: PerAxis = 1,
        padding: Padding = "valid",
        *,
        multiplier: int = 1,
        dilation: PerAxis = 1,
        activation: Function | str | None = None,
        use_bias: bool = True,
        data_format: str = "channels_last",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(size, stride, padding, dilation, activation, use_bias, data_format, options)
        self.filters, self.multiplier = positive("filters", filters), positive("multiplier", multiplier)

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        channels = self._channels(shape)
        self._make("depthwise_weight", (*self.size, channels, self.multiplier), "glorot_uniform")
        ones = (1,) * self.rank
        self._make("pointwise_weight", (*ones, channels * self.multiplier, self.filters), "glorot_uniform")
        if self.use_bias:
            self._make("bias", (self.filters,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        *window, channels, multiplier = self.depthwise_weight.shape
        depthwise = reshape(self.depthwise_weight, (*window, 1, channels * multiplier))
        y = forms.conv(
            x, depthwise, stride=self.stride, padding=self.padding, rhs_dilation=self.dilation, groups=channels,
            data_format=self.data_format,
        )  # fmt: skip
        return self._finish(forms.conv(y, self.pointwise_weight, data_format=self.data_format))


class SeparableConv1D(Separable):
    """A separable convolution over one axis; the arguments are those of `SeparableConv2D`.

    The input is floating[batch, size, channels].
    """

    rank = 1


class SeparableConv2D(Separable):
    """A convolution of each channel by itself, then one that mixes the channels, see `polytape.nn.separable_conv2d`.

    Args:
        filters: the number of channels of the result.
        size, stride, padding, dilation: of the first convolution.
        multiplier: the number of windows per channel of the first convolution.
        data_format, activation, use_bias, options: as for `Conv2D`.

    Attributes:
        depthwise_weight: [*size, channels, multiplier].
        pointwise_weight: [1, 1, channels * multiplier, filters].
        bias: [filters], or None.

    Raises:
        SettingError: a number is not a positive integer. ShapeError: at the call, as from `polytape.nn.conv2d`.
    Source:
        F. Chollet (2017), Xception, Proceedings of CVPR, arXiv:1610.02357.
    """

    rank = 2
