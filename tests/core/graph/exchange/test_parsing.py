"""A damaged, forged or foreign file is a CheckpointError that names the file and the place, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.errors import CheckpointError, PolytapeError
from polytape.graph.exchange.parsing import KEY

SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with everything that a file can hold."""
    path = tmp_path_factory.mktemp("graph") / "graph.safetensors"
    w, count = pt.Variable([1.0, 2.0], name="w"), pt.Variable(0, dtype="int64", name="count")
    optimizer, generator = pt.optim.SGD(0.1), pt.random.Generator(1)

    @pt.function
    def step(x: Any, n: int = 3, *, rest: Any = None) -> Any:
        with pt.GradientTape() as tape:
            y = pt.sum(x[:, ::-1] * w + pt.asarray([1.0, float("nan")]) * (2.0 + n)) + float("inf")
        optimizer.apply_gradients([(tape.gradient(y, w), w)])
        count.assign(pt.astype(pt.argmax(x[0]), "int64"))
        q, r = pt.linalg.qr(x)
        return {"y": [y, pt.random.normal((2,), generator=generator), w], "q": (q, r, 1.5), 1: np.arange(3)}

    step.export(path, pt.ones((3, 2)), rest=[None, "a"])
    pt.load_graph(path)(pt.ones((3, 2)))
    return path


@pytest.fixture(scope="module")
def contents(path: Path) -> tuple[dict[str, Any], Any]:
    with open_tensors(str(path)) as file:
        return {name: file.read(name) for name in file.names}, json.loads(file.metadata[KEY])


def test_a_file_with_another_bit_or_another_length_is_an_error(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    damaged = tmp_path / "damaged"

    @settings(SETTINGS, max_examples=300)
    @given(position=st.integers(0, len(data) - 1), bit=st.integers(0, 7), cut=st.booleans())
    def check(position: int, bit: int, cut: bool) -> None:
        changed = bytearray(data[:position] if cut else data)
        if not cut:
            changed[position] ^= 1 << bit
        damaged.write_bytes(changed)
        with pytest.raises(CheckpointError, match="damaged"):
            pt.load_graph(damaged)

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**64) | st.floats() | st.text(max_size=3)
    | st.sampled_from(["add", "matmul", "float32", "nan", "x", "variables/w", "constants/0", "newaxis", "slice"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["tensor", "dict", "tuple", "float", "key", "dtype", "number", "value", "outputs", "op"]),
        inner,
        max_size=2,
    ),
    max_leaves=6,
)  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """All pairs of a container and a key in it."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [pair for key, value in pairs for pair in [(node, key), *places(value)]]


def test_a_forged_graph_loads_or_is_a_polytape_error(contents: Any, tmp_path: Path) -> None:
    tensors, node = contents
    forged = tmp_path / "forged"
    write_tensors(str(forged), tensors, {KEY: json.dumps(node)})
    assert pt.load_graph(forged).graph  # an unchanged one loads; of the changed ones, chance decides whether any does
    rejected = [0]

    @settings(SETTINGS, max_examples=200)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        changed = copy.deepcopy(node)
        for _ in range(data.draw(st.integers(1, 2))):
            container, key = data.draw(st.sampled_from(places(changed)))
            action = data.draw(st.sampled_from(["replace", "delete", "swap", "add"]))
            if action == "replace":
                container[key] = data.draw(JSON)
            elif action == "delete":
                del container[key]
            elif action == "swap":
                container[key] = copy.deepcopy(data.draw(st.sampled_from([c[k] for c, k in places(node)])))
            elif isinstance(container, list):
                container.append(data.draw(JSON))
            else:
                container[data.draw(st.text(max_size=3))] = data.draw(JSON)
        try:
            text = json.dumps(changed)
            text.encode()
            write_tensors(str(forged), tensors, {KEY: text})
        except (PolytapeError, UnicodeEncodeError):
            return
        try:
            str(pt.load_graph(forged).graph)
        except PolytapeError as error:
            rejected[0] += 1
            assert len(str(error)) < 3000

    check()
    assert rejected[0] > 100


FAULTS: list[tuple[Callable[[Any], Any], str]] = [
    (
        lambda g: g.update(format=2),
        r"format is not valid.\n  expected: format 1.*\n  got: 2\n  fix: install the",
    ),
    (lambda g: g.update(extra=1), r"the graph is not valid.\n  expected: the keys arguments, assignments"),
    (
        lambda g: g["equations"][0].update(op="ad"),
        r"equation 0, op is not valid.\n.*: an op, such as pad, add, or of",
    ),
    (lambda g: g["equations"][0].update(op="system"), r"equation 0, op is not valid.*\n.*or of an installed plugin"),
    (lambda g: g["equations"][0]["attributes"].update(no=1), r"equation 0 \(getitem\), attribute 'no'.*\n.*: key\n"),
    (lambda g: g["equations"][0]["attributes"].clear(), r"\(getitem\), attributes.*\n  expected: key, which has no"),
    (lambda g: g["equations"][0]["operands"].append(0), r"\(getitem\).*\n  expected: operands and attributes that"),
    (lambda g: g["equations"][0]["operands"].clear(), r"\(getitem\), operands.*\n  expected: 1 or more operands"),
    (lambda g: g["equations"][0]["operands"].__setitem__(0, 99), r"operand 0.*\n  expected: the number of a symbol"),
    (lambda g: g["equations"][0]["outputs"][0].update(dtype="float8"), r"dtype.*\n  expected: the name of a dtype"),
    (lambda g: g["equations"][0]["outputs"][0].update(shape=[7]), r"\n  expected: float32\[3,2\], by the op's rules"),
    (lambda g: g["outputs"].append(-1), r"output \d is not valid.\n  expected: the number of a symbol"),
    (lambda g: g["constants"].append("nothing"), r"it has no tensor 'nothing'"),
    (
        lambda g: g["assignments"][0].update(symbol=0),
        r"assignment to variable .*\n  expected: int64\[\] on numpy:cpu:0\n  got: float32\[3,2\] on numpy:cpu:0",
    ),
    (lambda g: g["results"].update(dict=[]), r"results is not valid.\n  expected: each of 4 tensors once"),
    (lambda g: g["parameters"].reverse(), r"parameters is not valid.\n  expected: the parameters of a Python function"),
    (lambda g: g.update(name="a\0b"), r"name is not valid.\n  expected: printable characters"),
]


@pytest.mark.parametrize(("change", "text"), FAULTS)
def test_an_error_names_the_place_and_what_is_expected(contents: Any, tmp_path: Path, change: Any, text: str) -> None:
    tensors, node = contents
    changed = copy.deepcopy(node)
    change(changed)
    forged = tmp_path / "forged.safetensors"
    write_tensors(str(forged), tensors, {KEY: json.dumps(changed)})
    with pytest.raises(CheckpointError, match=text) as caught:
        pt.load_graph(forged)
    assert "forged.safetensors' cannot be read: " in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": NaN}', "[" * 100_000, '{"format":1,"format":1}'])
def test_text_that_is_no_graph_is_an_error(tmp_path: Path, text: str) -> None:
    write_tensors(str(tmp_path / "forged"), {}, {KEY: text})
    with pytest.raises(CheckpointError, match="is not valid"):
        pt.load_graph(tmp_path / "forged")


def test_deep_structures_are_an_error(contents: Any, tmp_path: Path) -> None:
    tensors, node = contents
    text = json.dumps({**node, "results": 0}).replace('"results": 0', '"results": ' + '{"list": [' * 400 + "]}" * 400)
    write_tensors(str(tmp_path / "forged"), tensors, {KEY: text})
    with pytest.raises(CheckpointError, match=r"is not valid|nested too deeply"):
        pt.load_graph(tmp_path / "forged")
