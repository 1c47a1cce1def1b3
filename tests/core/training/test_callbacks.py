"""The protocol of callbacks: what is called when, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, UnknownNameError

DATA: tuple[list[float], list[float]] = ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])


def fitted(callbacks: Any, **options: Any) -> training.History:
    """Train something in batches of 2."""
    w = pt.Variable(0.0)
    return training.fit(
        lambda x: x * w, *DATA, optimizer=pt.optim.SGD(0.01), loss="mean_squared_error", batch_size=2,
        callbacks=callbacks, progress=False, **options,
    )  # fmt: skip


class Recorder(training.Callback):
    """Notes each call."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.name, self.calls = name, calls

    def on_train_begin(self, run: training.Run) -> None:
        self.calls.append(f"{self.name} train begin {run.epochs} {run.batches_per_epoch}")

    def on_epoch_begin(self, run: training.Run, epoch: int) -> None:
        self.calls.append(f"{self.name} epoch begin {epoch}")

    def on_batch_begin(self, run: training.Run, batch: int) -> None:
        self.calls.append(f"{self.name} batch begin {batch}")

    def on_batch_end(self, run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        self.calls.append(f"{self.name} batch end {batch} {sorted(numbers)} {run.batch}")

    def on_epoch_end(self, run: training.Run, epoch: int, numbers: dict[str, float]) -> None:
        assert run.history["val_loss"][-1] == numbers["val_loss"]  # the history has the row already
        self.calls.append(f"{self.name} epoch end {epoch} {sorted(numbers)}")

    def on_train_end(self, run: training.Run) -> None:
        self.calls.append(f"{self.name} train end")

    def on_exception(self, run: training.Run, error: BaseException) -> None:
        self.calls.append(f"{self.name} exception {error}")


def test_the_methods_of_all_callbacks_are_called_in_order() -> None:
    calls: list[str] = []
    fitted([Recorder("a", calls), Recorder("b", calls)], validation_data=DATA)
    both = [
        "train begin 1 2", "epoch begin 0", "batch begin 0", "batch end 0 ['loss'] 1", "batch begin 1",
        "batch end 1 ['loss'] 2", "epoch end 0 ['learning_rate', 'loss', 'val_loss']", "train end",
    ]  # fmt: skip
    assert calls == [f"{name} {call}" for call in both for name in "ab"]


def test_an_exception_reaches_all_callbacks_and_one_more_becomes_a_note() -> None:
    calls: list[str] = []

    def fail(run: training.Run, error: BaseException) -> None:
        raise OSError("disk full")

    def stop(run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop") as caught:
        fitted([training.LambdaCallback(on_exception=fail, on_batch_end=stop), Recorder("a", calls)])
    assert calls[-1] == "a exception stop" and "a train end" not in calls
    assert any("disk full" in note for note in caught.value.__notes__)


def test_a_run_that_is_stopped_ends_with_its_epoch() -> None:
    def stop(run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        assert run.loss == pytest.approx(numbers["loss"])
        run.stop()

    history = fitted(training.LambdaCallback(on_batch_end=stop), epochs=5)
    assert history.epochs == [0]


def test_a_nan_ends_the_training_with_or_without_an_error() -> None:
    w = pt.Variable(0.0)
    history = training.fit(
        lambda x: x * w, [1.0, float("inf")], [1.0, 1.0], optimizer=pt.optim.SGD(0.1), loss="l1_loss", shuffle=False,
        batch_size=1, epochs=3, callbacks=[training.TerminateOnNaN()], progress=False,
    )  # fmt: skip
    assert history.epochs == [0]


def test_methods_that_are_never_called_are_errors_with_ours() -> None:
    with pytest.raises(UnknownNameError, match="name it on_batch_end"):
        type("Mine", (training.Callback,), {"on_train_batch_end": lambda self: None})
    with pytest.raises(UnknownNameError, match="on_epoch_begin, on_batch_begin"):
        type("Mine", (training.Callback,), {"on_epoch_stop": lambda self: None})
    with pytest.raises(DTypeError, match="LambdaCallback"):
        training.LambdaCallback(on_fit_end=print)


def test_a_variable_of_a_callback_is_saved_with_the_training(tmp_path: Any) -> None:
    class Counter(training.Callback):
        def __init__(self) -> None:
            self.count = pt.Variable(0)

        def on_batch_end(self, run: training.Run, batch: int, numbers: dict[str, float]) -> None:
            self.count.assign(self.count + 1)

    model = pt.nn.Sequential(pt.nn.Dense(1))
    x = [[1.0], [2.0]]
    options: dict[str, Any] = {
        "optimizer": pt.optim.SGD(0.01), "loss": "l1_loss", "checkpoint": tmp_path, "progress": False, "batch_size": 1,
    }  # fmt: skip
    model.fit(x, x, epochs=2, callbacks=[Counter()], **options)
    counter = Counter()
    model.fit(x, x, epochs=3, callbacks=[counter], **options)
    assert int(counter.count) == 6


@pytest.mark.parametrize("name", ["BackupAndRestore", "ProgbarLogger", "Trainer", "compile"])
def test_names_of_other_libraries_say_ours(name: str) -> None:
    with pytest.raises(UnknownNameError, match="a name of another library"):
        getattr(training, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = training.nothing


def test_modules_that_are_no_models_name_the_functions() -> None:
    for name, ours in (("fit", "polytape.training.fit"), ("predict", "polytape.training.predict")):
        with pytest.raises(UnknownNameError, match=ours):
            getattr(pt.nn.Dense(1), name)
    with pytest.raises(UnknownNameError, match="optimizer=, loss= and metrics="):
        _ = pt.nn.Sequential().compile  # type: ignore[attr-defined]  # that is the point
