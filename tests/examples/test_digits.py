"""The digits example: what it learns, what it writes, and that it survives being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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
    assert [round(each.value, 3) for each in events.Scalars("test/accuracy")] == [float(x.split()[-1]) for x in lines]
    again = subprocess.run(command(tmp_path, "mlp", 4), capture_output=True, text=True, check=True)
    assert again.stdout == ""  # nothing is left to do


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
