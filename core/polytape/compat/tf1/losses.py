"""TensorFlow 1.7's ``tf.losses``, over the losses of `polytape.nn`.

In a graph each loss is added to the collection ``loss_collection``. In eager mode none is, as since TensorFlow 1.8:
nothing says when a step ends, so each step's losses would stay for good.
"""

from __future__ import annotations

from typing import Any

from ... import dtypes
from ...dispatch.convert import asarray, cast
from ...ops import logic, manipulation, reduction as reductions
from ...ops.nn import distances, losses, regression_losses
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from .errors import InvalidArgumentError
from .loss_collections import (
    add_loss,
    collected,
    get_losses,
    get_regularization_loss,
    get_regularization_losses,
    get_total_loss,
)
from .variables.collections import GraphKeys

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


class Reduction:
    """How weighted losses are reduced.

    ``NONE``: not; ``SUM``: their sum; ``MEAN``: divided by the sum of the weights; ``SUM_OVER_BATCH_SIZE``: divided by
    their number; ``SUM_BY_NONZERO_WEIGHTS``: divided by the number of those whose weight is not 0.
    """

    NONE = "none"
    SUM = "weighted_sum"
    MEAN = "weighted_mean"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All reductions."""
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise ValueError if ``key`` is no reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid ReductionKey {key}.")


def _float(x: Any) -> Tensor:
    tensor = asarray(x)
    return cast(tensor.read_value() if isinstance(tensor, Variable) else tensor, dtypes.float32)


def _pair(labels: Any, predictions: Any, names: tuple[str, str] = ("labels", "predictions")) -> tuple[Tensor, Tensor]:
    """Both as float32.

    Raises:
        ValueError: one is None, or their shapes differ.
    """
    for name, value in zip(names, (labels, predictions), strict=True):
        if value is None:
            raise ValueError(f"{name} must not be None.")
    first, second = _float(labels), _float(predictions)
    _same_shape(first, second)
    return first, second


def _same_shape(first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape:
        raise ValueError(f"Shapes {second.shape} and {first.shape} are incompatible")


@collected
def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The losses, times weights, reduced.

    Args:
        losses: real[...].
        weights: a number, or one per loss, with size 1 where they are the same along an axis.
        reduction: of `Reduction`.
        scope: the name in a graph.
        loss_collection: the collection of a graph that the loss is added to, or None.
    Returns:
        The loss, with the dtype of ``losses``. A sum that would be divided by 0 is 0.
    Raises:
        ValueError: the weights do not fit, or there is no such reduction.
    """
    Reduction.validate(reduction)
    given = asarray(losses)
    values, factors = _float(given), _float(weights)
    _check_weights(factors, values)
    weighted = values * factors
    if reduction == Reduction.NONE:
        return cast(weighted, given.dtype)
    total = reductions.sum(weighted)
    spread = manipulation.broadcast_to(factors, values.shape)
    if reduction == Reduction.MEAN:
        total = _quotient(total, reductions.sum(spread))
    elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
        total = _quotient(total, asarray(float(values.size)))
    elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
        total = _quotient(total, reductions.sum(cast(logic.not_equal(spread, 0.0), dtypes.float32)))
    return cast(total, given.dtype)


def _quotient(total: Tensor, count: Tensor) -> Tensor:
    """``total / count``; 0 if the count is 0."""
    present = count != 0.0
    return logic.where(present, total / logic.where(present, count, 1.0), 0.0)


def _check_weights(weights: Tensor, values: Tensor) -> None:
    """Raise ValueError unless the weights are a number, or have the values' rank and their sizes or 1."""
    fits = len(weights.shape) == len(values.shape) and all(
        size in (1, full) for size, full in zip(weights.shape, values.shape, strict=True)
    )
    if weights.shape != () and not fits:
        raise _Unbroadcastable(
            f"weights can not be broadcast to values. values.shape={values.shape}. weights.shape={weights.shape}."
        )


class _Unbroadcastable(InvalidArgumentError, ValueError):
    """Weights that do not fit the losses."""

    def __init__(self, message: str) -> None:
        super().__init__(None, None, message)


@collected
def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """``|predictions - labels|``; other arguments as for `compute_weighted_loss`."""
    first, second = _pair(labels, predictions)
    return compute_weighted_loss(
        distances.l1_loss(first, second, reduction="none"), weights, scope, loss_collection, reduction
    )


@collected
def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """``(predictions - labels) ** 2``; other arguments as for `compute_weighted_loss`."""
    first, second = _pair(labels, predictions)
    each = distances.mean_squared_error(first, second, reduction="none")
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: int | None = None,
) -> Tensor:
    """``1 - sum(labels * predictions)`` along an axis, which is kept; the vectors have norm 1 already."""
    if dim is not None and axis is not None:
        raise ValueError("Cannot specify both 'axis' and 'dim'")
    chosen = dim if axis is None else axis
    if chosen is None:
        raise ValueError("You must specify 'axis'.")
    first, second = _pair(labels, predictions)
    each = 1.0 - reductions.sum(first * second, axis=chosen, keepdims=True)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """``max(0, 1 - y * logits)``, where y is -1 for labels of 0 and 1 for those of 1."""
    first, second = _pair(labels, logits, ("labels", "logits"))
    each = distances.hinge_loss(first, second, reduction="none")
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Half the square of the error up to ``delta``, and linear beyond."""
    first, second = _pair(labels, predictions)
    each = distances.huber_loss(first, second, delta=delta, reduction="none")
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """``-labels * log(predictions + epsilon) - (1 - labels) * log(1 - predictions + epsilon)``."""
    first, second = _pair(labels, predictions)
    each = distances.log_loss(first, second, epsilon=epsilon, reduction="none")
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
) -> Tensor:
    """For each row, the mean squared difference between the errors of pairs of elements; their weighted sum.

    Args:
        labels, predictions: real[batch, ...].
        weights: a number, or one per row; a weight of 0 leaves the row out.
    """
    first, second = _pair(labels, predictions)
    factors = _float(weights)
    _check_weights(factors, first)
    each = regression_losses.mean_pairwise_squared_error(first, second, reduction="none")
    return reductions.sum(each * (manipulation.reshape(factors, (-1,)) if factors.ndim else factors))


@collected
def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The cross entropy of independent probabilities ``sigmoid(logits)``.

    Args:
        label_smoothing: from 0 to 1: how far labels are moved to 1 / 2.
    """
    scores, labels = _scores(logits), multi_class_labels
    if labels is None:
        raise ValueError("multi_class_labels must not be None.")
    targets = cast(asarray(labels), scores.dtype)
    _same_shape(targets, scores)
    if label_smoothing > 0:
        targets = targets * (1.0 - label_smoothing) + 0.5 * label_smoothing
    each = losses.sigmoid_cross_entropy_with_logits(targets, scores)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The cross entropy of probabilities ``softmax(logits)``, along the last axis.

    Args:
        label_smoothing: from 0 to 1: how far labels are moved to 1 / classes.
    """
    scores = _scores(logits)
    if onehot_labels is None:
        raise ValueError("onehot_labels must not be None.")
    targets = cast(asarray(onehot_labels), scores.dtype)
    _same_shape(targets, scores)
    if label_smoothing > 0:
        targets = targets * (1.0 - label_smoothing) + label_smoothing / targets.shape[1]
    each = losses.softmax_cross_entropy_with_logits(manipulation.stop_gradient(targets), scores)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@collected
def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The cross entropy of labels, integers, and ``softmax(logits)``; a last axis of 1 is removed."""
    scores = _scores(logits)
    if labels is None:
        raise ValueError("labels must not be None.")
    targets, factors = asarray(labels), asarray(weights)
    if targets.ndim == scores.ndim and targets.shape[-1] == 1:
        targets = manipulation.reshape(targets, targets.shape[:-1])
    if factors.ndim == targets.ndim + 1 and factors.shape[-1] == 1:
        factors = manipulation.reshape(factors, factors.shape[:-1])
    each = losses.sparse_softmax_cross_entropy_with_logits(targets, scores)
    return compute_weighted_loss(each, factors, scope, loss_collection, reduction)


def _scores(logits: Any) -> Tensor:
    if logits is None:
        raise ValueError("logits must not be None.")
    tensor = asarray(logits)
    return tensor.read_value() if isinstance(tensor, Variable) else tensor
