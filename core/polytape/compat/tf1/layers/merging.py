"""Layers of several inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ....ops.arithmetic import maximum as larger
from ....ops.einsum import einsum
from ....ops.manipulation import concat, reshape
from ....ops.nn.norms import l2_normalize
from .base import Layer

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Multiply",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "multiply",
]


class _Merge(Layer):
    """A function of a list of at least two inputs, which are broadcast together."""

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The result; see the class.

        Raises:
            ValueError: there are fewer than two inputs.
        """
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError("A merge layer should be called on a list of at least 2 inputs.")
        return self._merged(list(inputs))

    def _merged(self, inputs: list[Any]) -> Any:
        raise NotImplementedError


class Add(_Merge):
    """The sum of the inputs."""

    def _merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda x, y: x + y, inputs)


class Multiply(_Merge):
    """The product of the inputs, elementwise."""

    def _merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda x, y: x * y, inputs)


class Average(_Merge):
    """The mean of the inputs, elementwise."""

    def _merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda x, y: x + y, inputs) / len(inputs)


class Maximum(_Merge):
    """The largest of the inputs, elementwise."""

    def _merged(self, inputs: list[Any]) -> Any:
        return functools.reduce(larger, inputs)


class Concatenate(_Merge):
    """The inputs behind each other.

    Args:
        axis: along which.
        kwargs: those of `Layer`.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _merged(self, inputs: list[Any]) -> Any:
        return concat(inputs, axis=self.axis)


class Dot(_Merge):
    """The products of two inputs, summed along an axis of each, for each element of the batch.

    Args:
        axes: the axis of both, or a pair.
        normalize: whether vectors are scaled to norm 1 first.
        kwargs: those of `Layer`.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes, self.normalize = axes, normalize

    def _merged(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ValueError("A `Dot` layer should be called on exactly 2 inputs")
        given = self.axes if isinstance(self.axes, (list, tuple)) else [self.axes] * 2
        axes = [axis % x.ndim for axis, x in zip(given, inputs, strict=True)]
        if self.normalize:
            inputs = [l2_normalize(x, axis=axis) for x, axis in zip(inputs, axes, strict=True)]
        first, second = ["b", *"cdefgh"[: inputs[0].ndim - 1]], ["b", *"ijklmn"[: inputs[1].ndim - 1]]
        first[axes[0]] = second[axes[1]] = "z"
        rest = [letter for letter in (*first, *second[1:]) if letter != "z"]
        y = einsum(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", *inputs)
        return reshape(y, (*y.shape, 1)) if y.ndim == 1 else y


def _function(layer: Callable[..., Any]) -> Callable[..., Any]:
    def function(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs)(inputs)

    name: str = layer.__name__
    function.__name__ = function.__qualname__ = name.lower()
    function.__doc__ = f"``tf.keras.layers.{name}(...)(inputs)``."
    return function


add, multiply, average = _function(Add), _function(Multiply), _function(Average)
maximum, concatenate, dot = _function(Maximum), _function(Concatenate), _function(Dot)
