"""Activations with arguments, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import dtypes
from ....dispatch.convert import cast
from ....ops.nn import activations, rectifiers
from ....tensors.tensor import Tensor
from .base import Layer

__all__ = ["ELU", "LeakyReLU", "PReLU", "Softmax", "ThresholdedReLU"]


class LeakyReLU(Layer):
    """``x`` if it is positive, else ``alpha * x``.

    Args:
        alpha: the slope.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        return rectifiers.leaky_relu(inputs, negative_slope=self.alpha)


class PReLU(Layer):
    """``x`` if it is positive, else ``alpha * x`` with an ``alpha`` that is learned.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: along which the slopes are the same; others have one slope per place.
        kwargs: those of `Layer`.
    """

    _quick = True
    alpha: Any

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Sequence[int] | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._slope = {
            "initializer": alpha_initializer, "regularizer": alpha_regularizer, "constraint": alpha_constraint,
        }  # fmt: skip
        axes = () if shared_axes is None else shared_axes
        self.shared_axes = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)

    def build(self, input_shape: Any) -> None:
        """Make the slopes for an input of this shape."""
        shape = [1 if axis in self.shared_axes else int(size) for axis, size in enumerate(input_shape) if axis]
        self.alpha = self.add_weight("alpha", shape, **self._slope)
        self.built = True

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        y: Tensor = activations.relu(inputs) - self.alpha * activations.relu(-inputs)
        return y


class ELU(Layer):
    """``x`` if it is positive, else ``alpha * (exp(x) - 1)``.

    Args:
        alpha: the factor.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        return rectifiers.elu(inputs, alpha=self.alpha)


class ThresholdedReLU(Layer):
    """``x`` if it is larger than ``theta``, else 0.

    Args:
        theta: the threshold.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = float(theta)

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        passed = cast(inputs > self.theta, dtypes.lookup(inputs.dtype))
        y: Tensor = inputs * passed
        return y


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along an axis.

    Args:
        axis: the axis.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        return activations.softmax(inputs, axis=self.axis)
