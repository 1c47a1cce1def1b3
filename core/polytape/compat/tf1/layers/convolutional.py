"""Convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ....nn.layers import convolution, separable
from ....ops.manipulation import reshape
from ....tensors.tensor import Tensor
from .base import Layer
from .graph_calls import Linear
from .native import Native, alias, options_of
from .specs import InputSpec

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "SeparableConv1D",
    "SeparableConv2D",
]

_SEPARABLE: Final = {
    f"{part}_{kind}": f"{part}_{kind}"
    for part in ("depthwise", "pointwise", "bias")
    for kind in ("initializer", "regularizer", "constraint")
}


class _Convolution(Native):
    rank: ClassVar[int]
    data_format: str
    bias: Any
    kernel = alias("weight")

    def _begin(self, kwargs: dict[str, Any]) -> None:
        Layer.__init__(self, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def biased(self, y: Any) -> Tensor:
        """``y + bias``, along the channels."""
        last = self.data_format == "channels_last"
        shifted: Tensor = y + (self.bias if last else reshape(self.bias, (-1, *(1,) * self.rank)))
        return shifted


class _Conv(_Convolution, convolution.Conv, Linear):
    """A convolution; see `polytape.nn.Conv2D`.

    Args:
        filters: the number of channels of the result.
        kernel_size: of the window, an int or one per axis.
        strides: the distance between windows.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance between the elements of a window.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        kwargs: as for `Dense`.

    Attributes:
        kernel: [*kernel_size, channels, filters].
        bias: [filters], or None.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        options = options_of(kwargs)
        self._begin(kwargs)
        convolution.Conv.__init__(
            self, filters, kernel_size, strides, padding.lower(), dilation=dilation_rate,
            activation=activations.get(activation), use_bias=use_bias, data_format=data_format or "channels_last",
            **options,
        )  # fmt: skip

    def product(self, x: Any) -> Tensor:
        """The convolution of ``x`` with the kernel."""
        y: Tensor = self.function(x, self.weight, groups=self.groups, **self._arguments())
        return y


class Conv1D(_Conv, convolution.Conv1D):
    """A convolution over one axis; the arguments are those of `Conv2D`."""


class Conv2D(_Conv, convolution.Conv2D):
    """A convolution over two axes.

    Args:
        filters: the number of channels of the result.
        kernel_size: of the window, an int or one per axis.
        strides: the distance between windows.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance between the elements of a window.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        kwargs: as for `Dense`.
    """


class Conv3D(_Conv, convolution.Conv3D):
    """A convolution over three axes; the arguments are those of `Conv2D`."""


class _ConvTranspose(_Convolution, convolution.ConvTranspose, Linear):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        options = options_of(kwargs)
        self._begin(kwargs)
        sizes, steps = _per_axis(kernel_size, self.rank), _per_axis(strides, self.rank)
        # TensorFlow's result has stride * size elements where windows leave gaps.
        gaps = tuple(max(step - size, 0) for size, step in zip(sizes, steps, strict=True))
        convolution.ConvTranspose.__init__(
            self, filters, kernel_size, strides, padding.lower(), activation=activations.get(activation),
            output_padding=gaps if padding.lower() == "valid" else 0, use_bias=use_bias,
            data_format=data_format or "channels_last", **options,
        )  # fmt: skip

    def product(self, x: Any) -> Tensor:
        """The transposed convolution of ``x`` with the kernel."""
        more: dict[str, Any] = {"groups": self.groups, "output_padding": self.output_padding, **self._arguments()}
        y: Tensor = self.function(x, self.weight, **more)
        return y


class Conv2DTranspose(_ConvTranspose, convolution.Conv2DTranspose):
    """The transpose of `Conv2D`.

    Args:
        filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs: as for `Conv2D`.

    Attributes:
        kernel: [*kernel_size, filters, channels].
    """


class Conv3DTranspose(_ConvTranspose, convolution.Conv3DTranspose):
    """The transpose of `Conv3D`; the arguments are those of `Conv2DTranspose`."""


class _Separable(_Convolution, separable.Separable):
    tf_names: ClassVar[Mapping[str, str]] = {
        "depthwise_weight": "depthwise_kernel",
        "pointwise_weight": "pointwise_kernel",
    }
    depthwise_kernel = alias("depthwise_weight")
    pointwise_kernel = alias("pointwise_weight")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        self._parts = options_of(kwargs, _SEPARABLE)
        self._begin(kwargs)
        separable.Separable.__init__(
            self, filters, kernel_size, strides, padding.lower(), multiplier=depth_multiplier, dilation=dilation_rate,
            activation=activations.get(activation), use_bias=use_bias, data_format=data_format or "channels_last",
        )  # fmt: skip

    def _make(self, name: str, shape: tuple[int, ...], initializer: Any, *, wrap: Any = None) -> Any:
        part = name.removesuffix("_weight")
        return self.add_weight(
            name, shape, self._parts.get(f"{part}_initializer", initializer),
            regularizer=self._parts.get(f"{part}_regularizer"), constraint=self._parts.get(f"{part}_constraint"),
        )  # fmt: skip


class SeparableConv1D(_Separable, separable.SeparableConv1D):
    """A separable convolution over one axis; the arguments are those of `SeparableConv2D`."""


class SeparableConv2D(_Separable, separable.SeparableConv2D):
    """A convolution of each channel by itself, then one that mixes the channels.

    Args:
        filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv2D`.
        depth_multiplier: the number of windows per channel of the first convolution.
        kwargs: as for `Dense`, with ``depthwise_`` and ``pointwise_`` in the place of ``kernel_``.
    """


def _per_axis(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
