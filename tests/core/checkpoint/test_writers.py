"""The names of processes: whether one of them still runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from polytape.checkpoint.writers import is_running, this_process


def test_this_process_runs_and_has_one_name() -> None:
    assert this_process() == this_process()
    assert is_running(this_process()) is True
    machine, pid, _ = this_process().split(" ", 2)
    assert int(pid) == os.getpid() and machine


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_a_process_that_has_ended_does_not_run_even_if_its_id_is_used_again() -> None:
    machine, pid, start = this_process().split(" ", 2)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    program = "from polytape.checkpoint.writers import this_process; print(this_process())"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.strip("\n")
    assert is_running(ended) is False
    if start:
        assert is_running(f"{machine} {pid} {int(start) + 1}") is False


@pytest.mark.parametrize("name", ["", "elsewhere 1 2", "elsewhere/pid:[1] 1 2", "x", " "])
def test_nothing_is_known_of_a_process_on_another_machine(name: str) -> None:
    assert is_running(name) is None


def test_a_forked_child_is_another_process() -> None:
    name = this_process()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, this_process().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        other = pipe.read()
    assert other != name and is_running(other) in (True, False)
    os.waitpid(child, 0)
    assert is_running(other) is False
