"""The lock of a directory, and the files that killed processes left in it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

import polytape as pt
from polytape.checkpoint import directory
from polytape.checkpoint.directory import DirectoryLock, is_left_over, make_directory, remove_orphans
from polytape.checkpoint.file_locks import lock
from polytape.checkpoint.files import Replacement
from polytape.errors import CheckpointError, PolytapeWarning


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_temporary_files_of_dead_processes_are_removed_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    (tmp_path / ".polytape-1-dead.tmp").write_bytes(b"half")
    (tmp_path / "polytape-mine.tmp").write_bytes(b"")
    (tmp_path / ".polytape-1-link.tmp").symlink_to(tmp_path / "polytape-mine.tmp")
    (tmp_path / ".polytape-1-folder.tmp").mkdir()
    with Replacement(str(tmp_path / "file")) as living:
        living.write(b"all")
        remove_orphans(str(tmp_path))
        assert len(names(tmp_path)) == 4 and ".polytape-1-dead.tmp" not in names(tmp_path)
    assert (tmp_path / "file").read_bytes() == b"all"
    assert (tmp_path / "polytape-mine.tmp").exists()
    remove_orphans(str(tmp_path / "missing"))


@pytest.mark.parametrize("method", ["save", "write"])
def test_a_save_removes_orphans(tmp_path: Path, method: str) -> None:
    (tmp_path / ".polytape-1-dead.tmp").write_bytes(b"half")
    getattr(pt.Checkpoint(x=pt.Variable(1.0)), method)(tmp_path / "model.pt")
    assert ".polytape-1-dead.tmp" not in names(tmp_path)


def test_without_locks_an_orphan_is_a_file_that_is_a_day_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "lock", lambda descriptor, wait: None)
    old, new = tmp_path / ".polytape-old.tmp", tmp_path / ".polytape-new.tmp"
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 90_000,) * 2)
    remove_orphans(str(tmp_path))
    assert names(tmp_path) == [new.name]


def test_a_file_system_without_locks_is_a_warning_and_the_save_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "lock", lambda descriptor, wait: None)
    with pytest.warns(PolytapeWarning, match="has no locks"):
        path = pt.Checkpoint(x=pt.Variable(1.0)).save(tmp_path)
    assert pt.latest_checkpoint(tmp_path) == path


def test_the_lock_excludes_other_threads_and_its_file_is_removed(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        for _ in range(20):
            with DirectoryLock(str(tmp_path)):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80
    assert names(tmp_path) == [] and not directory._held


def test_the_same_thread_enters_again_as_a_signal_handler_does(tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path)) as outer:
        with DirectoryLock(str(tmp_path)) as inner:
            inner.note("a-1.safetensors")
            assert is_left_over(str(tmp_path))
            inner.note()
        outer.note()
        descriptor = os.open(tmp_path / ".polytape-lock", os.O_RDWR)
        assert lock(descriptor, wait=False) is False  # the inner block has not released the lock
        os.close(descriptor)
    assert names(tmp_path) == []


def test_files_that_a_killed_process_noted_are_removed_unless_the_state_names_them(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(1.0))
    checkpoint.save(tmp_path)
    for name in ("ckpt-2.safetensors", "other.safetensors"):
        (tmp_path / name).write_bytes(b"")
    noted = '["ckpt-1.safetensors", "ckpt-2.safetensors", "other.safetensors", "../x-1.safetensors", 3]'
    (tmp_path / ".polytape-lock").write_text(noted + '1.safetensors"]')  # and the rest of a longer note
    checkpoint.save(tmp_path)
    assert names(tmp_path) == ["checkpoint", "ckpt-1.safetensors", "ckpt-2.safetensors", "other.safetensors"]
    assert (tmp_path / "ckpt-2.safetensors").stat().st_size


@pytest.mark.parametrize("text", ["", "{", "3", "[" * 100_000, '"ckpt-1.safetensors"', "\udcff"])
def test_a_damaged_note_removes_nothing(tmp_path: Path, text: str) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(1.0))
    checkpoint.save(tmp_path)
    (tmp_path / ".polytape-lock").write_bytes(text.encode("utf-8", "surrogateescape"))
    checkpoint.save(tmp_path)
    assert names(tmp_path) == ["checkpoint", "ckpt-1.safetensors", "ckpt-2.safetensors"]


def test_a_directory_and_its_parents_are_created(tmp_path: Path) -> None:
    make_directory(str(tmp_path / "a" / "b" / "c"))
    make_directory(str(tmp_path / "a"))
    assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot be created") as caught:
        make_directory(str(tmp_path / "file" / "x"))
    assert isinstance(caught.value, OSError)


def test_the_lock_prints_its_directory() -> None:
    assert repr(DirectoryLock("runs")) == "DirectoryLock('runs')"
