"""Structures of tensors in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.checkpoint.format import write_tensors
from polytape.errors import CheckpointError, DTypeError

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats(), st.complex_numbers(allow_nan=False)
)
LEAVES = st.one_of(SCALARS, st.builds(lambda n: np.arange(n, dtype="float32"), st.integers(0, 3)))
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers(0, 3)), inner, max_size=3),
    ),
    max_leaves=10,
)


def same(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray):
        return isinstance(y, pt.Tensor) and y.numpy().tobytes() == x.tobytes() and y.shape == x.shape
    if type(x) is not type(y):
        return False
    if isinstance(x, dict):
        return list(x) == list(y) and all(same(x[key], y[key]) for key in x)
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(same, x, y))
    return bool(x == y or (x != x and y != y))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STRUCTURES)
def test_what_is_saved_is_loaded(tmp_path: Path, structure: Any) -> None:
    path = tmp_path / "state.safetensors"
    pt.save(path, structure)
    assert same(structure, pt.load(path))


def test_variables_and_tensors_become_tensors_on_the_device(backend: str, tmp_path: Path) -> None:
    with pt.device(backend):
        pt.save(tmp_path / "x", [pt.Variable([1.0, 2.0]), pt.asarray([True]), pt.asarray(3, dtype="float16")])
    a, b, c = pt.load(tmp_path / "x", device=backend)
    assert type(a) is pt.Tensor and a.tolist() == [1.0, 2.0] and b.tolist() == [True]
    assert c.dtype == pt.float16 and c.device.backend == backend


def test_tensors_have_their_path_as_name_for_other_readers(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    pt.save(tmp_path / "x", {"layers": [{"w": pt.ones((2,))}], "layers.0": {"w": pt.zeros((1,))}})
    found = safetensors.load_file(tmp_path / "x")
    assert {name: array.tolist() for name, array in found.items()} == {"layers.0.w": [1.0, 1.0], "layers.0.w'": [0.0]}


def test_a_file_of_another_library_is_a_dict(tmp_path: Path) -> None:
    write_tensors(str(tmp_path / "x"), {"a": np.ones(2, "float32")}, {})
    assert pt.load(tmp_path / "x")["a"].tolist() == [1.0, 1.0]


class Point:
    """A type that JSON does not know."""


@pytest.mark.parametrize("bad", [Point(), {1.5: 2}, [{"a": Point()}], {("a",): 1}, {1, 2}])
def test_anything_else_is_refused_by_name(bad: Any, tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match=r"polytape.save cannot store (.|\n)*fix: "):
        pt.save(tmp_path / "x", bad)
    assert not list(tmp_path.iterdir())


def test_a_structure_that_contains_itself_is_refused(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(DTypeError, match="contains itself"):
        pt.save(tmp_path / "x", loop)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"tensor":"b"}', '{"list":3}', '{"dict":[[1]]}', '{"a":1,"b":2}', '{"float":"x"}']
)
def test_a_damaged_structure_is_an_error(text: str, tmp_path: Path) -> None:
    write_tensors(str(tmp_path / "x"), {"a": np.ones(2, "float32")}, {"polytape.structure": text})
    with pytest.raises(CheckpointError, match="its structure is not valid"):
        pt.load(tmp_path / "x")


def test_the_structure_is_plain_json(tmp_path: Path) -> None:
    pt.save(tmp_path / "x", {"a": [1, 2.5]})
    from polytape.checkpoint.format import open_tensors

    with open_tensors(str(tmp_path / "x")) as file:
        assert json.loads(file.metadata["polytape.structure"]) == {"dict": [["a", {"list": [1, {"float": "2.5"}]}]]}


def test_the_arguments_in_the_order_of_torch_save_are_an_error_that_says_so() -> None:
    with pytest.raises(DTypeError, match=r"save cannot write to a dict(.|\n)*fix: polytape.save\(path, structure\)"):
        pt.save({"w": pt.ones((2,))}, "w.safetensors")  # type: ignore[arg-type]  # the mistake
