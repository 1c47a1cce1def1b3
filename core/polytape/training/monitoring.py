"""Callbacks that watch a number of the epochs: early stopping, and checkpoints of the best epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..checkpoint import Checkpoint, CheckpointManager
from ..errors import SettingError
from ..placement import selection
from ..state.update import read_all, replace_all
from ..tensors.variable import Variable
from .callbacks import Callback
from .keywords import checks_keywords, require
from .run import Run

__all__ = ["EarlyStopping", "ModelCheckpoint", "Monitor"]

_SMALL: Final = ("loss", "error", "entropy", "divergence", "nll", "distance")
_LARGE: Final = ("accuracy", "auc", "precision", "recall", "f1", "iou", "similarity")


class Monitor(Callback):
    """Base of callbacks that watch a number of the epochs.

    Args:
        monitor: its name in the history.
        mode: ``"min"`` if small numbers are good, ``"max"`` if large ones are, ``"auto"`` to tell by the name.
        min_delta: by how much a number must be better than the best so far to count as an improvement.

    Attributes:
        best: the best number so far; infinite before the first.
        best_epoch: its epoch; -1 before the first.
        wait: how many epochs have passed without an improvement.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        name = type(self).__name__
        require(name, "min_delta", min_delta, min_delta >= 0.0, "a number that is not negative")
        self.monitor = monitor
        self.min_delta = float(min_delta)
        self.sign = _sign(name, monitor, mode)
        # The best number times the sign, its epoch, and the epochs without improvement: saved with the training.
        self._state = Variable(
            np.asarray([math.inf, -1.0, 0.0], dtypes.float64), trainable=False, device=selection.host_device()
        )

    @property
    def best(self) -> float:
        """The best number so far."""
        return float(self._state.numpy()[0]) * self.sign

    @property
    def best_epoch(self) -> int:
        """The epoch of the best number."""
        return int(self._state.numpy()[1])

    @property
    def wait(self) -> int:
        """How many epochs have passed without an improvement."""
        return int(self._state.numpy()[2])

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        if not run.resumed:
            self._set(math.inf, -1, 0)

    def _set(self, best: float, epoch: int, wait: int) -> None:
        self._state.assign(np.asarray([best, epoch, wait], dtypes.float64))

    def _forget_wait(self) -> None:
        best, best_epoch, _ = self._state.tolist()
        self._set(best, int(best_epoch), 0)

    def _improves(self, epoch: int, numbers: Mapping[str, float]) -> bool:
        """Whether this epoch is the best; counts it. NaN is never better.

        Raises:
            SettingError: the epoch has no such number.
        """
        if self.monitor not in numbers:
            validation = self.monitor.startswith("val_") and not any(name.startswith("val_") for name in numbers)
            raise SettingError(
                f"{type(self).__name__} cannot find {self.monitor!r}.",
                expected=f"monitor= one of {', '.join(numbers)}",
                got=repr(self.monitor),
                fix="pass validation_data or validation_split to fit" if validation else "use one of these names",
            )
        value, (best, best_epoch, wait) = numbers[self.monitor] * self.sign, self._state.tolist()
        better = value < best - self.min_delta
        self._set(*((value, epoch, 0) if better else (best, int(best_epoch), int(wait) + 1)))
        return bool(better)


class EarlyStopping(Monitor):
    """Ends the training when a number has not improved for some epochs.

    Args:
        monitor: the number's name in the history.
        patience: after how many epochs in a row without an improvement the training ends; 0 is the same as 1.
        min_delta: by how much a number must be better than the best so far to count as an improvement.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell by the name.
        restore_best: whether the variables get their values of the best epoch back, when the training ends by itself
            as well as when it is stopped. A copy of the variables is kept for it.

    Raises:
        SettingError: an argument is out of range, or the mode cannot be told. At the end of the first epoch: it has no
            such number.

    Source:
        L. Prechelt (1998), Early stopping - but when?, in Neural Networks: Tricks of the Trade, LNCS 1524. The
        arguments are those of Keras 3.

    Example:
        >>> import polytape as pt
        >>> stopping = pt.training.EarlyStopping("val_loss", patience=3, restore_best=True)
    """

    @checks_keywords
    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 0,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        require("EarlyStopping", "patience", patience, patience >= 0, "a number of epochs that is not negative")
        self.patience = patience
        self.restore_best = restore_best
        self.best_values: list[Variable] = []

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        super().on_train_begin(run)
        if not run.resumed:
            self.best_values = []
        elif self.best_epoch >= 0 and self._is_over():
            run.stop()

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        if self._improves(epoch, numbers):
            if self.restore_best:
                self._held(run)
                replace_all(self.best_values, [None] * len(self.best_values), read_all(run.variables))
        elif self._is_over():
            run.stop()

    def on_train_end(self, run: Run) -> None:
        """As `Callback.on_train_end`."""
        if self.restore_best and self.best_epoch >= 0:
            self._held(run)
            variables = run.variables
            replace_all(variables, [None] * len(variables), read_all(self.best_values))

    def _is_over(self) -> bool:
        return self.wait >= max(self.patience, 1)

    def _held(self, run: Run) -> None:
        """Make the copies; if the training was resumed, assigning them gives them the values from the checkpoint."""
        if len(self.best_values) != len(run.variables):
            self.best_values = [
                Variable(variable.read_value(), trainable=False, name=variable.name) for variable in run.variables
            ]


class ModelCheckpoint(Monitor):
    """Saves model and optimizer after each epoch, or only after each that is the best so far.

    `fit`'s own ``checkpoint=`` saves what it takes to resume a training; this callback saves a model to use.

    Args:
        manager: a `polytape.CheckpointManager`; or a folder, for one with the names ``model`` and ``optimizer``.
        monitor: the name of a number of the history: then only an epoch with the best number so far is saved.
        min_delta, mode: as for `EarlyStopping`.

    Raises:
        SettingError: as from `EarlyStopping`.
    """

    _untracked = ("manager",)

    @checks_keywords
    def __init__(
        self,
        manager: CheckpointManager | str | os.PathLike[str],
        *,
        monitor: str | None = None,
        min_delta: float = 0.0,
        mode: str = "auto",
    ) -> None:
        super().__init__(monitor or "loss", mode if monitor else "min", min_delta)
        self.always = monitor is None
        self.manager = manager

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        super().on_train_begin(run)
        if not isinstance(self.manager, CheckpointManager):
            saved: Any = run.model if hasattr(run.model, "variables") else run.variables
            self.manager = CheckpointManager(Checkpoint(model=saved, optimizer=run.optimizer), self.manager)

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        if self.always or self._improves(epoch, numbers):
            assert isinstance(self.manager, CheckpointManager)
            self.manager.save(epoch + 1)


def _sign(called: str, monitor: str, mode: str) -> float:
    """1 if small numbers are good, -1 if large ones are."""
    small = any(monitor.endswith(word) for word in _SMALL)
    if mode == "min" or (mode == "auto" and small):
        return 1.0
    if mode == "max" or (mode == "auto" and any(monitor.endswith(word) for word in _LARGE)):
        return -1.0
    raise SettingError(
        f"{called} cannot tell whether small or large values of {monitor!r} are good.",
        expected="mode='min' or mode='max'",
        got=f"mode={mode!r}",
        fix="pass one of these",
    )
