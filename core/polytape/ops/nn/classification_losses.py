"""Losses of predicted classes, as functions of other ops. The cross entropies on logits are ops: see `losses`."""

from __future__ import annotations

from ...tensors.tensor import Tensor, TensorLike
from ..arithmetic import add, divide, maximum, multiply, power, square, subtract
from ..elementwise import clip
from ..exponential import exp, log
from ..manipulation import identity
from ..reduction import max, sum
from .activations import log_softmax, sigmoid
from .losses import sigmoid_cross_entropy_with_logits
from .reducing import reduced

__all__ = [
    "categorical_cross_entropy",
    "categorical_hinge_loss",
    "dice_loss",
    "sigmoid_focal_loss",
    "softmax_focal_loss",
    "squared_hinge_loss",
    "tversky_loss",
]


def categorical_cross_entropy(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    axis: int = -1,
    epsilon: float = 1e-7,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-sum(labels * log(p))`` along an axis, for probabilities p: the predictions divided by their sum.

    From logits, `polytape.nn.softmax_cross_entropy_with_logits` is more accurate.

    Args:
        labels: floating[...]: the probability of each class, promoted and broadcast together with ``predictions``.
        predictions: floating[...]: probabilities.
        axis: of the classes.
        epsilon: p is at least this number, and at most 1 minus it.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.categorical_crossentropy``.
    """
    p = identity(predictions)
    p = clip(divide(p, sum(p, axis=axis, keepdims=True)), epsilon, 1.0 - epsilon)
    return reduced(-sum(multiply(labels, log(p)), axis=axis), reduction, weights)


def squared_hinge_loss(
    labels: TensorLike, logits: TensorLike, *, weights: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """``max(0, 1 - s * logits) ** 2`` with ``s = 2 * labels - 1``.

    Args:
        labels: real[...]: 0 or 1, broadcast and promoted together with ``logits``.
        logits: floating[...].
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.squared_hinge``.
    """
    signs = subtract(multiply(labels, 2), 1)
    return reduced(square(maximum(subtract(1, multiply(signs, logits)), 0)), reduction, weights)


def categorical_hinge_loss(
    labels: TensorLike,
    logits: TensorLike,
    *,
    axis: int = -1,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, 1 + the largest logit of the other classes - the logit of the class)``.

    Args:
        labels: floating[...]: 1 for the class, 0 for the others; broadcast and promoted together with ``logits``.
        logits: floating[...].
        axis: of the classes.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        Keras 3, ``keras.losses.categorical_hinge``, which takes 0 in the place of a largest logit that is negative;
        so does this function.
    """
    right = sum(multiply(labels, logits), axis=axis)
    others = max(multiply(subtract(1, labels), logits), axis=axis)
    return reduced(maximum(others - right + 1.0, 0.0), reduction, weights)


def sigmoid_focal_loss(
    labels: TensorLike,
    logits: TensorLike,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``a * (1 - p) ** gamma`` times the binary cross entropy, with the probability p of the right class.

    Args:
        labels: floating[...]: 0 or 1, broadcast and promoted together with ``logits``.
        logits: floating[...].
        alpha: a is this number for label 1, and 1 minus it for label 0; None: 1 for both.
        gamma: 0 or more. The larger, the less do examples count that are right already.
        weights, reduction: as for `mean_squared_error`.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast. SettingError: another reduction.
    Source:
        T. Lin, P. Goyal, R. Girshick, K. He, P. Dollar (2017), Focal loss for dense object detection, ICCV.
    """
    entropy = sigmoid_cross_entropy_with_logits(labels, logits)
    # The probability of the wrong class, which 1 - p would round to 0.
    wrong = sigmoid(multiply(logits, subtract(1, multiply(labels, 2))))
    losses = entropy if gamma == 0.0 else power(wrong, gamma) * entropy
    if alpha is not None:
        losses = losses * add(multiply(labels, 2.0 * alpha - 1.0), 1.0 - alpha)
    return reduced(losses, reduction, weights)


def softmax_focal_loss(
    labels: TensorLike,
    logits: TensorLike,
    *,
    gamma: float = 2.0,
    axis: int = -1,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-sum(labels * (1 - p) ** gamma * log(p))`` along an axis, with ``p = softmax(logits)``.

    Args:
        labels: floating[...]: the probability of each class, broadcast and promoted together with ``logits``.
        logits: floating[...].
        gamma: 0 or more. The larger, the less do examples count that are right already.
        axis: of the classes.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        T. Lin, P. Goyal, R. Girshick, K. He, P. Dollar (2017), Focal loss for dense object detection, ICCV.
    """
    log_p = log_softmax(logits, axis=axis)
    losses = multiply(labels, log_p)
    if gamma != 0.0:
        losses = losses * power(maximum(1.0 - exp(log_p), 0.0), gamma)
    return reduced(-sum(losses, axis=axis), reduction, weights)


def tversky_loss(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | tuple[int, ...] | None = None,
    epsilon: float = 1e-7,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - t / (t + alpha * f + beta * m)``: of the elements, t are found, f found wrongly and m missed.

    Args:
        labels: floating[...]: 0 or 1, broadcast and promoted together with ``predictions``.
        predictions: floating[...]: probabilities.
        alpha, beta: how much wrong and missed elements count.
        axis: over which axes elements are counted; default: all.
        epsilon: is added to numerator and denominator.
        weights, reduction: as for `mean_squared_error`, over the other axes.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        S. Salehi, D. Erdogmus, A. Gholipour (2017), Tversky loss function for image segmentation, arXiv:1706.05721.
    """
    found = sum(multiply(labels, predictions), axis=axis)
    wrongly = sum(multiply(subtract(1, labels), predictions), axis=axis)
    missed = sum(multiply(labels, subtract(1, predictions)), axis=axis)
    return reduced(1.0 - (found + epsilon) / (found + wrongly * alpha + missed * beta + epsilon), reduction, weights)


def dice_loss(
    labels: TensorLike,
    predictions: TensorLike,
    *,
    axis: int | tuple[int, ...] | None = None,
    epsilon: float = 1e-7,
    weights: TensorLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - 2 * sum(labels * predictions) / (sum(labels) + sum(predictions))``: how little two regions overlap.

    Args:
        labels, predictions, axis, weights, reduction: as for `tversky_loss`, of which this is the case
            ``alpha = beta = 1 / 2``.
        epsilon: is added to numerator and denominator.
    Returns:
        The loss, of shape () unless ``reduction`` is ``"none"``.
    Raises:
        ShapeError: shapes that do not broadcast, or an axis that does not exist. SettingError: another reduction.
    Source:
        F. Milletari, N. Navab, S. Ahmadi (2016), V-Net, 3DV, arXiv:1606.04797.
    """
    both = sum(multiply(labels, predictions), axis=axis) * 2.0
    # Broadcast before they are summed, so that each element counts as often as in the product.
    total = sum(add(labels, predictions), axis=axis)
    return reduced(1.0 - (both + epsilon) / (total + epsilon), reduction, weights)
