"""TensorFlow 1.7's ``tf.keras.regularizers``, over `polytape.nn.regularizers`."""

from __future__ import annotations

from typing import Any

from ....nn import regularizers as native
from .lookup import NamedObjects, described

__all__ = ["L1L2", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "serialize"]


class Regularizer:
    """Base of classes whose objects are called with a weight and return a loss."""

    def __call__(self, x: Any) -> Any:
        """The loss."""
        return 0.0


class L1L2(native.L1L2, Regularizer):
    """``l1 * sum(|weight|) + l2 * sum(weight ** 2)``."""

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {"l1": self.l1, "l2": self.l2}


def l1(l: float = 0.01) -> L1L2:  # noqa: E741  # Keras' name
    """``l * sum(|weight|)``."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741  # Keras' name
    """``l * sum(weight ** 2)``."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """The sum of both."""
    return L1L2(l1, l2)


_OBJECTS = NamedObjects("regularizer", {"L1L2": L1L2, "l1": l1, "l2": l2, "l1_l2": l1_l2})


def get(identifier: Any) -> Any:
    """The regularizer that an argument stands for: a name, a function, or None."""
    if identifier is None:
        return None
    found = _OBJECTS.get(identifier)
    return found() if isinstance(identifier, str) else found


def serialize(regularizer: Any) -> Any:
    """Class and arguments, for `deserialize`."""
    return described(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described."""
    return _OBJECTS.get(config, custom_objects)
