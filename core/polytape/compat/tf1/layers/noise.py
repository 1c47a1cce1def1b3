"""Layers that add noise in training."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Final

from ....dispatch.convert import cast
from ....nn.noise import dropout
from ....random import normal, uniform
from ....tensors.tensor import Tensor
from .base import Layer

__all__ = [
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]

_ALPHA: Final = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946  # the limit of selu at -infinity


class GaussianNoise(Layer):
    """Normal random numbers, added in training.

    Args:
        stddev: their standard deviation.
        kwargs: those of `Layer`.
    """

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """The result; see the class."""
        if not training:
            return inputs  # type: ignore[no-any-return]  # a tensor
        noise: Tensor = inputs + normal(inputs.shape, 0.0, self.stddev, dtype=inputs.dtype)
        return noise


class GaussianDropout(Layer):
    """Normal random numbers of mean 1, multiplied in training.

    Args:
        rate: from 0 to 1; the variance is ``rate / (1 - rate)``.
        kwargs: those of `Layer`.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """The result; see the class."""
        if not training or not 0.0 < self.rate < 1.0:
            return inputs  # type: ignore[no-any-return]  # a tensor
        deviation = math.sqrt(self.rate / (1.0 - self.rate))
        y: Tensor = inputs * normal(inputs.shape, 1.0, deviation, dtype=inputs.dtype)
        return y


class AlphaDropout(Layer):
    """Dropout for networks of selu: it keeps mean and variance.

    Args:
        rate: the probability that an element is dropped.
        noise_shape: the shape of the random choice, which is broadcast to the input.
        seed: accepted for compatibility, and ignored.
        kwargs: those of `Layer`.

    Source:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter (2017), NeurIPS, arXiv:1706.02515.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.noise_shape = rate, noise_shape

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """The result; see the class."""
        rate = self.rate
        if not training or not 0.0 < rate < 1.0:
            return inputs  # type: ignore[no-any-return]  # a tensor
        kept = cast(uniform(tuple(self.noise_shape or inputs.shape), dtype=inputs.dtype) >= rate, inputs.dtype)
        a = ((1.0 - rate) * (1.0 + rate * _ALPHA**2)) ** -0.5
        y: Tensor = a * (inputs * kept + _ALPHA * (1.0 - kept)) - a * _ALPHA * rate
        return y


class _SpatialDropout(Layer):
    rank: ClassVar[int]

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.data_format = rate, data_format or "channels_last"

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """The result; see the class."""
        batch, ones = inputs.shape[0], (1,) * self.rank
        last = self.data_format == "channels_last"
        shape = (batch, *ones, inputs.shape[-1]) if last else (batch, inputs.shape[1], *ones)
        return dropout(inputs, self.rate, training=bool(training), noise_shape=shape)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels [batch, size, channels].

    Args:
        rate: the probability.
        kwargs: those of `Layer`.
    """

    rank = 1


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels [batch, height, width, channels].

    Args:
        rate: the probability.
        data_format: "channels_last" or "channels_first".
        kwargs: those of `Layer`.
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels [batch, depth, height, width, channels]; the arguments are `SpatialDropout2D`'s."""

    rank = 3
