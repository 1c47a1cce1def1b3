"""`fit`: its arguments, checked and put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Unpack

import numpy as np

from ..data import Dataset
from ..errors import DTypeError, SettingError
from ..optim import Optimizer
from ..tensors.tensor import describe
from . import feeding
from .callbacks import Callback, Callbacks
from .history import History
from .keywords import entry, whole
from .loop import Loop, manager_of
from .losses import Loss
from .measures import Measures
from .options import Options, class_table, complete
from .progress import reporter
from .run import Run
from .steps import Evaluation, Training

__all__ = ["fit"]

_NAMED: Final = (
    "x", "y", "optimizer", "loss", "metrics", "batch_size", "epochs", "validation_data", "validation_split",
    "callbacks", "progress",
)  # fmt: skip


@entry
def fit(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    optimizer: Any,
    loss: Any,
    metrics: Mapping[str, Any] | Iterable[Any] | Any = (),
    batch_size: int | None = None,
    epochs: int = 1,
    validation_data: Any = None,
    validation_split: float | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    **options: Unpack[Options],
) -> History:
    """Train a model, or a function with variables.

    Args:
        model: called as ``model(x)``, modules with ``training=True``. A tuple x becomes several arguments.
        x: arrays or tensors, or a tuple or dict of them, with samples along the first axis; or a
            `polytape.data.Dataset` whose elements are batches ``(x, y)`` or ``(x, y, weights)``.
        y: the labels, with samples along the first axis.
        optimizer: of `polytape.optim`.
        loss: a function of labels and outputs, or the name of one of `polytape.nn`. Losses of regularizers are added.
        metrics: objects of `polytape.metrics`, functions of labels and outputs, or names such as ``"recall"``; or a
            dict of these.
        batch_size: of arrays; default 32. The last batch may be smaller, and counts by its size.
        epochs: the number of the epoch at which the training ends.
        validation_data: a tuple ``(x, y)`` or ``(x, y, weights)``, or a Dataset; evaluated after each epoch.
        validation_split: instead, the part of the samples, from the end of arrays x and y, to validate with.
        callbacks: `Callback` objects, called in this order.
        progress: True for a bar per epoch, False for nothing, ``"auto"`` for a line where no bar can be shown.
        options: see `Options`.
    Returns:
        The `History`.
    Raises:
        DataError: a loss is NaN or infinite, unless a callback such as `TerminateOnNaN` ends the training there.
        SettingError, DTypeError, ShapeError: an argument is not valid.
    """
    checked = complete(options, _NAMED)
    epochs = whole("fit", "epochs", epochs, 0)
    if not isinstance(optimizer, Optimizer):
        raise _optimizer_error(optimizer)
    data = _datasets(x, y, batch_size, validation_data, validation_split, checked)
    return _loop(
        model, optimizer, Loss(loss), Measures(metrics, checked["function"]), epochs, data, callbacks, progress, checked
    ).run()


def _loop(
    model: Any,
    optimizer: Any,
    loss: Loss,
    measures: Measures,
    epochs: int,
    data: tuple[Dataset, Dataset | None],
    callbacks: Iterable[Callback],
    progress: bool | str,
    options: Options,
) -> Loop:
    measures.require_numbers()
    dataset, validation = data
    iterator = dataset.iterator(seed=options["seed"])
    if options["steps_per_epoch"] is None:
        # An epoch's order depends on its number.
        position = np.array(iterator.state.numpy())
        position[0] = options["initial_epoch"]
        iterator.state.assign(position)
    history = History() if options["history"] is None else options["history"]
    variables, traced = options["variables"], options["function"]
    run = Run(model, optimizer, history, epochs, measures, iterator, variables)
    run.epoch = options["initial_epoch"]
    step = Training(model, loss, optimizer, class_table(options["class_weights"]), variables, run.use, traced)
    return Loop(
        run,
        step,
        dataset,
        None if validation is None else (Evaluation(model, loss, traced), validation),
        Callbacks([*Callbacks(callbacks).each, *reporter(progress)]),
        manager_of(run, options["checkpoint"]),
        options,
    )


def _datasets(
    x: Any, y: Any, batch_size: int | None, validation_data: Any, validation_split: float | None, options: Options
) -> tuple[Dataset, Dataset | None]:
    """The batches to train on, and those to validate with."""
    validation: Dataset | None = None
    if isinstance(x, Dataset):
        weights = options["weights"]
        feeding.refuse_with_dataset(
            "fit", y=y, batch_size=batch_size, weights=weights, validation_split=validation_split
        )
        dataset = x
    else:
        size = feeding.checked_size("fit", batch_size)
        dataset = feeding.samples("fit", x, y, options["weights"])
        if validation_split is not None:
            dataset, held_out = feeding.split(dataset, validation_split)
            validation = held_out.batch(size)
        dataset = (dataset.shuffle(seed=options["seed"]) if options["shuffle"] else dataset).batch(size)
    if validation_data is None:
        return dataset, validation
    if validation is not None:
        raise SettingError(
            "fit cannot use both validation_data and validation_split.",
            expected="one of them",
            got=f"validation_data and validation_split={validation_split}",
            fix="leave one out",
        )
    if isinstance(validation_data, Dataset):
        return dataset, validation_data
    x, y, weights = feeding.parts("fit", validation_data)
    return dataset, feeding.batches("fit", x, y, weights, batch_size)


def _optimizer_error(optimizer: Any) -> DTypeError:
    return DTypeError(
        f"fit cannot train with the optimizer {optimizer!r}.",
        expected="an object of polytape.optim",
        got=describe(optimizer),
        fix="call the class: optimizer=polytape.optim.Adam(0.001)"
        if isinstance(optimizer, type)
        else f"pass for example optimizer=polytape.optim.{_optimizer_class(optimizer)}(0.001)",
    )


def _optimizer_class(optimizer: Any) -> str:
    """The class that another library calls by this name, in any case; otherwise that of Adam."""
    from .. import optim

    return next((name for name in optim.__all__ if name.lower() == str(optimizer).lower()), "Adam")
