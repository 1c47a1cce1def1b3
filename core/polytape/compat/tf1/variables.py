"""TensorFlow 1.7's name for variables."""

from __future__ import annotations

from typing import Any

from ...tensors import variable
from ..mode import need_eager

__all__ = ["Variable"]


class _Facade(type):
    """Metaclass with which `Variable` creates polytape's own variables and accepts them in isinstance()."""

    def __call__(
        cls, initial_value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None
    ) -> variable.Variable:
        need_eager("Variable")
        value = initial_value() if callable(initial_value) else initial_value
        return variable.Variable(value, trainable, name or "", dtype)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, variable.Variable)


class Variable(metaclass=_Facade):
    """``Variable(initial_value, trainable=True, name=None, dtype=None)`` creates a `polytape.Variable`.

    ``initial_value`` may be a function that returns the value. This class has no instances of its own.
    """
