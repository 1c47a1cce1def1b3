"""Saves that the system rejects: a full disk, a limit, a directory that may not be written. Older checkpoints stay.

Each runs in a process of its own, which gives up the rights of root where it has them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import polytape as pt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither limits nor modes like these")

PROGRAM = """
import os, resource, sys
import numpy as np
import polytape as pt

folder, fault, elements, wait = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "wait"
x = pt.Variable(np.zeros(elements, "float32"))
checkpoint = pt.Checkpoint(x=x)
checkpoint.write  # the modules are loaded before the rights are given up
pt.latest_checkpoint(folder)
if fault == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
if fault == "mode":
    os.chmod(folder, 0o555)
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
try:
    checkpoint.save(folder, wait=wait)
    checkpoint.wait()
except pt.errors.CheckpointError as error:
    assert isinstance(error, OSError)
    print(error)
    sys.exit(3)
"""


def failed_save(folder: Path, fault: str, elements: int, how: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PROGRAM, str(folder), fault, str(elements), how]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 3, (result.returncode, result.stdout, result.stderr)
    return result.stdout


def saved(folder: Path) -> tuple[str, list[str]]:
    path = pt.Checkpoint(x=pt.Variable(np.arange(5.0))).save(folder)
    return path, sorted(os.listdir(folder))


def check(folder: Path, path: str, names: list[str]) -> None:
    assert sorted(os.listdir(folder)) == names
    assert pt.latest_checkpoint(folder) == path
    x = pt.Variable(np.zeros(5))
    pt.Checkpoint(x=x).restore(path).assert_consumed()
    assert x.tolist() == [0, 1, 2, 3, 4]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own: others than its owner may not enter that.
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
        os.chmod(name, 0o755)


@pytest.mark.parametrize("how", ["wait", "background"])
@pytest.mark.parametrize("elements", [5000, 500_000])  # written at once, and with reserved space
def test_a_file_that_is_too_large_is_an_error_and_the_older_checkpoint_stays(
    folder: Path, elements: int, how: str
) -> None:
    path, names = saved(folder)
    text = failed_save(folder, "limit", elements, how)
    assert "cannot be written" in text and "File too large" in text
    check(folder, path, names)


@pytest.mark.parametrize("how", ["wait", "background"])
def test_a_directory_that_may_not_be_written_is_an_error_and_the_older_checkpoint_stays(folder: Path, how: str) -> None:
    path, names = saved(folder)
    text = failed_save(folder, "mode", 10, how)
    assert "cannot be written" in text and "Permission denied" in text
    check(folder, path, names)


@pytest.mark.parametrize("elements", [100_000, 500_000])
def test_a_full_disk_is_an_error_and_the_older_checkpoint_stays(folder: Path, elements: int) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no command mount")
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    try:
        path, names = saved(folder)
        text = failed_save(folder, "full", elements, "wait")
        assert "cannot be written" in text and "No space left" in text
        check(folder, path, names)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
