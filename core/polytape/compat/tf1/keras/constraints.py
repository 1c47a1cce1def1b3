"""TensorFlow 1.7's ``tf.keras.constraints``, over `polytape.nn.constraints`. Norms are along axis 0 by default."""

from __future__ import annotations

from typing import Any

from ....nn import constraints as native
from .lookup import NamedObjects, described

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint:
    """Base of classes whose objects are called with a weight and return one that fulfils a condition."""

    def __call__(self, w: Any) -> Any:
        """The weight that fulfils the condition."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {}


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, (list, tuple)) else axis


class MaxNorm(native.MaxNorm, Constraint):
    """Vectors along ``axis`` with a larger norm are scaled to ``max_value``."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        super().__init__(max_value, axis=_axis(axis))

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(native.NonNeg, Constraint):
    """Negative elements become 0."""


class UnitNorm(native.UnitNorm, Constraint):
    """Vectors along ``axis`` are scaled to norm 1."""

    def __init__(self, axis: Any = 0) -> None:
        super().__init__(axis=_axis(axis))

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {"axis": self.axis}


class MinMaxNorm(native.MinMaxNorm, Constraint):
    """Vectors along ``axis`` are scaled so that their norm is in an interval, or closer to it."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        super().__init__(min_value, max_value, rate, axis=_axis(axis))

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
_OBJECTS = NamedObjects(
    "constraint",
    {
        "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm, "max_norm": MaxNorm,
        "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm, "maxnorm": MaxNorm, "nonneg": NonNeg,
        "unitnorm": UnitNorm, "minmaxnorm": MinMaxNorm,
    },
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The constraint that an argument stands for: a name, a function, or None."""
    if identifier is None:
        return None
    found = _OBJECTS.get(identifier)
    return found() if isinstance(identifier, str) else found


def serialize(constraint: Any) -> Any:
    """Class and arguments, for `deserialize`."""
    return described(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described."""
    return _OBJECTS.get(config, custom_objects)
