"""Layers that change shapes: flattening, padding, upsampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ...errors import SettingError, ShapeError
from ...ops.manipulation import reshape
from ...ops.nn.geometry import Padding, PerAxis, paddings, per_axis, spatial_axes, tensors
from ...ops.nn.images import resize_bicubic, resize_bilinear, resize_nearest
from ...ops.padding import pad
from ...tensors.tensor import Tensor, TensorLike
from ..modules import Module
from .pooling import of_rank

__all__ = [
    "Flatten",
    "Reshape",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


def _batch(x: TensorLike) -> Tensor:
    (x,) = tensors(x)
    if not x.ndim:
        raise ShapeError("there is no batch.", expected="x[batch, ...]", got="shape ()", fix="insert the axis")
    return x


class Flatten(Module):
    """All axes but the first as one: [batch, ...] becomes [batch, n]."""

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = _batch(x)
        return reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Reshape(Module):
    """Other axes behind the first: [batch, ...] becomes [batch, *shape].

    Args:
        shape: of each element of the batch; one size may be -1, and follows from the others.

    Raises:
        ShapeError: at the call, if the numbers of elements differ.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = _batch(x)
        return reshape(x, (x.shape[0], *self.shape))


class ZeroPadding(Module):
    """Zeros around `rank` axes; base of `ZeroPadding1D`, and so on.

    Args:
        padding: an int for all sides, or per axis an int or a pair, before and after.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """

    rank: ClassVar[int]

    def __init__(self, padding: Padding = 1, *, data_format: str = "channels_last") -> None:
        if isinstance(padding, str):
            raise SettingError(
                f"{type(self).__name__} cannot pad by {padding!r}.",
                expected="an int, or per axis an int or a pair",
                got=repr(padding),
                fix="pass the number of zeros; convolutions and pools take padding='same'",
            )
        self.padding, self.data_format = padding, data_format

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = of_rank(self, x, self.rank)
        ones = (1,) * self.rank
        widths: list[Any] = [(0, 0)] * (self.rank + 2)
        padding: Any = self.padding
        if self.rank == 1 and isinstance(padding, (list, tuple)) and len(padding) == 2:
            padding = [padding]  # one axis: its pair
        pairs = paddings(padding, ones, ones, ones)
        for axis, pair in zip(spatial_axes(self.rank + 2, self.data_format), pairs, strict=True):
            widths[axis] = pair
        return pad(x, widths)


class UpSampling(Module):
    """`rank` axes, larger by a factor; base of `UpSampling1D`, and so on.

    Args:
        size: the factor, an int or one per axis.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        SettingError: another interpolation.
    """

    rank: ClassVar[int]

    def __init__(
        self, size: PerAxis = 2, *, interpolation: str = "nearest", data_format: str = "channels_last"
    ) -> None:
        if interpolation not in _INTERPOLATIONS:
            raise SettingError(
                f"{type(self).__name__} does not know the interpolation {interpolation!r}.",
                expected=", ".join(map(repr, _INTERPOLATIONS)),
                got=repr(interpolation),
                fix="pass one of these",
            )
        self.size = per_axis("size", size, self.rank)
        self.interpolation, self.data_format = interpolation, data_format

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        x = of_rank(self, x, self.rank)
        axes = spatial_axes(x.ndim, self.data_format)
        sizes = tuple(x.shape[axis] * factor for axis, factor in zip(axes, self.size, strict=True))
        resize: Any = _INTERPOLATIONS[self.interpolation]
        y: Tensor = resize(x, sizes, data_format=self.data_format)
        return y


_INTERPOLATIONS = {"nearest": resize_nearest, "bilinear": resize_bilinear, "bicubic": resize_bicubic}


class ZeroPadding1D(ZeroPadding):
    """Zeros around one axis: [batch, size, channels].

    Args:
        padding: an int for both sides, or a pair, before and after.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """

    rank = 1


class UpSampling1D(UpSampling):
    """One axis, larger by a factor: [batch, size, channels].

    Args:
        size: the factor, an int or one per axis.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        SettingError: another interpolation.
    """

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """Zeros around two axes: [batch, height, width, channels].

    Args:
        padding: an int for all sides, or per axis an int or a pair, before and after.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """

    rank = 2


class UpSampling2D(UpSampling):
    """Two axes, larger by a factor: [batch, height, width, channels].

    Args:
        size: the factor, an int or one per axis.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        SettingError: another interpolation.
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """Zeros around three axes: [batch, depth, height, width, channels].

    Args:
        padding: an int for all sides, or per axis an int or a pair, before and after.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """

    rank = 3


class UpSampling3D(UpSampling):
    """Three axes, larger by a factor: [batch, depth, height, width, channels].

    Args:
        size: the factor, an int or one per axis.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        SettingError: another interpolation.
    """

    rank = 3
