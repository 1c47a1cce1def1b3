"""Adam and its relatives, which divide running means of the gradient by running means of its size."""

from __future__ import annotations

from typing import Unpack

from ..foreign_names import checks_keywords
from .base import Clipping, LearningRate, Optimizer
from .hyperparameters import DECAY, NOT_NEGATIVE, POSITIVE, Hyperparameter

__all__ = ["Adam", "AdamW", "Adamax", "Nadam"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    Args:
        learning_rate: not negative.
        beta1, beta2: decay of the two means, from 0 (inclusive) to 1.
        epsilon: positive; added to the square root of the second mean.
        amsgrad: divide by the largest mean of the square so far.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``m`` and ``v``, the two means of each variable, and ``v_max`` with ``amsgrad``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 1. AMSGrad: S. Reddi, S. Kale, S. Kumar (2018), ICLR, Algorithm 2.

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
    slot_names: tuple[str, ...] = ("m", "v")
    takes_step = True
    ranges = (("beta1", DECAY), ("beta2", DECAY), ("epsilon", POSITIVE), ("weight_decay", NOT_NEGATIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.999,
        epsilon: Hyperparameter = 1e-7,
        amsgrad: bool = False,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=0.0)
        self.amsgrad = bool(amsgrad)
        if amsgrad:
            self.op_name, self.slot_names = "amsgrad_update", ("m", "v", "v_max")


class AdamW(Adam):
    """Adam with decoupled weight decay: ``variable -= learning_rate * weight_decay * variable`` at each step.

    Args:
        learning_rate, beta1, beta2, epsilon, amsgrad, clipping: as for `Adam`.
        weight_decay: not negative.

    The slots are those of `Adam`.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        I. Loshchilov, F. Hutter (2019), ICLR, Algorithm 2, where the decay is multiplied by the learning rate too.
    """

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.999,
        epsilon: Hyperparameter = 1e-7,
        amsgrad: bool = False,
        weight_decay: Hyperparameter = 0.01,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, amsgrad, **clipping)
        self._set_hyperparameters(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the running mean of squares.

    Args:
        learning_rate: not negative.
        beta1, beta2: decay of the mean and of the largest gradient, from 0 (inclusive) to 1.
        epsilon: positive; added to the size of the gradient.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``m`` and ``u``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 2.
    """

    op_name = "adamax_update"
    slot_names: tuple[str, ...] = ("m", "u")
    takes_step = True
    ranges = (("beta1", DECAY), ("beta2", DECAY), ("epsilon", POSITIVE))

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.999,
        epsilon: Hyperparameter = 1e-7,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(beta1=beta1, beta2=beta2, epsilon=epsilon)


class Nadam(Optimizer):
    """Adam with Nesterov's momentum.

    Args:
        learning_rate: not negative.
        beta1, beta2: decay of the two means, from 0 (inclusive) to 1.
        epsilon: positive; added to the square root of the second mean.
        momentum_decay: not negative: how fast the momentum grows to beta1, see `polytape.ops.optim.nadam_update`.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    The slots are ``m``, ``v`` and, of shape (), ``product``.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        T. Dozat (2016), ICLR workshop, Algorithm 2.
    """

    op_name = "nadam_update"
    slot_names: tuple[str, ...] = ("m", "v", "product")
    takes_step = True
    ranges = (("beta1", DECAY), ("beta2", DECAY), ("epsilon", POSITIVE), ("momentum_decay", NOT_NEGATIVE))

    scalar_slots = ("product",)

    @checks_keywords
    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta1: Hyperparameter = 0.9,
        beta2: Hyperparameter = 0.999,
        epsilon: Hyperparameter = 1e-7,
        momentum_decay: Hyperparameter = 0.004,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self._set_hyperparameters(beta1=beta1, beta2=beta2, epsilon=epsilon, momentum_decay=momentum_decay)
