"""Reading a file at positions."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from polytape.checkpoint.reading import open_regular
from polytape.errors import CheckpointError


def test_bytes_are_read_at_a_position_and_fewer_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    reader = open_regular(str(tmp_path / "file"))
    target = bytearray(4)
    assert reader.read_into(memoryview(target), 2) == 4 and target == b"2345"
    assert reader.read_into(memoryview(target), 8) == 2 and target == b"8945"
    assert reader.read_into(memoryview(target), 20) == 0
    assert reader.status().st_size == 10
    assert repr(reader).startswith("Reader(")


def test_the_file_is_closed_when_nothing_refers_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    before = set(os.listdir("/proc/self/fd"))
    reader = open_regular(str(tmp_path / "file"))
    assert len(set(os.listdir("/proc/self/fd")) - before) == 1
    del reader
    gc.collect()
    assert not set(os.listdir("/proc/self/fd")) - before


def test_the_error_for_a_missing_file_gives_the_fix_that_the_caller_knows(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="fix: look elsewhere") as caught:
        open_regular(str(tmp_path / "file"), "look elsewhere")
    assert isinstance(caught.value, CheckpointError)
    with pytest.raises(CheckpointError, match="latest_checkpoint"):
        open_regular(str(tmp_path))
