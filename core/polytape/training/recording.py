"""Callbacks that write the numbers of a training to files."""

from __future__ import annotations

import csv
import os
from typing import Any

from .. import summary
from .callbacks import Callback
from .keywords import checks_keywords, require
from .run import Run

__all__ = ["CSVLogger", "TensorBoard"]


class CSVLogger(Callback):
    """Writes a row per epoch to a CSV file: its number, then those of the history, in full precision.

    Each row is in the file when its epoch ends. A training that is resumed keeps the rows of the epochs before.

    Args:
        path: of the file; its folder must exist.
        separator: between fields.
        append: whether to keep what the file has; otherwise a new training begins it anew.
    """

    @checks_keywords
    def __init__(self, path: str | os.PathLike[str], *, separator: str = ",", append: bool = False) -> None:
        self.path = path
        self.separator = separator
        self.append = append

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        rows = self._rows() if run.resumed or self.append else []
        # An epoch that ended after the last checkpoint runs again, and so would have two rows.
        kept = [row for row in rows[1:] if row and (not run.resumed or int(row[0]) < run.epoch)]
        self._write("w", [*rows[:1], *kept])

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        names = (self._rows(1) or [["epoch", *numbers]])[0]
        header = [] if self._rows(1) else [names]
        self._write("a", [*header, [epoch, *(repr(numbers[name]) if name in numbers else "" for name in names[1:])]])

    def _rows(self, most: int | None = None) -> list[list[str]]:
        if not os.path.exists(self.path):
            return []
        with open(self.path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file, delimiter=self.separator)
            return [row for row, _ in zip(rows, range(most), strict=False)] if most else list(rows)

    def _write(self, mode: str, rows: list[list[Any]]) -> None:
        with open(self.path, mode, newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator).writerows(rows)


class TensorBoard(Callback):
    """Writes summaries: the numbers of each epoch, the loss of batches, and the distributions of the variables.

    The numbers of the epochs are called ``epoch/loss`` and so on, those of the validation are in a run of their own,
    so that TensorBoard draws both into one plot. The loss of batches is ``batch/loss``, by the optimizer's step.

    Args:
        logdir: a folder; the event files are in the folders ``train`` and ``validation`` below it.
        every: write the loss of each so many batches; 0 writes none.
        histograms: whether to write the distribution of each variable after each epoch.

    Raises:
        SettingError: ``every`` is negative. In `fit`: PluginError: tensorboardX is not installed; it comes with the
            extra ``tensorboard``.
    """

    _untracked = ("_writers",)

    @checks_keywords
    def __init__(self, logdir: str | os.PathLike[str], *, every: int = 1, histograms: bool = False) -> None:
        require("TensorBoard", "every", every, every >= 0, "a number of batches that is not negative")
        self.logdir = os.fspath(logdir)
        self.every = every
        self.histograms = histograms
        self._writers: dict[str, summary.FileWriter] = {}

    def on_train_begin(self, run: Run) -> None:
        """As `Callback.on_train_begin`."""
        self._writer("train")

    def on_batch_end(self, run: Run, batch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_batch_end`."""
        step = int(run.optimizer.step)
        if self.every and step % self.every == 0:
            summary.scalar("batch/loss", numbers["loss"], step=step, writer=self._writer("train"))

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        for name, value in numbers.items():
            writer = self._writer("validation" if name.startswith("val_") else "train")
            summary.scalar(f"epoch/{name.removeprefix('val_')}", value, step=epoch, writer=writer)
        if self.histograms:
            named = getattr(run.model, "named_variables", None)
            if named is None:
                named = {variable.name or f"variable {k}": variable for k, variable in enumerate(run.variables)}
            for name, variable in named.items():
                summary.histogram(name, variable, step=epoch, writer=self._writer("train"))
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, run: Run) -> None:
        """As `Callback.on_train_end`."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def on_exception(self, run: Run, error: BaseException) -> None:
        """As `Callback.on_exception`."""
        self.on_train_end(run)

    def _writer(self, name: str) -> summary.FileWriter:
        if name not in self._writers:
            self._writers[name] = summary.FileWriter(os.path.join(self.logdir, name))
        return self._writers[name]
