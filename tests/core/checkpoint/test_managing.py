"""CheckpointManager: which checkpoints stay, under which numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.checkpoint.state import read_state
from polytape.errors import CheckpointError

HOUR_S = 3600.0


def numbers(manager: pt.CheckpointManager) -> list[int]:
    return [int(path.rpartition("-")[2].partition(".")[0]) for path in manager.checkpoints]


def manager_of(folder: Path, **options: Any) -> tuple[pt.Variable, pt.CheckpointManager]:
    x = pt.Variable(0.0)
    return x, pt.CheckpointManager(pt.Checkpoint(x=x), folder, **options)


def test_the_newest_stay_and_the_latest_is_restored(tmp_path: Path) -> None:
    x, manager = manager_of(tmp_path / "new", max_to_keep=2)
    assert manager.latest is None and manager.checkpoints == [] and manager.restore().path is None
    for value in range(1, 5):
        x.assign(float(value))
        assert manager.save() == manager.latest
    assert numbers(manager) == [3, 4]
    assert sorted(os.listdir(tmp_path / "new")) == ["checkpoint", "ckpt-3.safetensors", "ckpt-4.safetensors"]
    other, again = manager_of(tmp_path / "new")
    again.restore().assert_consumed()
    assert float(other) == 4.0
    assert "2 checkpoints" in repr(again)


def test_none_keeps_all(tmp_path: Path) -> None:
    _, manager = manager_of(tmp_path, max_to_keep=None)
    for _ in range(7):
        manager.save()
    assert numbers(manager) == [1, 2, 3, 4, 5, 6, 7]


def test_numbers_may_be_given_and_an_existing_file_is_replaced(tmp_path: Path) -> None:
    x, manager = manager_of(tmp_path, max_to_keep=3)
    for number in (100, 200, 300):
        x.assign(float(number))
        manager.save(number)
    # Training goes on from step 100: what is saved then is the latest, though a higher number exists.
    x.assign(-2.0)
    assert manager.save(200) == manager.latest
    assert numbers(manager) == [100, 300, 200]
    manager.restore().assert_consumed()
    assert float(x) == -2.0
    assert manager.save().endswith("ckpt-301.safetensors")
    assert numbers(manager) == [300, 200, 301]


@pytest.mark.parametrize("number", [-1, 10**18])
def test_a_number_out_of_range_is_an_error(tmp_path: Path, number: int) -> None:
    _, manager = manager_of(tmp_path)
    with pytest.raises(CheckpointError, match=f"the number {number}"):
        manager.save(number)


@pytest.mark.parametrize("options", [{"max_to_keep": 0}, {"keep_checkpoint_every_n_hours": 0.0}])
def test_impossible_policies_are_errors(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="cannot keep checkpoints like that"):
        manager_of(tmp_path, **options)


def test_one_of_the_old_ones_per_n_hours_stays_also_when_the_program_starts_again(tmp_path: Path) -> None:
    for number in range(1, 13):  # one save per hour
        _, manager = manager_of(tmp_path, max_to_keep=2, keep_checkpoint_every_n_hours=3)
        path = manager.save()
        os.utime(path, (number * HOUR_S, number * HOUR_S))
    # The first is at hour 1, so those of the hours 4, 7 and 10 stay.
    assert numbers(manager) == [4, 7, 10, 11, 12]
    state = read_state(str(tmp_path))
    assert state is not None and state.preserved.since_s == 10 * HOUR_S
    # A save without a manager counts them neither.
    pt.Checkpoint(x=pt.Variable(1.0)).save(tmp_path, keep=1)
    assert numbers(manager) == [4, 7, 10, 13]


def test_a_manager_saves_in_the_background(tmp_path: Path) -> None:
    x, manager = manager_of(tmp_path, max_to_keep=2)
    for value in range(4):
        x.assign(float(value))
        path = manager.save(wait=False)
    manager.checkpoint.wait()
    assert manager.latest == path and numbers(manager) == [3, 4]
