"""Crashes during a save: the system's loss of power replayed step by step, and processes that are killed.

`recorded` runs saves and records every change that they make to their directory. A crash keeps what was flushed; of
the other changes any part may be lost, so each one is tried with some of them missing or half done.
"""

from __future__ import annotations

import builtins
import itertools
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint import files
from polytape.checkpoint.state import read_state
from polytape.errors import CheckpointError

Change = tuple[Any, ...]  # ("create", name, number of the file), ("write", number, offset, bytes), ...


class Recorder:
    """Records the changes that are made to a directory, in order, through the functions of `os` and `open`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = str(folder)
        self.changes: list[Change] = []
        self.numbers: dict[int, int] = {}  # of the files, by descriptor; -1 for the directory
        self.count = 0
        for name in ("open", "close", "pwrite", "ftruncate", "fsync", "fdatasync", "replace", "unlink"):
            if hasattr(os, name):
                monkeypatch.setattr(os, name, self.watched(getattr(os, name), getattr(self, f"on_{name}")))
        monkeypatch.setattr(files, "open", self.open_file, raising=False)

    @staticmethod
    def watched(function: Callable[..., Any], record: Callable[..., None]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            result = function(*arguments, **options)
            record(result, *arguments)
            return result

        return watched

    def inside(self, path: Any) -> str | None:
        folder, name = os.path.split(os.fspath(path))
        return name if folder == self.folder else None

    def created(self, descriptor: int, name: str) -> int:
        self.count += 1
        self.numbers[descriptor] = self.count
        self.changes.append(("create", name, self.count))
        return self.count

    def on_open(self, descriptor: int, path: Any, flags: int, *_: Any) -> None:
        name = self.inside(path)
        self.numbers.pop(descriptor, None)
        if os.fspath(path) == self.folder:
            self.numbers[descriptor] = -1
        elif name is not None and flags & os.O_CREAT:
            self.created(descriptor, name)  # the lock file, which no other process has here

    def open_file(self, path: str, mode: str, **options: Any) -> Any:
        file = builtins.open(path, mode, **options)  # noqa: SIM115  # the caller closes it
        number = self.created(file.fileno(), os.path.basename(path))
        return RecordedFile(file, number, self)

    def on_close(self, _: None, descriptor: int) -> None:
        self.numbers.pop(descriptor, None)

    def on_pwrite(self, count: int, descriptor: int, data: bytes, offset: int) -> None:
        self.changes.append(("write", self.numbers[descriptor], offset, data[:count]))

    def on_ftruncate(self, _: None, descriptor: int, size: int) -> None:
        self.changes.append(("truncate", self.numbers[descriptor], size))

    def on_fsync(self, _: None, descriptor: int) -> None:
        self.changes.append(("fsync", self.numbers[descriptor]))

    on_fdatasync = on_fsync  # it flushes all that this model knows of a file

    def on_replace(self, _: None, source: str, target: str) -> None:
        self.changes.append(("rename", os.path.basename(source), os.path.basename(target)))

    def on_unlink(self, _: None, path: str) -> None:
        self.changes.append(("unlink", os.path.basename(path)))


MOST_NBYTES = 3000  # of one write, as the operating system may write less than requested: the data takes several


class RecordedFile:
    """A file whose writes are recorded."""

    def __init__(self, file: Any, number: int, recorder: Recorder) -> None:
        self.file, self.number, self.recorder = file, number, recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: memoryview) -> int:
        offset = self.file.tell()
        count: int = self.file.write(data[:MOST_NBYTES])
        self.recorder.changes.append(("write", self.number, offset, bytes(data[:count])))
        return count

    def close(self) -> None:
        if not self.file.closed:
            self.recorder.numbers.pop(self.file.fileno(), None)
        self.file.close()


SAVES = 4
KEEP = 2
SIZE = 1000  # elements


def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Change], list[int]]:
    """The changes that the saves of the values 1, 2, ... make, and their count when each of the saves returned."""
    folder.mkdir()
    x = pt.Variable(np.zeros(SIZE, "float32"))
    checkpoint = pt.Checkpoint(x=x)
    ends = []
    with monkeypatch.context() as patch:
        recorder = Recorder(folder, patch)
        for value in range(1, SAVES + 1):
            x.assign(np.full(SIZE, value, "float32"))
            checkpoint.save(folder, keep=KEEP)
            ends.append(len(recorder.changes))
    return recorder.changes, ends


def with_numbers(changes: Sequence[Change]) -> list[Change]:
    """The changes with the number of the file that is renamed: the new name may be kept where the old one was lost."""
    numbers: dict[str, int] = {}
    result = []
    for change in changes:
        if change[0] == "create":
            numbers[change[1]] = change[2]
        elif change[0] == "rename":
            number = numbers[change[2]] = numbers.pop(change[1])
            change = (*change, number)
        result.append(change)
    return result


def is_safe(changes: Sequence[Change]) -> list[bool]:
    """Whether each change is on the disk for certain: its file, or the directory for a name, was flushed later."""
    flushed: set[int] = set()
    safe = []
    for change in reversed(changes):
        if change[0] == "fsync":
            flushed.add(change[1])
        safe.append(
            change[0] == "fsync" or (-1 if change[0] in ("create", "rename", "unlink") else change[1]) in flushed
        )
    return safe[::-1]


SECTOR_NBYTES = 512


def parts(offset: int, data: bytes, share: float) -> list[tuple[int, bytes]]:
    """What is kept of the bytes written at ``offset``: their offsets and the bytes."""
    if share >= 0:
        kept = data[: round(len(data) * share)]
        return [(offset, kept)] if kept else []
    generator = random.Random(share)
    begins = [0, *range(SECTOR_NBYTES - offset % SECTOR_NBYTES, len(data), SECTOR_NBYTES)]
    pieces = [(offset + begin, data[begin:end]) for begin, end in itertools.pairwise([*begins, len(data)])]
    return [piece for piece in pieces if generator.random() < 0.5]


def crashed(changes: Sequence[Change], kept: Sequence[float]) -> dict[str, bytes]:
    """The files after a crash, by name; of each change, the given share is kept (of a change of names, 1.0 or none).

    Of a write, a negative share keeps some sectors, chosen by that number, wherever they are.
    """
    names: dict[str, int] = {}
    contents: dict[int, bytearray] = {}
    for change, share in zip(changes, kept, strict=True):
        if change[0] == "write":
            content = contents.setdefault(change[1], bytearray())
            for offset, data in parts(change[2], change[3], share):
                content.extend(bytes(max(0, offset + len(data) - len(content))))
                content[offset : offset + len(data)] = data
        elif share < 1.0:
            continue
        elif change[0] == "truncate":
            del contents.setdefault(change[1], bytearray())[change[2] :]
        elif change[0] == "create":
            names[change[1]] = change[2]
        elif change[0] == "rename":
            names.pop(change[1], None)
            names[change[2]] = change[3]
        elif change[0] == "unlink":
            names.pop(change[1], None)
    return {name: bytes(contents.get(number, b"")) for name, number in names.items()}


def crashes(changes: Sequence[Change], random_states: int, seed: int) -> Iterator[dict[str, bytes]]:
    """States of the disk after a crash: the changes that may be lost are lost one by one, all, and at random."""
    safe = is_safe(changes)
    for position in [position for position, known in enumerate(safe) if not known]:
        for share in (0.0, 0.5, -1.0 - position, -1000.0 - position):
            yield crashed(changes, [share if other == position else 1.0 for other in range(len(changes))])
    yield crashed(changes, [float(known) for known in safe])
    generator = random.Random(seed)
    for _ in range(random_states):
        yield crashed(
            changes, [1.0 if known else generator.choice((0.0, 0.5, 1.0, -generator.random())) for known in safe]
        )


def value_in(path: str) -> float:
    x = pt.Variable(np.zeros(SIZE, "float32"))
    pt.Checkpoint(x=x).restore(path).assert_consumed()
    (value,) = set(x.tolist())
    return float(value)


def laid_out(folder: Path, state: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in state.items():
        (folder / name).write_bytes(data)
    return folder


def check(folder: Path, returned: int) -> None:
    """After a crash: every checkpoint that the state file names is whole, and no save that returned is lost."""
    state = read_state(str(folder))
    if state is None:
        assert returned == 0
        assert pt.latest_checkpoint(folder) is None
        return
    values = {name: value_in(str(folder / name)) for name in state.kept}
    assert values == {f"ckpt-{int(value)}.safetensors": value for value in values.values()}
    assert values[state.latest] in (returned, returned + 1)


def save_again(folder: Path) -> list[str]:
    """The files after a new save, which works and leaves no temporary file."""
    path = pt.Checkpoint(x=pt.Variable(np.full(SIZE, 9.0, "float32"))).save(folder, keep=KEEP)
    assert pt.latest_checkpoint(folder) == path
    assert value_in(path) == 9.0
    names = sorted(os.listdir(folder))
    assert not [name for name in names if name.startswith(".")]
    return names


def test_a_process_killed_before_any_change_of_a_save_leaves_what_the_next_save_cleans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, ends = recorded(tmp_path / "recorded", monkeypatch)
    changes = with_numbers(changes)
    # The first save creates 3 files and writes twice to each; later ones delete a checkpoint too.
    assert len(ends) == SAVES and ends[0] >= 12
    for count in range(len(changes) + 1):
        folder = laid_out(tmp_path / "crashed", crashed(changes[:count], [1.0] * count))
        check(folder, sum(end <= count for end in ends))
        names = save_again(folder)
        state = read_state(str(folder))
        assert state is not None and names == sorted(["checkpoint", *state.kept])
        assert len(state.kept) <= KEEP


@pytest.mark.parametrize("random_states", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_a_crash_of_the_system_loses_no_checkpoint_whatever_was_not_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_states: int
) -> None:
    changes, ends = recorded(tmp_path / "recorded", monkeypatch)
    changes = with_numbers(changes)
    tried: set[int] = set()
    for count in range(len(changes) + 1):
        returned = sum(end <= count for end in ends)
        for state in crashes(changes[:count], random_states, seed=count):
            key = hash((returned, frozenset(state.items())))
            if key not in tried:
                tried.add(key)
                check(laid_out(tmp_path / "crashed", state), returned)
                save_again(tmp_path / "crashed")
    assert len(tried) > 150


def test_the_replay_finds_a_save_that_does_not_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, ends = recorded(tmp_path / "recorded", monkeypatch)
    unflushed = [change for change in with_numbers(changes) if change[0] != "fsync"]
    end = sum(change[0] != "fsync" for change in changes[: ends[0]])
    with pytest.raises((AssertionError, CheckpointError)):
        for state in crashes(unflushed[:end], 3, seed=0):
            check(laid_out(tmp_path / "crashed", state), 1)


OLD, NEW = b"old" * 600, b"new" * 600

# What `safetensors.numpy.save_file` does, as strace shows it for safetensors 0.8: nothing is flushed.
SAFETENSORS: list[Change] = [
    ("create", ".tmp1", 1), ("write", 1, 0, OLD), ("rename", ".tmp1", "model"),
    ("create", ".tmp2", 2), ("write", 2, 0, NEW[:1000]), ("write", 2, 1000, NEW[1000:]), ("rename", ".tmp2", "model"),
]  # fmt: skip
# What TensorFlow's Saver does: a file of data and an index, renamed, and a state file; nothing is flushed.
TENSORFLOW: list[Change] = [
    change
    for first, data in ((1, OLD), (4, NEW))
    for change in (
        ("create", "tmp-data", first), ("write", first, 0, data), ("rename", "tmp-data", f"{first}.data"),
        ("create", "tmp-index", first + 1), ("write", first + 1, 0, data), ("rename", "tmp-index", f"{first}.index"),
        ("create", "tmp-state", first + 2), ("write", first + 2, 0, b"%d" % first),
        ("rename", "tmp-state", "checkpoint"),
    )
]  # fmt: skip


def newest_of_safetensors(state: dict[str, bytes]) -> bytes | None:
    return state.get("model")


def newest_of_tensorflow(state: dict[str, bytes]) -> bytes | None:
    name = state.get("checkpoint", b"").decode()
    data = state.get(f"{name}.data")
    return data if data == state.get(f"{name}.index") else None


@pytest.mark.parametrize(
    ("changes", "newest"), [(SAFETENSORS, newest_of_safetensors), (TENSORFLOW, newest_of_tensorflow)]
)
def test_the_same_replay_of_what_other_libraries_do_loses_both_the_new_checkpoint_and_the_old_one(
    changes: list[Change], newest: Callable[[dict[str, bytes]], bytes | None]
) -> None:
    numbered = with_numbers(changes)
    outcomes = [newest(state) for state in crashes(numbered, 200, seed=0)]
    lost = sum(outcome not in (OLD, NEW) for outcome in outcomes)
    assert lost > len(outcomes) // 4  # of the states after both saves have returned
    assert newest(crashed(numbered, [1.0] * len(numbered))) == NEW


KILLS = """
import os, random, signal, sys, time
import numpy as np
import polytape as pt

folder, kills = sys.argv[1], int(sys.argv[2])
x = pt.Variable(np.zeros(20_000, "float32"))
checkpoint = pt.Checkpoint(x=x)


def save_for_ever(pipe, value):
    while True:
        value += 1
        x.assign(np.full(20_000, value, "float32"))
        checkpoint.save(folder, keep=3)
        os.write(pipe, b"%d " % value)


generator, reached, failures = random.Random(0), 0, 0
for kill in range(kills):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(writing, reached)
    os.close(writing)
    time.sleep(generator.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        returned = max([reached, *map(int, pipe.read().split())])
    latest = pt.latest_checkpoint(folder)
    if latest is None:
        assert returned == 0, returned
        continue
    checkpoint.restore(latest).assert_consumed()
    (value,) = set(x.tolist())
    assert value in (returned, returned + 1), (value, returned)
    reached = int(value)
    if kill % 10 == 0:
        checkpoint.save(folder, keep=3)
        names = [name for name in os.listdir(folder) if name != "checkpoint"]
        assert len(names) == 3 or reached < 3, names
print(kills, "kills,", reached, "saves")
"""


@pytest.mark.parametrize("kills", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_process_killed_at_random_leaves_the_last_checkpoint_whole(tmp_path: Path, kills: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", KILLS, str(tmp_path), str(kills)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{kills} kills")
