"""Locks on open files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polytape.checkpoint import file_locks
from polytape.checkpoint.file_locks import lock, unlock


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def test_a_lock_excludes_other_open_files_until_it_is_released_or_its_file_closed(tmp_path: Path) -> None:
    one, other = opened(tmp_path / "file"), opened(tmp_path / "file")
    assert lock(one, wait=False) is True
    assert lock(one, wait=True) is True  # the same open file
    assert lock(other, wait=False) is False
    unlock(one)
    assert lock(other, wait=True) is True
    assert lock(one, wait=False) is False
    os.close(other)
    assert lock(one, wait=False) is True
    os.close(one)


def test_the_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from polytape.checkpoint.file_locks import lock\n"
        "descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "print(lock(descriptor, wait=True), flush=True); time.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    descriptor = opened(tmp_path / "file")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert lock(descriptor, wait=False) is False
        process.kill()
    assert lock(descriptor, wait=True) is True
    os.close(descriptor)


@pytest.mark.skipif(sys.platform == "win32", reason="uses fcntl")
def test_a_file_system_without_locks_is_told_from_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = errno.ENOLCK

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(code, "flock")

    monkeypatch.setattr(file_locks.fcntl, "flock", flock)
    assert lock(0, wait=False) is None
    code = errno.EIO
    with pytest.raises(OSError, match="flock"):
        lock(0, wait=False)
