"""Saving: numbered files, how many are kept, and what a crash leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint.state import kept_checkpoints, read_state
from polytape.errors import CheckpointError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_save_numbers_its_files_and_the_newest_can_be_found(tmp_path: Path) -> None:
    x = pt.Variable(0.0)
    checkpoint = pt.Checkpoint(x=x)
    prefix = tmp_path / "runs" / "model"
    for number in (1, 2, 3):
        x.assign(float(number))
        assert checkpoint.save(prefix) == f"{prefix}-{number}.safetensors"
    latest = pt.latest_checkpoint(str(prefix.parent))
    assert latest == f"{prefix}-3.safetensors"
    x.assign(0.0)
    checkpoint.restore(latest).assert_consumed()
    assert float(x) == 3.0
    assert names(prefix.parent) == ["checkpoint", *(f"model-{n}.safetensors" for n in (1, 2, 3))]


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_directory_as_the_prefix_uses_the_name_ckpt(tmp_path: Path, ending: str) -> None:
    path = pt.Checkpoint(x=pt.Variable(0.0)).save(f"{tmp_path}{ending}")
    assert Path(path) == tmp_path / "ckpt-1.safetensors"
    path = pt.Checkpoint(x=pt.Variable(0.0)).save(f"{tmp_path}/new/")
    assert Path(path) == tmp_path / "new" / "ckpt-1.safetensors"


def test_a_bare_name_is_saved_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pt.Checkpoint(x=pt.Variable(0.0)).save("here")
    assert names(tmp_path) == ["checkpoint", "here-1.safetensors"]
    assert pt.latest_checkpoint(".") is not None


def test_the_oldest_are_deleted_and_the_state_lists_those_that_are_kept(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(0.0))
    for _ in range(7):
        checkpoint.save(tmp_path / "a")
    assert [Path(path).name for path in kept_checkpoints(str(tmp_path))] == [
        f"a-{n}.safetensors" for n in (3, 4, 5, 6, 7)
    ]
    assert names(tmp_path) == [*(f"a-{n}.safetensors" for n in (3, 4, 5, 6, 7)), "checkpoint"]
    checkpoint.save(tmp_path / "b", keep=1)
    checkpoint.save(tmp_path / "a", keep=2)
    state = read_state(str(tmp_path))
    assert state is not None
    assert state.kept == ("a-7.safetensors", "b-1.safetensors", "a-8.safetensors")
    assert state.latest == "a-8.safetensors"
    checkpoint.save(tmp_path / "a", keep=None)
    assert len(kept_checkpoints(str(tmp_path))) == 4
    with pytest.raises(CheckpointError, match="cannot keep 0 checkpoints"):
        checkpoint.save(tmp_path / "a", keep=0)


def test_a_number_is_never_reused_while_its_file_exists(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(0.0))
    for _ in range(3):
        checkpoint.save(tmp_path)
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "ckpt-1.safetensors").unlink()
    (tmp_path / "ckpt-9x.safetensors").write_bytes(b"")
    assert checkpoint.save(tmp_path).endswith("ckpt-4.safetensors")


def test_write_uses_the_exact_path_and_no_state_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    assert pt.Checkpoint(x=pt.Variable(0.0)).write(path) == str(path)
    assert names(tmp_path) == ["weights.bin"]
    with pytest.raises(CheckpointError, match="cannot be written"):
        pt.Checkpoint(x=pt.Variable(0.0)).write(tmp_path / "missing" / "a")


def test_a_damaged_state_file_aborts_the_save_before_anything_is_written(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint(x=pt.Variable(0.0))
    checkpoint.save(tmp_path)
    (tmp_path / "checkpoint").write_text("{}", encoding="utf-8")
    before = names(tmp_path)
    with pytest.raises(CheckpointError, match="state file is damaged"):
        checkpoint.save(tmp_path)
    assert names(tmp_path) == before


def test_a_directory_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot be created"):
        pt.Checkpoint(x=pt.Variable(0.0)).save(tmp_path / "file" / "ckpt")


@pytest.mark.parametrize("objects", [{"x": 3}, {"x": pt.asarray(1.0)}, {"x": object()}, {"_x": pt.Variable(1.0)}])
def test_objects_that_a_checkpoint_cannot_follow_are_rejected(objects: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="a checkpoint cannot follow"):
        pt.Checkpoint(**objects)


PROGRAM = """
import sys
import numpy as np
import polytape as pt
x = pt.Variable(np.zeros(100_000, "float32"))
checkpoint = pt.Checkpoint(x=x)
print("ready", flush=True)
while True:
    x.assign_add(1.0)
    checkpoint.save(sys.argv[1])
"""


def test_a_killed_process_leaves_a_checkpoint_that_can_be_restored(tmp_path: Path) -> None:
    for delay_s in (0.05, 0.15):
        folder = tmp_path / str(delay_s)
        with subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay_s)
            process.kill()
        latest = pt.latest_checkpoint(str(folder)) if folder.exists() else None
        x = pt.Variable(np.zeros(100_000, "float32"))
        status = pt.Checkpoint(x=x).restore(latest)
        if latest is not None:
            status.assert_consumed()
            assert len(set(x.tolist())) == 1 and float(x[0]) >= 1.0


def test_two_slashes_and_relative_and_moved_directories_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = pt.Variable(3.0)
    monkeypatch.chdir(tmp_path)
    pt.Checkpoint(w=w).save("a//b//ckpt")
    assert Path(str(pt.latest_checkpoint(f"{tmp_path}//a//b//"))).is_file()
    monkeypatch.chdir(tmp_path / "a")
    Path("b").rename("c")
    w.assign(0.0)
    pt.Checkpoint(w=w).restore(pt.latest_checkpoint("c")).assert_consumed()
    assert float(w) == 3.0


def test_a_prefix_in_place_of_the_directory_is_an_error_that_names_the_directory(tmp_path: Path) -> None:
    pt.Checkpoint(x=pt.Variable(0.0)).save(tmp_path / "model")
    with pytest.raises(CheckpointError, match="needs a directory") as caught:
        pt.latest_checkpoint(tmp_path / "model")
    assert caught.value.fix == f"latest_checkpoint({str(tmp_path)!r})"


def test_a_directory_that_may_not_be_searched_is_an_error_not_none() -> None:
    folder = tempfile.mkdtemp()  # not tmp_path: other users cannot access its parents
    user = os.geteuid()
    try:
        pt.Checkpoint(x=pt.Variable(0.0)).save(folder)
        os.chmod(folder, 0o000)
        if user == 0:  # root may search every directory
            os.seteuid(65534)
        for path in (folder, os.path.join(folder, "runs")):
            with pytest.raises(PermissionError) as caught:
                pt.latest_checkpoint(path)
            assert isinstance(caught.value, CheckpointError)
    finally:
        os.seteuid(user)
        os.chmod(folder, 0o700)
        shutil.rmtree(folder)


def test_an_object_without_a_name_is_rejected() -> None:
    with pytest.raises(CheckpointError, match=r"needs a name for each object(.|\n)*fix: polytape.Checkpoint\(model="):
        pt.Checkpoint(pt.Variable(1.0))
