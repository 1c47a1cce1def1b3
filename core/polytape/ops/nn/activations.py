"""Activation functions."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import divide, maximum, multiply, negative, subtract
from ..declaration import converted, op, states
from ..exponential import exp, log
from ..logic import where
from ..manipulation import stop_gradient
from ..reduction import max, sum

__all__ = ["glu", "log_softmax", "relu", "sigmoid", "softmax", "softmin"]

Shape = tuple[int, ...]


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.same_shape, elementwise=True)
def relu(x: TensorLike, /) -> Tensor:
    """``max(x, 0)``, elementwise; its gradient at 0 is 0.

    Source:
        V. Nair, G. Hinton (2010), ICML, pp. 807-814.
    """
    return maximum(x, 0)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of relu",
)
def relu_gradient(incoming: TensorLike, result: TensorLike, /) -> Tensor:
    """``incoming`` where ``result``, that of relu, is positive, 0 elsewhere: the gradient of relu in one kernel.

    Source:
        As for `relu`.
    """
    return where(converted(result) > 0, incoming, 0)


relu.gradient(x=lambda g, y: relu_gradient(g, y))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def sigmoid(x: TensorLike, /) -> Tensor:
    """``1 / (1 + exp(-x))``, elementwise.

    Source:
        The logistic function; P.-F. Verhulst (1845).
    """
    # exp(-|x|) cannot overflow, and keeps the relative accuracy of small results.
    x = converted(x)
    e = exp(-abs(x))
    return where(x >= 0, 1, e) / (e + 1)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of sigmoid",
)
def sigmoid_gradient(incoming: TensorLike, result: TensorLike, /) -> Tensor:
    """``incoming * result * (1 - result)``, elementwise: the gradient of sigmoid in one kernel.

    Source:
        As for `sigmoid`.
    """
    return multiply(incoming, converted(result) * (1.0 - converted(result)))


sigmoid.gradient(x=lambda g, y: sigmoid_gradient(g, y))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.along_axis, floating=True)
def softmax(x: TensorLike, /, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis.

    Args:
        x: real[...]: the logits; integers and bools are cast to float32.
        axis: the axis along which the results sum to 1.
    Source:
        J. Bridle (1990), in Neurocomputing, NATO ASI Series F68, pp. 227-236.
    """
    e = exp(_shifted(converted(x), axis))
    return divide(e, sum(e, axis, keepdims=True))


def _shifted(x: Tensor, axis: int) -> Tensor:
    """``x`` less its largest element along the axis, so that exp cannot overflow; without elements, ``x`` itself."""
    return subtract(x, stop_gradient(max(x, axis, keepdims=True))) if x.size else x


def _gradient_shape(incoming: Shape, result: Shape, *, axis: int) -> Shape:
    if incoming != result:
        raise ShapeError(
            "the incoming gradient has the wrong shape.",
            expected=f"shape {result}",
            got=f"shape {incoming}",
            fix="broadcast it first",
        )
    return shape_rules.along_axis(result, axis=axis)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=_gradient_shape,
    promotes=("incoming", "result"),
    internal="the gradient of softmax",
)
def softmax_gradient(incoming: TensorLike, result: TensorLike, /, *, axis: int = -1) -> Tensor:
    """``result * (incoming - sum(incoming * result))`` along an axis: the gradient of softmax in one kernel.

    Args:
        incoming, result: real floating[...], of the same shape, promoted together.
        axis: as for `softmax`.
    Returns:
        Shape and dtype of ``result``.
    Raises:
        ShapeError: shapes that differ, or an axis that does not exist. DTypeError: operands that are not real floating.
    Source:
        As for `softmax`.
    """
    return converted(result) * subtract(incoming, sum(multiply(incoming, result), axis, keepdims=True))


softmax.gradient(x=lambda g, y, axis: softmax_gradient(g, y, axis=axis))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.along_axis, floating=True)
def log_softmax(x: TensorLike, /, axis: int = -1) -> Tensor:
    """``log(softmax(x))`` along an axis, computed without loss of precision.

    Args:
        x: real[...]: the logits; integers and bools are cast to float32.
        axis: the axis along which the exponentials of the results sum to 1.
    Source:
        J. Bridle (1990), in Neurocomputing, NATO ASI Series F68, pp. 227-236.
    """
    shifted = _shifted(converted(x), axis)
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True))) if shifted.size else shifted


@op(
    dtype=dtype_rules.same_real_floating,
    shape=_gradient_shape,
    promotes=("incoming", "result"),
    internal="the gradient of log_softmax",
)
def log_softmax_gradient(incoming: TensorLike, result: TensorLike, /, *, axis: int = -1) -> Tensor:
    """``incoming - exp(result) * sum(incoming)`` along an axis: the gradient of log_softmax in one kernel.

    Args:
        incoming, result: real floating[...], of the same shape, promoted together.
        axis: as for `log_softmax`.
    Returns:
        Shape and dtype of ``result``.
    Raises:
        ShapeError: shapes that differ, or an axis that does not exist. DTypeError: operands that are not real floating.
    Source:
        As for `softmax`.
    """
    return subtract(incoming, exp(result) * sum(incoming, axis, keepdims=True))


log_softmax.gradient(x=lambda g, y, axis: log_softmax_gradient(g, y, axis=axis))


def softmin(x: TensorLike, /, axis: int = -1) -> Tensor:
    """``softmax(-x)`` along an axis.

    Args:
        x: real[...]; integers and bools are cast to float32.
        axis: the axis along which the results sum to 1.
    Returns:
        Shape of ``x``; its dtype if that is floating.
    Raises:
        ShapeError: an axis that does not exist. DTypeError: ``x`` is complex or bool.
    Source:
        J. Bridle (1990), in Neurocomputing, NATO ASI Series F68, pp. 227-236.
    """
    return softmax(negative(x), axis)


@states(
    takes="[...]",
    returns="{x} with half the size along ``axis``",
    rejects="an axis that does not exist or whose size is odd",
    axis="the axis to halve.",
)
def _halved(x: Shape, *, axis: Any) -> Shape:
    shape_rules.along_axis(x, axis=axis)
    axis %= len(x)
    if x[axis] % 2:
        raise ShapeError(
            "the axis cannot be halved.",
            expected="an even size",
            got=f"{x[axis]} along axis {axis}",
            fix="choose another axis",
        )
    return (*x[:axis], x[axis] // 2, *x[axis + 1 :])


@op(dtype=dtype_rules.same_real_floating, shape=_halved, floating=True)
def glu(x: TensorLike, /, axis: int = -1) -> Tensor:
    """``a * sigmoid(b)``, where ``a`` and ``b`` are the first and the second half of ``x`` along an axis.

    Source:
        Y. Dauphin, A. Fan, M. Auli, D. Grangier (2017), ICML, arXiv:1612.08083.
    """
    x = converted(x)
    axis %= x.ndim
    half, before = x.shape[axis] // 2, (slice(None),) * axis
    return x[(*before, slice(None, half))] * sigmoid(x[(*before, slice(half, None))])
