"""Normalization over axes. Statistics of half precision are computed in float32."""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import dtypes
from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import maximum, square, subtract
from ..declaration import converted, op, states
from ..exponential import sqrt
from ..manipulation import astype, identity, reshape, stop_gradient
from ..reduction import mean as average, sum, var

__all__ = ["BatchNormResult", "l2_normalize", "layer_norm", "rms_norm"]

Shape = tuple[int, ...]
Axis = int | tuple[int, ...]


@states(
    takes="[...]",
    returns="same",
    rejects="an axis that does not exist, or a weight or bias that does not broadcast to {x}",
)
def _normalised(x: Shape, weight: Shape | None = None, bias: Shape | None = None, *, axis: Any) -> Shape:
    shape_rules.normalise(axis, len(x))
    for name, shape in (("weight", weight), ("bias", bias)):
        if shape is not None and shape_rules.broadcast(x, shape) != x:
            raise ShapeError(
                f"the {name} would enlarge the result.",
                expected=f"a shape that broadcasts to {x}",
                got=f"shape {shape}",
                fix="give it the sizes of the normalized axes, or size 1 for other axes",
            )
    return x


def widened(x: TensorLike) -> Tensor:
    """``x``, but float32 for half precision."""
    x = converted(x)
    return astype(x, dtypes.float32) if x.dtype.itemsize == 2 else x


def scaled(y: Tensor, weight: TensorLike | None, bias: TensorLike | None, dtype: Any) -> Tensor:
    """``y * weight + bias``, rounded to ``dtype`` once."""
    if weight is not None:
        y = y * astype(weight, y.dtype)
    if bias is not None:
        y = y + astype(bias, y.dtype)
    return y if y.dtype is dtype else astype(y, dtype)


def _unscaled(g: Tensor, weight: Tensor | None) -> Tensor:
    return g if weight is None else g * weight


def summed(g: Tensor, shape: Shape) -> Tensor:
    """The sum of ``g`` over the axes along which an operand of this shape was broadcast."""
    if g.shape == shape:
        return g
    added = len(g.shape) - len(shape)
    repeated = [axis for axis in range(added, len(g.shape)) if shape[axis - added] != g.shape[axis]]
    return reshape(sum(g, axis=(*range(added), *repeated)), shape)


@op(dtype=dtype_rules.same_real_floating, shape=_normalised, floating=True)
def layer_norm(
    x: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    axis: Axis = -1,
    epsilon: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * weight + bias``, with the mean and the variance over axes.

    Args:
        x: real[...]; integers and bools are cast to float32.
        weight, bias: floating[...], broadcast to ``x`` and promoted with it; default: 1 and 0.
        axis: the axes that are normalized together.
        epsilon: keeps the quotient finite where the variance is 0.
    Source:
        J. Ba, J. Kiros, G. Hinton (2016), Layer normalization, arXiv:1607.06450.
    """
    wide = widened(x)
    d = subtract(wide, average(wide, axis, keepdims=True))
    y = d / sqrt(average(square(d), axis, keepdims=True) + epsilon)
    return scaled(y, weight, bias, converted(x).dtype)


@layer_norm.gradient("x", "weight", "bias")
def _layer_norm_back(
    g: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, axis: Axis, epsilon: float
) -> tuple[Tensor | None, ...]:
    if weight is None:
        dx = layer_norm_gradient(g, x, axis=axis, epsilon=epsilon)
        return dx, None, None if bias is None else summed(g, bias.shape)
    from .norm_gradients import layer_norm_gradients  # this family is loaded only when it is used

    back = layer_norm_gradients(g, x, weight, axis=axis, epsilon=epsilon)
    if bias is None:
        return back.x, back.weight, None
    return back.x, back.weight, back.bias if bias.shape == weight.shape else summed(g, bias.shape)


def _same_shapes(incoming: Shape, x: Shape, *, axis: Any) -> Shape:
    if incoming != x:
        raise ShapeError(
            "the incoming gradient has the wrong shape.",
            expected=f"shape {x}",
            got=f"shape {incoming}",
            fix="broadcast it first",
        )
    return _normalised(x, axis=axis)


@op(dtype=dtype_rules.same_real_floating, shape=_same_shapes, floating=True, internal="the gradient of layer_norm")
def layer_norm_gradient(incoming: TensorLike, x: TensorLike, *, axis: Axis = -1, epsilon: float = 1e-5) -> Tensor:
    """The gradient of layer_norm without weight and bias, with respect to ``x``, in one kernel.

    Args:
        incoming, x: floating[...], of the same shape, promoted together.
        axis, epsilon: as for `layer_norm`.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: shapes that differ, or an axis that does not exist. DTypeError: complex operands.
    Source:
        As for `layer_norm`.
    """
    wide, g = widened(x), widened(incoming)
    d = subtract(wide, average(wide, axis, keepdims=True))
    r = 1.0 / sqrt(average(square(d), axis, keepdims=True) + epsilon)
    y = d * r
    dx = (g - average(g, axis, keepdims=True) - y * average(g * y, axis, keepdims=True)) * r
    return scaled(dx, None, None, converted(x).dtype)


@op(dtype=dtype_rules.same_real_floating, shape=_normalised, floating=True)
def rms_norm(x: TensorLike, weight: TensorLike | None = None, *, axis: Axis = -1, epsilon: float = 1e-6) -> Tensor:
    """``x / sqrt(mean(x ** 2) + epsilon) * weight``, with the mean over axes.

    Args:
        x: real[...]; integers and bools are cast to float32.
        weight: floating[...], broadcast to ``x`` and promoted with it; default: 1.
        axis: the axes that are normalized together.
        epsilon: keeps the quotient finite where ``x`` is 0.
    Source:
        B. Zhang, R. Sennrich (2019), Root mean square layer normalization, NeurIPS, arXiv:1910.07467.
    """
    wide = widened(x)
    y = wide / sqrt(average(square(wide), axis, keepdims=True) + epsilon)
    return scaled(y, weight, None, converted(x).dtype)


@rms_norm.gradient("x", "weight")
def _rms_norm_back(
    g: Tensor, x: Tensor, weight: Tensor | None, axis: Axis, epsilon: float
) -> tuple[Tensor | None, ...]:
    normed = None if weight is None else rms_norm(x, axis=axis, epsilon=epsilon)
    return (
        rms_norm_gradient(_unscaled(g, weight), x, axis=axis, epsilon=epsilon),
        None if weight is None or normed is None else summed(g * normed, weight.shape),
    )


@op(dtype=dtype_rules.same_real_floating, shape=_same_shapes, floating=True, internal="the gradient of rms_norm")
def rms_norm_gradient(incoming: TensorLike, x: TensorLike, *, axis: Axis = -1, epsilon: float = 1e-6) -> Tensor:
    """The gradient of rms_norm without weight, with respect to ``x``, in one kernel.

    Args:
        incoming, x: floating[...], of the same shape, promoted together.
        axis, epsilon: as for `rms_norm`.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: shapes that differ, or an axis that does not exist. DTypeError: complex operands.
    Source:
        As for `rms_norm`.
    """
    wide, g = widened(x), widened(incoming)
    r = 1.0 / sqrt(average(square(wide), axis, keepdims=True) + epsilon)
    y = wide * r
    return scaled((g - y * average(g * y, axis, keepdims=True)) * r, None, None, converted(x).dtype)


class BatchNormResult(NamedTuple):
    """The results of `batch_norm`.

    Attributes:
        y: the normalized batch.
        mean, variance: the new moving averages, or the given ones unless it trains.
    """

    y: Tensor
    mean: Tensor
    variance: Tensor


@states(takes="floating", returns="that of {x}, and those of the averages", rejects="complex")
def _batch_dtypes(
    x: DType, mean: DType, variance: DType, weight: DType | None = None, bias: DType | None = None
) -> tuple[DType, DType, DType]:
    return dtype_rules.same_real_floating(x), mean, variance


def check_channels(x: Shape, axis: int, **scales: Shape | None) -> Shape:
    """The shape of one number per channel.

    Raises:
        ShapeError: the axis does not exist, there are no elements, or one of the given shapes is another.
    """
    (channels,) = shape_rules.normalise(axis, len(x))
    for name, shape in scales.items():
        if shape is not None and shape != (x[channels],):
            raise ShapeError(
                f"the {name} does not match the channels.",
                expected=f"shape ({x[channels]},)",
                got=f"shape {shape}",
                fix="pass one number per channel, or the axis of the channels",
            )
    if 0 in x:
        raise ShapeError(
            "a batch without elements has no statistics.",
            expected="at least one element",
            got=f"shape {x}",
            fix="leave the batch out, or pass training=False",
        )
    return (x[channels],)


@states(takes="[...]", returns="that of {x}, and [channels] twice", rejects="no elements, another number of channels")
def _batch_shapes(
    x: Shape, mean: Shape, variance: Shape, weight: Shape | None = None, bias: Shape | None = None, *, axis: int
) -> tuple[Shape, Shape, Shape]:
    check_channels(x, axis, mean=mean, variance=variance, weight=weight, bias=bias)
    return x, mean, variance


@op(
    dtype=_batch_dtypes, shape=_batch_shapes, floating=True, promotes=(), outputs=BatchNormResult,
    internal="polytape.nn.batch_norm",
)  # fmt: skip
def batch_norm_(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    momentum: float = 0.99,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> BatchNormResult:
    """A batch normalized with its own statistics, and the moving averages with these added; see `batch_norm`.

    Args:
        x: floating[...].
        mean, variance: floating[channels].
        weight, bias: floating[channels]; default: 1 and 0.
        momentum: the share of the old averages in the new ones.
        axis: of the channels.
        epsilon: is added to the variance.
    Raises:
        ShapeError: there are no elements, the axis does not exist, or a number of channels differs.
    Source:
        S. Ioffe, C. Szegedy (2015), Batch normalization, ICML, arXiv:1502.03167.
    """
    x, mean, variance = converted(x), converted(mean), converted(variance)
    axes, scales = batch_axes(x, axis), [per_channel(scale, x.ndim, axis) for scale in (weight, bias)]
    y = astype(layer_norm(x, *scales, axis=axes, epsilon=epsilon), x.dtype)
    fixed = stop_gradient(widened(x))
    spread = var(fixed, axes, correction=1 if shape_rules.count(tuple(x.shape[k] for k in axes)) > 1 else 0)
    new_mean = widened(mean) * momentum + average(fixed, axes) * (1.0 - momentum)
    new_variance = widened(variance) * momentum + spread * (1.0 - momentum)
    return BatchNormResult(y, astype(new_mean, mean.dtype), astype(new_variance, variance.dtype))


def batch_axes(x: Tensor, axis: int) -> tuple[int, ...]:
    """All axes but that of the channels."""
    return tuple(k for k in range(x.ndim) if k != axis % x.ndim)


def per_channel(x: TensorLike | None, rank: int, axis: int) -> Tensor | None:
    """A tensor of shape (channels,), reshaped so that it broadcasts along the channel axis."""
    return None if x is None else reshape(x, (-1, *(1,) * (rank - 1 - axis % rank)))


@batch_norm_.gradient("x", "weight", "bias")
def _batch_norm_back(
    g: BatchNormResult, x: Tensor, weight: Tensor | None, bias: Tensor | None, axis: int, epsilon: float
) -> tuple[Tensor | None, ...]:
    if g.y is None:  # no gradient flows through the averages
        return None, None, None
    from .norm_gradients import batch_norm_gradient  # this family is loaded only when it is used

    back = batch_norm_gradient(g.y, x, weight, axis=axis, epsilon=epsilon)
    return (
        back.x,
        None if weight is None else back.weight,
        None if bias is None else astype(back.bias, bias.dtype),
    )


def l2_normalize(x: TensorLike, *, axis: Axis | None = -1, epsilon: float = 1e-12) -> Tensor:
    """``x / sqrt(max(sum(x ** 2), epsilon))`` along axes: vectors of length 1.

    Args:
        x: floating[...].
        axis: the axes of a vector; None means all.
        epsilon: the smallest squared length to divide by, so that a vector of zeros stays 0.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        TensorFlow 1.7, ``tf.nn.l2_normalize``.
    """
    x = identity(x)
    wide = widened(x)
    y = wide / sqrt(maximum(sum(square(wide), axis, keepdims=True), epsilon))
    return scaled(y, None, None, y.dtype if wide is x else x.dtype)
