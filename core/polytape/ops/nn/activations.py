"""Activation functions."""

from __future__ import annotations

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import divide, maximum, subtract
from ..declaration import op
from ..exponential import exp, log
from ..logic import where
from ..manipulation import stop_gradient
from ..reduction import max, sum
from ..trigonometric import tanh

__all__ = ["log_softmax", "relu", "sigmoid", "softmax"]


@op(dtype=dtype_rules.same_real, shape=shape_rules.same_shape, elementwise=True)
def relu(x: TensorLike, /) -> Tensor:
    """``max(x, 0)``, elementwise; its gradient at 0 is 0.

    Source:
        V. Nair, G. Hinton (2010), ICML, pp. 807-814.
    """
    return maximum(x, 0)


relu.gradient(x=lambda g, y: where(y > 0, g, 0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True)
def sigmoid(x: TensorLike, /) -> Tensor:
    """``1 / (1 + exp(-x))``, elementwise.

    Source:
        The logistic function; P.-F. Verhulst (1845).
    """
    # For very negative x, tanh saturates while exp(-x) would overflow.
    return tanh(x * 0.5) * 0.5 + 0.5  # type: ignore[operator]  # inside a body, x is a Tensor


sigmoid.gradient(x=lambda g, y: g * (y * (1.0 - y)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.along_axis)
def softmax(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis.

    Args:
        x: real floating[...]: the logits.
        axis: the axis along which the results sum to 1.
    Source:
        J. Bridle (1990), in Neurocomputing, NATO ASI Series F68, pp. 227-236.
    """
    # Shifted so that the largest logit is 0, exp cannot overflow.
    e = exp(subtract(x, stop_gradient(max(x, axis=axis, keepdims=True))))
    return divide(e, sum(e, axis=axis, keepdims=True))


softmax.gradient(x=lambda g, y, axis: y * (g - sum(g * y, axis=axis, keepdims=True)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.along_axis)
def log_softmax(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """``log(softmax(x))`` along an axis, computed without loss of precision.

    Args:
        x: real floating[...]: the logits.
        axis: the axis along which the exponentials of the results sum to 1.
    Source:
        J. Bridle (1990), in Neurocomputing, NATO ASI Series F68, pp. 227-236.
    """
    shifted = subtract(x, stop_gradient(max(x, axis=axis, keepdims=True)))
    return subtract(shifted, log(sum(exp(shifted), axis=axis, keepdims=True)))


log_softmax.gradient(x=lambda g, y, axis: g - exp(y) * sum(g, axis=axis, keepdims=True))
