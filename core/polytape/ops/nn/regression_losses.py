"""Losses of predicted numbers. Those with a mean of squares or absolute values are in `distances`."""

from __future__ import annotations

import math
from typing import Final

from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..arithmetic import abs, add, divide, maximum, square, subtract
from ..exponential import exp, log, log1p
from ..joining import broadcast_arrays
from ..manipulation import stop_gradient
from ..reduction import sum
from .distances import cosine_similarity
from .reducing import reduced

__all__ = [
    "cosine_distance",
    "gaussian_nll",
    "log_cosh_loss",
    "mean_absolute_percentage_error",
    "mean_pairwise_squared_error",
    "mean_squared_logarithmic_error",
]

_LOG_2: Final = math.log(2.0)


def log_cosh_loss(
    labels: TensorLike, predictions: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``log(cosh(predictions - labels))``, which is quadratic near 0 and linear far from it.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.log_cosh``.
    """
    d = abs(subtract(predictions, labels))
    # exp never sees a positive number, so it does not overflow.
    return reduced(d + log1p(exp(d * -2.0)) - _LOG_2, reduction, weights)


def mean_absolute_percentage_error(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    epsilon: float = 1e-7,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``100 * |predictions - labels| / |labels|``.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        epsilon: the smallest number to divide by.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss in percent, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.mean_absolute_percentage_error``.
    """
    ratios = divide(abs(subtract(predictions, labels)), maximum(abs(labels), epsilon))
    return reduced(ratios * 100.0, reduction, weights)


def mean_squared_logarithmic_error(
    labels: TensorLike, predictions: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``(log(1 + predictions) - log(1 + labels)) ** 2``; negative numbers count as 0.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.mean_squared_logarithmic_error``.
    """
    d = subtract(log1p(maximum(predictions, 0.0)), log1p(maximum(labels, 0.0)))
    return reduced(square(d), reduction, weights)


def mean_pairwise_squared_error(
    labels: TensorLike, predictions: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """The mean of ``((p[i] - p[j]) - (l[i] - l[j])) ** 2`` over the pairs i < j of each row: 0 for a constant error.

    Args:
        labels, predictions: floating[batch, ...], broadcast and promoted together; a row is all axes but the first.
        weights: real or bool[batch], or broadcast to it.
        reduction: as for `mean_squared_error`, over the batch.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or no batch. SettingError: another reduction.
    Source:
        the documentation of ``tf.losses.mean_pairwise_squared_error`` in TensorFlow 1.7.
    """
    d = subtract(predictions, labels)
    if d.ndim < 2:
        raise ShapeError(
            "there are no rows.", expected="x[batch, ...]", got=f"shape {d.shape}", fix="insert the axis of the batch"
        )
    axes = tuple(range(1, d.ndim))
    count = math.prod(d.shape[1:])
    # The sum over the pairs, of which there are count * (count - 1) / 2, is count * sum((d - mean(d)) ** 2).
    deviations = d - sum(d, axis=axes, keepdims=True) * (1.0 / max(count, 1))
    return reduced(sum(square(deviations), axis=axes) * (2.0 / max(count - 1, 1)), reduction, weights)


def cosine_distance(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    axis: int = -1,
    epsilon: float = 1e-8,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cosine_similarity(labels, predictions)`` along an axis: 0 for vectors of the same direction.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        axis, epsilon: as for `cosine_similarity`.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        PyTorch 2.13, ``torch.nn.functional.cosine_embedding_loss`` with targets 1. TensorFlow 1.7,
        ``tf.losses.cosine_distance``, for unit vectors.
    """
    return reduced(1.0 - cosine_similarity(labels, predictions, axis=axis, epsilon=epsilon), reduction, weights)


def gaussian_nll(
    labels: TensorLike,
    predictions: TensorLike,
    variance: TensorLike,
    *,
    full: bool = False,
    epsilon: float = 1e-6,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of normal numbers, ``(log(variance) + (predictions - labels) ** 2 / variance) / 2``.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        variance: floating[...], broadcast with them: predicted, and positive.
        full: whether to add the constant ``log(2 * pi) / 2``.
        epsilon: the smallest variance.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        PyTorch 2.13, ``torch.nn.functional.gaussian_nll_loss``: a variance below ``epsilon`` has the gradient at
        ``epsilon``, so that it can grow.
    """
    raised = stop_gradient(maximum(subtract(epsilon, variance), 0.0))
    d, spread = broadcast_arrays(subtract(predictions, labels), add(variance, raised))
    losses = (log(spread) + divide(square(d), spread)) * 0.5
    return reduced(losses + 0.5 * math.log(2.0 * math.pi) if full else losses, reduction, weights)
