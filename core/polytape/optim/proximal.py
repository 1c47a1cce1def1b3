"""Optimizers with penalties that make elements exactly zero: FTRL, proximal gradient descent and Adagrad."""

from __future__ import annotations

from typing import Unpack

from ..foreign_names import checks_keywords
from .base import Clipping, LearningRate, Optimizer
from .hyperparameters import NOT_NEGATIVE, NOT_POSITIVE, POSITIVE, Hyperparameter

__all__ = ["Ftrl", "ProximalAdagrad", "ProximalGradientDescent"]


class Ftrl(Optimizer):
    """Follow the regularized leader, whose L1 penalty makes elements exactly zero.

    Args:
        learning_rate: positive.
        learning_rate_power: not positive; -0.5 in the source.
        initial_accumulator: not negative: what the sum of squared gradients starts from.
        l1, l2: not negative: strength of the penalties ``l1 * sum(abs(x))`` and ``l2 * sum(x**2)``.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``accumulator`` and ``linear``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        H. McMahan et al. (2013), KDD, Algorithm 1.
    """

    op_name = "ftrl_update"
    slot_names: tuple[str, ...] = ("accumulator", "linear")
    ranges = (("learning_rate_power", NOT_POSITIVE), ("l1", NOT_NEGATIVE), ("l2", NOT_NEGATIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: Hyperparameter = -0.5,
        initial_accumulator: float = 0.1,
        l1: Hyperparameter = 0.0,
        l2: Hyperparameter = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(learning_rate_power=learning_rate_power, l1=l1, l2=l2)
        self.initial_accumulator = self._check_number("initial_accumulator", initial_accumulator, *NOT_NEGATIVE)

    def _initial_value(self, slot: str) -> float:
        return self.initial_accumulator if slot == "accumulator" else 0.0


class ProximalAdagrad(Optimizer):
    """Adagrad with an L1 and an L2 penalty, which make elements exactly zero.

    Args:
        learning_rate: not negative.
        initial_accumulator: positive: what the sum of squared gradients starts from.
        l1, l2: not negative: strength of the penalties ``l1 * sum(abs(x))`` and ``l2 / 2 * sum(x**2)``.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slot is ``accumulator``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        J. Duchi, Y. Singer (2009), JMLR 10; J. Duchi, E. Hazan, Y. Singer (2011), JMLR 12.
    """

    op_name = "proximal_adagrad_update"
    slot_names: tuple[str, ...] = ("accumulator",)
    ranges = (("l1", NOT_NEGATIVE), ("l2", NOT_NEGATIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator: float = 0.1,
        l1: Hyperparameter = 0.0,
        l2: Hyperparameter = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(l1=l1, l2=l2)
        self.initial_accumulator = self._check_number("initial_accumulator", initial_accumulator, *POSITIVE)

    def _initial_value(self, slot: str) -> float:
        return self.initial_accumulator if slot == "accumulator" else 0.0


class ProximalGradientDescent(Optimizer):
    """Gradient descent with an L1 and an L2 penalty, which make elements exactly zero.

    Args:
        learning_rate: not negative.
        l1, l2: not negative: strength of the penalties ``l1 * sum(abs(x))`` and ``l2 / 2 * sum(x**2)``.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        J. Duchi, Y. Singer (2009), JMLR 10, pp. 2899-2934.
    """

    op_name = "proximal_sgd_update"
    ranges = (("l1", NOT_NEGATIVE), ("l2", NOT_NEGATIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate,
        l1: Hyperparameter = 0.0,
        l2: Hyperparameter = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(l1=l1, l2=l2)
