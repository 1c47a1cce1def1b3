"""Cross entropies: losses on logits."""

from __future__ import annotations

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, multiply, subtract
from ..creation import arange_
from ..declaration import in_single, op
from ..exponential import exp, log1p
from ..logic import equal, where
from ..manipulation import astype, reshape
from ..reduction import sum
from .activations import log_softmax, sigmoid, softmax

__all__ = [
    "nll_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
]

Shape = tuple[int, ...]


def _loss_dtype(labels: DType, logits: DType) -> DType:
    if dtypes.category(labels) != dtypes.INTEGER:
        raise DTypeError(
            "labels must be class indices.", expected="integer labels", got=str(labels), fix="cast them to 'int32'"
        )
    return dtype_rules.same_real_floating(logits)


def _loss_shape(labels: Shape, logits: Shape) -> Shape:
    if not logits or labels != logits[:-1]:
        raise ShapeError(
            "labels and logits do not match.",
            expected="labels[...] and logits[..., classes]",
            got=f"labels {labels} and logits {logits}",
            fix="pass one label per row of logits",
        )
    return labels


@op(dtype=_loss_dtype, shape=_loss_shape)
def sparse_softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """``-log_softmax(logits)[label]`` of each row.

    Args:
        labels: integer[...]: the class of each row, from 0 to classes - 1. For a label out of this range the backend
            returns 0 or raises an error.
        logits: floating[..., classes].
    Returns:
        floating[...]: the loss of each row.
    Raises:
        ShapeError: the number of labels differs from the number of rows. DTypeError: labels that are not integers,
            logits that are not floating.
    Source:
        TensorFlow 1.7, ``tf.nn.sparse_softmax_cross_entropy_with_logits``.
    """
    selected = where(_one_hot(labels, logits), log_softmax(logits), 0)
    return -sum(selected, axis=-1)


def _one_hot(labels: TensorLike, logits: TensorLike) -> Tensor:
    if not isinstance(labels, Tensor) or not isinstance(logits, Tensor):  # narrows the types for mypy
        raise TypeError("the body of an op runs on tensors only")
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
            "the incoming gradient has the wrong shape.",
            expected=f"shape {labels}",
            got=f"shape {g}",
            fix="broadcast it first",
        )
    return logits


@op(dtype=_gradient_dtype, shape=_gradient_shape, internal="the gradient of the cross entropy")
def softmax_cross_entropy_gradient(incoming: TensorLike, labels: TensorLike, logits: TensorLike) -> Tensor:
    """``(softmax(logits) - one_hot(labels)) * incoming`` of each row: the gradient of the cross entropy in one kernel.

    Args:
        incoming: floating[...]: the gradient of each row's loss.
        labels: integer[...]: the class of each row.
        logits: floating[..., classes].
    Returns:
        Shape and dtype of ``logits``.
    Raises:
        ShapeError: numbers of rows that differ.
    Source:
        As for `sparse_softmax_cross_entropy_with_logits`.
    """
    if not isinstance(incoming, Tensor) or not isinstance(logits, Tensor):  # narrows the types for mypy
        raise TypeError("the body of an op runs on tensors only")
    one_hot = astype(_one_hot(labels, logits), logits.dtype)
    return subtract(softmax(logits), one_hot) * reshape(incoming, (*incoming.shape, 1))


def _rows_shape(labels: Shape, logits: Shape) -> Shape:
    if not logits or labels != logits:
        raise ShapeError(
            "labels and logits do not match.",
            expected="labels[..., classes] and logits[..., classes]",
            got=f"labels {labels} and logits {logits}",
            fix="pass class indices to polytape.nn.sparse_softmax_cross_entropy_with_logits",
        )
    return logits[:-1]


@op(dtype=dtype_rules.same_real_floating, shape=_rows_shape, promotes=("labels", "logits"))
def softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """``-sum(labels * log_softmax(logits))`` of each row; a label of 0 contributes 0 beside any logit.

    Args:
        labels: floating[..., classes]: the probability of each class. They need not sum to 1.
        logits: floating[..., classes].
    Returns:
        floating[...]: the loss of each row.
    Raises:
        ShapeError: shapes that differ. DTypeError: operands that are not real floating.
    Source:
        TensorFlow 1.7, ``tf.nn.softmax_cross_entropy_with_logits_v2``.
    """
    return in_single(_dense_cross_entropy, labels, logits)


def _dense_cross_entropy(labels: TensorLike, logits: TensorLike) -> Tensor:
    return -sum(multiply(labels, where(equal(labels, 0), 0, log_softmax(logits))), axis=-1)


@softmax_cross_entropy_with_logits.gradient("labels")
def _dense_cross_entropy_labels(g: Tensor, logits: Tensor) -> Tensor:
    return log_softmax(logits) * reshape(-g, (*g.shape, 1))


@softmax_cross_entropy_with_logits.gradient("logits")
def _dense_cross_entropy_logits(g: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
    return (softmax(logits) * sum(labels, axis=-1, keepdims=True) - labels) * reshape(g, (*g.shape, 1))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True)
def sigmoid_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(sigmoid(-logits))``, elementwise.

    Args:
        labels: floating[...]: probabilities, broadcast and promoted together with ``logits``.
        logits: floating[...].
    Source:
        TensorFlow 1.7, ``tf.nn.sigmoid_cross_entropy_with_logits``.
    """
    return in_single(_binary_cross_entropy, labels, logits)


def _binary_cross_entropy(labels: TensorLike, logits: TensorLike) -> Tensor:
    return maximum(logits, 0) - multiply(logits, labels) + log1p(exp(-abs(logits)))


sigmoid_cross_entropy_with_logits.gradient(
    labels=lambda g, logits: -(g * logits),
    logits=lambda g, labels, logits: g * (sigmoid(logits) - labels),
)


def _log_probability_dtype(labels: DType, log_probabilities: DType) -> DType:
    return _loss_dtype(labels, log_probabilities)


def _log_probability_shape(labels: Shape, log_probabilities: Shape) -> Shape:
    return _loss_shape(labels, log_probabilities)


@op(dtype=_log_probability_dtype, shape=_log_probability_shape)
def nll_loss(labels: TensorLike, log_probabilities: TensorLike) -> Tensor:
    """``-log_probabilities[label]`` of each row.

    Args:
        labels: integer[...]: the class of each row, from 0 to classes - 1. A label out of this range gives 0.
        log_probabilities: floating[..., classes], for example from `polytape.nn.log_softmax`.
    Returns:
        floating[...]: the loss of each row.
    Raises:
        ShapeError: the number of labels differs from the number of rows. DTypeError: labels that are not integers,
            log-probabilities that are not floating.
    Source:
        PyTorch 2.13, ``torch.nn.functional.nll_loss`` with ``reduction="none"``.
    """
    return -sum(where(_one_hot(labels, log_probabilities), log_probabilities, 0), axis=-1)
