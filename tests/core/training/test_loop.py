"""A training that is interrupted anywhere continues from its checkpoint and ends with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import training
from polytape.errors import CheckpointError, SettingError

X = np.random.default_rng(0).normal(size=(70, 5)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
EPOCHS = 6


class Killed(BaseException):
    """Ends a training at any place, as a kill does."""


def network() -> pt.nn.Model:
    """Layers with moving averages and random numbers."""
    return pt.nn.Sequential(pt.nn.Dense(8, activation="relu"), pt.nn.BatchNorm(), pt.nn.Dropout(0.3), pt.nn.Dense(2))


def train(folder: Path, die_after: int | None = None, **options: Any) -> tuple[pt.nn.Model, Any, training.History]:
    """Train until the end, or until some batches of this call are done."""
    done = 0

    def count(run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        nonlocal done
        done += 1
        if done == die_after:
            raise Killed

    pt.random.seed(len(os.listdir(folder)) if folder.exists() else 0)  # a new process has another state
    model, optimizer = network(), pt.optim.Adam(0.05)
    callbacks = [
        training.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.2),  # which epochs seldom reach
        training.EarlyStopping("val_loss", patience=4, restore_best=True),
        training.LambdaCallback(on_batch_end=count),
    ]
    history = model.fit(
        X, Y, optimizer=optimizer, loss="sparse_softmax_cross_entropy", metrics=["sparse_categorical_accuracy"],
        batch_size=16, epochs=EPOCHS, validation_split=0.3, callbacks=callbacks, checkpoint=folder, progress=False,
        **options,
    )  # fmt: skip
    return model, optimizer, history


@pytest.mark.parametrize("every", [None, 1])
def test_a_training_that_was_interrupted_ends_with_the_same_bits(tmp_path: Path, every: int | None) -> None:
    whole, optimizer, expected = train(tmp_path / "whole", checkpoint_every=every)
    # Batches per epoch: 4. Without `checkpoint_every`, an epoch that was cut runs again.
    for batches in (6, 1, 7, 3) if every else (6, 5, 7):
        with pytest.raises(Killed):
            train(tmp_path / "cut", batches, checkpoint_every=every)
    model, other, history = train(tmp_path / "cut", checkpoint_every=every)
    assert history == expected and history.epochs == expected.epochs
    assert history["learning_rate"][0] > history["learning_rate"][-1]  # the rate was reduced, and restored
    assert int(other.step) == int(optimizer.step) and other.learning_rate == optimizer.learning_rate
    for one, two in zip(whole.variables, model.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_a_complete_training_returns_at_once_and_more_epochs_go_on(tmp_path: Path) -> None:
    def run(epochs: int, seen: list[int]) -> tuple[Any, training.History]:
        model = network()
        history = model.fit(
            X, Y, optimizer=pt.optim.Adam(0.01), loss="sparse_softmax_cross_entropy", epochs=epochs, seed=0,
            checkpoint=tmp_path, progress=False,
            callbacks=[training.LambdaCallback(on_epoch_begin=lambda run, epoch: seen.append(epoch))],
        )  # fmt: skip
        return model.predict(X).numpy(), history

    first, second, third = [], [], []
    outputs, history = run(2, first)
    again, same = run(2, second)
    assert (first, second) == ([0, 1], []) and history == same
    np.testing.assert_array_equal(outputs, again)
    assert run(3, third)[1]["loss"][:2] == history["loss"] and third == [2]


def test_early_stopping_stays_stopped_with_the_best_variables_and_goes_on_with_more_patience(tmp_path: Path) -> None:
    def run(patience: int) -> tuple[float, list[int]]:
        w = pt.Variable(1.0)
        stopping = training.EarlyStopping("loss", patience=patience, restore_best=True)
        history = training.fit(
            lambda x: x * w, X, 0.0 * X, optimizer=pt.optim.SGD(5.0), loss="mean_squared_error", epochs=6,
            batch_size=70, variables=[w], callbacks=[stopping], checkpoint=tmp_path, progress=False,
        )  # fmt: skip
        return float(w), history.epochs

    best, epochs = run(2)  # the loss only grows
    assert epochs == [0, 1, 2] and best != 1.0
    assert run(2) == (best, epochs)
    assert run(3) == (best, [0, 1, 2, 3])


def test_a_stop_of_the_user_is_only_for_now(tmp_path: Path) -> None:
    def run(*callbacks: training.Callback) -> list[int]:
        w = pt.Variable(0.0)
        return training.fit(
            lambda x: x * w, X, X, optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", epochs=3, batch_size=10,
            variables=[w], callbacks=callbacks, checkpoint=tmp_path, progress=False,
        ).epochs  # fmt: skip

    assert run(training.LambdaCallback(on_batch_end=lambda run, batch, numbers: run.stop())) == [0]
    assert run() == [0, 1, 2]


def test_a_function_is_resumed_with_its_variables(tmp_path: Path) -> None:
    def run(epochs: int, **options: Any) -> float:
        w = pt.Variable(0.0)
        training.fit(
            lambda x: x * w, X, 3.0 * X, optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", epochs=epochs,
            variables=[w], seed=0, progress=False, **options,
        )  # fmt: skip
        return float(w)

    run(2, checkpoint=tmp_path)
    assert run(4, checkpoint=tmp_path) == run(4) != run(2)
    with pytest.raises(SettingError, match="variables=, a list"):
        training.fit(lambda x: x, X, X, optimizer=pt.optim.SGD(0.1), loss="l1_loss", checkpoint=tmp_path / "new")


def test_a_manager_of_the_user_has_what_it_had_and_the_training(tmp_path: Path) -> None:
    model, optimizer, note = network(), pt.optim.SGD(0.1), pt.Variable(7.0)
    manager = pt.CheckpointManager(pt.Checkpoint(model=model, note=note), tmp_path, max_to_keep=1)
    options: dict[str, Any] = {"loss": "sparse_softmax_cross_entropy", "checkpoint": manager, "progress": False}
    model.fit(X, Y, optimizer=optimizer, epochs=2, **options)
    assert [Path(path).name for path in manager.checkpoints] == ["ckpt-2.safetensors"]
    note.assign(0.0)
    model.fit(X, Y, optimizer=optimizer, epochs=2, **options)
    assert float(note) == 7.0
    clash = pt.CheckpointManager(pt.Checkpoint(model=model, training=note), tmp_path / "clash")
    with pytest.raises(SettingError, match="give the object another name"):
        model.fit(X, Y, optimizer=optimizer, **{**options, "checkpoint": clash})


def test_a_checkpoint_without_a_training_is_not_restored(tmp_path: Path) -> None:
    model = network()
    model(X)
    pt.CheckpointManager(pt.Checkpoint(model=model), tmp_path).save()
    other = network()
    other(X)
    before = other(X).numpy()
    with pytest.raises(CheckpointError, match="is not one of a training"):
        other.fit(
            X, Y, optimizer=pt.optim.SGD(0.1), loss="sparse_softmax_cross_entropy", checkpoint=tmp_path, progress=False
        )
    np.testing.assert_array_equal(other(X).numpy(), before)


def test_a_training_that_became_nan_does_not_replace_the_last_checkpoint(tmp_path: Path) -> None:
    w = pt.Variable(1.0)

    def model(x: pt.Tensor) -> pt.Tensor:
        return x * (w if int(optimizer.step) < 2 else w * float("nan"))

    optimizer = pt.optim.SGD(0.1)
    history = training.fit(
        model, X, X, optimizer=optimizer, loss="mean_squared_error", epochs=5, variables=[w], batch_size=35,
        checkpoint=tmp_path, callbacks=[training.TerminateOnNaN()], function=False, progress=False,
    )  # fmt: skip
    assert len(history.epochs) == 2 and np.isnan(history["loss"][-1])
    path = pt.latest_checkpoint(tmp_path)
    assert path is not None and path.endswith("ckpt-1.safetensors")


PROGRAM = """
import sys, numpy as np, polytape as pt
pt.random.seed(0)
x = np.random.default_rng(0).normal(size=(640, 20)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int32")
model = pt.nn.Sequential(pt.nn.Dense(32, activation="relu"), pt.nn.BatchNorm(), pt.nn.Dropout(0.2), pt.nn.Dense(2))
tell = pt.training.LambdaCallback(on_batch_end=lambda *_: print("batch", flush=True))
history = model.fit(x, y, optimizer=pt.optim.Adam(0.01), loss="sparse_softmax_cross_entropy", epochs=12,
    batch_size=32, checkpoint=sys.argv[1], checkpoint_every=7, callbacks=[tell], progress=False)
history.to_csv(sys.argv[1] + ".csv")
np.savez(sys.argv[1] + ".npz", *[variable.numpy() for variable in model.variables])
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="it is killed by a POSIX signal")
def test_a_killed_process_ends_with_the_bits_of_an_undisturbed_one(tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(tmp_path / name)]

    subprocess.run(command("whole"), capture_output=True, check=True)
    for batches in (33, 8, 61):
        with subprocess.Popen(command("killed"), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(batches):
                assert process.stdout.readline() == "batch\n"
            process.send_signal(signal.SIGKILL)
    subprocess.run(command("killed"), capture_output=True, check=True)
    assert (tmp_path / "killed.csv").read_text() == (tmp_path / "whole.csv").read_text()
    with np.load(tmp_path / "whole.npz") as expected, np.load(tmp_path / "killed.npz") as found:
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
