"""Collecting and pairing many children at once finds what visiting them one by one finds."""

from __future__ import annotations

import tempfile
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

import polytape as pt
from polytape.checkpoint import collecting, restoring
from polytape.checkpoint.objects import METADATA_KEY, collect, graph_of, graph_text
from polytape.errors import CheckpointError

NAMES = st.text(alphabet='ab~/"\\é\n_1', min_size=1, max_size=3)
MANY = 10**9


class Holder(pt.Trackable):
    """An object with the attributes that a test gives it."""


@st.composite
def trees(draw: st.DrawFn) -> Holder:
    """Objects that hold variables, lists, dicts and each other; some are shared, some hold no variable."""
    shared: list[Any] = [pt.Variable(float(number)) for number in range(draw(st.integers(1, 4)))]

    def node(level: int) -> Any:
        kind = draw(st.integers(0, 7 if level < 3 else 2))
        if kind <= 1:
            return pt.Variable(float(draw(st.integers(0, 100))))
        if kind == 2:
            return draw(st.sampled_from([3, "text", *shared]))
        if kind == 3:
            value: Any = Holder()
            for name in draw(st.lists(NAMES, max_size=3, unique=True)):
                setattr(value, name, node(level + 1))
        elif kind == 4:
            value = {name: node(level + 1) for name in draw(st.lists(NAMES, max_size=5, unique=True))}
        else:
            cls: Any = (list, tuple, deque)[kind - 5]
            value = cls([node(level + 1) for _ in range(draw(st.integers(0, 4)))])
        shared.append(value)
        return value

    root = Holder()
    root.first, root.second = node(0), node(0)  # type: ignore[attr-defined]  # it takes any attribute
    return root


def collected(root: Holder, few: int) -> tuple[str, list[int]] | str:
    """The object graph and the variables, or the error; lists of more than ``few`` variables are visited at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "_FEW", few)
        try:
            graph, variables = collect(root)
        except CheckpointError as error:
            return str(error)
    assert [*variables] == [tensor for tensor in graph.tensors if tensor]
    return graph_text(graph), [id(variable) for variable in variables.values()]


@settings(max_examples=100, deadline=None)
@given(trees())
def test_many_variables_at_once_give_the_same_graph(root: Holder) -> None:
    assert collected(root, 0) == collected(root, MANY)


@settings(max_examples=60, deadline=None)
@given(trees())
def test_the_text_of_a_graph_is_parsed_to_the_same_graph(root: Holder) -> None:
    graph, variables = collect(root)
    assume(variables)
    parsed = graph_of("file", {METADATA_KEY: graph_text(graph)}, [*variables])
    assert parsed.tensors == graph.tensors
    assert graph_text(parsed) == graph_text(graph)


def restored(root: Holder, path: str, few: int) -> list[float]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoring, "_FEW", few)
        variables = [*collect(root)[1].values()]
        for variable in variables:
            variable.assign(-1.0)
        pt.Checkpoint(root=root).restore(path).expect_partial()
    return [float(variable) for variable in variables]


@settings(max_examples=40, deadline=None)
@given(trees(), trees())
def test_many_variables_at_once_get_the_same_values(root: Holder, other: Holder) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pt.Checkpoint(root=root).write(Path(folder, "a.safetensors"))
        values = [float(variable) for variable in collect(root)[1].values()]
        assert restored(root, path, 0) == values
        assert restored(other, path, 0) == restored(other, path, MANY)


@settings(max_examples=20, deadline=None)
@given(trees(), st.data())
def test_each_save_has_the_state_of_that_moment_however_the_objects_changed(root: Holder, data: st.DataObject) -> None:
    checkpoint = pt.Checkpoint(root=root)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(4):
            for variable in collect(root)[1].values():
                variable.assign(float(data.draw(st.integers(0, 100))))
            path = checkpoint.write(Path(folder, f"{number}.safetensors"))
            values = [float(variable) for variable in collect(root)[1].values()]
            assert restored(root, path, collecting._FEW) == values
            name = data.draw(st.sampled_from(["first", "second", "third"]))
            setattr(root, name, data.draw(trees()).first)  # type: ignore[attr-defined]  # trees have it
            if type(held := getattr(root, name)) is list:
                held.append(pt.Variable(1.0))


def test_a_thousand_variables_in_lists_and_dicts_are_saved_and_restored(tmp_path: Path) -> None:
    count = 1000
    variables = [pt.Variable([float(number)]) for number in range(count)]
    model = {f"layer{number}/kernel": variable for number, variable in enumerate(variables)}
    checkpoint = pt.Checkpoint(model=model, again=variables[: count // 2], rest=[*variables])
    path = checkpoint.write(tmp_path / "a.safetensors")
    for variable in variables:
        variable.assign([-1.0])
    pt.Checkpoint(model=model).restore(path).assert_existing_objects_matched()
    assert [variable.tolist() for variable in variables] == [[float(number)] for number in range(count)]
