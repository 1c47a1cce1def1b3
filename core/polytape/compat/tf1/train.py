"""TensorFlow 1.7's ``tf.train``: optimizers, the global step, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ... import dtypes
from ...autodiff.tape import GradientTape
from ...checkpoint import latest_checkpoint
from ...errors import DTypeError, TapeError
from ...optim import SGD, Adam
from ...optim.base import LearningRate, Optimizer as Base, Pair
from ...tensors.tensor import Tensor, describe
from ...tensors.variable import Variable
from ..mode import need_eager

__all__ = [
    "AdamOptimizer",
    "GradientDescentOptimizer",
    "Optimizer",
    "get_or_create_global_step",
    "latest_checkpoint",
]

_global_steps: list[Variable] = []


class Optimizer(Base):
    """The methods that TensorFlow's optimizers have beyond polytape's; state and checkpoints are the same."""

    def apply_gradients(
        self, grads_and_vars: Iterable[Pair], global_step: Variable | None = None, name: str | None = None
    ) -> None:
        """Update variables with their gradients, and add 1 to ``global_step``."""
        super().apply_gradients(grads_and_vars, global_step)

    def compute_gradients(
        self, loss: Callable[[], Any], var_list: Sequence[Variable] | None = None
    ) -> list[tuple[Tensor | None, Variable]]:
        """The gradients of the loss, as pairs of gradient and variable.

        Args:
            loss: a function without arguments that returns the loss.
            var_list: default: all trainable variables that ``loss`` uses.
        Raises:
            DTypeError: ``loss`` is not a function. TapeError: it uses no trainable variable.
        """
        if not callable(loss):
            raise DTypeError(
                f"{type(self).__name__} cannot differentiate {describe(loss)}.",
                expected="a function without arguments that returns the loss",
                got=type(loss).__name__,
                fix="pass lambda: loss(model, x, y), so that the tape can record how the loss is computed",
            )
        with GradientTape() as tape:
            value = loss()
        variables = list(tape.watched_variables() if var_list is None else var_list)
        if not variables:
            raise TapeError(
                f"{type(self).__name__} found no trainable variable in the loss.",
                expected="a loss that uses trainable variables, or var_list",
                got="none",
                fix="compute the loss from tfe.Variable objects inside the function",
            )
        return list(zip(tape.gradient(value, variables), variables, strict=True))

    def minimize(
        self,
        loss: Callable[[], Any],
        global_step: Variable | None = None,
        var_list: Sequence[Variable] | None = None,
        name: str | None = None,
    ) -> None:
        """One optimization step on what the function ``loss`` returns."""
        self.apply_gradients(self.compute_gradients(loss, var_list), global_step)

    def variables(self) -> list[Variable]:  # type: ignore[override]  # a method in TensorFlow
        """The optimizer's own variables."""
        return list(Base.variables.__get__(self))

    def get_slot_names(self) -> list[str]:
        """Names of the slots of each variable."""
        return list(self.slot_names)


class GradientDescentOptimizer(Optimizer, SGD):
    """``variable -= learning_rate * gradient``."""

    def __init__(self, learning_rate: LearningRate, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(learning_rate)


class AdamOptimizer(Optimizer, Adam):
    """Adam; ``epsilon`` is added after the bias correction, whereas TensorFlow adds it before."""

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


def get_or_create_global_step() -> Variable:
    """The process's step counter, an int64 variable that starts at 0."""
    need_eager("train.get_or_create_global_step")
    if not _global_steps:
        _global_steps.append(Variable(0, trainable=False, name="global_step", dtype=dtypes.int64))
    return _global_steps[0]
