"""TensorFlow 1.7's ``tf.keras.activations``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....errors import ShapeError
from ....ops.elementwise import clip
from ....ops.nn import activations as _activations, rectifiers, smooth
from ....ops.trigonometric import tanh as _tanh
from ....tensors.tensor import Tensor
from .lookup import NamedObjects

__all__ = [
    "deserialize",
    "elu",
    "get",
    "hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]


def linear(x: Any) -> Any:
    """``x``."""
    return x


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None) -> Tensor:
    """``max(x, 0) - alpha * max(-x, 0)``, at most ``max_value``."""
    y = rectifiers.leaky_relu(x, negative_slope=alpha) if alpha else _activations.relu(x)
    return y if max_value is None else clip(y, None, max_value)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """``x`` if it is positive, else ``alpha * (exp(x) - 1)``."""
    return rectifiers.elu(x, alpha=alpha)


def selu(x: Any) -> Tensor:
    """The scaled `elu` of self-normalizing networks."""
    return rectifiers.selu(x)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis.

    Raises:
        ShapeError: ``x`` has fewer than two axes.
    """
    if x.ndim < 2:
        raise ShapeError(
            "Cannot apply softmax to a tensor that is 1D.", expected="two axes or more", got=f"shape {x.shape}",
            fix="use tf.nn.softmax",
        )  # fmt: skip
    return _activations.softmax(x, axis=axis)


def softplus(x: Any) -> Tensor:
    """``log(1 + exp(x))``."""
    return smooth.softplus(x)


def softsign(x: Any) -> Tensor:
    """``x / (1 + abs(x))``."""
    return smooth.softsign(x)


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return _tanh(x)


def sigmoid(x: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return _activations.sigmoid(x)


def hard_sigmoid(x: Any) -> Tensor:
    """``0.2 * x + 0.5``, from 0 to 1. (`polytape.nn.hard_sigmoid` has the slope 1 / 6.)"""
    return clip(x * 0.2 + 0.5, 0.0, 1.0)


_OBJECTS = NamedObjects(
    "activation function",
    {
        "elu": elu,
        "hard_sigmoid": hard_sigmoid,
        "linear": linear,
        "relu": relu,
        "selu": selu,
        "sigmoid": sigmoid,
        "softmax": softmax,
        "softplus": softplus,
        "softsign": softsign,
        "tanh": tanh,
    },
)


def get(identifier: Any) -> Callable[[Any], Any]:
    """The function that an argument ``activation`` stands for: a name, a function, or None for `linear`.

    Raises:
        ValueError: there is no such function.
    """
    function: Callable[[Any], Any] = linear if identifier is None else _OBJECTS.get(identifier)
    return function


def serialize(activation: Any) -> str:
    """The function's name."""
    return str(activation.__name__)


def deserialize(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The function of this name."""
    return _OBJECTS.get(name, custom_objects)
