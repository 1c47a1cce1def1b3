"""The result of a restore warns of objects that do not fit the file; the checks are tested with restoring."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.errors import PolytapeWarning


@pytest.fixture
def path(tmp_path: Path) -> str:
    return pt.Checkpoint(w=pt.Variable(1.0), step=pt.Variable(2)).write(tmp_path / "a.safetensors")


def dropped(restore: Callable[[], Any]) -> list[str]:
    """The warnings of a restore whose result is dropped."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        restore()
        gc.collect()
    assert all(warning.category is PolytapeWarning and warning.filename == __file__ for warning in found)
    return [str(warning.message) for warning in found]


def test_objects_with_other_names_get_a_warning(path: str) -> None:
    other = pt.Checkpoint(weight=pt.Variable(0.0), step=pt.Variable(0))
    (text,) = dropped(lambda: other.restore(path))
    assert "found no variable for 'w', and no tensor for the variables 'weight'. If this is intended, call exp" in text
    (text,) = dropped(lambda: pt.Checkpoint(v=pt.Variable(0.0)).restore(path))
    assert "found no variable for 'step', 'w', and no tensor for the variables 'v'" in text


@pytest.mark.parametrize("ask", ["expect_partial", "matched", "unmatched", "__repr__"])
def test_a_program_that_asks_what_matched_gets_none(path: str, ask: str) -> None:
    def restore() -> None:
        value = getattr(pt.Checkpoint(v=pt.Variable(0.0)).restore(path), ask)
        if callable(value):
            value()

    assert dropped(restore) == []


def test_a_part_of_a_file_and_objects_that_have_more_get_none(path: str) -> None:
    assert dropped(lambda: pt.Checkpoint(w=pt.Variable(0.0)).restore(path)) == []
    more = pt.Checkpoint(w=pt.Variable(0.0), step=pt.Variable(0), new=pt.Variable(0.0))
    assert dropped(lambda: more.restore(path)) == []
    assert dropped(lambda: more.restore(None)) == []


def test_objects_that_have_no_variables_yet_get_none(path: str, tmp_path: Path) -> None:
    model = pt.nn.Sequential(pt.nn.Dense(2))
    model(pt.ones((1, 3)))
    saved = pt.Checkpoint(model=model).write(tmp_path / "model.safetensors")
    later = pt.nn.Sequential(pt.nn.Dense(2))
    assert dropped(lambda: pt.Checkpoint(model=later).restore(saved)) == []
    assert (later(pt.ones((1, 3))) == model(pt.ones((1, 3)))).all()

    def restore() -> None:  # and these are made before the result is dropped
        root = pt.Trackable()
        status = pt.Checkpoint(root=root, other=pt.Variable(0.0)).restore(nested)
        root.w = pt.Variable(0.0)  # type: ignore[attr-defined]  # a bare trackable takes any attribute
        assert status.path == nested

    root = pt.Trackable()
    root.w = pt.Variable(3.0)  # type: ignore[attr-defined]  # the same
    nested = pt.Checkpoint(root=root).write(tmp_path / "nested.safetensors")
    assert dropped(restore) == []
