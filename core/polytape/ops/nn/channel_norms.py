"""Normalization of channels, as functions of other ops. Statistics of half precision are computed in float32.

Moving averages are returned, not written: an op changes no variable.
"""

from __future__ import annotations

from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import shape_rules
from ..arithmetic import square
from ..creation import zeros
from ..exponential import sqrt
from ..manipulation import concat, identity, reshape
from .norms import BatchNormResult, batch_norm_, layer_norm, per_channel, scaled, widened

__all__ = ["batch_norm", "group_norm", "instance_norm", "local_response_norm"]


def _channels(x: Tensor, axis: int) -> int:
    """A channel axis, as a number from 1 on: axis 0 counts the examples."""
    (channels,) = shape_rules.normalise(axis, x.ndim)
    if channels == 0:
        raise ShapeError(
            "axis 0 counts the examples.",
            expected="a channel axis from 1 on",
            got=f"axis {axis} of shape {x.shape}",
            fix="insert an axis of size 1 for a single example",
        )
    return channels


def group_norm(
    x: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    groups: int,
    axis: int = -1,
    epsilon: float = 1e-5,
) -> Tensor:
    """Normalize each group of channels of each example, over its channels and all positions.

    Args:
        x: floating[n, ..., channels], or with the channels along ``axis``.
        weight, bias: floating[channels]; default: 1 and 0.
        groups: how many; it divides the number of channels.
        axis: of the channels: -1, or 1 for [n, channels, height, width].
        epsilon: keeps the quotient finite where the variance is 0.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: the number of channels is not a multiple of ``groups``, or the axis does not exist.
    Source:
        Y. Wu, K. He (2018), Group normalization, ECCV, arXiv:1803.08494.
    """
    x = identity(x)
    channels = _channels(x, axis)
    count = x.shape[channels]
    if groups < 1 or count % groups:
        raise ShapeError(
            "the channels cannot be divided into groups of equal size.",
            expected="a number of groups that divides the number of channels",
            got=f"{groups} groups, {count} channels",
            fix="change groups",
        )
    split = reshape(x, (*x.shape[:channels], groups, count // groups, *x.shape[channels + 1 :]))
    axes = tuple(k for k in range(1, split.ndim) if k != channels)
    shape = (groups, count // groups, *(1,) * (x.ndim - 1 - channels))
    scales = [None if scale is None else reshape(scale, shape) for scale in (weight, bias)]
    return reshape(layer_norm(split, *scales, axis=axes, epsilon=epsilon), x.shape)


def instance_norm(
    x: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
) -> Tensor:
    """Normalize each channel of each example over all positions.

    Args:
        x: floating[n, ..., channels], or with the channels along ``axis``.
        weight, bias: floating[channels]; default: 1 and 0.
        axis: of the channels: -1, or 1 for [n, channels, height, width].
        epsilon: keeps the quotient finite where the variance is 0.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: the axis does not exist.
    Source:
        D. Ulyanov, A. Vedaldi, V. Lempitsky (2016), Instance normalization, arXiv:1607.08022.
    """
    x = identity(x)
    channels = _channels(x, axis)
    axes = tuple(k for k in range(1, x.ndim) if k != channels)
    scales = [per_channel(scale, x.ndim, channels) for scale in (weight, bias)]
    return layer_norm(x, *scales, axis=axes, epsilon=epsilon)


def batch_norm(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    training: bool = False,
    momentum: float = 0.99,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> BatchNormResult:
    """Normalize each channel with the statistics of the batch if it trains, otherwise with their moving averages.

    Args:
        x: floating[n, ..., channels], or with the channels along ``axis``.
        mean, variance: floating[channels]: the moving averages, which are not written.
        weight, bias: floating[channels]; default: 1 and 0.
        training: whether to use the batch's own statistics, and to return new moving averages.
        momentum: the share of the old averages in the new ones (PyTorch's momentum is 1 minus this number).
        axis: of the channels: -1, or 1 for [n, channels, height, width].
        epsilon: is added to the variance.
    Returns:
        A named tuple ``(y, mean, variance)``: shape and dtype of ``x``, and the moving averages. The new variance is
        the unbiased one. No gradient flows through the averages.
    Raises:
        ShapeError: the axis does not exist, or a number of channels differs.
    Source:
        S. Ioffe, C. Szegedy (2015), Batch normalization, ICML, arXiv:1502.03167.
    """
    x, mean, variance = identity(x), identity(mean), identity(variance)
    (channels,) = shape_rules.normalise(axis, x.ndim)
    _check_channels(x.shape[channels], mean=mean, variance=variance, weight=weight, bias=bias)
    scales = [per_channel(scale, x.ndim, channels) for scale in (weight, bias)]
    if not training:
        centre = reshape(mean, (-1, *(1,) * (x.ndim - 1 - channels)))
        spread = reshape(variance, (-1, *(1,) * (x.ndim - 1 - channels)))
        y = (widened(x) - centre) / sqrt(widened(spread) + epsilon)
        return BatchNormResult(scaled(y, scales[0], scales[1], x.dtype), mean, variance)
    return batch_norm_(x, mean, variance, weight, bias, momentum=momentum, axis=channels, epsilon=epsilon)


def _check_channels(count: int, **scales: TensorLike | None) -> None:
    for name, scale in scales.items():
        shape = None if scale is None else identity(scale).shape
        if shape not in (None, (count,)):
            raise ShapeError(
                f"the {name} does not match the channels.",
                expected=f"shape ({count},)",
                got=f"shape {shape}",
                fix="pass one number per channel, or the axis of the channels",
            )


def local_response_norm(
    x: TensorLike,
    *,
    depth_radius: int = 5,
    offset: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    axis: int = -1,
) -> Tensor:
    """``x / (offset + alpha * s) ** beta``, with the sum s of the squares of the neighbouring channels.

    Args:
        x: floating[..., channels], or with the channels along ``axis``.
        depth_radius: how many channels on each side count as neighbours, beside the channel itself.
        offset: TensorFlow's ``bias``, PyTorch's ``k``.
        alpha: PyTorch's ``alpha`` is this number times the number of neighbours.
        beta: the exponent.
        axis: of the channels.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: the axis does not exist.
    Source:
        A. Krizhevsky, I. Sutskever, G. Hinton (2012), NeurIPS 25; TensorFlow 1.7, ``tf.nn.lrn``.
    """
    x = identity(x)
    (channels,) = shape_rules.normalise(axis, x.ndim)
    wide = widened(x)
    count, before = x.shape[channels], (slice(None),) * channels
    squares = square(wide)
    edge = zeros(
        (*x.shape[:channels], depth_radius, *x.shape[channels + 1 :]), dtype=squares.dtype, device=squares.device
    )
    padded = concat([edge, squares, edge], axis=channels)
    neighbours = padded[(*before, slice(0, count))]
    for shift in range(1, 2 * depth_radius + 1):
        neighbours = neighbours + padded[(*before, slice(shift, shift + count))]
    y = wide / (neighbours * alpha + offset) ** beta
    return scaled(y, None, None, y.dtype if wide is x else x.dtype)
