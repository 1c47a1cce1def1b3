"""Losses on logits."""

from __future__ import annotations

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules
from ..arithmetic import subtract
from ..creation import arange_
from ..declaration import op
from ..logic import equal, where
from ..manipulation import astype, reshape
from ..reduction import sum
from .activations import log_softmax, softmax

__all__ = ["sparse_softmax_cross_entropy_with_logits"]

Shape = tuple[int, ...]


def _loss_dtype(labels: DType, logits: DType) -> DType:
    if dtypes.category(labels) != dtypes.INTEGER:
        raise DTypeError(
            "labels are class numbers.", expected="integer labels", got=str(labels), fix="cast them to 'int32'"
        )
    return dtype_rules.same_real_floating(logits)


def _loss_shape(labels: Shape, logits: Shape) -> Shape:
    if not logits or labels != logits[:-1]:
        raise ShapeError(
            "labels and logits do not fit.",
            expected="labels[...] and logits[..., classes]",
            got=f"labels {labels} and logits {logits}",
            fix="give one label per row of logits",
        )
    return labels


@op(dtype=_loss_dtype, shape=_loss_shape)
def sparse_softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """``-log_softmax(logits)[label]`` of each row.

    Args:
        labels: integer[...]: the class of each row, from 0 to classes - 1. A label outside gives 0 or an error,
            by the backend.
        logits: floating[..., classes].
    Returns:
        floating[...]: the loss of each row.
    Raises:
        ShapeError: not one label per row. DTypeError: labels that are not integers, logits that are not floating.
    Source:
        TensorFlow 1.7, ``tf.nn.sparse_softmax_cross_entropy_with_logits``.
    """
    picked = where(_one_hot(labels, logits), log_softmax(logits), 0)
    return -sum(picked, axis=-1)


def _one_hot(labels: TensorLike, logits: TensorLike) -> Tensor:
    if not isinstance(labels, Tensor) or not isinstance(logits, Tensor):  # a body is given tensors
        raise TypeError("a body is run on tensors")
    classes = arange_(0, logits.shape[-1], 1, dtype=labels.dtype, device=logits.device)
    return equal(reshape(labels, (*labels.shape, 1)), classes)


@sparse_softmax_cross_entropy_with_logits.gradient("logits")
def _cross_entropy_back(g: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
    return softmax_cross_entropy_gradient(g, labels, logits)


def _gradient_dtype(g: DType, labels: DType, logits: DType) -> DType:
    return logits


def _gradient_shape(g: Shape, labels: Shape, logits: Shape) -> Shape:
    if g != _loss_shape(labels, logits):
        raise ShapeError(
            "the incoming gradient does not fit.", expected=f"shape {labels}", got=f"{g}", fix="expand it first"
        )
    return logits


@op(dtype=_gradient_dtype, shape=_gradient_shape, internal="the gradient of the cross entropy")
def softmax_cross_entropy_gradient(incoming: TensorLike, labels: TensorLike, logits: TensorLike) -> Tensor:
    """``(softmax(logits) - one_hot(labels)) * incoming`` of each row: the cross-entropy's gradient in one kernel.

    Args:
        incoming: floating[...]: the gradient of each row's loss.
        labels: integer[...]: the class of each row.
        logits: floating[..., classes].
    Returns:
        Shape and dtype of ``logits``.
    Raises:
        ShapeError: rows that do not fit.
    Source:
        As `sparse_softmax_cross_entropy_with_logits`.
    """
    if not isinstance(incoming, Tensor) or not isinstance(logits, Tensor):  # a body is given tensors
        raise TypeError("a body is run on tensors")
    hot = astype(_one_hot(labels, logits), logits.dtype)
    return subtract(softmax(logits), hot) * reshape(incoming, (*incoming.shape, 1))
