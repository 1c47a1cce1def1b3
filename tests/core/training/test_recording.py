"""Callbacks that write files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, SettingError

DATA: tuple[list[list[float]], list[list[float]]] = ([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]])


def fitted(callbacks: list[Any], epochs: int, **options: Any) -> training.History:
    """Train something."""
    return pt.nn.Sequential(pt.nn.Dense(1)).fit(
        *DATA, optimizer=pt.optim.SGD(0.01), loss="mean_squared_error", batch_size=2, epochs=epochs,
        validation_data=DATA, callbacks=callbacks, progress=False, **options,
    )  # fmt: skip


def rows(path: Path, separator: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def test_a_csv_file_has_a_row_per_epoch_in_full_precision(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    history = fitted([training.CSVLogger(path, separator=";")], 3)
    found = rows(path, ";")
    assert [row["epoch"] for row in found] == ["0", "1", "2"]
    assert {name: [float(row[name]) for row in found] for name in history} == dict(history)
    fitted([training.CSVLogger(path)], 2)
    assert len(rows(path)) == 2
    fitted([training.CSVLogger(path, append=True)], 2)
    assert [row["epoch"] for row in rows(path)] == ["0", "1", "0", "1"]


def test_a_resumed_training_has_each_epoch_once_in_its_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"

    def stop(run: training.Run, epoch: int, numbers: dict[str, float]) -> None:
        if epoch == 1 and not run.resumed:
            raise KeyboardInterrupt  # after the row, before the checkpoint

    callbacks = [training.CSVLogger(path), training.LambdaCallback(on_epoch_end=stop)]
    with pytest.raises(KeyboardInterrupt):
        fitted(callbacks, 4, checkpoint=tmp_path / "saved")
    assert [row["epoch"] for row in rows(path)] == ["0", "1"]
    history = fitted(callbacks, 4, checkpoint=tmp_path / "saved")
    found = rows(path)
    assert [row["epoch"] for row in found] == ["0", "1", "2", "3"]
    assert [float(row["loss"]) for row in found] == history["loss"]


def test_event_files_have_epochs_batches_and_distributions(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fitted([training.TensorBoard(tmp_path, every=2, histograms=True)], 3)
    found = {}
    for run in ("train", "validation"):
        found[run] = accumulators.EventAccumulator(str(tmp_path / run), {"histograms": 0})
        found[run].Reload()
    for run, tag, name in (("train", "epoch/loss", "loss"), ("validation", "epoch/loss", "val_loss")):
        events = found[run].Scalars(tag)
        assert [event.step for event in events] == [0, 1, 2]
        assert [event.value for event in events] == pytest.approx(history[name])
    assert [event.step for event in found["train"].Scalars("batch/loss")] == [2, 4, 6]
    assert set(found["train"].Tags()["histograms"]) == {"layers/0/weight", "layers/0/bias"}
    assert len(found["train"].Histograms("layers/0/weight")) == 3


def test_wrong_arguments_are_errors() -> None:
    with pytest.raises(SettingError, match="every=-1"):
        training.TensorBoard("x", every=-1)
    with pytest.raises(DTypeError, match=r"logdir=\.\.\."):
        training.TensorBoard(log_dir="x")  # type: ignore[call-arg]  # that is the point
    with pytest.raises(DTypeError, match=r"path=\.\.\."):
        training.CSVLogger(filename="x")  # type: ignore[call-arg]  # that is the point
