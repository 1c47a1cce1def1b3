"""Atomic replacement of files: the order of the steps, errors of the operating system, killed processes."""

from __future__ import annotations

import mmap
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytape.checkpoint.files import Replacement
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.errors import CheckpointError

Array = np.ndarray[Any, np.dtype[Any]]
WEIGHTS = np.arange(6, dtype=np.float32)


def weights_in(path: Path) -> Array:
    with open_tensors(str(path)) as file:
        return file.read("w")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    write_tensors(str(path), {"w": WEIGHTS}, {})
    return path


def test_the_file_is_flushed_before_the_rename_and_the_directory_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.safetensors"
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").resolve()
        steps.append("fsync directory" if target.is_dir() else f"fsync {target.stat().st_size} bytes")
        assert target == tmp_path or (target.parent == tmp_path and target != path)
        fsync(descriptor)

    def watched_replace(source: str, target: str) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "fdatasync", watched_fsync, raising=False)
    monkeypatch.setattr(os, "replace", watched_replace)
    write_tensors(str(path), {"w": WEIGHTS}, {})
    assert steps == [f"fsync {path.stat().st_size} bytes", "rename", "fsync directory"]


def test_a_file_that_is_open_or_mapped_keeps_its_bytes(saved: Path) -> None:
    raw = saved.read_bytes()
    with open(saved, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with open_tensors(str(saved)) as file:
            write_tensors(str(saved), {"w": WEIGHTS + 1}, {})
            assert (file.read("w") == WEIGHTS).all()
        assert mapped[:] == raw
    assert (weights_in(saved) == WEIGHTS + 1).all()


@pytest.mark.parametrize("step", ["fdatasync" if hasattr(os, "fdatasync") else "fsync", "replace"])
def test_an_error_in_the_last_steps_leaves_the_old_file_unchanged(
    saved: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    raw = saved.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(CheckpointError, match="Input/output error"):
        write_tensors(str(saved), {"w": WEIGHTS}, {})
    assert list(saved.parent.iterdir()) == [saved]
    assert saved.read_bytes() == raw


@pytest.fixture
def at_most_100_kilobytes() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("at_most_100_kilobytes")
def test_a_full_disk_leaves_the_old_file_unchanged(saved: Path) -> None:
    raw = saved.read_bytes()
    with pytest.raises(CheckpointError, match=r"(?s)File too large.*free space"):
        write_tensors(str(saved), {"w": np.zeros(100_000)}, {})
    assert list(saved.parent.iterdir()) == [saved]
    assert saved.read_bytes() == raw


@pytest.fixture
def read_only_directory() -> Iterator[str]:
    folder = tempfile.mkdtemp()  # not tmp_path: other users cannot access its parents
    os.chmod(folder, 0o555)
    user = os.geteuid()
    if user == 0:  # root can write anywhere
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)


def test_the_error_for_an_unusable_directory_names_the_path_and_a_fix(
    read_only_directory: str,
) -> None:
    for path, reason in [
        (os.path.join(read_only_directory, "x"), "Permission denied"),
        (os.path.join(read_only_directory, "absent", "x"), "No such file"),
        (os.path.join("/dev/null", "x"), "Not a directory"),
    ]:
        with pytest.raises(CheckpointError, match=reason) as caught:
            write_tensors(path, {"w": np.zeros(3)}, {})
        assert repr(path) in str(caught.value)
        assert "permissions" in caught.value.fix


def test_a_null_byte_in_a_path_is_rejected_and_leaves_nothing_behind(tmp_path: Path) -> None:
    for name in ("nul\0", "nul\0/x"):
        with pytest.raises(CheckpointError, match=r"null (byte|character)"):
            write_tensors(os.path.join(tmp_path, name), {"w": np.zeros(3)}, {})
    assert not list(tmp_path.iterdir())


def test_an_exception_within_the_block_removes_the_temporary_file(saved: Path) -> None:
    raw = saved.read_bytes()
    with pytest.raises(KeyboardInterrupt), Replacement(str(saved)) as new:
        new.write(b"half")
        raise KeyboardInterrupt
    assert list(saved.parent.iterdir()) == [saved]
    assert saved.read_bytes() == raw


def test_a_directory_at_the_files_path_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_tensors(str(tmp_path / "x"), {"w": np.zeros(3)}, {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_long_and_unicode_file_names_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("größe-層 1.safetensors", "x" * 255):
        write_tensors(name, {"w": WEIGHTS}, {})  # also covers a path without a directory
        assert (weights_in(Path(name)) == WEIGHTS).all()


WRITER = """
import sys
import numpy as np
from polytape.checkpoint.files import Replacement
from polytape.checkpoint.format import write_tensors
for step in range(int(sys.argv[2]), 10**9):
    write_tensors(sys.argv[1], {"w": np.full(60_000, step)}, {"step": str(step)})
    print(step, flush=True)
"""


def test_a_process_killed_while_writing_leaves_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    reported = 0
    for delay_s in (0.0, 0.003, 0.011, 0.029):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(reported + 1)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        with child:
            assert child.stdout is not None
            reported = int(child.stdout.readline())
            threading.Event().wait(delay_s)
            child.send_signal(signal.SIGKILL)
            reported = max([reported, *(int(line) for line in child.stdout.read().split("\n")[:-1])])
        assert child.returncode == -signal.SIGKILL
        with open_tensors(str(path)) as file:
            step = int(file.metadata["step"])
        assert step >= reported  # the step that was reported as saved, or a later one
        assert (weights_in(path) == step).all()
        reported = step
