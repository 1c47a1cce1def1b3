"""TensorFlow's Adam: polytape's, with an epsilon that is added before the bias correction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from ....optim import Adam
from ....optim.base import LearningRate, Pair
from ....optim.schedules import Schedule
from ....registry import tables
from ....tensors.scope import current_scope
from ....tensors.variable import Variable
from ...mode import building
from ..variables.creation import create
from ..variables.names import name_scope
from .base import Optimizer

__all__ = ["AdamOptimizer"]


@dataclass(frozen=True)
class EpsilonHat(Schedule):
    """What polytape's Adam has to add for TensorFlow's result.

    ``sqrt(v) + epsilon``, divided by the correction ``sqrt(1 - beta2**step)``, is ``sqrt(corrected v)`` plus this.
    """

    epsilon: float
    beta2: float

    def _value(self, t: Any, f: Any) -> Any:
        return self.epsilon / f.power(1.0 - f.power(self.beta2, t + 1.0), 0.5)


class AdamOptimizer(Optimizer, Adam):
    """Adam, with ``epsilon`` as in the text before section 2.1 of the source ("epsilon hat").

    Args:
        learning_rate: not negative.
        beta1, beta2: decay of the two means, from 0 (inclusive) to 1.
        epsilon: positive.
        use_locking: accepted for compatibility, and ignored.
        name: begins the names of slots: ``w/Adam:0`` is ``m``, ``w/Adam_1:0`` is ``v``.

    `variables` lists ``beta1_power`` and ``beta2_power`` too. They follow the step, and the step follows them when they
    are assigned, so that a `Saver` of these variables restores the state.

    Source:
        D. Kingma, J. Ba (2015), ICLR.
    """

    _untracked: ClassVar[tuple[str, ...]] = ("_powers", "_written")
    tf_slots: ClassVar[tuple[str, ...]] = ("m", "v")
    lazy = False

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        Adam.__init__(self, learning_rate, beta1, beta2, epsilon)
        self._set_name(name)
        self.epsilon = EpsilonHat(epsilon, beta2)
        self._powers: tuple[Variable, ...] = ()
        self._written: list[Any] = []  # the arrays that the powers had when they last followed the step

    def apply_gradients(
        self, grads_and_vars: Iterable[Pair], global_step: Variable | None = None, name: str | None = None
    ) -> Any:
        """As `Optimizer.apply_gradients`."""
        if building():
            return super().apply_gradients(grads_and_vars, global_step, name)
        if current_scope.get().trace is None:
            self._create_powers()
            self._before_run()
        super().apply_gradients(grads_and_vars, global_step, name)
        return None

    def _apply_given(self, given: list[Any], global_step: Variable | None) -> None:
        super()._apply_given(given, global_step)
        self.follow_step()

    def _before_run(self) -> None:
        # By identity: arrays of a device cannot be compared here.
        if list(map(id, self._written)) != [id(power.array) for power in self._powers]:
            self._restore_step()

    def _connect_state(self) -> None:
        if not self._powers:
            with name_scope(None):
                self._powers = tuple(
                    create(base, trainable=False, name=name)
                    for name, base in zip(("beta1_power", "beta2_power"), self._bases(), strict=True)
                )

    def _other_variables(self) -> list[Variable]:
        return list(self._powers)

    def _bases(self) -> tuple[float, float]:
        numbers: Any = self  # as the base class sets them
        return float(numbers.beta1), float(numbers.beta2)

    def _create_powers(self) -> None:
        if not self._powers:
            with name_scope(None):
                powers = [
                    create(base, trainable=False, name=name)
                    for name, base in zip(("beta1_power", "beta2_power"), self._bases(), strict=True)
                ]
            restored = any(
                not math.isclose(x.item(), base, rel_tol=1e-6) for x, base in zip(powers, self._bases(), strict=True)
            )
            self._powers = tuple(powers)
            if not restored:
                self.follow_step()

    def follow_step(self) -> None:
        """Assign the powers for the next step."""
        if current_scope.get().trace is None:
            step = int(self.step)
            for power, base in zip(self._powers, self._bases(), strict=True):
                power.assign(base ** (step + 1))
            self._written = [power.array for power in self._powers]
            return
        raised: Any = tables.get_op("power")
        astype: Any = tables.get_op("astype")
        for power, base in zip(self._powers, self._bases(), strict=True):
            power.assign(raised(base, astype(self.step + 1, "float32")))

    def _restore_step(self) -> None:
        """Take the step from the powers, which the program has assigned."""
        # The slower of the two is 0 after more steps than the other.
        base, power = max(zip(self._bases(), [power.item() for power in self._powers], strict=True))
        if 0.0 < power < 1.0 and 0.0 < base < 1.0:
            self.step.assign(max(round(math.log(power) / math.log(base)) - 1, 0))
