"""The state file: which checkpoint is the latest, even after crashes and damage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytape.checkpoint.files import canonical_crc
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.checkpoint.state import kept_checkpoints, latest_checkpoint, read_state, write_state
from polytape.errors import CheckpointError


def save(directory: Path, name: str) -> str:
    path = str(directory / name)
    write_tensors(path, {"w": np.zeros(3)}, {})
    return path


def forge(directory: Path, **content: Any) -> None:
    """Write a state file with any content and a correct checksum."""
    content["crc32"] = canonical_crc(content)
    (directory / "checkpoint").write_text(json.dumps(content))


def test_a_state_that_was_written_is_read_back(tmp_path: Path) -> None:
    paths = [save(tmp_path, name) for name in ("größe-1", "größe-2", "層 3")]
    write_state(str(tmp_path), "層 3", ["größe-1", "größe-2", "層 3"])
    state = read_state(str(tmp_path))
    assert state is not None
    assert (state.latest, state.kept) == ("層 3", ("größe-1", "größe-2", "層 3"))
    assert repr(state) == "CheckpointState(latest='層 3', kept=('größe-1', 'größe-2', '層 3'))"
    assert latest_checkpoint(str(tmp_path)) == paths[2]
    assert kept_checkpoints(str(tmp_path)) == paths


def test_a_directory_without_a_state_file_has_no_latest_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, "loose.safetensors")
    for directory in (tmp_path, tmp_path / "absent"):
        assert read_state(str(directory)) is None
        assert latest_checkpoint(str(directory)) is None
        assert kept_checkpoints(str(directory)) == []


def test_a_moved_directory_still_finds_its_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    save(tmp_path / "old", "a")
    write_state(str(tmp_path / "old"), "a", ["a"])
    (tmp_path / "old").rename(tmp_path / "new")
    assert latest_checkpoint(str(tmp_path / "new")) == str(tmp_path / "new" / "a")


def test_the_error_for_a_missing_latest_file_lists_the_remaining_ones(tmp_path: Path) -> None:
    remaining = save(tmp_path, "a")
    write_state(str(tmp_path), "b", ["a", "b"])
    with pytest.raises(CheckpointError, match="names 'b', which does not exist") as caught:
        latest_checkpoint(str(tmp_path))
    assert remaining in caught.value.got
    assert kept_checkpoints(str(tmp_path)) == [remaining]
    os.unlink(remaining)
    with pytest.raises(CheckpointError, match="delete the state file"):
        latest_checkpoint(str(tmp_path))


def test_every_damaged_byte_is_detected_or_changes_nothing(tmp_path: Path) -> None:
    write_state(str(tmp_path), "ckpt-2", ["ckpt-1", "ckpt-2", "ä"])
    path = tmp_path / "checkpoint"
    raw = path.read_bytes()
    for position in range(len(raw)):
        for byte in {raw[position] ^ (1 << bit) for bit in range(8)} | {ord(" "), ord('"')}:
            path.write_bytes(raw[:position] + bytes([byte]) + raw[position + 1 :])
            try:
                state = read_state(str(tmp_path))
            except CheckpointError as error:
                assert str(path) in str(error) and error.fix
            else:
                assert state is not None
                assert (state.latest, state.kept) == ("ckpt-2", ("ckpt-1", "ckpt-2", "ä"))


def test_a_file_truncated_to_any_length_is_rejected(tmp_path: Path) -> None:
    write_state(str(tmp_path), "a", ["a"])
    path = tmp_path / "checkpoint"
    raw = path.read_bytes()
    for length in range(len(raw) - 1):  # the last byte is a line feed
        path.write_bytes(raw[:length])
        with pytest.raises(CheckpointError, match="state file is damaged"):
            read_state(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "damaged"),
        ("[]", "a list instead of an object"),
        ("{}", "crc32"),
        ('{"latest": "a", "latest": "b"}', "'latest' appears twice"),
        ('model_checkpoint_path: "model.ckpt-5"\n', "damaged"),
        ("[" * 100_000, "nested too deeply"),
        (" " * 16_000_001, "16000001 bytes"),
    ],
    ids=range(7),
)
def test_a_file_that_is_not_a_state_file_is_rejected(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "checkpoint").write_text(text)
    with pytest.raises(CheckpointError, match=f"(?s)checkpoint' cannot be read.*{reason}"):
        latest_checkpoint(str(tmp_path))


def test_names_that_point_outside_the_directory_are_neither_written_nor_read(tmp_path: Path) -> None:
    for name in ("../secret", "/etc/passwd", "a/b", "c:\\x", "..", ".", "", "nul\0", "half \ud800", "checkpoint"):
        with pytest.raises(CheckpointError, match="cannot name the checkpoint"):
            write_state(str(tmp_path), name, [name])
        if name == "half \ud800":  # its checksum cannot even be computed
            (tmp_path / "checkpoint").write_text(json.dumps({"format": 1, "latest": name, "kept": [name]}))
        else:
            forge(tmp_path, format=1, latest=name, kept=[name])
        with pytest.raises(CheckpointError, match="state file is damaged"):
            read_state(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        {"format": 0, "latest": "a", "kept": ["a"]},
        {"format": "1", "latest": "a", "kept": ["a"]},
        {"format": 1, "kept": ["a"]},
        {"format": 1, "latest": "a"},
        {"format": 1, "latest": "a", "kept": ["b"]},
        {"format": 1, "latest": "a", "kept": "a"},
        {"format": 1, "latest": "a", "kept": ["a", None]},
    ],
    ids=range(7),
)
def test_a_forged_state_is_rejected(tmp_path: Path, content: dict[str, Any]) -> None:
    forge(tmp_path, **content)
    with pytest.raises(CheckpointError, match="state file is damaged"):
        read_state(str(tmp_path))


def test_the_error_for_a_newer_format_suggests_an_update(tmp_path: Path) -> None:
    forge(tmp_path, format=2, newest="a")
    with pytest.raises(CheckpointError, match="update polytape"):
        read_state(str(tmp_path))


def test_inconsistent_names_are_not_written(tmp_path: Path) -> None:
    for latest, kept in (("a", []), ("a", ["b"]), ("a", ["a", "a"])):
        with pytest.raises(CheckpointError, match="inconsistent"):
            write_state(str(tmp_path), latest, kept)
    assert not list(tmp_path.iterdir())


def test_a_state_that_cannot_be_written_or_read_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_state(str(tmp_path / "absent"), "a", ["a"])
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_state(str(tmp_path), "a", ["a"])
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_state(str(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint"]


def test_the_state_is_flushed_before_the_rename_and_the_directory_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        steps.append("fsync directory" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "fsync file")
        fsync(descriptor)

    def watched_replace(source: str, target: str) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "fdatasync", watched_fsync, raising=False)
    monkeypatch.setattr(os, "replace", watched_replace)
    write_state(str(tmp_path), "a", ["a"])
    assert steps == ["fsync file", "rename", "fsync directory"]


TRAINER = """
import os, sys
import numpy as np
from polytape.checkpoint.format import write_tensors
from polytape.checkpoint.state import read_state, write_state
directory = sys.argv[1]
state = read_state(directory)
kept = [] if state is None else list(state.kept)
step = int(kept[-1]) if kept else 0
while True:
    step += 1
    write_tensors(os.path.join(directory, str(step)), {"w": np.full(20_000, step)}, {})
    kept.append(str(step))
    dropped = kept[:-3]
    del kept[:-3]
    write_state(directory, str(step), kept)
    for name in dropped:
        os.unlink(os.path.join(directory, name))
    print(step, flush=True)
"""


def test_training_killed_at_any_moment_resumes_from_a_valid_latest_checkpoint(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    reached = 0
    for delay_s in (0.001, 0.007, 0.019, 0.043):
        child = subprocess.Popen(
            [sys.executable, "-c", TRAINER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        with child:
            assert child.stdout is not None
            child.stdout.readline()
            threading.Event().wait(delay_s)
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
        latest = latest_checkpoint(str(tmp_path))
        assert latest is not None
        step = int(os.path.basename(latest))
        assert step > reached
        for path in kept_checkpoints(str(tmp_path)):
            with open_tensors(path) as file:
                assert (file.read("w") == int(os.path.basename(path))).all()
        reached = step
