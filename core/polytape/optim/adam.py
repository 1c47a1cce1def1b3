"""The Adam optimizer."""

from __future__ import annotations

from typing import Any

from ..foreign_names import checks_keywords
from .base import LearningRate, Optimizer

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    Args:
        learning_rate: a number, a 0-d tensor or `Variable`, or a function without arguments that returns one of these.
        beta1, beta2: decay of the two means, from 0 (inclusive) to 1.
        epsilon: positive; added to the square root of the second mean.

    The slots are ``m`` and ``v``, the two means of each variable.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 1.

    Example:
        >>> import polytape as pt
        >>> x = pt.Variable([3.0, -2.0])
        >>> adam = pt.optim.Adam(0.5)
        >>> with pt.GradientTape() as tape:
        ...     loss = pt.sum(x * x)
        >>> adam.apply_gradients([(tape.gradient(loss, x), x)])
        >>> [round(value, 4) for value in x.tolist()]
        [2.5, -1.5]
    """

    op_name = "adam_update"
    slot_names = ("m", "v")
    takes_step = True

    @checks_keywords
    def __init__(
        self, learning_rate: LearningRate = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = self._check_number("beta1", beta1, _is_decay, "a number from 0 (inclusive) to 1 (exclusive)")
        self.beta2 = self._check_number("beta2", beta2, _is_decay, "a number from 0 (inclusive) to 1 (exclusive)")
        self.epsilon = self._check_number("epsilon", epsilon, lambda number: number > 0.0, "a positive number")

    def _attributes(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}


def _is_decay(number: float) -> bool:
    return 0.0 <= number < 1.0
