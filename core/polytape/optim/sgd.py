"""Stochastic gradient descent."""

from __future__ import annotations

from ..foreign_names import checks_keywords
from .base import LearningRate, Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """``variable -= learning_rate * gradient``.

    Args:
        learning_rate: a number, a 0-d tensor or `Variable`, or a function without arguments that returns one of these.

    Source:
        H. Robbins, S. Monro (1951), Annals of Mathematical Statistics 22 (3), pp. 400-407.

    Example:
        >>> import polytape as pt
        >>> x = pt.Variable(3.0)
        >>> with pt.GradientTape() as tape:
        ...     loss = x * x
        >>> pt.optim.SGD(0.1).apply_gradients([(tape.gradient(loss, x), x)])
        >>> round(float(x), 4)
        2.4
    """

    op_name = "sgd_update"

    @checks_keywords
    def __init__(self, learning_rate: LearningRate) -> None:
        super().__init__(learning_rate)
