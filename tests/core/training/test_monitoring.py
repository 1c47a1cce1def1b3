"""Callbacks that watch a number: early stopping with restore, and checkpoints of the best epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, SettingError

X = np.ones((4, 1), "float32")


def trained(callback: Any, numbers: list[float], **options: Any) -> tuple[training.History, pt.Variable, Any]:
    """Train so that the epochs have these losses; the variable has the number of the epoch after each."""
    w = pt.Variable(0.0)
    optimizer = pt.optim.SGD(1.0)

    def model(x: pt.Tensor) -> pt.Tensor:
        return x * 0.0 + w

    def loss(labels: pt.Tensor, outputs: pt.Tensor) -> pt.Tensor:
        # Its gradient is -1, so that each step adds 1 to the variable; its value is the epoch's number.
        value = numbers[round(float(w))]
        return pt.stop_gradient(pt.mean(outputs)) * 0.0 + value - (w - pt.stop_gradient(w))

    history = training.fit(
        model, X, X, optimizer=optimizer, loss=loss, epochs=len(numbers), callbacks=[callback], function=False,
        progress=False, **options,
    )  # fmt: skip
    return history, w, optimizer


@pytest.mark.parametrize(
    ("options", "last", "best"),
    [
        ({"patience": 0}, 2, 1),
        ({"patience": 1}, 2, 1),
        ({"patience": 2}, 5, 3),
        ({"patience": 3, "min_delta": 0.02}, 4, 1),
        ({"patience": 5}, 18, 13),
        ({"patience": 2, "min_delta": 0.05}, 3, 1),
    ],
    ids=str,
)
def test_early_stopping_stops_and_restores_where_keras_does(
    losses: list[float], options: dict[str, Any], last: int, best: int
) -> None:
    callback = training.EarlyStopping("loss", restore_best=True, **options)
    history, w, _ = trained(callback, losses)
    assert history.epochs[-1] == last and callback.best_epoch == best and float(w) == best + 1
    assert callback.best == pytest.approx(losses[best])
    history, w, _ = trained(callback, losses)  # a callback that is used again begins anew
    assert history.epochs[-1] == last and float(w) == best + 1


def test_the_best_epoch_is_restored_also_when_the_training_ends_by_itself() -> None:
    _, w, _ = trained(training.EarlyStopping("loss", patience=9, restore_best=True), [3.0, 1.0, 2.0, float("nan")][:3])
    assert float(w) == 2.0
    _, w, _ = trained(training.EarlyStopping("loss", patience=9), [3.0, 1.0, 2.0])
    assert float(w) == 3.0


def test_a_traced_function_gets_its_best_variables_back() -> None:
    w = pt.Variable(0.0)
    training.fit(
        lambda x: x * w, X, 0.0 * X + 1.0, optimizer=pt.optim.SGD(0.4), loss="mean_squared_error", epochs=8,
        callbacks=[
            training.LearningRateScheduler(lambda epoch: 3.0 if epoch else 0.1),
            training.EarlyStopping("loss", patience=3, restore_best=True),
        ],
        progress=False,
    )  # fmt: skip
    # The losses, before the steps, are 1, 0.64, 16, ...; the variable after the second epoch is 0.2 + 3 * 2 * 0.8.
    assert float(w) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("monitor", "mode", "sign"),
    [("val_loss", "auto", 1.0), ("val_binary_accuracy", "auto", -1.0), ("mean_squared_error", "auto", 1.0),
     ("auc", "auto", -1.0), ("anything", "max", -1.0), ("accuracy", "min", 1.0)],
)  # fmt: skip
def test_the_mode_follows_from_the_name_or_is_given(monitor: str, mode: str, sign: float) -> None:
    assert training.EarlyStopping(monitor, mode=mode).sign == sign


def test_early_stopping_on_a_network_ends_with_the_best_validation() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 10)).astype("float32"), rng.integers(0, 2, 60).astype("int32")  # nothing to learn
    pt.random.seed(0)
    model = pt.nn.Sequential(pt.nn.Dense(32, activation="relu"), pt.nn.BatchNorm(), pt.nn.Dense(2))
    stopping = training.EarlyStopping("val_loss", patience=3, restore_best=True)
    history = model.fit(
        x, y, optimizer=pt.optim.Adam(0.02), loss="sparse_softmax_cross_entropy", validation_split=0.5, epochs=100,
        callbacks=[stopping], progress=False,
    )  # fmt: skip
    best = history.best("val_loss")
    assert len(history.epochs) == best + 4 < 100
    held_out = model.evaluate(x[30:], y[30:], loss="sparse_softmax_cross_entropy")
    assert held_out["loss"] == history["val_loss"][best] == min(history["val_loss"])


def test_only_the_best_epochs_are_saved(tmp_path: Path) -> None:
    numbers = [3.0, 4.0, 2.0, 2.5, 1.0, 1.5]
    manager = pt.CheckpointManager(pt.Checkpoint(w=(best := pt.Variable(0.0))), tmp_path / "best", max_to_keep=None)
    saved: list[int] = []

    def copied(run: training.Run, epoch: int, values: dict[str, float]) -> None:
        saved.append(len(manager.checkpoints))

    w = pt.Variable(0.0)
    training.fit(
        lambda x: x * w, X, X, optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", epochs=6, progress=False,
        callbacks=[
            training.LambdaCallback(on_epoch_end=lambda run, epoch, values: values.update(score=numbers[epoch])),
            training.LambdaCallback(on_epoch_end=lambda run, epoch, values: best.assign(float(epoch))),
            training.ModelCheckpoint(manager, monitor="score", mode="min"),
            training.LambdaCallback(on_epoch_end=copied),
        ],
    )  # fmt: skip
    assert saved == [1, 1, 2, 2, 3, 3]
    best.assign(-1.0)
    manager.restore()
    assert float(best) == 4.0


def test_a_folder_gets_model_and_optimizer_after_each_epoch(tmp_path: Path) -> None:
    model, optimizer = pt.nn.Sequential(pt.nn.Dense(1)), pt.optim.Adam(0.1)
    model.fit(
        X, X, optimizer=optimizer, loss="mean_squared_error", epochs=3, progress=False,
        callbacks=[training.ModelCheckpoint(tmp_path)],
    )  # fmt: skip
    other = pt.nn.Sequential(pt.nn.Dense(1))
    other.build((None, 1))
    path = pt.latest_checkpoint(tmp_path)
    assert path is not None and path.endswith("ckpt-3.safetensors")
    pt.Checkpoint(model=other, optimizer=pt.optim.Adam(0.1)).restore(path)
    np.testing.assert_array_equal(other(X).numpy(), model(X).numpy())


def test_wrong_arguments_and_missing_numbers_are_errors(losses: list[float]) -> None:
    with pytest.raises(SettingError, match=r"pass validation_data or validation_split") as caught:
        trained(training.EarlyStopping(), losses)
    assert "'val_loss'" in str(caught.value)
    with pytest.raises(SettingError, match=r"monitor= one of loss, val_loss, learning_rate"):
        trained(training.EarlyStopping("val_accuracy", mode="max"), losses, validation_data=(X, X))
    with pytest.raises(SettingError, match="mode='min' or mode='max'"):
        training.EarlyStopping("score")
    with pytest.raises(SettingError, match="patience=-1"):
        training.EarlyStopping("loss", patience=-1)
    with pytest.raises(DTypeError, match="restore_best=True"):
        training.EarlyStopping("loss", restore_best_weights=True)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(DTypeError, match="monitor='val_loss'"):
        training.ModelCheckpoint("x", save_best_only=True)  # type: ignore[call-arg]  # that is the point
