"""Optimizers that divide the gradient by the size of earlier ones: Adagrad, RMSProp, Adadelta."""

from __future__ import annotations

from typing import Unpack

from ..foreign_names import checks_keywords
from .base import Clipping, LearningRate, Optimizer
from .hyperparameters import DECAY, NOT_NEGATIVE, POSITIVE, Hyperparameter

__all__ = ["Adadelta", "Adagrad", "RMSProp"]


class Adadelta(Optimizer):
    """Steps whose size follows that of earlier steps.

    Args:
        learning_rate: not negative.
        rho: decay of the means, from 0 (inclusive) to 1.
        epsilon: positive; added to both means.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``mean_square`` and ``mean_square_step``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        M. Zeiler (2012), arXiv:1212.5701, Algorithm 1.
    """

    op_name = "adadelta_update"
    slot_names: tuple[str, ...] = ("mean_square", "mean_square_step")
    ranges = (("rho", DECAY), ("epsilon", POSITIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        rho: Hyperparameter = 0.9,
        epsilon: Hyperparameter = 1e-6,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(rho=rho, epsilon=epsilon)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    Args:
        learning_rate: not negative.
        initial_accumulator: not negative: what the sum starts from.
        epsilon: positive; added to the root.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slot is ``accumulator``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        J. Duchi, E. Hazan, Y. Singer (2011), JMLR 12, pp. 2121-2159.
    """

    op_name = "adagrad_update"
    slot_names: tuple[str, ...] = ("accumulator",)
    ranges = (("epsilon", POSITIVE),)

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        initial_accumulator: float = 0.0,
        epsilon: Hyperparameter = 1e-7,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(epsilon=epsilon)
        self.initial_accumulator = self._check_number("initial_accumulator", initial_accumulator, *NOT_NEGATIVE)

    def _initial_value(self, slot: str) -> float:
        return self.initial_accumulator if slot == "accumulator" else 0.0


class RMSProp(Optimizer):
    """Steps divided by the root of a running mean of the squared gradient.

    Args:
        learning_rate: not negative.
        rho: decay of the mean, from 0 (inclusive) to 1.
        momentum: from 0 (inclusive) to 1: how much of the last step is repeated.
        epsilon: positive; added to the root.
        centered: divide by the root of the gradient's variance instead.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``mean_square``, ``velocity`` and, if centered, ``mean_gradient``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        T. Tieleman, G. Hinton (2012), COURSERA lecture 6.5. Centered: A. Graves (2013), arXiv:1308.0850.
    """

    op_name = "rmsprop_update"
    slot_names: tuple[str, ...] = ("mean_square", "velocity")
    ranges = (("rho", DECAY), ("momentum", DECAY), ("epsilon", POSITIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: Hyperparameter = 0.9,
        momentum: Hyperparameter = 0.0,
        epsilon: Hyperparameter = 1e-7,
        centered: bool = False,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(rho=rho, momentum=momentum, epsilon=epsilon)
        self.centered = bool(centered)
        if centered:
            self.op_name = "centered_rmsprop_update"
            self.slot_names = ("mean_square", "mean_gradient", "velocity")
