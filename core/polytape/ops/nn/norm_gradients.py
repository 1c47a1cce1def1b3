"""The gradients of normalizations with a weight, with respect to all operands at once.

A kernel of these ops reads the incoming gradient and the normalized operand once, for three results.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import multiply
from ..declaration import converted, op, states
from ..manipulation import astype
from ..reduction import sum
from .norms import batch_axes, check_channels, layer_norm, layer_norm_gradient, per_channel, summed, widened

__all__: list[str] = []

Shape = tuple[int, ...]
Axis = int | tuple[int, ...]


class NormGradients(NamedTuple):
    """The gradients of a normalization.

    Attributes:
        x, weight, bias: with respect to the operand, its weight, and a bias of the shape of the weight.
    """

    x: Tensor
    weight: Tensor
    bias: Tensor


def _same(incoming: Shape, x: Shape) -> Shape:
    if incoming != x:
        raise ShapeError(
            "the incoming gradient has the wrong shape.",
            expected=f"shape {x}",
            got=f"shape {incoming}",
            fix="broadcast it first",
        )
    return x


@states(takes="real floating", returns="same, three times", rejects="not real floating")
def _three(incoming: DType, *others: DType) -> tuple[DType, DType, DType]:
    dtype = dtype_rules.same_real_floating(incoming)
    return dtype, dtype, dtype


@states(
    takes="[...]",
    returns="that of {x}, and twice that of {weight}",
    rejects="an incoming gradient of another shape, or a weight that does not broadcast to {x}",
)
def _layer_shapes(incoming: Shape, x: Shape, weight: Shape, *, axis: Any) -> tuple[Shape, Shape, Shape]:
    shape_rules.normalise(axis, len(_same(incoming, x)))
    if shape_rules.broadcast(x, weight) != x:
        raise ShapeError(
            "the weight would enlarge the result.",
            expected=f"a shape that broadcasts to {x}",
            got=f"shape {weight}",
            fix="give it the sizes of the normalized axes, or size 1 for other axes",
        )
    return x, weight, weight


@op(
    dtype=_three, shape=_layer_shapes, floating=True, outputs=NormGradients,
    internal="the gradient of layer_norm with a weight",
)  # fmt: skip
def layer_norm_gradients(
    incoming: TensorLike, x: TensorLike, weight: TensorLike, *, axis: Axis = -1, epsilon: float = 1e-5
) -> NormGradients:
    """The gradients of layer_norm with respect to ``x``, to the weight, and to a bias of the shape of the weight.

    Args:
        incoming, x: floating[...], of the same shape; promoted together with ``weight``.
        weight: floating[...], broadcast to ``x``.
        axis, epsilon: as for `layer_norm`.
    Raises:
        ShapeError: shapes that do not fit, or an axis that does not exist. DTypeError: complex operands.
    Source:
        As for `layer_norm`.
    """
    g, weight = converted(incoming), converted(weight)
    products = g * layer_norm(x, axis=axis, epsilon=epsilon)
    return NormGradients(
        layer_norm_gradient(g * weight, x, axis=axis, epsilon=epsilon),
        summed(products, weight.shape),
        summed(g, weight.shape),
    )


@states(takes="floating", returns="that of {x}, and twice that of {weight}, or of {x} without it", rejects="complex")
def _batch_dtypes(incoming: DType, x: DType, weight: DType | None = None) -> tuple[DType, DType, DType]:
    scale = x if weight is None else weight
    return dtype_rules.same_real_floating(x), scale, scale


@states(
    takes="[...]",
    returns="that of {x}, and twice [channels]",
    rejects="no elements, or shapes that do not fit",
)
def _batch_shapes(incoming: Shape, x: Shape, weight: Shape | None = None, *, axis: int) -> tuple[Shape, Shape, Shape]:
    scale = check_channels(_same(incoming, x), axis, weight=weight)
    return x, scale, scale


@op(
    dtype=_batch_dtypes, shape=_batch_shapes, floating=True, promotes=(), outputs=NormGradients,
    internal="the gradient of batch_norm",
)  # fmt: skip
def batch_norm_gradient(
    incoming: TensorLike, x: TensorLike, weight: TensorLike | None = None, *, axis: int = -1, epsilon: float = 1e-3
) -> NormGradients:
    """The gradients of batch_norm in training with respect to ``x``, to the weight and to the bias.

    Args:
        incoming, x: floating[...], of the same shape and dtype.
        weight: floating[channels]; default: 1.
        axis, epsilon: as for `batch_norm`.
    Raises:
        ShapeError: there are no elements, or shapes do not fit. DTypeError: complex operands.
    Source:
        As for `batch_norm`.
    """
    x = converted(x)
    axes, dtype = batch_axes(x, axis), x.dtype if weight is None else converted(weight).dtype
    g, wide = widened(incoming), widened(x)
    scale = per_channel(weight, x.ndim, axis)
    dx = layer_norm_gradient(
        g if scale is None else multiply(g, astype(scale, g.dtype)), wide, axis=axes, epsilon=epsilon
    )
    products = sum(g * layer_norm(wide, axis=axes, epsilon=epsilon), axes)
    return NormGradients(astype(dx, x.dtype), astype(products, dtype), astype(sum(g, axes), dtype))
