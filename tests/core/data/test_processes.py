"""Worker processes, and programs that end, fail or are killed in the middle: nothing waits, nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.data import Dataset

HERE = Path(__file__).parent
LIMIT_S = 120  # for a program that should end within a second or two; not reached unless it hangs


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module `functions`, importable in worker processes too."""
    monkeypatch.syspath_prepend(str(HERE))
    import functions  # type: ignore[import-not-found]  # it is next to this file

    return functions


def program(text: str, *arguments: Any) -> list[str]:
    return [sys.executable, "-c", text, *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}


def run(text: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of this text to its end."""
    command = program(text, *arguments)
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False)


@contextlib.contextmanager
def running(text: str, *arguments: Any) -> Iterator[subprocess.Popen[str]]:
    """A running program of this text; it is killed at the end of the block, if it still runs."""
    pipe = subprocess.PIPE
    command = program(text, *arguments)
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_processes_compute_in_order_and_elsewhere(functions: Any) -> None:
    ds = Dataset.range(7).map(functions.process_of, num_workers=2, workers="processes")
    with ds.iterator() as it:
        elements = list(it)
        assert [x.item() for x, _ in elements] == list(range(7))
        pids = {pid.item() for _, pid in elements}
        assert os.getpid() not in pids
        assert len(pids) == 2
        assert {pid.item() for _, pid in it} <= pids  # the second pass starts no process; one may do all its work
    threads = Dataset.range(4).map(functions.random_number, random=True, num_workers=2).iterator(seed=2)
    processes = Dataset.range(4).map(functions.random_number, random=True, num_workers=2, workers="processes")
    assert [x.item() for x in processes.iterator(seed=2)] == [x.item() for x in threads]


def test_an_error_in_a_process_keeps_type_element_and_traceback(functions: Any) -> None:
    it = iter(Dataset.range(9).map(functions.fail_at_three, num_workers=2, workers="processes"))
    assert [next(it).item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three") as info:
        next(it)
    notes = "\n".join(info.value.__notes__)
    assert "element 3 of its input" in notes
    assert "in fail_at_three" in notes
    odd = iter(Dataset.range(9).map(functions.fail_oddly, num_workers=1, workers="processes"))
    with pytest.raises(pt.errors.DataError, match="1 and 2") as other:
        next(odd)
    assert "in fail_oddly" in other.value.__notes__[0]


def test_a_function_that_cannot_be_sent_is_an_error() -> None:
    it = iter(Dataset.range(3).map(lambda x: x, num_workers=1, workers="processes"))
    with pytest.raises(pt.errors.DataError, match="cannot send"):
        next(it)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_worker_is_an_error_at_its_element(functions: Any) -> None:
    it = iter(Dataset.range(9).map(functions.die_at_three, num_workers=2, workers="processes"))
    assert [next(it).item() for _ in range(3)] == [0, 1, 2]
    for _ in range(2):  # another process takes its place, and ends as well
        with pytest.raises(pt.errors.DataError, match="ended while it had element 3") as info:
            next(it)
        assert "signal 9" in str(info.value)


@pytest.mark.parametrize(
    "steps",
    [
        ".map(functions.sleep_long, num_workers=2)",
        ".map(functions.sleep_long, num_workers=2, workers='processes')",
        ".map(functions.sleep_long).prefetch(2)",
        ".map(functions.double, num_workers=2).prefetch(2)",
        ".map(functions.double, num_workers=2, workers='processes').prefetch(2)",
    ],
)
def test_a_program_ends_while_threads_and_processes_work(steps: str) -> None:
    """The iterator is still referred to, its pipeline is still full, and a function may be running."""
    text = f"""
import contextlib, functions, threading, polytape as pt
if __name__ == "__main__":
    it = iter(pt.data.Dataset.range(10 ** 6){steps})
    started = threading.Event()
    def consume():
        started.set()
        with contextlib.suppress(pt.errors.DataError):  # closed at the end of the program
            while True:
                next(it)
    threading.Thread(target=consume, daemon=True).start()
    started.wait()
    import time
    time.sleep(1)
    print("end")
"""
    result = run(text)
    assert (result.returncode, result.stdout, result.stderr) == (0, "end\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_ctrl_c_ends_a_program_that_waits_for_a_worker(workers: str) -> None:
    # A background job of a shell ignores the signal, and its children do.
    text = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import functions, polytape as pt
it = iter(pt.data.Dataset.range(9).map(functions.sleep_long, num_workers=1, workers={workers!r}))
print("ready", flush=True)
next(it)
"""
    with running(text) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)  # until it waits
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in errors


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_worker_processes_end_with_a_killed_program() -> None:
    text = """
import functions, polytape as pt
it = iter(pt.data.Dataset.range(9).map(functions.process_of, num_workers=2, workers="processes"))
print(*{next(it)[1].item() for _ in range(4)}, flush=True)
input()
"""
    with running(text) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    deadline = time.monotonic() + LIMIT_S
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker process outlives its program"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_program_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import functions, polytape as pt\n"
        "print(next(iter(pt.data.Dataset.range(3).map(functions.double, num_workers=1, workers='processes'))))\n"
    )
    result = subprocess.run(
        [sys.executable, str(script)], env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert result.returncode == 1
    assert "if __name__ == '__main__':" in result.stderr


TRAINING = """
import sys, pathlib, functions, polytape as pt
folder, steps = pathlib.Path(sys.argv[1]), int(sys.argv[2])
pt.random.seed(int.from_bytes(__import__("os").urandom(4)))
ds = pt.data.Dataset.from_generator(lambda: range(40)).shuffle(7)
ds = ds.map(functions.random_number, random=True, num_workers=2).batch(3).prefetch(2)
data, w, step = ds.iterator(seed=1), pt.Variable(pt.zeros((3,))), pt.Variable(0)
checkpoint = pt.Checkpoint(data=data, w=w, step=step)
latest = pt.latest_checkpoint(folder)
if latest:
    checkpoint.restore(latest).assert_consumed()
while step.item() < steps:
    for batch in data:
        if batch.shape == w.shape:
            w.assign(w * 0.9 + batch)
        step.assign_add(1)
        checkpoint.save(folder / "at")
        print(step.item(), flush=True)
        if step.item() == steps:
            break
print(*[x.hex() for x in w.tolist()])
"""


def test_a_program_that_is_killed_again_and_again_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    expected = run(TRAINING, tmp_path / "undisturbed", 30)
    assert expected.returncode == 0, expected.stderr
    for lines in (4, 9, 6):
        with running(TRAINING, tmp_path / "killed", 30) as process:
            assert process.stdout is not None
            for _ in range(lines):
                assert process.stdout.readline()
    result = run(TRAINING, tmp_path / "killed", 30)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == expected.stdout.splitlines()[-1]
    assert len(result.stdout.splitlines()) < 25  # it did go on, and not begin anew
