"""What is shown: lines, bars, or nothing."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

import polytape as pt
from polytape import training
from polytape.errors import PluginError, SettingError


def fitted(progress: Any, **options: Any) -> training.History:
    """Train something for 2 epochs of 2 batches."""
    w = pt.Variable(0.0)
    return training.fit(
        lambda x: x * w, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], optimizer=pt.optim.SGD(0.01), loss="l1_loss", batch_size=2,
        epochs=2, validation_data=([1.0], [1.0]), progress=progress, **options,
    )  # fmt: skip


def test_where_no_bar_can_be_shown_there_is_a_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    history = fitted("auto")
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == "" and len(lines) == 2
    assert re.fullmatch(r"epoch 2/2  loss [\d.]+  val_loss [\d.]+  \(\d+\.\d s\)", lines[1])
    assert float(lines[0].split()[3]) == pytest.approx(history["loss"][0], rel=1e-3)
    fitted(False)
    assert capsys.readouterr() == ("", "")


def test_a_bar_counts_the_batches_and_keeps_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    history = fitted(True)
    out, err = capsys.readouterr()
    assert out == "" and "epoch 1/2: 100%" in err and "2/2" in err
    assert f"val_loss={history['val_loss'][-1]:.4g}" in err

    def stop(run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fitted(True, callbacks=[training.LambdaCallback(on_batch_end=stop)])
    assert "epoch 1/2:   0%" in capsys.readouterr().err


def test_without_tqdm_auto_shows_lines_and_true_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fitted("auto")
    assert capsys.readouterr().out.startswith("epoch 1/2  loss")
    with pytest.raises(PluginError, match=r"polytape\[training\]"):
        fitted(True)
    with pytest.raises(SettingError, match="True, False or 'auto'"):
        fitted("yes")
