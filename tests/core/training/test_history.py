"""History: the numbers of the epochs, as lists, as a file and as a picture."""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import pytest

from polytape.errors import PluginError, SettingError, UnknownNameError
from polytape.training import History


def history() -> History:
    """Three epochs; the validation began in the second."""
    made = History()
    made.append(0, {"loss": 0.5, "learning_rate": 0.1})
    made.append(1, {"loss": 0.1, "val_loss": 0.4, "learning_rate": 0.1})
    made.append(5, {"loss": 0.3, "val_loss": float("nan"), "learning_rate": 0.1})
    return made


def test_it_is_a_mapping_of_lists_with_nan_where_a_number_is_missing() -> None:
    made = history()
    assert list(made) == ["loss", "learning_rate", "val_loss"] and made.epochs == [0, 1, 5]
    assert made["loss"] == [0.5, 0.1, 0.3]
    assert [math.isnan(value) for value in made["val_loss"]] == [True, False, True]
    made["loss"].append(7.0)
    assert len(made["loss"]) == 3  # a copy
    assert "last: loss=0.3" in repr(made) and repr(History()) == "History(0 epochs)"
    with pytest.raises(KeyError, match="it has loss, learning_rate, val_loss"):
        made["accuracy"]
    with pytest.raises(UnknownNameError, match=r"history\['loss'\]"):
        _ = made.history


def test_the_best_epoch() -> None:
    made = history()
    assert made.best("loss") == 1 and made.best("loss", "max") == 0 and made.best("val_loss") == 1
    with pytest.raises(SettingError, match="has no answer"):
        made.best("loss", "smallest")


def test_a_file_has_every_bit(tmp_path: Path) -> None:
    made = history()
    made.append(6, {"loss": 0.1 + 0.2})
    made.to_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 5, 6]
    assert [float(row["loss"]) for row in rows] == made["loss"]
    assert math.isnan(float(rows[3]["val_loss"]))


def test_a_picture_has_the_loss_with_its_validation(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = history()
    made.append(6, {"loss": 0.2, "val_only": 1.0})
    figure = made.plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes()[:4] == b"\x89PNG"
    loss, only = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert list(loss.lines[0].get_ydata()) == made["loss"] and loss.get_ylabel() == "loss"
    assert only.get_ylabel() == "val_only" and len(only.lines) == 1
    with pytest.raises(SettingError, match="without epochs"):
        History().plot()


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PluginError, match=r"polytape\[training\]"):
        history().plot()
