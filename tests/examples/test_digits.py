"""The digits example: what it learns, what it writes, and that it survives being killed."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("tensorboardX")
safetensors = pytest.importorskip("safetensors.numpy")

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"


def command(folder: Path, model: str, epochs: int) -> list[str]:
    return [sys.executable, str(EXAMPLE), "--model", model, "--epochs", str(epochs), "--output", str(folder)]


def test_it_learns_and_writes_what_it_says(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path, "mlp", 4), capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["1", "2", "3", "4"]
    assert float(lines[-1].split()[-1]) > 0.9
    assert (tmp_path / "ckpt-4.safetensors").exists()
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert [round(each.value, 3) for each in events.Scalars("digits/test_accuracy")] == [
        float(x.split()[-1]) for x in lines
    ]
    again = subprocess.run(command(tmp_path, "mlp", 4), capture_output=True, text=True, check=True)
    assert again.stdout == ""  # nothing is left to do


@pytest.mark.slow
def test_the_checkpoints_of_another_network_are_an_error(run: Callable[..., str], tmp_path: Path) -> None:
    run("digits", "--model", "cnn", "--epochs", "1", "--output", "out")
    message = run("digits", "--model", "mlp", "--epochs", "2", "--output", "out", fails=True)
    assert message.startswith("error: not every variable was restored")
    assert "got: none for 'model/layers/1/weight'" in message


@pytest.mark.slow
def test_tensorboard_serves_the_scalars_of_both_networks(
    run: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    page = importlib.import_module("run_tensorboard_page")
    sys.modules.pop("run_tensorboard_page")
    printed = {
        name: run("digits", "--model", name, "--epochs", "2", "--output", f"runs/{name}") for name in ("mlp", "cnn")
    }
    with page.serve(tmp_path / "runs") as address:
        served = page.scalars(address, runs=2)
    assert served.keys() == printed.keys()
    for name, tags in served.items():
        assert tags.keys() == {"digits/train_loss", "digits/test_accuracy"}
        expected = [float(line.split()[-1]) for line in printed[name].splitlines()]
        assert [round(value, 3) for _, _, value in tags["digits/test_accuracy"]] == expected
        assert [step for _, step, _ in tags["digits/train_loss"]] == list(range(10, 91, 10))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="it is killed by a POSIX signal")
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_killed_run_ends_with_the_bits_of_an_undisturbed_one(tmp_path: Path, model: str) -> None:
    subprocess.run(command(tmp_path / "whole", model, 6), capture_output=True, check=True)
    for epochs in (1, 2):
        with subprocess.Popen(command(tmp_path / "killed", model, 6), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(epochs):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    subprocess.run(command(tmp_path / "killed", model, 6), capture_output=True, check=True)
    expected, found = (
        safetensors.load_file(tmp_path / folder / "ckpt-6.safetensors") for folder in ("whole", "killed")
    )
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
