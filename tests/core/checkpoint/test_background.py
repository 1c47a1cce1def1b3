"""Saves in the background: what is saved, when errors are raised, and the end of the process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint import manager
from polytape.errors import CheckpointError, PolytapeWarning


class Gate:
    """Holds the writer of each file until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        original = manager.write_into

        def write_into(*arguments: Any) -> None:
            self.reached.set()
            assert self.open.wait(60)
            original(*arguments)

        monkeypatch.setattr(manager, "write_into", write_into)


def test_the_file_has_the_values_of_the_call_whatever_happens_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    x, optimizer = pt.Variable(np.full(1000, 1.0, "float32")), pt.optim.SGD(1.0)
    checkpoint = pt.Checkpoint(x=x)
    path = checkpoint.save(tmp_path, wait=False)
    assert gate.reached.wait(60) and not os.path.exists(path)
    optimizer.apply_gradients([(pt.ones((1000,)), x)])  # in place, where the ring is compiled
    x.assign_add(np.full(1000, 5.0, "float32"))
    assert pt.latest_checkpoint(tmp_path) is None
    gate.open.set()
    checkpoint.wait()
    assert pt.latest_checkpoint(tmp_path) == path
    assert set(x.tolist()) == {5.0}
    checkpoint.restore(path).assert_consumed()
    assert set(x.tolist()) == {1.0}


def test_the_next_save_waits_for_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    checkpoint = pt.Checkpoint(x=pt.Variable(1.0))
    first = checkpoint.save(tmp_path, wait=False)
    opener = threading.Timer(0.05, gate.open.set)
    opener.start()
    second = checkpoint.save(tmp_path)
    assert [os.path.basename(path) for path in (first, second)] == ["ckpt-1.safetensors", "ckpt-2.safetensors"]
    assert os.path.exists(first) and pt.latest_checkpoint(tmp_path) == second


def fail(*_: Any) -> None:
    raise CheckpointError("the disk is full.", expected="space", got="none", fix="free some")


@pytest.mark.parametrize("how", ["wait", "save", "save in the background"])
def test_an_error_of_the_writer_is_raised_once_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(1.0))
    older = checkpoint.save(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(manager, "write_into", fail)
        checkpoint.save(tmp_path, wait=False)
        with pytest.raises(CheckpointError, match="the disk is full"):
            checkpoint.wait() if how == "wait" else checkpoint.save(tmp_path, wait=how == "save")
    checkpoint.wait()
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "ckpt-1.safetensors"]
    checkpoint.restore(older).assert_consumed()
    checkpoint.save(tmp_path)


def test_nothing_is_reserved_if_the_snapshot_fails(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(x={"a": {pt.Variable(1.0)}})
    with pytest.raises(CheckpointError, match="cannot name"):
        checkpoint.save(tmp_path, wait=False)
    assert os.listdir(tmp_path) == []
    checkpoint.wait()


PROGRAM = """
import sys, time
import numpy as np
import polytape as pt
from polytape.checkpoint import manager

original = manager.write_into
def slow(*arguments):
    time.sleep(0.3)
    if sys.argv[2] == "fail":
        raise OSError(28, "No space left on device")
    original(*arguments)
manager.write_into = slow
pt.Checkpoint(x=pt.Variable(np.arange(5.0))).save(sys.argv[1], wait=False)
"""


@pytest.mark.parametrize("how", ["work", "fail"])
def test_the_end_of_the_process_waits_and_reports_an_error_that_nobody_saw(tmp_path: Path, how: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), how]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    if how == "work":
        assert result.stderr == ""
        x = pt.Variable(np.zeros(5))
        pt.Checkpoint(x=x).restore(pt.latest_checkpoint(tmp_path)).assert_consumed()
        assert x.tolist() == [0, 1, 2, 3, 4]
    else:
        assert PolytapeWarning.__name__ in result.stderr and "No space left" in result.stderr
        assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_that_it_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    checkpoint = pt.Checkpoint(x=pt.Variable(1.0))
    path = checkpoint.save(tmp_path, wait=False)
    assert gate.reached.wait(60)
    child = os.fork()
    if child == 0:
        try:
            checkpoint.wait()
        except CheckpointError as error:
            os._exit(0 if "not written by this process" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    gate.open.set()
    checkpoint.wait()
    assert pt.latest_checkpoint(tmp_path) == path
