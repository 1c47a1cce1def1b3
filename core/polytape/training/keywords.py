"""Checks of arguments; and keywords that other libraries have for what is named otherwise here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from ..errors import DTypeError, PolytapeError, SettingError
from ..tracebacks import shortened

__all__ = ["checks_keywords", "entry", "reject", "require", "whole"]

F = TypeVar("F", bound=Any)

# By keyword, what to write instead.
_FIXES: Final[Mapping[str, str]] = {
    "sample_weight": "weights=..., one per sample",
    "class_weight": "class_weights=..., one per class",
    "verbose": "fit takes progress=True, False or 'auto'; evaluate and predict show nothing",
    "validation_batch_size": "pass validation_data as a polytape.data.Dataset with batches of its own size",
    "validation_steps": "validation_data=dataset.take(n)",
    "steps": "dataset.take(n) as x",
    "generator": "polytape.data.Dataset.from_generator(function) as x",
    "max_epochs": "epochs=...",
    "n_epochs": "epochs=...",
    "num_epochs": "epochs=...",
    "nb_epoch": "epochs=...",
    "lr": "optimizer=polytape.optim.Adam(learning_rate)",
    "learning_rate": "optimizer=polytape.optim.Adam(learning_rate)",
    "criterion": "loss=...",
    "loss_fn": "loss=...",
    "run_eagerly": "function=False",
    "jit_compile": "function=True",
    "restore_best_weights": "restore_best=True",
    "start_from_epoch": "pass the callback to a second fit with initial_epoch=...",
    "save_best_only": "monitor='val_loss', which saves only what is better than before",
    "save_weights_only": "a checkpoint has the variables and the optimizer",
    "save_freq": "fit(..., checkpoint=manager, checkpoint_every=batches)",
    "filepath": "manager=..., a polytape.CheckpointManager or a folder",
    "dirpath": "manager=..., a polytape.CheckpointManager or a folder",
    "save_top_k": "max_to_keep= of polytape.CheckpointManager",
    "min_lr": "min_rate=...",
    "threshold": "min_delta=...",
    "schedule": "function=..., a function of the epoch",
    "log_dir": "logdir=...",
    "update_freq": "every=..., a number of batches",
    "histogram_freq": "histograms=True",
    "filename": "path=...",
}


def reject(called: str, unknown: Iterable[str], accepted: Iterable[str]) -> None:
    """Raise for the first of the keywords that the caller does not know.

    Raises:
        DTypeError: there is one; if it is a name of another library, the error says ours.
    """
    for keyword in unknown:
        raise DTypeError(
            f"{called}() got an unexpected keyword argument {keyword!r}.",
            expected=", ".join(accepted),
            got=f"{keyword}=...",
            fix=_FIXES.get(keyword, "use one of these names"),
        )


def checks_keywords(init: F) -> F:
    """Decorate a callback's ``__init__``: an unknown keyword argument raises an error with our name for it."""
    accepted = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **keywords: Any) -> None:
        reject(type(self).__name__, keywords.keys() - accepted, accepted)
        init(self, *args, **keywords)

    return checked  # type: ignore[return-value]  # it has the signature of `init`


def require(called: str, name: str, value: Any, valid: bool, expected: str) -> None:
    """Raise SettingError unless an argument is valid."""
    if not valid:
        raise SettingError(
            f"{called} cannot use {name}={value!r}.", expected=expected, got=repr(value), fix=f"change {name}"
        )


def whole(called: str, name: str, value: Any, least: int) -> int:
    """An argument that is a whole number, as an int; raises SettingError if it is another, or less than ``least``."""
    valid = hasattr(value, "__index__") and not isinstance(value, bool) and value >= least
    require(called, name, value, valid, f"an integer of {least} or more")
    return int(value)


def entry(function: F) -> F:
    """Decorate a function for users: unknown keywords as for callbacks, and tracebacks of the user's own frames."""
    accepted = inspect.signature(function).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())

    @functools.wraps(function)
    def called(*args: Any, **keywords: Any) -> Any:
        try:
            if not open_ended:
                reject(function.__name__, keywords.keys() - accepted, accepted)
            return function(*args, **keywords)
        except PolytapeError as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return called  # type: ignore[return-value]  # it has the signature of `function`
