"""Stochastic gradient descent, with and without momentum."""

from __future__ import annotations

from typing import Any, Unpack

from ..errors import SettingError
from ..foreign_names import checks_keywords
from .base import Clipping, LearningRate, Optimizer
from .hyperparameters import DECAY, NOT_NEGATIVE, Hyperparameter

__all__ = ["SGD"]


class SGD(Optimizer):
    """``variable -= learning_rate * gradient``, or with momentum, ``velocity = momentum * velocity + gradient``.

    Args:
        learning_rate: not negative.
        momentum: from 0 (inclusive) to 1: how much of the last step is repeated.
        nesterov: evaluate the gradient after the step that momentum will take.
        weight_decay: not negative: ``weight_decay * variable`` is added to the gradient.
        clipping: ``clip_value``, ``clip_norm``, ``global_clip_norm``; see `Optimizer`.

    With momentum or weight decay, the slot is ``velocity``. An optimizer that is created without both has no such slot,
    and its momentum and weight decay stay 0.

    Raises:
        DTypeError: a hyperparameter has another type. SettingError: its value is outside its range.
    Source:
        H. Robbins, S. Monro (1951), Annals of Mathematical Statistics 22 (3), pp. 400-407. Momentum: B. Polyak (1964),
        USSR Computational Mathematics 4 (5), pp. 1-17; I. Sutskever et al. (2013), ICML.

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
    def __init__(
        self,
        learning_rate: LearningRate,
        momentum: Hyperparameter = 0.0,
        nesterov: bool = False,
        weight_decay: Hyperparameter = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.ranges = (("momentum", DECAY), ("weight_decay", NOT_NEGATIVE))
        self._set_hyperparameters(momentum=momentum, weight_decay=weight_decay)
        self.nesterov = bool(nesterov)
        if _is_zero(momentum) and _is_zero(weight_decay):
            self.ranges = ()
        else:
            self.op_name, self.slot_names = "momentum_update", ("velocity",)

    def _attributes(self) -> dict[str, Any]:
        if self.ranges:
            return {"nesterov": self.nesterov}
        for name in ("momentum", "weight_decay"):
            if not _is_zero(getattr(self, name)):
                raise SettingError(
                    f"this SGD has no momentum: {name} cannot change from 0.",
                    expected=f"{name} at its creation, which decides the slots",
                    got=f"{name}={getattr(self, name)!r}",
                    fix=f"create it as SGD(learning_rate, {name}=...)",
                )
        return {}


def _is_zero(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == 0
