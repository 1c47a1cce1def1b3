"""Dropout."""

from __future__ import annotations

from ...random import Generator
from ...tensors.tensor import Tensor
from .. import noise
from ..modules import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, elements chosen at random become 0, and the others are divided by ``1 - rate``.

    Args:
        rate: the probability that an element becomes 0, from 0 to 1.
        noise_shape: the shape of the random choice, which is broadcast to the input; default: that of the input.
        generator: default: the process's default generator.

    Raises:
        SettingError: a rate below 0 or above 1.
    Source:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014), JMLR 15, pp. 1929-1958.
    """

    def __init__(
        self, rate: float = 0.5, *, noise_shape: tuple[int, ...] | None = None, generator: Generator | None = None
    ) -> None:
        noise.check_rate(rate)
        self.rate, self.noise_shape, self.generator = rate, noise_shape, generator

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """The result; see the class."""
        return noise.dropout(x, self.rate, training=training, noise_shape=self.noise_shape, generator=self.generator)
