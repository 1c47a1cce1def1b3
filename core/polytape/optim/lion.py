"""The Lion optimizer."""

from __future__ import annotations

from typing import Unpack

from ..foreign_names import checks_keywords
from .base import Clipping, LearningRate, Optimizer
from .hyperparameters import DECAY, NOT_NEGATIVE, Hyperparameter

__all__ = ["Lion"]


class Lion(Optimizer):
    """Steps of one size: the sign of a mean of the gradient and its running mean.

    Args:
        learning_rate: not negative.
        beta1: weight of the running mean in the direction, from 0 (inclusive) to 1.
        beta2: decay of the running mean, from 0 (inclusive) to 1.
        weight_decay: not negative: ``learning_rate * weight_decay * variable`` is subtracted at each step.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slot is ``m``, the running mean.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        X. Chen et al. (2023), NeurIPS, Algorithm 2.
    """

    op_name = "lion_update"
    slot_names: tuple[str, ...] = ("m",)
    ranges = (("beta1", DECAY), ("beta2", DECAY), ("weight_decay", NOT_NEGATIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 1e-4,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.99,
        weight_decay: Hyperparameter = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(beta1=beta1, beta2=beta2, weight_decay=weight_decay)
