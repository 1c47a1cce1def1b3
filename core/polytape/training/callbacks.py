"""Callback: what `fit` calls at the ends of batches and epochs; and callbacks made of functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..errors import DTypeError, UnknownNameError
from ..state.trackable import Trackable
from ..tensors.tensor import describe
from .keywords import reject
from .run import Run

__all__ = ["Callback", "Callbacks", "LambdaCallback", "TerminateOnNaN"]

_METHODS: Final = (
    "on_train_begin",
    "on_epoch_begin",
    "on_batch_begin",
    "on_batch_end",
    "on_epoch_end",
    "on_train_end",
    "on_exception",
)
_FOREIGN: Final = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_train_epoch_start": "on_epoch_begin",
    "on_train_epoch_end": "on_epoch_end",
    "on_train_start": "on_train_begin",
    "on_fit_start": "on_train_begin",
    "on_fit_end": "on_train_end",
    "on_validation_end": "on_epoch_end, whose numbers include those of the validation",
    "on_validation_epoch_end": "on_epoch_end, whose numbers include those of the validation",
    "on_test_end": "on_epoch_end, whose numbers include those of the validation",
}


class Callback(Trackable):
    """Base of the callbacks of `fit`; a subclass overrides some of these methods.

    `fit` calls those of all callbacks in the order of the list. At the end of an epoch it comes in this order: the
    validation, the row in the history, ``on_epoch_end``, the checkpoint. A callback is a `Trackable`, so variables in
    its attributes are saved with the training.

    Raises:
        UnknownNameError: a subclass defines a method ``on_...`` that `fit` does not call.

    Example:
        >>> import polytape as pt
        >>> class StopAtLoss(pt.training.Callback):
        ...     def __init__(self, limit):
        ...         self.limit = limit
        ...     def on_epoch_end(self, run, epoch, numbers):
        ...         if numbers["loss"] < self.limit:
        ...             run.stop()
        >>> w = pt.Variable(0.0)
        >>> history = pt.training.fit(
        ...     lambda x: w * x, [1.0, 1.0], [1.0, 1.0], optimizer=pt.optim.SGD(0.25), loss="mean_squared_error",
        ...     epochs=100, callbacks=[StopAtLoss(0.01)], progress=False,
        ... )
        >>> history["loss"]
        [1.0, 0.25, 0.0625, 0.015625, 0.00390625]
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            if name.startswith("on_") and name not in _METHODS:
                raise UnknownNameError(
                    f"fit does not call the method {name} of {cls.__name__}.",
                    expected=", ".join(_METHODS),
                    got=name,
                    fix=f"name it {_FOREIGN[name]}" if name in _FOREIGN else "use one of these names",
                )

    def on_train_begin(self, run: Run) -> None:
        """Before the first batch. If `Run.resumed` is set, variables have been restored; otherwise begin anew."""

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """Before the first batch of an epoch; also of one that is resumed in its middle."""

    def on_batch_begin(self, run: Run, batch: int) -> None:
        """Before a batch, whose number in the epoch counts from 0."""

    def on_batch_end(self, run: Run, batch: int, numbers: dict[str, float]) -> None:
        """After a batch; ``numbers["loss"]`` is its own loss, and `Run.loss` the mean of the epoch so far."""

    def on_epoch_end(self, run: Run, epoch: int, numbers: dict[str, float]) -> None:
        """After an epoch, with the numbers that the history has of it."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, or the one in which `Run.stop` was called. Not after an exception."""

    def on_exception(self, run: Run, error: BaseException) -> None:
        """When an exception, also KeyboardInterrupt, ends the training; it is raised again afterwards."""


class Callbacks:
    """Several callbacks, called in order.

    Args:
        callbacks: the callbacks.

    Raises:
        DTypeError: something is not a callback.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self.each: list[Callback] = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
        for callback in self.each:
            if not isinstance(callback, Callback):
                raise DTypeError(
                    f"fit cannot call {callback!r}.",
                    expected="objects whose class derives from polytape.training.Callback",
                    got=describe(callback),
                    fix="call the class to make a callback"
                    if isinstance(callback, type)
                    else "pass polytape.training.LambdaCallback(on_epoch_end=function)",
                )

    def call(self, method: str, *args: Any) -> None:
        """Call a method of each."""
        for callback in self.each:
            getattr(callback, method)(*args)

    def fail(self, run: Run, error: BaseException) -> None:
        """Tell all of an exception; one that is raised meanwhile becomes a note of it."""
        for callback in self.each:
            try:
                callback.on_exception(run, error)
            except Exception as second:
                error.add_note(f"then {type(callback).__name__}.on_exception failed: {second!r}")


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        functions: by the name of the method of `Callback` that they replace; they take its arguments.

    Raises:
        DTypeError: `fit` calls no method of this name.

    Example:
        >>> import polytape as pt
        >>> show = pt.training.LambdaCallback(on_epoch_end=lambda run, epoch, numbers: print(epoch, numbers["loss"]))
    """

    _untracked = ("functions",)

    def __init__(self, **functions: Callable[..., Any]) -> None:
        reject("LambdaCallback", (name for name in functions if name not in _METHODS), _METHODS)
        self.functions = functions
        for name, function in functions.items():
            setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Ends the training, without an error, at the first loss that is NaN or infinite.

    Without this callback, `fit` raises an error then.
    """

    def on_batch_end(self, run: Run, batch: int, numbers: dict[str, float]) -> None:
        """As `Callback.on_batch_end`."""
        if not math.isfinite(numbers["loss"]):
            run.stop()
