"""Further pools: global, adaptive, with a norm, with indices, and their inversion. All are made of other ops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ... import dtypes
from ...errors import OutOfRangeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import shape_rules
from ..arithmetic import abs, maximum, power
from ..creation import arange_, zeros
from ..logic import equal, where
from ..manipulation import astype, broadcast_to, reshape
from ..movement import scatter, take
from ..reduction import argmax, max, mean
from .convolution import windows_
from .geometry import Padding, PerAxis, lowest, padded, per_axis, spatial_axes, tensors
from .pooling import attributes, avg_pool, avg_pool_, max_pool, max_pool_

__all__ = [
    "PoolIndices",
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "global_avg_pool",
    "global_max_pool",
    "lp_pool",
    "max_pool_with_indices",
    "max_unpool",
]

Shape = tuple[int, ...]


def global_max_pool(x: TensorLike, *, keepdims: bool = False, data_format: str = "channels_last") -> Tensor:
    """The largest element of each channel.

    Args:
        x: real[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        keepdims: whether to keep the reduced axes, with size 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, channels], or of the rank of ``x``.
    Raises:
        ShapeError: there are no elements. DTypeError: ``x`` is complex.
    Source:
        ONNX 1.23, ``GlobalMaxPool``.
    """
    (x,) = tensors(x)
    return max(x, spatial_axes(len(x.shape), data_format), keepdims=keepdims)


def global_avg_pool(x: TensorLike, *, keepdims: bool = False, data_format: str = "channels_last") -> Tensor:
    """The mean of each channel.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        keepdims, data_format: as for `global_max_pool`.
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, channels], or of the rank of ``x``.
    Raises:
        ShapeError: fewer than three axes.
    Source:
        M. Lin, Q. Chen, S. Yan (2014), Network in Network, ICLR.
    """
    (x,) = tensors(x)
    return mean(x, spatial_axes(len(x.shape), data_format), keepdims=keepdims)


def _gathered(
    x: Tensor, output_size: PerAxis, data_format: str
) -> tuple[Tensor, Shape, Shape, list[tuple[int, list[range]]]]:
    """``x`` with the regions of an adaptive pool side by side, all as long as the longest one.

    A shorter region repeats its last element, which changes no maximum.

    Returns:
        It, the size of the windows that are the regions, the axes, and per axis that has shorter regions the regions.
    """
    axes = spatial_axes(len(x.shape), data_format)
    counts = per_axis("output_size", output_size, len(axes))
    sizes, shorter = [], []
    for axis, count in zip(axes, counts, strict=True):
        n = x.shape[axis]
        if n == 0:
            raise ShapeError(
                "there are no elements to pool.",
                expected="an axis with elements",
                got=f"shape {tuple(x.shape)}",
                fix="check the size",
            )
        regions = [range(k * n // count, -(-(k + 1) * n // count)) for k in range(count)]
        longest = len(sorted(regions, key=len)[-1])
        if n % count:
            positions = [min(region.start + k, region[-1]) for region in regions for k in range(longest)]
            x = take(x, np.array(positions, "int64"), axis=axis)
            shorter.append((axis, regions))
        sizes.append(longest)
    return x, tuple(sizes), axes, shorter


def adaptive_max_pool(x: TensorLike, output_size: PerAxis, *, data_format: str = "channels_last") -> Tensor:
    """The largest element of each of ``output_size`` regions of equal size, up to rounding, that cover ``x``.

    Args:
        x: real numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        output_size: the number of regions along each axis, an int or one per axis. Region k of m along n elements goes
            from floor(k * n / m) to ceil((k + 1) * n / m).
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, *output_size, channels] or [batch, channels, *output_size].
    Raises:
        ShapeError: there are no elements. DTypeError: ``x`` is bool or complex. OutOfRangeError: an output size below
            1.
    Source:
        PyTorch 2.13, ``torch.nn.AdaptiveMaxPool2d``.
    """
    (x,) = tensors(x)
    x, size, axes, _ = _gathered(x, output_size, data_format)
    none, ones = ((0, 0),) * len(axes), (1,) * len(axes)
    return max_pool_(x, size=size, stride=size, padding=none, dilation=ones, axes=axes)


def adaptive_avg_pool(x: TensorLike, output_size: PerAxis, *, data_format: str = "channels_last") -> Tensor:
    """The mean of each of ``output_size`` regions of equal size, up to rounding, that cover ``x``.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        output_size, data_format: as for `adaptive_max_pool`.
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, *output_size, channels] or [batch, channels,
        *output_size].
    Raises:
        ShapeError: there are no elements. OutOfRangeError: an output size below 1.
    Source:
        PyTorch 2.13, ``torch.nn.AdaptiveAvgPool2d``.
    """
    (x,) = tensors(x)
    if dtypes.category(x.dtype) < dtypes.FLOATING:
        x = astype(x, dtypes.float32)
    own = x.dtype
    x, size, axes, shorter = _gathered(x, output_size, data_format)
    if shorter and own.itemsize == 2:  # the mean of a shorter region is rounded twice
        x = astype(x, dtypes.float32)
    kind = "float64" if x.dtype.itemsize == 8 and x.dtype.kind == "f" else "float32"
    factors = []
    for axis, regions in shorter:
        longest = size[axes.index(axis)]
        trailing = (1,) * (x.ndim - axis - 1)
        actual = np.array([k < len(region) for region in regions for k in range(longest)])
        # Not a product with 0: that would be NaN for infinity.
        x = where(actual.reshape(-1, *trailing), x, 0)
        factors.append(np.array([longest / len(region) for region in regions], kind).reshape(-1, *trailing))
    y = avg_pool_(x, size=size, stride=size, padding=((0, 0),) * len(axes), axes=axes, count_include_pad=False)
    for factor in factors:
        y = y * factor
    return astype(y, own)


def lp_pool(
    x: TensorLike,
    size: PerAxis,
    *,
    p: float = 2.0,
    stride: PerAxis | None = None,
    padding: Padding = "valid",
    data_format: str = "channels_last",
) -> Tensor:
    """``sum(abs(x)**p)**(1/p)`` of each window. The gradient is 0 where the result is 0.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        p: the order of the norm, 1 or more, and finite.
        size, stride, padding, data_format: as for `max_pool`, with zeros around ``x``.
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, *windows, channels] or [batch, channels, *windows].
    Raises:
        ShapeError: a window longer than its axis. OutOfRangeError: ``p`` below 1, a size or stride below 1, or a
            padding as long as the window.
    Source:
        ONNX 1.23, ``LpPool``.
    """
    (x,) = tensors(x)
    if not 1 <= p < float("inf"):
        raise OutOfRangeError(
            "p is out of range.", expected="a finite number of 1 or more", got=repr(p), fix="use max_pool for infinity"
        )
    if dtypes.category(x.dtype) < dtypes.FLOATING:
        x = astype(x, dtypes.float32)
    window = per_axis("size", size, len(x.shape) - 2)
    mean_power = avg_pool(
        power(abs(x), p), window, stride=stride, padding=padding, count_include_pad=True, data_format=data_format
    )
    total = mean_power * float(shape_rules.count(window))
    zero = equal(total, 0)
    return where(zero, 0, power(where(zero, 1, total), 1.0 / p))


class PoolIndices(NamedTuple):
    """The result of `max_pool_with_indices`.

    Attributes:
        values: the largest element of each window.
        indices: int64, where it is in its image: the row-major position over all axes but those of the batch and the
            channels.
    """

    values: Tensor
    indices: Tensor


def max_pool_with_indices(
    x: TensorLike,
    size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
    data_format: str = "channels_last",
) -> PoolIndices:
    """`max_pool`, and where the first largest element of each window is.

    Args:
        x, size, stride, padding, dilation, data_format: as for `max_pool`.
    Returns:
        A named tuple ``values, indices``: the result of `max_pool`, and int64 positions of the same shape.
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `max_pool`.
    Source:
        PyTorch 2.13, ``torch.nn.MaxPool2d`` with ``return_indices``.
    """
    (x,) = tensors(x)
    window, steps, pairs, apart, axes = attributes(x, size, stride, padding, dilation, data_format)
    values = max_pool(x, size, stride=stride, padding=padding, dilation=dilation, data_format=data_format)
    around = tuple(pairs[axes.index(axis)] if axis in axes else (0, 0) for axis in range(x.ndim))
    inside = windows_(
        padded(x, around, (1,) * x.ndim, lowest(x.dtype)), size=window, stride=steps, dilation=apart, axes=axes
    )
    place = argmax(reshape(inside, (*values.shape, shape_rules.count(window))), -1)
    indices = zeros(values.shape, dtype=dtypes.int64, device=x.device)
    left = shape_rules.count(window)
    for axis, k, step, (before, _), distance in zip(axes, window, steps, pairs, apart, strict=True):
        left //= k
        starts = arange_(0, values.shape[axis], 1, dtype=dtypes.int64, device=x.device) * step - before
        position = reshape(starts, (-1, *(1,) * (x.ndim - axis - 1))) + place // left % k * distance
        # Below 0 only if the window has no element above the lowest number.
        indices = indices * x.shape[axis] + maximum(position, 0)
    return PoolIndices(values, indices)


def max_unpool(
    x: TensorLike, indices: TensorLike, output_size: PerAxis, *, data_format: str = "channels_last"
) -> Tensor:
    """Zeros with each element of ``x`` where `max_pool_with_indices` found it.

    Args:
        x: numeric[batch, *windows, channels], or [batch, channels, *windows] for ``data_format="channels_first"``.
        indices: int64, of the shape of ``x``: positions in an image, which differ within each channel of an image.
        output_size: of the image, an int or one per axis.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, *output_size, channels] or [batch, channels, *output_size].
    Raises:
        ShapeError: shapes that differ. OutOfRangeError: on the host, a position outside the image.
    Source:
        PyTorch 2.13, ``torch.nn.MaxUnpool2d``.
    """
    x, indices = tensors(x, indices)
    axes = spatial_axes(len(x.shape), data_format)
    sizes = per_axis("output_size", output_size, len(axes))
    if x.shape != indices.shape:
        raise ShapeError(
            "the indices do not fit.",
            expected=f"indices of shape {tuple(x.shape)}",
            got=f"shape {tuple(indices.shape)}",
            fix="pass the indices of max_pool_with_indices for these values",
        )
    shape = list(x.shape)
    for axis, n in zip(axes, sizes, strict=True):
        shape[axis] = n
    batch = arange_(0, shape[0], 1, dtype=dtypes.int64, device=x.device)
    last = data_format == "channels_last"
    channels = arange_(0, shape[-1 if last else 1], 1, dtype=dtypes.int64, device=x.device)
    count = shape_rules.count(sizes)
    rows = reshape(batch, (-1, *(1,) * (x.ndim - 1)))
    if last:
        positions = (rows * count + indices) * shape[-1] + channels
    else:
        positions = (rows * shape[1] + reshape(channels, (-1, *(1,) * len(axes)))) * count + indices
    start = zeros(shape_rules.count(tuple(shape)), dtype=x.dtype, device=x.device)
    positions = broadcast_to(positions, x.shape)
    return reshape(scatter(start, reshape(positions, -1), reshape(x, -1), axis=0, mode="set"), tuple(shape))
