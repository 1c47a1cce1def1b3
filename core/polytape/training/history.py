"""History: the numbers of each epoch of a training."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import PluginError, SettingError, UnknownNameError

__all__ = ["History"]


class History(Mapping[str, list[float]]):
    """The numbers of each epoch: ``history["loss"]`` is a list of floats, one per epoch, NaN where there was none.

    The names are ``loss``, those of the metrics, the same after ``val_`` for the validation, and ``learning_rate``.

    Attributes:
        epochs: the numbers of the epochs, counted from 0.

    Example:
        >>> import polytape as pt
        >>> history = pt.training.History()
        >>> for epoch, loss in enumerate([0.7, 0.2, 0.4]):
        ...     history.append(epoch, {"loss": loss})
        >>> history["loss"], history.best("loss")
        ([0.7, 0.2, 0.4], 1)
    """

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self._columns: dict[str, list[float]] = {}

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.items() if values)
        return f"History({len(self.epochs)} epochs{f', last: {last}' if last else ''})"

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._columns:
            raise KeyError(f"{name!r} is not in the history; it has {', '.join(self._columns) or 'no epochs'}")
        return list(self._columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def history(self) -> Any:
        """An error: it is the name in Keras."""
        raise UnknownNameError(
            "'History' object has no attribute 'history'.",
            expected="a mapping of names to lists",
            got="'history', a name of another library",
            fix="history['loss'], or dict(history)",
        )

    def append(self, epoch: int, numbers: Mapping[str, float]) -> None:
        """Add an epoch.

        Args:
            epoch: its number.
            numbers: by name. Names that earlier epochs had and this one has not, or the other way round, get NaN.
        """
        rows = len(self.epochs)
        columns = {name: [*self._columns.get(name, [math.nan] * rows)] for name in {**self._columns, **numbers}}
        for name, values in columns.items():
            values.append(float(numbers.get(name, math.nan)))
        self._columns, self.epochs = columns, [*self.epochs, epoch]

    def _clear(self) -> None:
        """Remove all epochs, before those of a checkpoint are added."""
        self._columns, self.epochs = {}, []

    def best(self, name: str, mode: str = "min") -> int:
        """The number of the epoch in which ``name`` was smallest, or largest with ``mode="max"``.

        Raises:
            KeyError: no epoch has this name. SettingError: another mode, or all numbers are NaN.
        """
        numbers = [(value, epoch) for value, epoch in zip(self[name], self.epochs, strict=True) if value == value]
        if mode not in ("min", "max") or not numbers:
            raise SettingError(
                f"history.best({name!r}, {mode!r}) has no answer.",
                expected="mode='min' or mode='max', and an epoch with a number",
                got=f"mode={mode!r}, {len(numbers)} numbers",
                fix="change it",
            )
        return (min if mode == "min" else max)(numbers, key=lambda pair: pair[0])[1]

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a file with a row per epoch: its number, then the numbers in full precision.

        Raises:
            OSError: it cannot be written.
        """
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self])
            for row, epoch in enumerate(self.epochs):
                writer.writerow([epoch, *(repr(values[row]) for values in self._columns.values())])

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the numbers over the epochs: one plot for the loss and one for each metric, with their validation.

        Args:
            path: of an image to write, in the format that its ending names. Default: none is written.
        Returns:
            matplotlib's figure.
        Raises:
            PluginError: matplotlib is not installed. SettingError: there are no epochs.
        """
        if not self.epochs:
            raise SettingError("a history without epochs cannot be drawn.", expected="an epoch", got="none", fix="fit")
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise PluginError(
                "history.plot needs matplotlib.",
                expected="it to be installed",
                got=str(error),
                fix="pip install 'polytape[training]'",
            ) from None
        names = [name for name in self if name != "learning_rate" and name.removeprefix("val_") not in {*self} - {name}]
        # Not pyplot's figure: it would open windows and keep the figure alive.
        figure = Figure(figsize=(5.0 * len(names), 3.5), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for column, label in ((name, "training"), (f"val_{name}", "validation")):
                if column in self:
                    axes.plot(self.epochs, self[column], marker=".", label=label)
            axes.set(xlabel="epoch", ylabel=name)
            axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure
