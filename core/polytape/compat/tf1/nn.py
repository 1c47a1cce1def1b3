"""TensorFlow 1.7's ``tf.nn``."""

from __future__ import annotations

from ...ops.nn import activations, losses
from ...tensors.tensor import Tensor, TensorLike
from ..mode import need_eager

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "sparse_softmax_cross_entropy_with_logits"]


def relu(features: TensorLike, name: str | None = None) -> Tensor:
    """``max(features, 0)``, elementwise."""
    need_eager("nn.relu")
    return activations.relu(features)


def sigmoid(x: TensorLike, name: str | None = None) -> Tensor:
    """``1 / (1 + exp(-x))``, elementwise."""
    need_eager("nn.sigmoid")
    return activations.sigmoid(x)


def softmax(logits: TensorLike, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """``exp(logits) / sum(exp(logits))`` along an axis, by default the last."""
    need_eager("nn.softmax")
    return activations.softmax(logits, axis=_axis(axis, dim))


def log_softmax(logits: TensorLike, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """``log(softmax(logits))`` along an axis, by default the last."""
    need_eager("nn.log_softmax")
    return activations.log_softmax(logits, axis=_axis(axis, dim))


def sparse_softmax_cross_entropy_with_logits(
    *, labels: TensorLike, logits: TensorLike, name: str | None = None
) -> Tensor:
    """``-log_softmax(logits)[label]`` for each row."""
    need_eager("nn.sparse_softmax_cross_entropy_with_logits")
    return losses.sparse_softmax_cross_entropy_with_logits(labels, logits)


def _axis(axis: int | None, dim: int | None) -> int:
    index = dim if axis is None else axis
    return -1 if index is None else index
