"""Several processes, threads and forked children that save to one directory at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import polytape as pt
from polytape.checkpoint.state import read_state

# Each process checks every path that save returned, at once and, if everything is kept, again at the end.
SAVING = """
import os, sys
import numpy as np
import polytape as pt

folder, processes, saves = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
keep = int(sys.argv[4]) or None
x = pt.Variable(np.zeros(5000, "float32"))
checkpoint = pt.Checkpoint(x=x)


def check(path, value):
    x.assign(np.zeros(5000, "float32"))
    checkpoint.restore(path).assert_consumed()
    assert set(x.tolist()) == {value}, (path, value, set(x.tolist()))


def save_all(process):
    paths = {}
    for save in range(saves):
        value = float(1000 * process + save + 1)
        x.assign(np.full(5000, value, "float32"))
        path = checkpoint.save(folder, keep=keep)
        assert path not in paths
        paths[path] = value
        check(path, value)
        assert pt.latest_checkpoint(folder) is not None
    if keep is None:
        for path, value in paths.items():
            check(path, value)


children = []
for process in range(processes):
    child = os.fork()
    if child == 0:
        save_all(process)
        os._exit(0)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def run(program: str, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # Python 3.12 warns of every fork while there are threads.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, *map(str, arguments)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("processes", "saves"),
    [(2, 20), pytest.param(2, 200, marks=pytest.mark.slow), pytest.param(4, 60, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("keep", [0, 3])
def test_every_path_that_save_returned_holds_what_was_saved(
    tmp_path: Path, processes: int, saves: int, keep: int
) -> None:
    assert run(SAVING, tmp_path, processes, saves, keep) == str([0] * processes)
    state = read_state(str(tmp_path))
    assert state is not None
    assert sorted(os.listdir(tmp_path)) == sorted(["checkpoint", *state.kept])
    numbers = [int(name.removeprefix("ckpt-").removesuffix(".safetensors")) for name in state.kept]
    assert numbers == sorted(numbers) and state.latest == state.kept[-1]
    if not keep:
        assert numbers == list(range(1, processes * saves + 1))
    else:
        # The processes have ended: the next save counts their files too.
        pt.Checkpoint(x=pt.Variable(0.0)).save(tmp_path, keep=keep)
        assert len(os.listdir(tmp_path)) == keep + 1


def test_threads_of_one_process_may_save_to_one_directory(tmp_path: Path) -> None:
    wrong: list[object] = []

    def save(number: int) -> None:
        try:
            x = pt.Variable(float(number))
            checkpoint = pt.Checkpoint(x=x)
            for _ in range(10):
                path = checkpoint.save(tmp_path, keep=None)
                x.assign(-1.0)
                checkpoint.restore(path)
                if float(x) != number:
                    wrong.append((path, float(x), number))
        except BaseException as error:  # pytest does not see what a thread raises
            wrong.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    state = read_state(str(tmp_path))
    assert state is not None
    assert state.kept == tuple(f"ckpt-{number}.safetensors" for number in range(1, 41))


# Children are forked while a thread saves. Each saves to the same directory; a child that hangs is the test's failure.
FORKING = """
import faulthandler, os, sys, threading
import numpy as np
import polytape as pt

folder, forks = sys.argv[1], int(sys.argv[2])
x = pt.Variable(np.ones(1000, "float32"))
checkpoint = pt.Checkpoint(x=x)
stop = threading.Event()


def save_until_stopped():
    while not stop.is_set():
        checkpoint.save(folder)


thread = threading.Thread(target=save_until_stopped)
thread.start()
codes = []
for _ in range(forks):
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(120, exit=True)  # a child that waits for ever says where
        checkpoint.restore(checkpoint.save(folder))
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
stop.set()
thread.join()
print(set(codes))
"""


@pytest.mark.parametrize("forks", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_a_child_that_is_forked_while_a_thread_saves_can_save(tmp_path: Path, forks: int) -> None:
    assert run(FORKING, tmp_path, forks) == "{0}"
    path = pt.latest_checkpoint(tmp_path)
    x = pt.Variable([0.0] * 1000)
    pt.Checkpoint(x=x).restore(path).assert_consumed()
    assert set(x.tolist()) == {1.0}


def test_the_last_number_of_another_process_is_not_used_again(tmp_path: Path) -> None:
    run(SAVING, tmp_path, 1, 3, 0)
    assert pt.Checkpoint(x=pt.Variable(0.0)).save(tmp_path).endswith("ckpt-4.safetensors")
