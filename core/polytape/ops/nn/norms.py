"""Normalization over axes. Statistics of half precision are computed in float32."""

from __future__ import annotations

from typing import Any

from ... import dtypes
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import maximum, square, subtract
from ..declaration import converted, op, states
from ..exponential import sqrt
from ..manipulation import astype, identity, reshape
from ..reduction import mean, sum

__all__ = ["l2_normalize", "layer_norm", "rms_norm"]

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


def _summed(g: Tensor, shape: Shape | None) -> Tensor | None:
    """The sum of ``g`` over the axes along which an operand of this shape was broadcast."""
    if shape is None or g.shape == shape:
        return None if shape is None else g
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
    d = subtract(wide, mean(wide, axis, keepdims=True))
    y = d / sqrt(mean(square(d), axis, keepdims=True) + epsilon)
    return scaled(y, weight, bias, converted(x).dtype)


@layer_norm.gradient("x", "weight", "bias")
def _layer_norm_back(
    g: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, axis: Axis, epsilon: float
) -> tuple[Tensor | None, ...]:
    normed = None if weight is None else layer_norm(x, axis=axis, epsilon=epsilon)
    return (
        layer_norm_gradient(_unscaled(g, weight), x, axis=axis, epsilon=epsilon),
        None if weight is None or normed is None else _summed(g * normed, weight.shape),
        None if bias is None else _summed(g, bias.shape),
    )


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
    d = subtract(wide, mean(wide, axis, keepdims=True))
    r = 1.0 / sqrt(mean(square(d), axis, keepdims=True) + epsilon)
    y = d * r
    dx = (g - mean(g, axis, keepdims=True) - y * mean(g * y, axis, keepdims=True)) * r
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
    y = wide / sqrt(mean(square(wide), axis, keepdims=True) + epsilon)
    return scaled(y, weight, None, converted(x).dtype)


@rms_norm.gradient("x", "weight")
def _rms_norm_back(
    g: Tensor, x: Tensor, weight: Tensor | None, axis: Axis, epsilon: float
) -> tuple[Tensor | None, ...]:
    normed = None if weight is None else rms_norm(x, axis=axis, epsilon=epsilon)
    return (
        rms_norm_gradient(_unscaled(g, weight), x, axis=axis, epsilon=epsilon),
        None if weight is None or normed is None else _summed(g * normed, weight.shape),
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
    r = 1.0 / sqrt(mean(square(wide), axis, keepdims=True) + epsilon)
    y = wide * r
    return scaled((g - y * mean(g * y, axis, keepdims=True)) * r, None, None, converted(x).dtype)


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
