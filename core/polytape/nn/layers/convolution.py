"""Convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from ...errors import ShapeError
from ...ops.manipulation import reshape
from ...ops.nn import convolution_forms as forms
from ...ops.nn.geometry import Padding, PerAxis, per_axis
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from ..initializers import Transposed
from .dense import features, positive
from .weights import Function, WeightLayer, WeightOptions, activation_of

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
]

Shape = tuple[int | None, ...]


class ConvolutionLayer(WeightLayer):
    """What the convolutions share: the arguments, and what follows the convolution."""

    rank: ClassVar[int]
    bias: Variable | None = None

    def __init__(
        self,
        size: PerAxis,
        stride: PerAxis,
        padding: Padding,
        dilation: PerAxis,
        activation: Function | str | None,
        use_bias: bool,
        data_format: str,
        options: WeightOptions,
    ) -> None:
        super().__init__(options)
        self.size = per_axis("size", size, self.rank)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.activation = activation_of(activation)
        self.use_bias, self.data_format = use_bias, data_format

    def _channels(self, shape: Shape) -> int:
        if len(shape) != self.rank + 2:
            raise ShapeError(
                f"{type(self).__name__} takes a batch of {self.rank}-dimensional data.",
                expected=f"an input of rank {self.rank + 2}, with axes for the batch and the channels",
                got=f"shape {shape}",
                fix="insert the missing axes of size 1",
            )
        return features(self, shape, -1 if self.data_format == "channels_last" else 1)

    def _arguments(self) -> dict[str, Any]:
        return {
            "stride": self.stride, "padding": self.padding, "dilation": self.dilation, "data_format": self.data_format
        }  # fmt: skip

    def _finish(self, y: Tensor) -> Tensor:
        """The bias and the activation."""
        if self.bias is not None:
            last = self.data_format == "channels_last"
            y = y + (self.bias if last else reshape(self.bias, (-1, *(1,) * self.rank)))
        return y if self.activation is None else self.activation(y)


class Conv(ConvolutionLayer):
    """A convolution over `rank` axes, see `polytape.nn.conv`; base of `Conv1D`, `Conv2D` and `Conv3D`.

    Args:
        filters: the number of channels of the result.
        size: of the window, an int or one per axis.
        stride, padding, dilation, groups, data_format: as for `polytape.nn.conv`, of which ``dilation`` is
            ``rhs_dilation``.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        options: as for `Dense`.

    The input is floating[batch, *sizes, channels], the result floating[batch, *windows, filters]; with
    ``data_format="channels_first"`` the channels are axis 1.

    Attributes:
        weight: [*size, channels / groups, filters].
        bias: [filters], or None.

    Raises:
        SettingError: ``filters`` is not a positive integer. ShapeError: at the call, as from `polytape.nn.conv`.
    """

    weight: Variable
    function: ClassVar[Callable[..., Tensor]] = staticmethod(forms.conv)

    def __init__(
        self,
        filters: int,
        size: PerAxis,
        stride: PerAxis = 1,
        padding: Padding = "valid",
        *,
        dilation: PerAxis = 1,
        groups: int = 1,
        activation: Function | str | None = None,
        use_bias: bool = True,
        data_format: str = "channels_last",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(size, stride, padding, dilation, activation, use_bias, data_format, options)
        self.filters, self.groups = positive("filters", filters), positive("groups", groups)

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        self._make("weight", (*self.size, self._channels(shape) // self.groups, self.filters), "glorot_uniform")
        if self.use_bias:
            self._make("bias", (self.filters,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return self._finish(self.function(x, self.weight, groups=self.groups, **self._arguments()))


class Conv1D(Conv):
    """A convolution over one axis; the arguments are those of `Conv2D`.

    The input is floating[batch, size, channels].
    """

    rank = 1
    function = staticmethod(forms.conv1d)


class Conv2D(Conv):
    """A convolution over two axes, as for images.

    Args:
        filters: the number of channels of the result.
        size: of the window, an int or one per axis.
        stride, padding, dilation, groups, data_format: as for `polytape.nn.conv2d`.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        options: as for `Dense`.

    The input is floating[batch, height, width, channels], the result floating[batch, height, width, filters]; with
    ``data_format="channels_first"`` the channels are axis 1.

    Attributes:
        weight: [*size, channels / groups, filters].
        bias: [filters], or None.

    Raises:
        SettingError: ``filters`` is not a positive integer. ShapeError: at the call, as from `polytape.nn.conv2d`.

    Example:
        >>> import polytape as pt
        >>> layer = pt.nn.Conv2D(8, 3, padding="same", activation="relu")
        >>> layer(pt.ones((2, 28, 28, 1))).shape, layer.weight.shape
        ((2, 28, 28, 8), (3, 3, 1, 8))
    """

    rank = 2
    function = staticmethod(forms.conv2d)


class Conv3D(Conv):
    """A convolution over three axes; the arguments are those of `Conv2D`.

    The input is floating[batch, depth, height, width, channels].
    """

    rank = 3
    function = staticmethod(forms.conv3d)


class ConvTranspose(ConvolutionLayer):
    """The transpose of a convolution over `rank` axes; base of `Conv1DTranspose`, and so on.

    Args:
        filters: the number of channels of the result.
        size, stride, padding, dilation, groups, data_format: of the convolution from the result to the input.
        output_padding: as for `polytape.nn.conv2d_transpose`.
        activation, use_bias, options: as for `Conv2D`.

    Attributes:
        weight: [*size, filters / groups, channels].
        bias: [filters], or None.
    """

    weight: Variable
    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        filters: int,
        size: PerAxis,
        stride: PerAxis = 1,
        padding: Padding = "valid",
        *,
        output_padding: PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        activation: Function | str | None = None,
        use_bias: bool = True,
        data_format: str = "channels_last",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(size, stride, padding, dilation, activation, use_bias, data_format, options)
        self.filters, self.groups = positive("filters", filters), positive("groups", groups)
        self.output_padding = output_padding

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        channels = self._channels(shape)
        self._make("weight", (*self.size, self.filters // self.groups, channels), "glorot_uniform", wrap=Transposed)
        if self.use_bias:
            self._make("bias", (self.filters,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        more: dict[str, Any] = {"groups": self.groups, "output_padding": self.output_padding, **self._arguments()}
        return self._finish(self.function(x, self.weight, **more))


class Conv1DTranspose(ConvTranspose):
    """The transpose of `Conv1D`; the arguments are those of `Conv2DTranspose`.

    The input is floating[batch, size, channels].
    """

    rank = 1
    function = staticmethod(forms.conv1d_transpose)


class Conv2DTranspose(ConvTranspose):
    """The transpose of `Conv2D`, which makes images larger.

    Args:
        filters: the number of channels of the result.
        size, stride, padding, output_padding, dilation, groups, data_format: as for `polytape.nn.conv2d_transpose`.
        activation, use_bias, options: as for `Conv2D`.

    The input is floating[batch, height, width, channels], the result floating[batch, height, width, filters].

    Attributes:
        weight: [*size, filters / groups, channels].
        bias: [filters], or None.

    Raises:
        SettingError: ``filters`` is not a positive integer. ShapeError: at the call, as from
            `polytape.nn.conv2d_transpose`.
    """

    rank = 2
    function = staticmethod(forms.conv2d_transpose)


class Conv3DTranspose(ConvTranspose):
    """The transpose of `Conv3D`; the arguments are those of `Conv2DTranspose`.

    The input is floating[batch, depth, height, width, channels].
    """

    rank = 3
    function = staticmethod(forms.conv3d_transpose)
