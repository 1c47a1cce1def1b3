"""The object graph: written as text, read from text, and derived from names if there is no text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.checkpoint.objects import METADATA_KEY, collect, graph_of, graph_text
from polytape.errors import CheckpointError


class Model(pt.Trackable):
    """One variable under two names, and a reference to itself."""

    def __init__(self) -> None:
        self.w = pt.Variable([1.0, 2.0])
        self.same = self.w
        self.me = self


def test_the_text_is_the_one_in_the_module_docstring() -> None:
    w, optimizer = pt.Variable([1.0]), pt.optim.Adam(0.1)
    optimizer.apply_gradients([(pt.asarray([1.0]), w)])
    model = pt.Trackable()
    model.w = w  # type: ignore[attr-defined]  # a bare trackable takes any attribute
    nodes, variables = collect(pt.Checkpoint(model=model, optimizer=optimizer))
    assert json.loads(graph_text(nodes)) == {
        "format": 1,
        "nodes": [
            {"children": {"model": 1, "optimizer": 2}},
            {"children": {"w": 3}},
            {"children": {"step": 4}, "slots": [{"of": 3, "slots": {"m": 5, "v": 6}}]},
            {"tensor": "model/w"},
            {"tensor": "optimizer/step"},
            {"tensor": "optimizer/slots/model/w/m"},
            {"tensor": "optimizer/slots/model/w/v"},
        ],
    }
    assert list(variables) == ["model/w", "optimizer/step", "optimizer/slots/model/w/m", "optimizer/slots/model/w/v"]
    parsed = graph_of("file", {METADATA_KEY: graph_text(nodes)}, list(variables))
    assert graph_text(parsed) == graph_text(nodes)


def test_slots_of_a_variable_that_is_not_saved_are_rejected() -> None:
    w, optimizer = pt.Variable([1.0], name="weight"), pt.optim.Adam(0.1)
    optimizer.apply_gradients([(pt.asarray([1.0]), w)])
    with pytest.raises(CheckpointError, match="Adam has state for the variable weight"):
        collect(pt.Checkpoint(optimizer=optimizer))


def test_the_safetensors_library_can_open_the_file(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    path = pt.Checkpoint(model=Model()).write(tmp_path / "a.safetensors")
    tensors = safetensors.load_file(path)
    assert list(tensors) == ["model/w"]
    np.testing.assert_array_equal(tensors["model/w"], np.asarray([1.0, 2.0], "float32"))


def test_a_file_without_an_object_graph_is_restored_by_its_names(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    path = str(tmp_path / "foreign.safetensors")
    safetensors.save_file({"model/w": np.asarray([5.0, 6.0], "float32"), "other": np.zeros(2)}, path)
    model = Model()
    status = pt.Checkpoint(model=model).restore(path)
    assert model.w.tolist() == [5.0, 6.0]
    assert status.unmatched == ("other",)


def with_graph(folder: Path, graph: Any) -> str:
    path = str(folder / "made.safetensors")
    text = graph if isinstance(graph, str) else json.dumps(graph)
    write_tensors(path, {"w": np.zeros(2, "float32")}, {METADATA_KEY: text})
    return path


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "is not a JSON object"),
        ({"format": 2, "nodes": [{}]}, "written by a newer polytape"),
        ({"format": 1, "nodes": []}, "list nodes"),
        ({"format": 1}, "NoneType nodes"),
        ({"format": 1, "nodes": ["x"]}, "the node 'x'"),
        ({"format": 1, "nodes": [{"tensor": "missing"}]}, "'missing', which is not in the file"),
        ({"format": 1, "nodes": [{"tensor": 3}]}, "a node refers to the tensor 3"),
        ({"format": 1, "nodes": [{"children": {"w": 1}}]}, "1 is not a valid index among 1 nodes"),
        ({"format": 1, "nodes": [{"children": {"w": -1}}]}, "-1 is not a valid index"),
        ({"format": 1, "nodes": [{"children": {"w": True}}]}, "True is not a valid index"),
        ({"format": 1, "nodes": [{"children": [0]}]}, "not a mapping"),
        ({"format": 1, "nodes": [{"slots": {}}]}, "the slots"),
        ({"format": 1, "nodes": [{"slots": [3]}]}, "the slots 3"),
        ({"format": 1, "nodes": [{"slots": [{"of": 0}]}]}, "not a mapping"),
        ({"format": 1, "nodes": [{"children": {"w": 1, "v": 2}}, {"tensor": "w"}, {"tensor": "w"}]}, "two nodes"),
    ],
)
def test_a_damaged_graph_is_rejected_and_leaves_the_objects_unchanged(tmp_path: Path, graph: Any, reason: str) -> None:
    w = pt.Variable([1.0, 2.0])
    with pytest.raises(CheckpointError, match=reason) as caught:
        pt.Checkpoint(w=w).restore(with_graph(tmp_path, graph))
    assert "made.safetensors" in str(caught.value)
    assert w.tolist() == [1.0, 2.0]


def test_a_graph_with_cycles_and_shared_nodes_is_restored_once(tmp_path: Path) -> None:
    graph = {"format": 1, "nodes": [{"children": {"w": 1, "again": 0}}, {"tensor": "w"}]}
    w = pt.Variable([1.0, 2.0])
    checkpoint = pt.Checkpoint(w=w)
    checkpoint.again = checkpoint
    checkpoint.restore(with_graph(tmp_path, graph)).assert_consumed()
    assert w.tolist() == [0.0, 0.0]


def test_a_container_in_place_of_a_tensor_is_left_unmatched(tmp_path: Path) -> None:
    path = pt.Checkpoint(w=pt.Variable(1.0), box=[pt.Variable(2.0)]).write(tmp_path / "a.safetensors")
    status = pt.Checkpoint(w=[pt.Variable(0.0)], box=pt.Variable(0.0)).restore(path)
    assert status.matched == () and status.unmatched == ("box/0", "w")


def test_two_thousand_nested_objects_do_not_exceed_the_recursion_limit(tmp_path: Path) -> None:
    root = pt.Trackable()
    chain = root
    for _ in range(2000):
        chain.next = pt.Trackable()  # type: ignore[attr-defined]  # a bare trackable takes any attribute
        chain = chain.next  # type: ignore[attr-defined]  # the same
    chain.w = pt.Variable(1.0)  # type: ignore[attr-defined]  # the same
    path = pt.Checkpoint(root=root).write(tmp_path / "deep.safetensors")
    chain.w.assign(0.0)  # type: ignore[attr-defined]  # the same
    pt.Checkpoint(root=root).restore(path).assert_consumed()
    assert float(chain.w) == 1.0  # type: ignore[attr-defined]  # the same
    with open_tensors(path) as file:
        assert len(file.names) == 1


def test_a_remembered_object_graph_serves_only_files_with_the_same_tensors() -> None:
    graph = {"format": 1, "nodes": [{"children": {"a": 1, "b": 2}}, {"tensor": "a"}, {"tensor": "b"}]}
    text = json.dumps(graph)
    first, again = (graph_of("file", {METADATA_KEY: text}, ["a", "b"]) for _ in range(2))
    assert again is first
    assert graph_of("file", {METADATA_KEY: text}, ["a", "b", "c"]).tensors == first.tensors
    with pytest.raises(CheckpointError, match="refers to the tensor 'b', which is not in the file"):
        graph_of("file", {METADATA_KEY: text}, ["a"])
    wrong = text.replace('"b"}', '"a"}')
    with pytest.raises(CheckpointError, match="two nodes refer to the tensor 'a'"):
        graph_of("file", {METADATA_KEY: wrong}, ["a", "b"])
