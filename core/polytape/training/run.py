"""Run: the state of a training, which callbacks see and a checkpoint saves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..checkpoint.objects import collect_variables
from ..data import Iterator
from ..errors import SettingError
from ..optim import Optimizer
from ..optim.schedules import Schedule
from ..placement import selection
from ..random import default_generator
from ..state.trackable import Trackable
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .history import History
from .measures import Measures

__all__ = ["Run"]


class Run(Trackable):
    """A training that `fit` runs. Callbacks are called with it.

    Attributes:
        model: what is trained.
        optimizer: of the training.
        history: the numbers of the epochs so far.
        epochs: the number of the epoch at which the training ends.
        epoch: the number of the current epoch, counted from 0.
        batch: how many batches of this epoch are done.
        batches_per_epoch: their number, or None if it is not known.
        resumed: whether the training continues one of an earlier process.
        stopped: whether `stop` has been called.
        measures: the metrics.
        iterator: of the batches.
    """

    _untracked = ("history",)

    def __init__(
        self,
        model: Any,
        optimizer: Optimizer,
        history: History,
        epochs: int,
        measures: Measures,
        iterator: Iterator,
        variables: Sequence[Variable] | None,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.history = history
        self.epochs = epochs
        self.epoch = 0
        self.batch = 0
        self.batches_per_epoch: int | None = None
        self.resumed = False
        self.stopped = False
        self.callbacks: list[Any] = []
        self.measures: Final = measures
        self.iterator: Final = iterator
        self._given = variables
        self._generator: Final = default_generator()
        self._loss_sum = 0.0
        self._loss_count = 0.0
        # What a checkpoint has of the numbers above, written by `pack`.
        self._position: Final = _host([0, 0, 0], dtypes.int64)
        self._numbers: Final = _host([0.0, 0.0, math.nan], dtypes.float64)
        self._rows: dict[str, Variable] = {}

    def __repr__(self) -> str:
        return f"Run(epoch {self.epoch} of {self.epochs}, batch {self.batch})"

    def close(self) -> None:
        """Release what the iterator has opened."""
        self.iterator.close()

    def stop(self) -> None:
        """End the training after the current batch; the epoch ends with it. One that is resumed later goes on."""
        self.stopped = True

    @property
    def variables(self) -> list[Variable]:
        """The variables of the model, or those that ``fit(variables=...)`` was given or its first step has used."""
        if self._given is not None:
            return list(self._given)
        if hasattr(self.model, "variables"):
            return list(self.model.variables)
        return list(collect_variables(self.model).values()) if isinstance(self.model, Trackable) else []

    def use(self, variables: Iterable[Variable]) -> None:
        """Take these for the variables of a function, unless they are known."""
        if self._given is None and not isinstance(self.model, Trackable):
            self._given = list(variables)

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate at this step. It may be assigned to, if it is a number or a variable.

        Raises:
            SettingError: on assignment: a schedule or a function decides on the rate.
        """
        return float(self.optimizer._evaluated("learning_rate"))

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        rate = self.optimizer.learning_rate
        if isinstance(rate, Schedule) or (callable(rate) and not isinstance(rate, Tensor)):
            raise SettingError(
                "the learning rate cannot be assigned, because the optimizer computes it.",
                expected="an optimizer whose learning rate is a number or a variable",
                got=describe(rate),
                fix="use either the schedule or the callback, for example polytape.optim.Adam(0.001)",
            )
        if isinstance(rate, Variable):
            rate.assign(value)
        else:
            self.optimizer.learning_rate = float(value)

    # --- the loss of the epoch so far ---------------------------------------------------------------------------------

    @property
    def loss(self) -> float:
        """The mean loss over the samples of this epoch so far; NaN before the first."""
        return self._loss_sum / self._loss_count if self._loss_count else math.nan

    def add_loss(self, loss: float, count: float) -> None:
        """Add the mean loss of ``count`` samples."""
        # A batch in which all weights are 0 has a loss of 0, and must not make that of the epoch NaN.
        self._loss_sum += loss * count
        self._loss_count += count

    def begin_epoch(self) -> None:
        """Reset what is counted in an epoch."""
        self.batch, self._loss_sum, self._loss_count = 0, 0.0, 0.0
        self.measures.reset()

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def pack(self) -> None:
        """Write the numbers into variables, for a checkpoint."""
        rate = self.optimizer.learning_rate
        _set(self._position, [self.epoch, self.batch, len(self.history.epochs)])
        _set(self._numbers, [self._loss_sum, self._loss_count, rate if isinstance(rate, (int, float)) else math.nan])
        columns = {"epoch": self.history.epochs, **self.history}
        # The dict is changed, not replaced: an attribute that is assigned would be restored from an earlier file.
        self._rows.clear()
        self._rows.update({name: _host(values, dtypes.float64) for name, values in columns.items()})

    def unpack(self, names: Iterable[str]) -> None:
        """Take the numbers from the variables after a restore.

        Args:
            names: those that the history may have.
        """
        epoch, batch, rows = self._position.tolist()
        self.epoch, self.batch, self.resumed = epoch, batch, True
        self._loss_sum, self._loss_count, rate = self._numbers.tolist()
        if rate == rate and isinstance(self.optimizer.learning_rate, (int, float)):
            self.optimizer.learning_rate = rate
        # Assigned as a whole, which restores the variables in it: only now is their length known.
        self._rows = {name: _host([math.nan] * rows, dtypes.float64) for name in ("epoch", *names)}
        columns = {name: variable.tolist() for name, variable in self._rows.items()}
        saved = {name: values for name, values in columns.items() if any(value == value for value in values)}
        self.history._clear()
        for row, number in enumerate(saved.pop("epoch", [])):
            self.history.append(int(number), {name: values[row] for name, values in saved.items()})


def _host(values: Any, dtype: Any) -> Variable:
    return Variable(np.asarray(values, dtype), trainable=False, device=selection.host_device())


def _set(variable: Variable, values: Sequence[float]) -> None:
    variable.assign(np.asarray(values, variable.dtype))
