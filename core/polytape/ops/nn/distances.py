"""Losses and similarities that compare predictions with labels, as functions of other ops.

Each loss takes ``weights`` and ``reduction``, see `mean_squared_error`.
"""

from __future__ import annotations

import math
from typing import Final

from ... import dtypes
from ...tensors.tensor import Tensor, TensorLike
from ..arithmetic import abs, add, maximum, minimum, multiply, power, square, subtract
from ..exponential import exp, log, sqrt
from ..joining import broadcast_arrays
from ..logic import where
from ..manipulation import astype, identity
from ..reduction import sum
from .reducing import reduced

__all__ = [
    "cosine_similarity",
    "hinge_loss",
    "huber_loss",
    "kl_divergence",
    "l1_loss",
    "log_loss",
    "mean_squared_error",
    "poisson_nll",
    "triplet_margin",
]

_TWO_PI: Final = 2.0 * math.pi


def mean_squared_error(
    labels: TensorLike, predictions: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``(predictions - labels) ** 2``.

    Args:
        labels, predictions: real[...], broadcast and promoted together.
        weights: real or bool[...], broadcast to the losses and multiplied with them, such as a mask; default: 1.
        reduction: ``"sum"``; ``"mean"``, the sum divided by the number of losses whose weight is not 0; or ``"none"``.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        TensorFlow 1.7, ``tf.losses.mean_squared_error``.
    """
    return reduced(square(subtract(predictions, labels)), reduction, weights)


def l1_loss(
    labels: TensorLike, predictions: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``|predictions - labels|``; the gradient where they are equal is 0.

    Args:
        labels, predictions: real[...], broadcast and promoted together.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        TensorFlow 1.7, ``tf.losses.absolute_difference``; PyTorch 2.13, ``torch.nn.functional.l1_loss``.
    """
    return reduced(abs(subtract(predictions, labels)), reduction, weights)


def huber_loss(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    delta: float = 1.0,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``d ** 2 / 2`` where ``d = |predictions - labels|`` is at most ``delta``, ``delta * (d - delta / 2)`` elsewhere.

    Args:
        labels, predictions: floating[...], broadcast and promoted together.
        delta: where the loss changes from quadratic to linear; positive.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        P. Huber (1964), Annals of Mathematical Statistics 35 (1), pp. 73-101.
    """
    d = abs(subtract(predictions, labels))
    inner = minimum(d, delta)
    return reduced(inner * (d - inner * 0.5), reduction, weights)


def hinge_loss(
    labels: TensorLike, logits: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``max(0, 1 - s * logits)`` with ``s = 2 * labels - 1``.

    Args:
        labels: real[...]: 0 or 1, broadcast and promoted together with ``logits``.
        logits: floating[...].
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        TensorFlow 1.7, ``tf.losses.hinge_loss``.
    """
    signs = subtract(multiply(labels, 2), 1)
    return reduced(maximum(subtract(1, multiply(signs, logits)), 0), reduction, weights)


def log_loss(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    epsilon: float = 1e-7,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-labels * log(predictions + epsilon) - (1 - labels) * log(1 - predictions + epsilon)``.

    From logits, `polytape.nn.sigmoid_cross_entropy_with_logits` is more accurate.

    Args:
        labels: real[...]: 0 or 1, broadcast and promoted together with ``predictions``.
        predictions: floating[...]: probabilities.
        epsilon: keeps the logarithm finite.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        TensorFlow 1.7, ``tf.losses.log_loss``.
    """
    right = multiply(labels, log(add(predictions, epsilon)))
    wrong = multiply(subtract(1, labels), log(add(subtract(1, predictions), epsilon)))
    return reduced(-(right + wrong), reduction, weights)


def kl_divergence(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    axis: int = -1,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum(labels * log(labels / predictions))`` along an axis; a label of 0 contributes 0.

    Args:
        labels, predictions: floating[...]: probabilities, broadcast and promoted together.
        axis: the axis along which the probabilities sum to 1.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The divergence, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        S. Kullback, R. Leibler (1951), Annals of Mathematical Statistics 22 (1), pp. 79-86.
    """
    labels = identity(labels)
    # Where the label is 0, log is taken of 1: log(0) and its gradient are infinite, and 0 * inf would be NaN.
    used = labels > 0
    terms = labels * (log(where(used, labels, 1)) - log(where(used, predictions, 1)))
    return reduced(sum(terms, axis=axis), reduction, weights)


def poisson_nll(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    log_input: bool = True,
    full: bool = False,
    epsilon: float = 1e-8,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts, ``rate - labels * log(rate)``.

    Args:
        labels: real[...]: the counts, broadcast and promoted together with ``predictions``.
        predictions: floating[...]: the logarithms of the rates, or the rates.
        log_input: whether ``predictions`` are logarithms.
        full: whether to add Stirling's approximation of ``log(labels!)`` where ``labels > 1``.
        epsilon: is added to a rate before its logarithm is taken.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        PyTorch 2.13, ``torch.nn.functional.poisson_nll_loss``; TensorFlow 1.7, ``tf.nn.log_poisson_loss``.
    """
    if log_input:
        losses = exp(predictions) - multiply(labels, predictions)
    else:
        losses = subtract(predictions, multiply(labels, log(add(predictions, epsilon))))
    if full:
        counts = maximum(astype(labels, losses.dtype), 1)
        stirling = counts * log(counts) - counts + log(counts * _TWO_PI) * 0.5
        losses = losses + where(counts > 1, stirling, 0)
    return reduced(losses, reduction, weights)


def cosine_similarity(x1: TensorLike, x2: TensorLike, *, axis: int = -1, epsilon: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors, ``sum(x1 * x2) / (norm(x1) * norm(x2))`` along an axis.

    Args:
        x1, x2: floating[...], broadcast and promoted together.
        axis: the axis of the vectors.
        epsilon: the smallest norm to divide by, so that a vector of zeros gives 0.
    Returns:
        The broadcast shape without the axis.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist.
    Source:
        PyTorch 2.13, ``torch.nn.functional.cosine_similarity``.
    """
    # The norms are those of the broadcast vectors, also along an axis that one operand has with size 1.
    x1, x2 = broadcast_arrays(x1, x2)
    half = x1.dtype.itemsize == 2 and x2.dtype.itemsize == 2
    dtype = x1.dtype
    if half:  # the squares could underflow
        x1, x2 = astype(x1, dtypes.float32), astype(x2, dtypes.float32)
    norms = [sqrt(maximum(sum(square(x), axis=axis), epsilon * epsilon)) for x in (x1, x2)]
    result = sum(x1 * x2, axis=axis) / (norms[0] * norms[1])
    return astype(result, dtype) if half else result


def triplet_margin(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    epsilon: float = 1e-6,
    swap: bool = False,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)`` of each row.

    Args:
        anchor, positive, negative: floating[..., n], broadcast and promoted together.
        margin: by how much the negative example shall be farther away.
        p: of the norm ``sum(|d| ** p) ** (1 / p)`` that is the distance.
        epsilon: is added to each difference, so that the distance of equal vectors has a gradient.
        swap: whether to use the distance of the positive and the negative example if it is smaller.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        V. Balntas, E. Riba, D. Ponsa, K. Mikolajczyk (2016), BMVC; PyTorch 2.13, ``triplet_margin_loss``.
    """
    near = _distance(anchor, positive, p, epsilon)
    far = _distance(anchor, negative, p, epsilon)
    if swap:
        far = minimum(far, _distance(positive, negative, p, epsilon))
    return reduced(maximum(near - far + margin, 0), reduction, weights)


def _distance(x1: TensorLike, x2: TensorLike, p: float, epsilon: float) -> Tensor:
    d = add(subtract(x1, x2), epsilon)
    if p == 2.0:
        return sqrt(sum(square(d), axis=-1))
    return power(sum(power(abs(d), p), axis=-1), 1.0 / p)
