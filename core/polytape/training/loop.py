"""The loop of `fit` over epochs and batches, which a checkpoint can interrupt and continue."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from typing import Any, Final

from ..checkpoint import Checkpoint, CheckpointManager
from ..checkpoint.restoring import Restoration
from ..data import Dataset
from ..errors import CheckpointError, DataError, SettingError
from ..state.trackable import Trackable
from . import feeding
from .callbacks import Callbacks
from .evaluating import measured
from .history import History
from .options import Options
from .run import Run
from .steps import Evaluation, Training

__all__ = ["Loop", "manager_of"]


_POSITION: Final = "training/_position"  # the key of `Run._position` in a checkpoint


class Loop:
    """The loop of a training.

    Args:
        run: its state.
        step: what is done with a batch.
        dataset: of batches; ``run`` has its iterator.
        validation: how to evaluate, and on which batches.
        callbacks: of the training.
        manager: of its checkpoints.
        options: of `fit`.
    """

    def __init__(
        self,
        run: Run,
        step: Training,
        dataset: Dataset,
        validation: tuple[Evaluation, Dataset] | None,
        callbacks: Callbacks,
        manager: CheckpointManager | None,
        options: Options,
    ) -> None:
        self._run: Final = run
        self._step: Final = step
        self._dataset: Final = dataset
        self._validation: Final = validation
        self._callbacks: Final = callbacks
        self._manager: Final = manager
        self._steps: Final = options["steps_per_epoch"]
        self._save_every: Final = options["checkpoint_every"]
        run.callbacks = callbacks.each
        count = dataset.cardinality if self._steps is None else self._steps
        run.batches_per_epoch = count if isinstance(count, int) else None

    def run(self) -> History:
        """Train; returns the history."""
        run = self._run
        try:
            if math.isinf(self._dataset.cardinality or 0) and self._steps is None:
                raise SettingError(
                    "fit cannot tell where an epoch of endless data ends.",
                    expected="steps_per_epoch, or data with an end",
                    got=repr(self._dataset),
                    fix="pass steps_per_epoch=, the number of batches of an epoch",
                )
            run.begin_epoch()
            self._resume()
            self._callbacks.call("on_train_begin", run)
            while run.epoch < run.epochs and not run.stopped:
                self._epoch()
            self._callbacks.call("on_train_end", run)
            if self._manager is not None:
                self._manager.checkpoint.wait()
        except BaseException as error:
            if isinstance(error, Exception):
                error.add_note(f"  in fit: epoch {run.epoch} (counted from 0), after {run.batch} batches of it")
            self._callbacks.fail(run, error)
            self._finish_saving(error)
            raise
        finally:
            run.close()
        return run.history

    def _epoch(self) -> None:
        run = self._run
        self._callbacks.call("on_epoch_begin", run, run.epoch)
        for element in self._elements():
            self._batch(element)
            if run.stopped:
                break
        if run.batch == 0:
            raise SettingError(
                "fit has no data.", expected="at least one batch", got=repr(self._dataset), fix="pass samples"
            )
        numbers = {"loss": run.loss, **run.measures.results()}
        if self._validation is not None:
            validated = measured(self._validation[0], run.measures, self._validation[1], "fit")
            numbers |= {f"val_{name}": value for name, value in validated.items()}
        numbers["learning_rate"] = run.learning_rate
        run.history.append(run.epoch, numbers)
        self._callbacks.call("on_epoch_end", run, run.epoch, numbers)
        run.epoch += 1
        run.begin_epoch()
        if math.isfinite(numbers["loss"]):  # otherwise the last checkpoint is better than this one
            self._save(run.epoch if self._save_every is None else None)

    def _elements(self) -> Iterator[Any]:
        """The batches that this epoch still has."""
        iterator, steps = self._run.iterator, self._steps
        if steps is None:
            yield from iterator
            return
        left, empty = steps - self._run.batch, 0
        while left and empty < 2:  # the first pass may have been at its end already
            before = left
            for element in itertools.islice(iterator, left):
                left -= 1
                yield element
            empty = empty + 1 if left == before else 0

    def _batch(self, element: Any) -> None:
        run = self._run
        x, y, weights = feeding.parts("fit", element)
        self._callbacks.call("on_batch_begin", run, run.batch)
        result, count, outputs = self._step.run(x, y, weights)
        loss = float(result)
        if math.isfinite(loss):
            run.measures.update(y, outputs, weights)
        run.add_loss(loss, int(count))
        run.batch += 1
        self._callbacks.call("on_batch_end", run, run.batch - 1, {"loss": loss})
        if not math.isfinite(loss) and not run.stopped:
            raise DataError(
                f"the loss of batch {run.batch - 1} is {loss}, so the model is not usable from here on.",
                expected="finite losses",
                got=f"{loss} in epoch {run.epoch}",
                fix="lower the learning rate, pass global_clip_norm= to the optimizer, or look for NaN in the data; "
                "callbacks=[polytape.training.TerminateOnNaN()] ends the training here without an error",
            )
        if self._save_every is not None and run.batch % self._save_every == 0 and not run.stopped:
            self._save(None)

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Continue from the latest checkpoint, if there is one."""
        manager, run = self._manager, self._run
        if manager is None:
            return
        present = getattr(manager.checkpoint, "training", None)
        if present is not None and not isinstance(present, Run):
            raise SettingError(
                "this checkpoint has an object training, under which fit saves its state.",
                expected="a checkpoint without this name",
                got=repr(present),
                fix="give the object another name",
            )
        manager.checkpoint.training = run
        latest = manager.latest
        if latest is None:
            return
        if _POSITION not in Restoration(latest).names:
            raise CheckpointError(
                f"the checkpoint {latest!r} is not one of a training.",
                expected="a folder that only fit(..., checkpoint=) saves to",
                got="a checkpoint without the state of a training; nothing was restored",
                fix="pass another folder; to begin with this model, restore it before fit",
            )
        if not getattr(run.model, "built", True):
            # The weights must exist, or a training that is complete would leave the model without values.
            with feeding.one_pass(self._dataset) as elements:
                x, _, _ = feeding.parts("fit", next(elements))
            self._step.caller(x, False)
        manager.restore()
        names = ["loss", *run.measures.metrics]
        run.unpack([*names, *(f"val_{name}" for name in names), "learning_rate"])

    def _finish_saving(self, error: BaseException) -> None:
        """Wait for a save in the background, so that another `fit` in this process finds the checkpoint."""
        if self._manager is not None:
            try:
                self._manager.checkpoint.wait()
            except CheckpointError as second:
                error.add_note(f"  then a checkpoint could not be saved: {second.summary}")

    def _save(self, number: int | None) -> None:
        if self._manager is not None:
            self._run.pack()
            self._manager.save(number, wait=False)


def manager_of(run: Run, checkpoint: CheckpointManager | str | os.PathLike[str] | None) -> CheckpointManager | None:
    """The manager of a training's checkpoints.

    Raises:
        SettingError: the variables of a function are not known.
    """
    if checkpoint is None or isinstance(checkpoint, CheckpointManager):
        return checkpoint
    if isinstance(run.model, Trackable):
        objects: dict[str, Any] = {"model": run.model}
    elif run.variables:
        objects = {"variables": run.variables}
    else:
        raise SettingError(
            "fit cannot save the variables of a function before it has used them.",
            expected="variables=, a list of all variables of the function",
            got=f"model={run.model!r}",
            fix="pass them; they may be restored before the first batch",
        )
    return CheckpointManager(Checkpoint(**objects, optimizer=run.optimizer), checkpoint)
