"""TensorFlow 1.7's ``tf.keras.losses``: a loss for each sample, the mean over the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .... import dtypes
from ....dispatch.convert import asarray, cast
from ....ops import arithmetic, exponential, reduction
from ....ops.elementwise import clip
from ....ops.manipulation import reshape
from ....ops.nn import classification_losses, distances, losses, norms, regression_losses
from ....tensors.tensor import Tensor
from .lookup import NamedObjects

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_proximity",
    "deserialize",
    "get",
    "hinge",
    "kullback_leibler_divergence",
    "logcosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

_EPSILON: Final = 1e-7  # Keras' own


def _pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    predictions: Tensor = asarray(y_pred)
    return cast(asarray(y_true), predictions.dtype), predictions


def _mean(x: Tensor) -> Tensor:
    return reduction.mean(x, axis=-1)


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((y_pred - y_true) ** 2)``."""
    return _mean(distances.mean_squared_error(*_pair(y_true, y_pred), reduction="none"))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(|y_pred - y_true|)``."""
    return _mean(distances.l1_loss(*_pair(y_true, y_pred), reduction="none"))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """``100 * mean(|y_true - y_pred| / |y_true|)``."""
    return _mean(regression_losses.mean_absolute_percentage_error(*_pair(y_true, y_pred), reduction="none"))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((log(y_pred + 1) - log(y_true + 1)) ** 2)``, negative numbers taken as 0."""
    truth, predictions = (arithmetic.maximum(x, _EPSILON) for x in _pair(y_true, y_pred))
    return _mean(regression_losses.mean_squared_logarithmic_error(truth, predictions, reduction="none"))


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0) ** 2)``; labels are -1 and 1."""
    truth, predictions = _pair(y_true, y_pred)
    return _mean(arithmetic.square(arithmetic.maximum(1.0 - truth * predictions, 0.0)))


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0))``; labels are -1 and 1."""
    truth, predictions = _pair(y_true, y_pred)
    return _mean(arithmetic.maximum(1.0 - truth * predictions, 0.0))


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """``max(0, 1 + the largest wrong score - the right score)``; labels are one-hot."""
    return classification_losses.categorical_hinge_loss(*_pair(y_true, y_pred), reduction="none")


def logcosh(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(log(cosh(y_pred - y_true)))``."""
    return _mean(regression_losses.log_cosh_loss(*_pair(y_true, y_pred), reduction="none"))


def categorical_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """``-sum(y_true * log(y_pred))``; predictions are scaled to the sum 1 first."""
    truth, predictions = _pair(y_true, y_pred)
    scaled = predictions / reduction.sum(predictions, axis=-1, keepdims=True)
    return -reduction.sum(truth * exponential.log(clip(scaled, _EPSILON, 1.0 - _EPSILON)), axis=-1)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """``-log`` of the probability of the label, an integer."""
    predictions: Tensor = asarray(y_pred)
    labels = reshape(cast(asarray(y_true), dtypes.int64), predictions.shape[:-1])
    logits = exponential.log(clip(predictions, _EPSILON, 1.0 - _EPSILON))
    return losses.sparse_softmax_cross_entropy_with_logits(labels, logits)


def binary_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred))``."""
    truth, predictions = _pair(y_true, y_pred)
    p = clip(predictions, _EPSILON, 1.0 - _EPSILON)
    return _mean(losses.sigmoid_cross_entropy_with_logits(truth, exponential.log(p / (1.0 - p))))


def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """``sum(y_true * log(y_true / y_pred))``, with both at least 1e-7."""
    truth, predictions = (clip(x, _EPSILON, 1.0) for x in _pair(y_true, y_pred))
    return distances.kl_divergence(truth, predictions, reduction="none")


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(y_pred - y_true * log(y_pred))``."""
    return _mean(distances.poisson_nll(*_pair(y_true, y_pred), log_input=False, epsilon=_EPSILON, reduction="none"))


def cosine_proximity(y_true: Any, y_pred: Any) -> Tensor:
    """``-sum(y_true * y_pred)`` of the vectors scaled to norm 1."""
    truth, predictions = (norms.l2_normalize(x, axis=-1) for x in _pair(y_true, y_pred))
    return -reduction.sum(truth * predictions, axis=-1)


_FUNCTIONS = [
    binary_crossentropy, categorical_crossentropy, categorical_hinge, cosine_proximity, hinge,
    kullback_leibler_divergence, logcosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
]  # fmt: skip
_SHORT = {
    "mse": mean_squared_error, "mae": mean_absolute_error, "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error, "kld": kullback_leibler_divergence, "cosine": cosine_proximity,
}  # fmt: skip
_OBJECTS = NamedObjects("loss function", {f.__name__: f for f in _FUNCTIONS} | _SHORT | {
    name.upper(): f for name, f in _SHORT.items()
})  # fmt: skip


def get(identifier: Any) -> Callable[[Any, Any], Any] | None:
    """The loss that an argument stands for: a name, a function, or None.

    Raises:
        ValueError: there is none.
    """
    if identifier is None:
        return None
    function: Callable[[Any, Any], Any] = _OBJECTS.get(identifier)
    return function


def serialize(loss: Any) -> str:
    """The function's name."""
    return str(loss.__name__)


def deserialize(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of this name."""
    return _OBJECTS.get(name, custom_objects)
