"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from .. import dtypes
from ..placement import selection
from ..tensors.variable import Variable
from .callbacks import Callback
from .keywords import checks_keywords, require
from .monitoring import Monitor
from .run import Run

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    `polytape.optim.schedules` change it at each step, without a callback.

    Args:
        function: of the epoch, counted from 0, or of the epoch and the present rate; returns the rate.

    Example:
        >>> import polytape as pt
        >>> halved = pt.training.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch % 10 == 9 else rate)
    """

    _untracked = ("function",)

    @checks_keywords
    def __init__(self, function: Callable[..., float]) -> None:
        self.function = function
        self._takes_rate = len(inspect.signature(function).parameters) > 1

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """As `Callback.on_epoch_begin`."""
        if run.batch == 0:  # otherwise the epoch is resumed, with the rate that it had
            rate = self.function(epoch, run.learning_rate) if self._takes_rate else self.function(epoch)
            run.learning_rate = float(rate)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by a factor when a number has not improved for some epochs.

    Args:
        monitor: the number's name in the history.
        factor: from 0 to 1, both exclusive.
        patience: after how many epochs in a row without an improvement the rate is reduced; 0 is the same as 1. In
            PyTorch's scheduler of this name it is one epoch later.
        min_delta: by how much a number must be better than the best so far to count as an improvement.
        cooldown: for how many epochs after a reduction none is counted as without an improvement.
        min_rate: the smallest learning rate.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell by the name.

    Raises:
        SettingError: an argument is out of range, or the mode cannot be told. In `fit`: the optimizer computes its
            learning rate by a schedule, or the epoch has no such number.

    Source:
        Keras 3, ``keras.callbacks.ReduceLROnPlateau``.
    """

    @checks_keywords
    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_rate: float = 0.0,
        mode: str = "auto",
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        require("ReduceLROnPlateau", "factor", factor, 0.0 < factor < 1.0, "a number between 0 and 1")
        for name, value in (("patience", patience), ("cooldown", cooldown), ("min_rate", min_rate)):
            require("ReduceLROnPlateau", name, value, value >= 0, "a number that is not negative")
        self.factor, self.patience, self.cooldown, self.min_rate = factor, patience, cooldown, min_rate
        self._resting = Variable(0, trainable=False, dtype=dtypes.int64, device=selection.host_device())

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        super().on_train_begin(run)
        if not run.resumed:
            self._resting.assign(0)

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        before = int(self._resting)
        resting = max(before - 1, 0)
        if before:
            self._forget_wait()
        if not self._improves(epoch, numbers):
            rate = run.learning_rate
            if resting:
                self._forget_wait()
            elif self.wait >= self.patience and rate > self.min_rate:
                run.learning_rate = max(rate * self.factor, self.min_rate)
                resting = self.cooldown
                self._forget_wait()
        self._resting.assign(resting)
