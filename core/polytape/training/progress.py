"""What `fit` shows: a bar per epoch by tqdm, or a line per epoch."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..errors import PluginError, SettingError
from .callbacks import Callback
from .run import Run

__all__ = ["reporter"]


def reporter(progress: bool | str) -> list[Callback]:
    """The callback that shows progress, if any.

    Args:
        progress: True for a bar, False for nothing, ``"auto"`` for a bar on a terminal with tqdm, otherwise lines.
    Raises:
        SettingError: another value. PluginError: a bar is asked for, and tqdm is not installed.
    """
    if progress is False:
        return []
    if progress is not True and progress != "auto":
        raise SettingError(
            f"fit cannot use progress={progress!r}.",
            expected="True, False or 'auto'",
            got=repr(progress),
            fix="pass one of these",
        )
    if progress == "auto" and not sys.stderr.isatty():
        return [Lines()]
    try:
        return [Bar(importlib.import_module("tqdm.auto"))]
    except ImportError as error:
        if progress == "auto":
            return [Lines()]
        raise PluginError(
            "a progress bar needs tqdm.",
            expected="it to be installed",
            got=str(error),
            fix="pip install 'polytape[training]', or pass progress='auto' for a line per epoch",
        ) from None


def _texts(numbers: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in numbers.items() if name != "learning_rate"}


class Lines(Callback):
    """A line per epoch."""

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """As `Callback.on_epoch_begin`."""
        self._began = time.monotonic()

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        text = "  ".join(f"{name} {value}" for name, value in _texts(numbers).items())
        seconds = time.monotonic() - self._began
        print(f"epoch {epoch + 1:{len(str(run.epochs))}}/{run.epochs}  {text}  ({seconds:.1f} s)", flush=True)


class Bar(Callback):
    """A bar per epoch, which stays with the epoch's numbers.

    Args:
        tqdm: the module.
    """

    _untracked = ("_bar", "_tqdm")

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """As `Callback.on_epoch_begin`."""
        title = f"epoch {epoch + 1:{len(str(run.epochs))}}/{run.epochs}"
        self._bar = self._tqdm.tqdm(total=run.batches_per_epoch, initial=run.batch, desc=title, unit="batch")

    def on_batch_end(self, run: Run, batch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_batch_end`."""
        self._bar.set_postfix(_texts({"loss": run.loss}), refresh=False)
        self._bar.update()

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_epoch_end`."""
        self._bar.set_postfix(_texts(numbers))
        self._close()

    def on_exception(self, run: Run, error: BaseException) -> None:
        """As `Callback.on_exception`."""
        self._close()

    def _close(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
