"""TensorFlow's optimizers but Adam: polytape's, with TensorFlow's arguments, defaults and names of slots."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from ....errors import SettingError
from ....optim import SGD, Adadelta, Adagrad, Ftrl, ProximalAdagrad, ProximalGradientDescent, RMSProp
from ....optim.base import LearningRate
from .base import Optimizer

__all__ = [
    "AdadeltaOptimizer",
    "AdagradOptimizer",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RMSPropOptimizer",
]

_NO_EPSILON: Final = 1e-300  # positive, as polytape's Adagrad asks for, and 0 in the variable's dtype


class GradientDescentOptimizer(Optimizer, SGD):
    """``variable -= learning_rate * gradient``."""

    def __init__(self, learning_rate: LearningRate, use_locking: bool = False, name: str = "GradientDescent") -> None:
        SGD.__init__(self, learning_rate)
        self._set_name(name)


class MomentumOptimizer(Optimizer, SGD):
    """``accumulation = momentum * accumulation + gradient``, ``variable -= learning_rate * accumulation``.

    The slot is ``momentum``. With ``use_nesterov``, the gradient is that after the step that momentum will take.
    """

    tf_slots: ClassVar[tuple[str, ...]] = ("momentum",)

    def __init__(
        self,
        learning_rate: LearningRate,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        # A momentum of 0 would make an SGD without the slot.
        SGD.__init__(self, learning_rate, 0.5, use_nesterov)
        self.momentum = momentum
        self._set_name(name)


class AdagradOptimizer(Optimizer, Adagrad):
    """``accumulator += gradient**2``, ``variable -= learning_rate * gradient / sqrt(accumulator)``."""

    tf_slots: ClassVar[tuple[str, ...]] = ("accumulator",)

    def __init__(
        self,
        learning_rate: LearningRate,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        Adagrad.__init__(self, learning_rate, initial_accumulator_value, _NO_EPSILON)
        self._set_name(name)


class AdadeltaOptimizer(Optimizer, Adadelta):
    """Steps whose size follows that of earlier steps; the slots are ``accum`` and ``accum_update``."""

    tf_slots: ClassVar[tuple[str, ...]] = ("accum", "accum_update")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        Adadelta.__init__(self, learning_rate, rho, epsilon)
        self._set_name(name)


class RMSPropOptimizer(Optimizer, RMSProp):
    """Steps divided by the root of a running mean of the squared gradient, which begins at 1.

    ``rms = decay * rms + (1 - decay) * gradient**2``, ``momentum = momentum * momentum + learning_rate * gradient /
    sqrt(rms + epsilon)``, ``variable -= momentum``. The slots are ``rms``, ``momentum`` and, if centered, ``mg``.
    """

    tf_slots: ClassVar[tuple[str, ...]] = ("rms", "momentum")

    def __init__(
        self,
        learning_rate: LearningRate,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        RMSProp.__init__(self, learning_rate, decay, momentum, epsilon, centered)
        self._set_name(name)
        self.op_name = "centered_rmsprop_rooted_update" if centered else "rmsprop_rooted_update"
        if centered:
            self.slot_names = ("rms", "mg", "momentum")

    def _initial_value(self, slot: str) -> float:
        return 1.0 if slot == "rms" else 0.0


class FtrlOptimizer(Optimizer, Ftrl):
    """Follow the regularized leader; the slots are ``accum`` and ``linear``.

    Raises:
        ValueError: ``initial_accumulator_value`` or a penalty is negative, or ``learning_rate_power`` positive.
        SettingError: ``l2_shrinkage_regularization_strength`` is not 0.
    """

    tf_slots: ClassVar[tuple[str, ...]] = ("accum", "linear")

    def __init__(
        self,
        learning_rate: LearningRate,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:
        if l2_shrinkage_regularization_strength:
            raise SettingError(
                "FtrlOptimizer has no shrinkage here.",
                expected="l2_shrinkage_regularization_strength=0.0",
                got=str(l2_shrinkage_regularization_strength),
                fix="add tf.nn.l2_loss(variable) to the loss instead",
            )
        Ftrl.__init__(
            self, learning_rate, learning_rate_power, initial_accumulator_value, l1_regularization_strength,
            l2_regularization_strength,
        )  # fmt: skip
        self._set_name(name)

    def _initial_value(self, slot: str) -> float:
        return self.initial_accumulator if slot == "accum" else 0.0


class ProximalGradientDescentOptimizer(Optimizer, ProximalGradientDescent):
    """Gradient descent with an L1 and an L2 penalty, which make elements exactly zero."""

    def __init__(
        self,
        learning_rate: LearningRate,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        ProximalGradientDescent.__init__(self, learning_rate, l1_regularization_strength, l2_regularization_strength)
        self._set_name(name)


class ProximalAdagradOptimizer(Optimizer, ProximalAdagrad):
    """Adagrad with an L1 and an L2 penalty, which make elements exactly zero; the slot is ``accumulator``."""

    tf_slots: ClassVar[tuple[str, ...]] = ("accumulator",)

    def __init__(
        self,
        learning_rate: LearningRate,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        ProximalAdagrad.__init__(
            self, learning_rate, initial_accumulator_value, l1_regularization_strength, l2_regularization_strength
        )
        self._set_name(name)
