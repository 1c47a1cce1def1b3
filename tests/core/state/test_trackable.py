"""What a checkpoint saves of an object, and what is restored when attributes are assigned later."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

import polytape as pt
from polytape.errors import CheckpointError


class Box(pt.Trackable):
    """An object with the given attributes."""

    def __init__(self, **attributes: object) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)


def keys(**objects: object) -> list[str]:
    from polytape.checkpoint.objects import collect

    return list(collect(pt.Checkpoint(**objects))[1])


def test_variables_in_public_attributes_lists_tuples_and_dicts_are_saved_in_order() -> None:
    shared = pt.Variable(1.0)
    box = Box(
        w=pt.Variable(0.0), sizes=[1, 2], child=Box(b=pt.Variable(1.0)), layers=[Box(w=pt.Variable(2.0)), 7, shared],
        table={"x": pt.Variable(3.0), 5: (pt.Variable(4.0),)}, value=pt.asarray(1.0), label="text", _hidden=shared,
    )  # fmt: skip
    assert keys(box=box) == [
        "box/w", "box/child/b", "box/layers/2", "box/table/x", "box/layers/0/w", "box/table/5/0",
    ]  # fmt: skip


def test_a_shared_object_is_saved_once_under_its_shortest_path_and_cycles_end() -> None:
    inner = Box(w=pt.Variable(1.0))
    box = Box(deep=Box(deeper=inner), short=inner)
    inner.back = box
    loop: list[object] = [inner]
    loop.append(loop)
    box.loop = loop
    assert keys(box=box) == ["box/short/w"]


def test_the_keys_of_a_dict_cannot_be_mistaken_for_paths() -> None:
    box = Box(t={"a/b": pt.Variable(1.0), "a~1b": pt.Variable(2.0), "a": {"b": pt.Variable(3.0)}})
    assert sorted(keys(box=box)) == ["box/t/a/b", "box/t/a~01b", "box/t/a~1b"]


@pytest.mark.parametrize("table", [{1: pt.Variable(1.0), "1": pt.Variable(2.0)}, {(1, 2): pt.Variable(1.0)}])
def test_a_dict_with_an_invalid_key_is_rejected(table: dict[object, object]) -> None:
    with pytest.raises(CheckpointError, match="cannot name the entry"):
        keys(box=Box(t=table))


def saved(folder: Path) -> str:
    """A checkpoint of a box with w = 1, child.b = 2, layers[0] = 3, table['x'] = 4."""
    box = Box(
        w=pt.Variable(1.0), child=Box(b=pt.Variable(2.0)), layers=[pt.Variable(3.0)], table={"x": pt.Variable(4.0)}
    )
    return pt.Checkpoint(box=box).write(folder / "box.safetensors")


def test_an_attribute_assigned_after_a_restore_is_restored_on_assignment(tmp_path: Path) -> None:
    box = Box()
    status = pt.Checkpoint(box=box).restore(saved(tmp_path))
    assert status.matched == ()
    box.w = pt.Variable(0.0)
    assert float(box.w) == 1.0
    box.child = Box()
    box.child.b = pt.Variable(0.0)
    assert float(box.child.b) == 2.0
    box.layers = [pt.Variable(0.0)]
    assert status.unmatched == ("box/table/x",)
    with pytest.raises(CheckpointError, match="none for 'box/table/x'"):
        status.assert_consumed()
    box.table = {"x": pt.Variable(0.0), "y": pt.Variable(9.0)}
    assert [float(x) for x in (box.layers[0], box.table["x"], box.table["y"])] == [3.0, 4.0, 9.0]
    assert status.matched == ("box/child/b", "box/layers/0", "box/table/x", "box/w")
    with pytest.raises(CheckpointError, match="none for 'box/table/y'"):
        status.assert_consumed()
    del box.table["y"]
    assert status.assert_consumed() is status


def test_an_object_built_elsewhere_is_restored_when_it_is_attached(tmp_path: Path) -> None:
    checkpoint = pt.Checkpoint()
    checkpoint.restore(saved(tmp_path))
    box = Box(w=pt.Variable(0.0))
    checkpoint.box = box
    assert float(box.w) == 1.0


def test_a_variable_that_replaces_a_restored_one_keeps_its_value(tmp_path: Path) -> None:
    box = Box(w=pt.Variable(0.0))
    pt.Checkpoint(box=box).restore(saved(tmp_path))
    box.w = pt.Variable(7.0)
    assert float(box.w) == 7.0


def test_a_variable_that_does_not_fit_the_checkpoint_is_not_assigned(tmp_path: Path) -> None:
    box = Box()
    path = saved(tmp_path)
    pt.Checkpoint(box=box).restore(path)
    with pytest.raises(
        CheckpointError,
        match=r"'box/w' has a different shape or dtype.\n  expected: float32\[2\].*\n  got: float32\[\]",
    ):
        box.w = pt.Variable([0.0, 0.0])
    assert not hasattr(box, "w")


def test_an_entry_added_to_a_list_after_a_restore_is_restored_by_the_next_one(tmp_path: Path) -> None:
    box = Box(layers=[])
    checkpoint = pt.Checkpoint(box=box)
    status = checkpoint.restore(saved(tmp_path))
    box.layers.append(pt.Variable(0.0))
    assert "box/layers/0" in status.unmatched
    checkpoint.restore(status.path)
    assert float(box.layers[0]) == 3.0


def test_a_later_assignment_uses_the_newest_restore(tmp_path: Path) -> None:
    older = saved(tmp_path)
    newer = pt.Checkpoint(box=Box(w=pt.Variable(10.0), v=pt.Variable(20.0))).write(tmp_path / "newer.safetensors")
    box = Box()
    checkpoint = pt.Checkpoint(box=box)
    checkpoint.restore(older)
    checkpoint.restore(newer)
    box.w = pt.Variable(0.0)
    assert float(box.w) == 10.0


def test_a_copy_of_a_partly_restored_object_restores_nothing(tmp_path: Path) -> None:
    box = Box(child=Box())
    pt.Checkpoint(box=box).restore(saved(tmp_path))
    duplicate = copy.deepcopy(box)
    duplicate.w = pt.Variable(0.0)
    assert float(duplicate.w) == 0.0
    box.w = pt.Variable(0.0)
    assert float(box.w) == 1.0


def test_a_complete_restoration_leaves_nothing_pending(tmp_path: Path) -> None:
    box = Box(w=pt.Variable(0.0), child=Box(), layers=[pt.Variable(0.0)], table={"x": pt.Variable(0.0)})
    status = pt.Checkpoint(box=box).restore(saved(tmp_path))
    assert "_pending_restoration" in vars(box) and "_pending_restoration" in vars(box.child)
    box.child.b = pt.Variable(0.0)
    assert "_pending_restoration" not in vars(box) and "_pending_restoration" not in vars(box.child)
    status.assert_consumed()
