"""Images, and data along any number of axes: resizing, and blocks moved to channels and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import floor
from typing import Any, Final

import numpy as np

from ... import dtypes
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..manipulation import astype, permute_dims, reshape
from ..movement import take
from .geometry import PerAxis, per_axis, spatial_axes, tensors, widened

__all__ = [
    "depth_to_space",
    "pixel_shuffle",
    "pixel_unshuffle",
    "resize_bicubic",
    "resize_bilinear",
    "resize_nearest",
    "space_to_depth",
]

Array = Any
Shape = tuple[int, ...]
CUBIC: Final = -0.75  # as in TensorFlow 1, PyTorch and OpenCV; -0.5 reproduces quadratic functions


# --- resizing ---------------------------------------------------------------------------------------------------------


def _nearest(n: int, count: int, align_corners: bool) -> list[int]:
    """The element nearest to each of ``count`` positions, in whole numbers, so that no rounding moves it."""
    if align_corners and count > 1:
        return [(2 * k * (n - 1) + count - 1) // (2 * (count - 1)) for k in range(count)]
    if align_corners:
        return [0] * count
    return [(2 * k + 1) * n // (2 * count) for k in range(count)]


def _positions(n: int, count: int, align_corners: bool) -> list[float]:
    """The positions along an axis of ``n`` elements that the results stand for."""
    if align_corners:
        return [k * ((n - 1) / (count - 1)) if count > 1 else 0.0 for k in range(count)]
    return [(k + 0.5) * (n / count) - 0.5 for k in range(count)]


def near_weight(distance: Any, a: float) -> Any:
    """The cubic weight of an element at a distance up to 1, for numbers and tensors."""
    return ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0


def far_weight(distance: Any, a: float) -> Any:
    """The cubic weight of an element at a distance from 1 to 2, for numbers and tensors."""
    return ((distance - 5.0) * distance + 8.0) * distance * a - 4.0 * a


@lru_cache(maxsize=256)
def _taps(n: int, count: int, align_corners: bool, cubic: float | None, kind: str) -> tuple[tuple[Array, Array], ...]:
    """The elements that each result is the weighted sum of, as pairs of positions and weights of dtype ``kind``."""
    at = _positions(n, count, align_corners)
    if cubic is None:
        at = [min(max(position, 0.0), n - 1.0) for position in at]
    taps = []
    for offset in (0, 1) if cubic is None else (-1, 0, 1, 2):
        elements = [floor(position) + offset for position in at]
        distances = [abs(position - element) for position, element in zip(at, elements, strict=True)]
        if cubic is None:
            weights = [1.0 - distance for distance in distances]
        else:
            weights = [(near_weight if distance <= 1 else far_weight)(distance, cubic) for distance in distances]
        inside = [min(max(element, 0), n - 1) for element in elements]
        taps.append((np.array(inside, "int64"), np.array(weights, kind)))
    return tuple(taps)


def _resized(x: Tensor, size: PerAxis, data_format: str, along: Callable[[Tensor, int, int], Tensor]) -> Tensor:
    """``x`` with a function ``(x, axis, count) -> x`` applied along each axis."""
    axes = spatial_axes(len(x.shape), data_format)
    for axis, count in zip(axes, per_axis("size", size, len(axes), least=0), strict=True):
        if count and not x.shape[axis]:
            raise ShapeError(
                "there are no elements to resize.",
                expected="axes with elements",
                got=f"shape {tuple(x.shape)}",
                fix="check the size",
            )
        x = along(x, axis, count)
    return x


def _interpolated(x: Tensor, size: PerAxis, align_corners: bool, cubic: float | None, data_format: str) -> Tensor:
    if dtypes.category(x.dtype) < dtypes.FLOATING:
        x = astype(x, dtypes.float32)
    own, x = x.dtype, widened(x)
    kind = "float64" if own.name in ("float64", "complex128") else "float32"

    def along(x: Tensor, axis: int, count: int) -> Tensor:
        if count == x.shape[axis]:
            return x
        trailing = (1,) * (x.ndim - axis - 1)
        total: Tensor | None = None
        for positions, weights in _taps(x.shape[axis], count, align_corners, cubic, kind):
            part = take(x, positions, axis=axis) * weights.reshape(-1, *trailing)
            total = part if total is None else total + part
        assert total is not None
        return total

    return astype(_resized(x, size, data_format, along), own)


def resize_nearest(
    x: TensorLike, size: PerAxis, *, align_corners: bool = False, data_format: str = "channels_last"
) -> Tensor:
    """The element nearest to each position of the new size.

    Args:
        x: any dtype[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        size: the new sizes, an int or one per axis.
        align_corners: whether the centres of the first and last elements stay at the ends; by default the outer edges
            of these elements do, and the centres are half an element inside.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, *size, channels] or [batch, channels, *size].
    Raises:
        ShapeError: there are no elements, or ``size`` does not fit.
    Source:
        TensorFlow 1.7, ``tf.image.resize_nearest_neighbor``, and 2.0 for the half-pixel centres.
    """
    (x,) = tensors(x)

    def along(x: Tensor, axis: int, count: int) -> Tensor:
        n = x.shape[axis]
        return x if count == n else take(x, np.array(_nearest(n, count, align_corners), "int64"), axis=axis)

    return _resized(x, size, data_format, along)


def resize_bilinear(
    x: TensorLike, size: PerAxis, *, align_corners: bool = False, data_format: str = "channels_last"
) -> Tensor:
    """Linear interpolation along each axis, without a filter against aliasing.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        size, align_corners, data_format: as for `resize_nearest`.
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, *size, channels] or [batch, channels, *size].
    Raises:
        ShapeError: there are no elements, or ``size`` does not fit.
    Source:
        TensorFlow 1.7, ``tf.image.resize_bilinear``, and 2.0 for the half-pixel centres.
    """
    (x,) = tensors(x)
    return _interpolated(x, size, align_corners, None, data_format)


def resize_bicubic(
    x: TensorLike, size: PerAxis, *, align_corners: bool = False, a: float = CUBIC, data_format: str = "channels_last"
) -> Tensor:
    """Cubic convolution along each axis, without a filter against aliasing; the outer elements are repeated.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        a: the slope of the kernel at distance 1: -0.75 in TensorFlow 1, PyTorch and OpenCV, -0.5 in TensorFlow 2.
        size, align_corners, data_format: as for `resize_nearest`.
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, *size, channels] or [batch, channels, *size].
    Raises:
        ShapeError: there are no elements, or ``size`` does not fit.
    Source:
        R. Keys (1981), IEEE Transactions on Acoustics, Speech, and Signal Processing 29(6), pp. 1153-1160.
    """
    (x,) = tensors(x)
    return _interpolated(x, size, align_corners, float(a), data_format)


# --- blocks and channels ----------------------------------------------------------------------------------------------


def _blocks_out(x: Tensor, block: int, data_format: str, channels_inside: bool) -> Tensor:
    """Channels moved to blocks; ``channels_inside``: a channel's index is the place in the block, then the rest."""
    axes = spatial_axes(len(x.shape), data_format)
    count = len(axes)
    last = data_format == "channels_last"
    channels = x.shape[-1 if last else 1]
    (block,) = per_axis("block_size", block, 1)
    if channels % block**count:
        raise ShapeError(
            "the channels do not make blocks.",
            expected=f"a number of channels that {block}**{count} divides",
            got=f"{channels} channels",
            fix="pass another block size",
        )
    inner = channels // block**count
    parts = (*(block,) * count, inner) if channels_inside else (inner, *(block,) * count)
    sizes = tuple(x.shape[axis] for axis in axes)
    start = 1 + count if last else 1  # of the parts
    first = 1 if last else 2 + count  # of the sizes
    x = reshape(x, (x.shape[0], *sizes, *parts) if last else (x.shape[0], *parts, *sizes))
    channel = start + count if channels_inside else start
    inside = start if channels_inside else start + 1
    pairs = [axis for k in range(count) for axis in (first + k, inside + k)]
    x = permute_dims(x, (0, *pairs, channel) if last else (0, channel, *pairs))
    new = tuple(n * block for n in sizes)
    return reshape(x, (x.shape[0], *new, inner) if last else (x.shape[0], inner, *new))


def _blocks_in(x: Tensor, block: int, data_format: str, channels_inside: bool) -> Tensor:
    """The inverse of `_blocks_out`."""
    axes = spatial_axes(len(x.shape), data_format)
    count = len(axes)
    last = data_format == "channels_last"
    (block,) = per_axis("block_size", block, 1)
    sizes = tuple(x.shape[axis] for axis in axes)
    if any(n % block for n in sizes):
        raise ShapeError(
            "the sizes do not make blocks.",
            expected=f"sizes that {block} divides",
            got=f"sizes {sizes}",
            fix="pad the tensor, or pass another block size",
        )
    channels = x.shape[-1 if last else 1]
    split = tuple(part for n in sizes for part in (n // block, block))
    x = reshape(x, (x.shape[0], *split, channels) if last else (x.shape[0], channels, *split))
    first, channel = (1, 1 + 2 * count) if last else (2, 1)
    outer = range(first, first + 2 * count, 2)
    inside = tuple(axis + 1 for axis in outer)
    parts = (*inside, channel) if channels_inside else (channel, *inside)
    x = permute_dims(x, (0, *outer, *parts) if last else (0, *parts, *outer))
    new, many = tuple(n // block for n in sizes), channels * block**count
    return reshape(x, (x.shape[0], *new, many) if last else (x.shape[0], many, *new))


def depth_to_space(x: TensorLike, block_size: int, *, data_format: str = "channels_last") -> Tensor:
    """Channels moved to blocks of each image. A channel's index is that of the place in the block, then the rest.

    Args:
        x: any dtype[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        block_size: of a block along each axis.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, with sizes ``block_size`` times as large and accordingly fewer channels.
    Raises:
        ShapeError: channels that do not make blocks. OutOfRangeError: ``block_size`` below 1.
    Source:
        TensorFlow 1.7, ``tf.depth_to_space``.
    """
    (x,) = tensors(x)
    return _blocks_out(x, block_size, data_format, True)


def space_to_depth(x: TensorLike, block_size: int, *, data_format: str = "channels_last") -> Tensor:
    """Blocks of each image moved to channels: the inverse of `depth_to_space`.

    Args:
        x, block_size, data_format: as for `depth_to_space`.
    Returns:
        The dtype of ``x``, with sizes divided by ``block_size`` and accordingly more channels.
    Raises:
        ShapeError: sizes that do not make blocks. OutOfRangeError: ``block_size`` below 1.
    Source:
        TensorFlow 1.7, ``tf.space_to_depth``.
    """
    (x,) = tensors(x)
    return _blocks_in(x, block_size, data_format, True)


def pixel_shuffle(x: TensorLike, upscale_factor: int, *, data_format: str = "channels_last") -> Tensor:
    """Channels moved to blocks of each image. A channel's index is the new channel's, then the place in the block.

    Args:
        x, data_format: as for `depth_to_space`, whose channels have the opposite order.
        upscale_factor: the size of a block along each axis.
    Returns:
        The dtype of ``x``, with sizes ``upscale_factor`` times as large and accordingly fewer channels.
    Raises:
        ShapeError: channels that do not make blocks. OutOfRangeError: ``upscale_factor`` below 1.
    Source:
        W. Shi et al. (2016), Proceedings of CVPR, pp. 1874-1883.
    """
    (x,) = tensors(x)
    return _blocks_out(x, upscale_factor, data_format, False)


def pixel_unshuffle(x: TensorLike, downscale_factor: int, *, data_format: str = "channels_last") -> Tensor:
    """Blocks of each image moved to channels: the inverse of `pixel_shuffle`.

    Args:
        x, data_format: as for `depth_to_space`.
        downscale_factor: the size of a block along each axis.
    Returns:
        The dtype of ``x``, with sizes divided by ``downscale_factor`` and accordingly more channels.
    Raises:
        ShapeError: sizes that do not make blocks. OutOfRangeError: ``downscale_factor`` below 1.
    Source:
        W. Shi et al. (2016), Proceedings of CVPR, pp. 1874-1883.
    """
    (x,) = tensors(x)
    return _blocks_in(x, downscale_factor, data_format, False)
