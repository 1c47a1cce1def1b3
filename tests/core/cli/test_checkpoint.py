"""The command ``polytape checkpoint``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import polytape as pt
from polytape.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x = pt.Variable(np.arange(3, dtype="float32"))
    manager = pt.CheckpointManager(pt.Checkpoint(x=x), tmp_path, max_to_keep=2)
    for value in range(3):
        x.assign_add(np.full(3, value, "float32"))
        manager.save()
    return tmp_path


def test_ls_marks_the_latest_and_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "ls", str(folder)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "ckpt-2.safetensors" in first and second.endswith("ckpt-3.safetensors  latest")
    (folder / "ckpt-2.safetensors").unlink()
    assert main(["checkpoint", "ls", str(folder)]) == 1
    assert "ckpt-2.safetensors  missing" in capsys.readouterr().out
    (folder / "checkpoint").unlink()
    assert main(["checkpoint", "ls", str(folder)]) == 1
    assert "has no checkpoints" in capsys.readouterr().err


def test_inspect_lists_tensors_and_metadata(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "inspect", str(folder / "ckpt-3.safetensors")]) == 0
    out = capsys.readouterr().out
    assert "polytape, 1 tensors, 12 B" in out and "  x  float32[3]  12 B" in out and "metadata polytape.objects" in out


def test_diff_fails_if_files_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = str(folder / "ckpt-2.safetensors"), str(folder / "ckpt-3.safetensors")
    assert main(["checkpoint", "diff", a, a]) == 0
    assert main(["checkpoint", "diff", a, b]) == 1
    assert "x: 3 of 3 elements differ, by at most 2\n1 of 1 tensors differ" in capsys.readouterr().out


def test_verify_names_the_damaged_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "verify", str(folder)]) == 0
    assert capsys.readouterr().out.count("1 tensors, all checksums match") == 2
    path = folder / "ckpt-2.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert main(["checkpoint", "verify", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "the bytes of tensor 'x' are damaged" in out and "ckpt-3.safetensors: 1 tensors" in out


def test_convert_writes_what_other_programs_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(folder / "ckpt-3.safetensors"), str(folder / "plain.safetensors")
    options = ["--to", "safetensors", "--rename", "^x$=weight"]
    assert main(["checkpoint", "convert", source, target, *options]) == 0
    assert safetensors.numpy.load_file(target)["weight"].tolist() == [3.0, 4.0, 5.0]
    assert main(["checkpoint", "convert", source, str(folder / "x.pt")]) == 0
    assert "x.pt: pytorch, 1 tensors" in capsys.readouterr().out
    assert main(["checkpoint", "diff", source, str(folder / "x.pt")]) == 0
    assert main(["checkpoint", "convert", source, target, "--rename", "x"]) == 2
    assert "PATTERN=REPLACEMENT" in capsys.readouterr().err


def test_errors_are_one_message_and_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "inspect", str(tmp_path / "missing")]) == 1
    assert "cannot be read" in capsys.readouterr().err
