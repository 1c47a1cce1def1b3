"""The checkpoints of a directory: their names and numbers, and what a save that fails leaves behind."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import polytape as pt
from polytape.checkpoint import series
from polytape.checkpoint.files import Replacement
from polytape.checkpoint.numbering import file_name
from polytape.checkpoint.series import Policy, Series
from polytape.checkpoint.state import CheckpointState, encode_state, read_state
from polytape.checkpoint.writers import this_process
from polytape.errors import CheckpointError


@pytest.fixture
def x() -> pt.Variable:
    return pt.Variable(1.0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", [".safetensors", ".pt", ".pth"])
def test_a_path_that_names_a_file_is_that_file_and_restores(tmp_path: Path, x: pt.Variable, ending: str) -> None:
    path = str(tmp_path / f"model{ending}")
    checkpoint = pt.Checkpoint(x=x)
    assert checkpoint.save(path) == path
    x.assign(2.0)
    assert checkpoint.save(path) == path
    x.assign(0.0)
    checkpoint.restore(path).assert_consumed()
    assert float(x) == 2.0
    assert names(tmp_path) == ["checkpoint", f"model{ending}"]
    assert pt.latest_checkpoint(tmp_path) == path


def test_restoring_a_prefix_or_directory_names_the_newest_file(tmp_path: Path, x: pt.Variable) -> None:
    checkpoint = pt.Checkpoint(x=x)
    newest = [checkpoint.save(tmp_path / "model") for _ in range(11)][-1]
    with pytest.raises(CheckpointError) as caught:
        checkpoint.restore(tmp_path / "model")
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.fix.startswith(f"restore({newest!r})")
    checkpoint.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"ckpt-1\.safetensors"):
        checkpoint.restore(tmp_path)


@pytest.mark.parametrize("name", ["epoch:3", "step 1", "größe", "a.b", "x" * 200, "-1", "ckpt-1"])
def test_unusual_names_are_saved_found_and_kept(tmp_path: Path, x: pt.Variable, name: str) -> None:
    checkpoint = pt.Checkpoint(x=x)
    paths = [checkpoint.save(tmp_path / name, keep=2) for _ in range(3)]
    assert names(tmp_path) == sorted(["checkpoint", f"{name}-2.safetensors", f"{name}-3.safetensors"])
    assert pt.latest_checkpoint(tmp_path) == paths[-1]
    checkpoint.restore(paths[-1]).assert_consumed()


@pytest.mark.parametrize("name", ["a\\b", "a:b", "c:", "nul\0", "half \ud800"])
def test_a_name_that_the_state_file_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, x: pt.Variable, name: str
) -> None:
    with pytest.raises(CheckpointError, match=r"cannot name a file .*\n  expected: valid Unicode"):
        pt.Checkpoint(x=x).save(os.path.join(tmp_path, "new", name))
    assert names(tmp_path) == []


def test_a_number_that_another_process_has_reserved_is_passed_over(tmp_path: Path, x: pt.Variable) -> None:
    one, other = Series(str(tmp_path)), Series(str(tmp_path))
    with one.reserve() as first, other.reserve() as second:
        assert (first.path, second.path) == tuple(str(tmp_path / file_name("ckpt", number)) for number in (1, 2))
        first.discard()
        second.discard()
    assert names(tmp_path) == []


def test_a_save_that_was_overtaken_does_not_become_the_latest(tmp_path: Path) -> None:
    files = Series(str(tmp_path))
    with files.reserve() as first, files.reserve() as second:
        for new in (first, second):
            new.write(b"x")
            new.flush()
        files.publish(second, Policy(5))
        files.publish(first, Policy(5))
    state = read_state(str(tmp_path))
    assert state is not None
    assert (state.latest, state.kept) == ("ckpt-2.safetensors", ("ckpt-1.safetensors", "ckpt-2.safetensors"))


def write_state_of(folder: Path, writers: dict[str, list[str]]) -> None:
    kept = [name for files in writers.values() for name in files]
    for name in kept:
        (folder / name).write_bytes(b"")
    (folder / "checkpoint").write_bytes(encode_state(str(folder), CheckpointState(kept[-1], kept, writers)))


def test_files_of_other_running_processes_are_not_counted_and_those_of_ended_ones_are(
    tmp_path: Path, x: pt.Variable, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = {"runs": True, "ended": False, this_process(): True}
    monkeypatch.setattr(series, "is_running", running.__getitem__)
    write_state_of(
        tmp_path,
        {"runs": ["ckpt-1.safetensors"], "ended": ["ckpt-2.safetensors"], this_process(): ["ckpt-3.safetensors"]},
    )
    pt.Checkpoint(x=x).save(tmp_path, keep=2)
    state = read_state(str(tmp_path))
    assert state is not None
    assert state.kept == tuple(f"ckpt-{number}.safetensors" for number in (1, 3, 4))
    assert names(tmp_path) == sorted(["checkpoint", *state.kept])
    assert set(state.writers) == {"runs", this_process()}


def test_a_process_on_another_machine_counts_as_running_for_a_day(
    tmp_path: Path, x: pt.Variable, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_state_of(tmp_path, {"other/pid:[1] 5 6": ["ckpt-1.safetensors", "ckpt-2.safetensors"]})
    os.utime(tmp_path / "ckpt-1.safetensors", (0, 0))
    pt.Checkpoint(x=x).save(tmp_path, keep=1)
    assert names(tmp_path) == ["checkpoint", "ckpt-2.safetensors", "ckpt-3.safetensors"]


def test_a_full_disk_at_the_state_file_leaves_the_older_checkpoints_and_no_orphan(
    tmp_path: Path, x: pt.Variable, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = pt.Checkpoint(x=x)
    path = checkpoint.save(tmp_path)
    before = names(tmp_path)
    with monkeypatch.context() as patch:
        write = Replacement.write

        def fail_at_the_state_file(new: Replacement, data: bytes | memoryview) -> None:
            if new.path.endswith("checkpoint"):
                raise CheckpointError("no space", expected="space", got="none", fix="free space")
            write(new, data)

        patch.setattr(Replacement, "write", fail_at_the_state_file)
        with pytest.raises(CheckpointError, match="no space"):
            checkpoint.save(tmp_path)
    assert names(tmp_path) == before
    assert pt.latest_checkpoint(tmp_path) == path
    assert checkpoint.save(tmp_path).endswith("ckpt-2.safetensors")


def test_errors_of_the_system_are_os_errors_with_their_number(tmp_path: Path, x: pt.Variable) -> None:
    checkpoint = pt.Checkpoint(x=x)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError) as caught:
        checkpoint.save(tmp_path / "file" / "ckpt")
    assert isinstance(caught.value, CheckpointError) and caught.value.errno in (errno.ENOTDIR, errno.EEXIST)
    with pytest.raises(FileNotFoundError) as missing:
        checkpoint.write(tmp_path / "missing" / "file")
    assert isinstance(missing.value, CheckpointError) and missing.value.errno
    with pytest.raises(FileNotFoundError, match="cannot be read"):
        checkpoint.restore(tmp_path / "nothing")


def test_a_series_prints_its_path(tmp_path: Path) -> None:
    assert repr(Series(f"{tmp_path}/a.pt")) == f"Series({str(tmp_path / 'a.pt')!r}, numbered=False)"
