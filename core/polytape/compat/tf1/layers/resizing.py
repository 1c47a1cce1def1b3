"""Layers that pad, crop and repeat along the axes of images."""

from __future__ import annotations

from typing import Any, ClassVar

from ....nn.layers import shapes
from ....tensors.tensor import Tensor
from .base import Layer
from .native import Native
from .specs import InputSpec

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


class _Padding(Native, shapes.ZeroPadding):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, **kwargs)
        shapes.ZeroPadding.__init__(self, padding, data_format=data_format or "channels_last")
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _UpSampling(Native, shapes.UpSampling):
    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, **kwargs)
        shapes.UpSampling.__init__(self, size, data_format=data_format or "channels_last")
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _Cropping(Layer):
    _quick = True
    rank: ClassVar[int]

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.rank == 1 and isinstance(cropping, (list, tuple)):
            cropping = [cropping]
        sides = cropping if isinstance(cropping, (list, tuple)) else [cropping] * self.rank
        self.cropping = tuple((side, side) if isinstance(side, int) else tuple(side) for side in sides)
        self.data_format = data_format or "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        """The input without the elements at the sides."""
        sizes = inputs.shape[1:-1] if self.data_format == "channels_last" else inputs.shape[2:]
        inner = [slice(before, size - after) for (before, after), size in zip(self.cropping, sizes, strict=True)]
        whole = slice(None)
        keys = (whole, *inner, whole) if self.data_format == "channels_last" else (whole, whole, *inner)
        return inputs[keys]


class ZeroPadding1D(_Padding, shapes.ZeroPadding1D):
    """Zeros around one axis.

    Args:
        padding: an int for both sides, or a pair.
        kwargs: those of `Layer`.
    """


class ZeroPadding2D(_Padding, shapes.ZeroPadding2D):
    """Zeros around two axes.

    Args:
        padding: an int for all sides, or per axis an int or a pair.
        data_format: "channels_last" or "channels_first".
        kwargs: those of `Layer`.
    """


class ZeroPadding3D(_Padding, shapes.ZeroPadding3D):
    """Zeros around three axes; the arguments are those of `ZeroPadding2D`."""


class UpSampling1D(_UpSampling, shapes.UpSampling1D):
    """Each element of one axis, ``size`` times."""


class UpSampling2D(_UpSampling, shapes.UpSampling2D):
    """Each element of two axes, ``size`` times.

    Args:
        size: an int, or one per axis.
        data_format: "channels_last" or "channels_first".
        kwargs: those of `Layer`.
    """


class UpSampling3D(_UpSampling, shapes.UpSampling3D):
    """Each element of three axes, ``size`` times; the arguments are those of `UpSampling2D`."""


class Cropping1D(_Cropping):
    """One axis without the elements at its sides.

    Args:
        cropping: an int for both sides, or a pair.
        kwargs: those of `Layer`.
    """

    rank = 1


class Cropping2D(_Cropping):
    """Two axes without the elements at their sides.

    Args:
        cropping: an int for all sides, or per axis an int or a pair.
        data_format: "channels_last" or "channels_first".
        kwargs: those of `Layer`.
    """

    rank = 2


class Cropping3D(_Cropping):
    """Three axes without the elements at their sides; the arguments are those of `Cropping2D`."""

    rank = 3
