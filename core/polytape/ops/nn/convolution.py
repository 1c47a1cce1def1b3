"""Convolutions, and the windows that they and pools are made of.

Weights have the same layout for every ``data_format``: TensorFlow's ``[*window, channels in, channels out]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import conjugate
from ..creation import arange_, zeros
from ..declaration import converted, op, states
from ..manipulation import astype, permute_dims, reshape
from ..movement import scatter, take
from ..products import matmul
from .geometry import Pairs, PerAxis, extent, padded, per_axis, spatial_axes, tensors, widened

__all__ = ["fold", "windows"]

Shape = tuple[int, ...]


# --- windows ----------------------------------------------------------------------------------------------------------


@states(
    takes="[...]",
    returns="the number of windows at each of ``axes``, then the axes of a window",
    rejects="a window longer than its axis",
    size="of a window along each of ``axes``.",
    stride="the distance between the beginnings of windows, per axis.",
    dilation="the distance between the elements of a window, per axis.",
    axes="the axes to slide along.",
)
def _windows_shape(x: Shape, *, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Shape:
    shape = list(x)
    for axis, k, step, distance in zip(axes, size, stride, dilation, strict=True):
        length = extent(k, distance)
        if length > x[axis]:
            raise ShapeError(
                "a window is longer than its axis.",
                expected=f"at most {x[axis]} elements along axis {axis}",
                got=f"a window over {length}",
                fix="pad the tensor, or make the window smaller",
            )
        shape[axis] = (x[axis] - length) // step + 1
    return (*shape, *size)


def _positions(count: int, size: int, stride: int, dilation: int, device: Any) -> Tensor:
    """int64[count, size]: the positions along an axis of each window's elements."""
    starts = arange_(0, count, 1, dtype=dtypes.int64, device=device) * stride
    return reshape(starts, (count, 1)) + arange_(0, size, 1, dtype=dtypes.int64, device=device) * dilation


@op(dtype=dtype_rules.same_dtype, shape=_windows_shape)
def windows_(x: TensorLike, /, *, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Tensor:
    """The windows of `windows`, of which every attribute is a tuple.

    Source:
        NumPy, ``lib.stride_tricks.sliding_window_view``, with strides and dilation.
    """
    x = converted(x)
    counts = _windows_shape(x.shape, size=size, stride=stride, dilation=dilation, axes=axes)
    # Each axis becomes two, the last axes first, so that the positions of the others stay.
    for axis, k, step, distance in sorted(zip(axes, size, stride, dilation, strict=True), reverse=True):
        x = take(x, _positions(counts[axis], k, step, distance, x.device), axis=axis)
    inside = {axis: axis + 1 + sum(other < axis for other in axes) for axis in axes}
    order = [axis for axis in range(x.ndim) if axis not in inside.values()]
    return permute_dims(x, (*order, *(inside[axis] for axis in axes)))


@windows_.gradient("x")
def _windows_back(g: Tensor, x_shape: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Tensor:
    return fold_(g, sizes=tuple(x_shape[axis] for axis in axes), stride=stride, dilation=dilation, axes=axes)


@states(takes="numeric", returns="same")
def _summed(x: DType, *others: DType) -> DType:
    return dtype_rules.same_numeric(x)


@states(
    takes="[..., *window]",
    returns="``sizes`` at ``axes``, without the axes of a window",
    rejects="windows that do not fit into ``sizes``",
    sizes="of the result along each of ``axes``.",
    stride="the distance between the beginnings of windows, per axis.",
    dilation="the distance between the elements of a window, per axis.",
    axes="the axes of ``x`` that count windows.",
)
def _fold_shape(x: Shape, *, sizes: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Shape:
    rank = len(x) - len(axes)
    shape = list(x[:rank])
    for axis, n in zip(axes, sizes, strict=True):
        shape[axis] = n
    expected = _windows_shape(tuple(shape), size=x[rank:], stride=stride, dilation=dilation, axes=axes)
    if x != expected:
        raise ShapeError(
            "the windows do not fit.",
            expected=f"shape {expected} for sizes {tuple(sizes)}",
            got=f"shape {x}",
            fix="pass the sizes of the tensor that the windows were taken from",
        )
    return tuple(shape)


@op(dtype=_summed, shape=_fold_shape)
def fold_(x: TensorLike, /, *, sizes: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Tensor:
    """The sums of `fold`, of which every attribute is a tuple.

    Raises:
        ShapeError: windows that do not fit into ``sizes``. DTypeError: ``x`` is bool.
    Source:
        PyTorch 2.13, ``torch.nn.Fold``.
    """
    x = converted(x)
    own = x.dtype
    x = widened(x)
    rank = x.ndim - len(axes)
    for place in range(len(axes) - 1, -1, -1):
        # The last axis of x, along which a window extends, joins the axis that counts the windows.
        axis, size = axes[place], x.shape[-1]
        positions = _positions(x.shape[axis], size, stride[place], dilation[place], x.device)
        others = range(rank + place)
        x = permute_dims(x, (*others[: axis + 1], rank + place, *others[axis + 1 :]))
        x = reshape(x, (*x.shape[:axis], x.shape[axis] * size, *x.shape[axis + 2 :]))
        start = zeros((*x.shape[:axis], sizes[place], *x.shape[axis + 1 :]), dtype=x.dtype, device=x.device)
        x = scatter(start, reshape(positions, -1), x, axis=axis)
    return astype(x, own)


@fold_.gradient("x")
def _fold_back(g: Tensor, x_shape: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Tensor:
    return windows_(g, size=x_shape[len(x_shape) - len(axes) :], stride=stride, dilation=dilation, axes=axes)


def _window_axes(rank: int, count: int, axes: PerAxis | None) -> Shape:
    if axes is None:
        axes = tuple(range(-count, 0))
    given = shape_rules.axes_of(axes)
    shape_rules.normalise(axes, rank)
    return tuple(axis % rank for axis in given)


def windows(
    x: TensorLike, /, size: PerAxis, *, stride: PerAxis = 1, dilation: PerAxis = 1, axes: PerAxis | None = None
) -> Tensor:
    """The windows that slide along axes.

    Args:
        x: any dtype[...].
        size: of a window, an int for one axis or an int per axis.
        stride: the distance between the beginnings of windows, an int or one per axis.
        dilation: the distance between the elements of a window, an int or one per axis.
        axes: the axes to slide along; default: the last ones, as many as ``size`` has numbers.
    Returns:
        any dtype[..., *size], in which each of ``axes`` counts windows.
    Raises:
        ShapeError: a window longer than its axis, or an axis that does not exist.
    Source:
        NumPy, ``lib.stride_tricks.sliding_window_view``, with strides and dilation.
    """
    (x,) = tensors(x)
    count = 1 if isinstance(size, (int, np.integer)) else len(size)
    return windows_(
        x,
        size=per_axis("size", size, count),
        stride=per_axis("stride", stride, count),
        dilation=per_axis("dilation", dilation, count),
        axes=_window_axes(len(x.shape), count, axes),
    )


def fold(
    x: TensorLike, /, sizes: PerAxis, *, stride: PerAxis = 1, dilation: PerAxis = 1, axes: PerAxis | None = None
) -> Tensor:
    """The sum of windows, each put back where `windows` took it from: the transpose of `windows`.

    Args:
        x: numeric[..., *size], as `windows` returns it.
        sizes: of the result along ``axes``, an int for one axis or an int per axis.
        stride, dilation: as for `windows`.
        axes: the axes of the result that the windows slid along; default: the last ones.
    Returns:
        numeric[...], with ``sizes`` at ``axes``.
    Raises:
        ShapeError: windows that do not fit into ``sizes``. DTypeError: ``x`` is bool.
    Source:
        PyTorch 2.13, ``torch.nn.Fold``.
    """
    (x,) = tensors(x)
    count = 1 if isinstance(sizes, (int, np.integer)) else len(sizes)
    return fold_(
        x,
        sizes=per_axis("sizes", sizes, count, least=0),
        stride=per_axis("stride", stride, count),
        dilation=per_axis("dilation", dilation, count),
        axes=_window_axes(len(x.shape) - count, count, axes),
    )


# --- convolution ------------------------------------------------------------------------------------------------------


def _output_size(size: int, window: int, stride: int, padding: tuple[int, int], dilations: tuple[int, int]) -> int:
    total = extent(size, dilations[0]) + sum(padding)
    return max((total - extent(window, dilations[1])) // stride + 1, 0)


@states(
    takes="[...]",
    returns="batch, output sizes and channels out, in the order that ``data_format`` names",
    rejects="weights, groups or padding that do not fit ``x``",
    stride="the distance between windows, per axis.",
    padding="zeros before and after, a pair per axis; negative ones cut elements off.",
    lhs_dilation="the distance between the elements of ``x``, with zeros in between, per axis.",
    rhs_dilation="the distance between the elements of a window, per axis.",
    groups="into how many groups the channels are split.",
    data_format="``channels_last`` or ``channels_first``, of ``x`` and the result.",
)
def conv_shape(
    x: Shape,
    w: Shape,
    *,
    stride: Shape,
    padding: Pairs,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    groups: int,
    data_format: str,
) -> Shape:
    """The shape rule of a convolution."""
    axes = spatial_axes(len(x), data_format)
    check_weights(x, w, groups, data_format)
    dilations = zip(lhs_dilation, rhs_dilation, strict=True)
    sizes = [
        _output_size(x[axis], k, step, pair, between)
        for axis, k, step, pair, between in zip(axes, w, stride, padding, dilations, strict=False)
    ]
    return (x[0], *sizes, w[-1]) if data_format == "channels_last" else (x[0], w[-1], *sizes)


def check_weights(x: Shape, w: Shape, groups: int, data_format: str) -> None:
    """Check that weights fit an operand.

    Raises:
        ShapeError: they do not.
    """
    channels = x[-1 if data_format == "channels_last" else 1] if len(x) > 1 else 0
    if len(w) != len(x) or groups < 1 or w[-2] * groups != channels or w[-1] % groups or 0 in w[:-2]:
        raise ShapeError(
            "the weights do not fit.",
            expected=f"weights [*window, {channels}/groups, channels out] of rank {len(x)}, and channels out that "
            "groups divides",
            got=f"weights of shape {w}, {groups} groups, and {channels} channels",
            fix="permute the weights to [*window, channels in, channels out], for every data_format",
        )


@op(dtype=_summed, shape=conv_shape, promotes=("x", "w"), internal="polytape.nn.conv")
def conv_(
    x: TensorLike,
    w: TensorLike,
    *,
    stride: Shape,
    padding: Pairs,
    lhs_dilation: Shape,
    rhs_dilation: Shape,
    groups: int,
    data_format: str,
) -> Tensor:
    """The convolution of `polytape.nn.conv`, of which every attribute is a tuple.

    Args:
        x: numeric[batch, *sizes, channels], or [batch, channels, *sizes] for ``channels_first``.
        w: numeric[*window, channels / groups, channels out].
    Raises:
        ShapeError: weights, groups or padding that do not fit ``x``. DTypeError: bool operands.
    Source:
        StableHLO 1.0, ``convolution``.
    """
    x, w = converted(x), converted(w)
    own, rank = x.dtype, w.ndim - 2
    x, w = widened(x), widened(w)
    last = data_format == "channels_last"
    if not last:
        x = permute_dims(x, (0, *range(2, rank + 2), 1))
    x = padded(x, ((0, 0), *padding, (0, 0)), (1, *lhs_dilation, 1))
    shape = conv_shape(
        x.shape, w.shape, stride=stride, padding=((0, 0),) * rank, lhs_dilation=(1,) * rank,
        rhs_dilation=rhs_dilation, groups=groups, data_format="channels_last",
    )  # fmt: skip
    if 0 in shape:
        y = zeros(shape, dtype=own, device=x.device)
    else:
        inside = windows_(x, size=w.shape[:-2], stride=stride, dilation=rhs_dilation, axes=tuple(range(1, rank + 1)))
        y = reshape(astype(_products(inside, w, groups), own), shape)
    return y if last else permute_dims(y, (0, rank + 1, *range(1, rank + 1)))


def _products(inside: Tensor, w: Tensor, groups: int) -> Tensor:
    """The products of windows [..., channels, *window] with weights, as [positions, channels out]."""
    rank = w.ndim - 2
    taps = shape_rules.count(w.shape[:-1])
    positions = shape_rules.count(inside.shape[: rank + 1])
    # In the weights, the channels move before the window, as they are in the windows.
    w = reshape(permute_dims(w, (rank, *range(rank), rank + 1)), (taps, groups, w.shape[-1] // groups))
    inside = reshape(inside, (positions, groups, taps))
    if groups == 1:
        return matmul(inside[:, 0], w[:, 0])
    y = matmul(permute_dims(inside, (1, 0, 2)), permute_dims(w, (1, 0, 2)))
    return reshape(permute_dims(y, (1, 0, 2)), (positions, groups * w.shape[-1]))


def adjoint_weights(w: Tensor, groups: int, *, conjugated: bool = True) -> Tensor:
    """The weights of the convolution that is the adjoint of one: reversed windows, the channels in and out swapped."""
    rank = w.ndim - 2
    window, (rows, columns) = w.shape[:-2], w.shape[-2:]
    w = (conjugate(w) if conjugated else w)[(slice(None, None, -1),) * rank]
    if groups == 1:
        return permute_dims(w, (*range(rank), rank + 1, rank))
    w = reshape(w, (*window, rows, groups, columns // groups))
    return reshape(
        permute_dims(w, (*range(rank), rank + 2, rank + 1, rank)), (*window, columns // groups, groups * rows)
    )


@conv_.gradient("x")
def _conv_back_x(
    g: Tensor, w: Tensor, x_shape: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape, rhs_dilation: Shape,
    groups: int, data_format: str,
) -> Tensor:  # fmt: skip
    pairs = []
    for axis, k, s, (before, _), d, r in zip(
        spatial_axes(len(x_shape), data_format), w.shape, stride, padding, lhs_dilation, rhs_dilation, strict=False
    ):
        length = extent(k, r)
        lead = length - 1 - before
        pairs.append((lead, (x_shape[axis] - 1) * d + length - extent(g.shape[axis], s) - lead))
    return conv_(
        g, adjoint_weights(w, groups), stride=lhs_dilation, padding=tuple(pairs), lhs_dilation=stride,
        rhs_dilation=rhs_dilation, groups=groups, data_format=data_format,
    )  # fmt: skip


@conv_.gradient("w")
def _conv_back_w(
    g: Tensor, x: Tensor, w_shape: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape, rhs_dilation: Shape,
    groups: int, data_format: str,
) -> Tensor:  # fmt: skip
    from .convolution_gradients import conv_weight_gradient  # this family is loaded only when it is used

    return conv_weight_gradient(
        g, x, window=w_shape[:-2], stride=stride, padding=padding, lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation, groups=groups, data_format=data_format,
    )  # fmt: skip
