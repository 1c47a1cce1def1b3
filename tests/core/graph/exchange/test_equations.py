"""Equations with regions in a file: they run with the same bits in another process, and forged ones are errors."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import polytape as pt
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.control.branching import Branches
from polytape.errors import CheckpointError, PolytapeError, TraceError
from polytape.graph.exchange.parsing import KEY

Child = Callable[..., "CompletedProcess[str]"]
X = np.asarray([[1.0, 2.0], [3.0, -9.0], [2.0, 0.5]], "float32")
C = pt.asarray([0.5, 2.0])


def branch(x: Any, w: Any, generator: Any) -> Any:
    return pt.cond(pt.sum(x) > 0, lambda x: pt.linalg.qr(x * w), lambda x: pt.linalg.qr(x + w), x)


def loop(x: Any, w: Any, generator: Any) -> Any:
    return pt.while_loop(lambda s: pt.sum(s) < 50.0, lambda s: s + pt.exp(w) + C, x, maximum_iterations=40)


def unbounded(x: Any, w: Any, generator: Any) -> Any:
    steps = pt.while_loop(lambda s: s[0] < 9, lambda s: (s[0] * 2, s[1] + 1), (pt.astype(x[0, 0], "int32"), 0))[1]
    return x * w, steps


def backwards(x: Any, w: Any, generator: Any) -> Any:
    return pt.scan(lambda carry, row: (carry * w + row, (row, pt.sin(carry))), C, x, reverse=True)


def mapped(x: Any, w: Any, generator: Any) -> Any:
    return pt.map(lambda row: row * w + pt.random.normal((2,), generator=generator), x)


def counted(x: Any, w: Any, generator: Any) -> Any:
    return pt.fori_loop(0, 3, lambda i, total: total * x[i] + pt.arange(2, dtype="float32"), w)


def assigning(x: Any, w: Any, generator: Any) -> Any:
    """A branch in a branch in a loop, which assigns and draws random numbers."""

    def step(carry: Any, row: Any) -> Any:
        w.assign(w * 0.5 + row)
        noise = pt.cond(
            carry[0] > 0,
            lambda: pt.cond(row[1] > 0, lambda: pt.random.normal((2,), generator=generator), lambda: w * C),
            lambda: C,
        )
        return carry + noise, pt.while_loop(lambda s: pt.sum(s) < 5.0, lambda s: s + 1.5 + pt.abs(w), row, 9)

    return *pt.scan(step, pt.zeros((2,)), x), pt.random.uniform((2,), generator=generator)


def training(x: Any, w: Any, generator: Any) -> Any:
    """A gradient inside a loop, whose backward pass is a loop too."""

    def step(_: Any, row: Any) -> Any:
        with pt.GradientTape() as tape:
            total, _ = pt.scan(lambda carry, y: (carry + y * pt.sum(pt.square(w * row)), None), 0.0, row)
        (gradient,) = tape.gradient(total, [w])
        w.assign_sub(0.01 * gradient)
        return None, total

    return pt.scan(step, None, x)[1]


@pt.custom_gradient
def doubled(x: Any, y: Any) -> Any:
    return x * y, lambda g: (2.0 * g * y, None)


def by_hand(x: Any, w: Any, generator: Any) -> Any:
    return pt.scan(lambda carry, row: (doubled(carry, row) + w, carry), w, x)


PROGRAMS = [branch, loop, unbounded, backwards, mapped, counted, assigning, training, by_hand]

# Two calls and two gradients, so that what a call leaves behind matters. Another process runs this code too.
OUTCOME = """
import polytape as pt


def tensors(results):
    if isinstance(results, (list, tuple)):
        return [y for x in results for y in tensors(x)]
    return [] if results is None else [results]


def outcome(f, x, w):
    found = []
    for _ in range(2):
        found += tensors(f(x))
        with pt.GradientTape() as tape:
            tape.watch(x)
            floats = [y for y in tensors(f(x)) if y.dtype is pt.float32]
            total = pt.sum(pt.concat([pt.reshape(pt.sin(y), (-1,)) for y in floats]))
        found += tensors(tape.gradient(total, [x, w]))
    return [[x.dtype.name, list(x.shape), x.numpy().tobytes().hex()] for x in [*found, w.read_value()]]
"""
CHILD = """
import json, pathlib, sys
import numpy as np

paths = sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors"))
for path in paths:
    text, expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    loaded = pt.load_graph(path)
    assert str(loaded.graph) == text, path
    x = pt.asarray(np.load(path.parent / "x.npy"))
    (w,) = [variable for variable in loaded.variables if variable.name == "w"]
    assert outcome(loaded, x, w) == expected, path
print(len(paths))
"""


def exported(program: Any, path: Path) -> tuple[Any, Any]:
    """A program as a traced function that is exported, and its variable."""
    w, generator = pt.Variable([0.5, -1.5], name="w"), pt.random.Generator(7)
    f = pt.function(lambda x: program(x, w, generator))
    f.export(path, pt.asarray(X))
    return f, w


def test_control_flow_runs_in_another_process_with_the_same_bits_and_gradients(child: Child, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    scope: dict[str, Any] = {}
    exec(OUTCOME, scope)
    for program in PROGRAMS:
        path = tmp_path / f"{program.__name__}.safetensors"
        f, w = exported(program, path)
        expected = [str(f.graph(pt.asarray(X))), scope["outcome"](f, pt.asarray(X), w)]
        path.with_suffix(".json").write_text(json.dumps(expected), encoding="utf-8")
    assert int(child(["-c", OUTCOME + CHILD, str(tmp_path)]).stdout) == len(PROGRAMS)


@pytest.mark.parametrize("program", [assigning, training, backwards])
def test_control_flow_runs_on_another_backend(program: Any, tmp_path: Path) -> None:
    f, _ = exported(program, tmp_path / "graph")
    loaded = pt.load_graph(tmp_path / "graph", device="numba")
    for _ in range(2):
        for got, expected in zip(loaded(X), f(pt.asarray(X)), strict=True):
            pairs = zip(got, expected, strict=True) if isinstance(got, tuple) else [(got, expected)]
            for a, b in pairs:
                assert a.device.backend == "numba"
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


class Own(Branches):
    """A kind of equation that a file cannot have."""


def test_another_kind_of_regions_has_no_form_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("polytape.control.branching.Branches", Own)
    with pytest.raises(TraceError, match=r"because of cond, an equation with regions of its own \(test_equations"):
        exported(branch, tmp_path / "graph")


def test_a_loaded_loop_runs_in_other_transformations(tmp_path: Path) -> None:
    f, _ = exported(backwards, tmp_path / "graph")
    loaded, again = pt.load_graph(tmp_path / "graph"), tmp_path / "again"
    pt.function(lambda x: loaded(x)).export(again, pt.asarray(X))
    expected = f(pt.asarray(X))[1][1].numpy().tobytes()
    assert pt.load_graph(again)(X)[1][1].numpy().tobytes() == expected
    batch = pt.vmap(loaded)(pt.asarray(np.stack([X, -X])))[1][1]
    for row, x in zip(batch, (X, -X), strict=True):
        np.testing.assert_allclose(row.numpy(), f(pt.asarray(x))[1][1].numpy(), rtol=1e-6)


# --- forged files -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    path = tmp_path_factory.mktemp("graph") / "graph"

    def program(x: Any, w: Any, generator: Any) -> Any:
        first = by_hand(x, w, generator)
        return first, loop(x, w, generator), assigning(x, w, generator)

    exported(program, path)
    with open_tensors(str(path)) as file:
        return {name: file.read(name) for name in file.names}, json.loads(file.metadata[KEY])


def equations(graph: Any) -> list[Any]:
    """All equations with regions, inner ones too."""
    found = [x for x in graph["equations"] if "regions" in x]
    return found + [y for x in found for region in x["regions"] for y in equations(region)]


def named(graph: Any, op: str) -> Any:
    return next(x for x in equations(graph) if x["op"] == op)


FAULTS: list[tuple[str, Callable[[Any], Any], str]] = [
    (
        "scan",
        lambda e: e.update(op="eval"),
        r"op is not valid.\n  expected: an op with regions: assigned, cond, custom_",
    ),
    ("scan", lambda e: e.update(op="add"), r"op is not valid.\n  expected: an op with regions"),
    ("scan", lambda e: e["attributes"].update(carries=9), r"\(scan\) is not valid.\n.*that belong together"),
    ("scan", lambda e: e["attributes"].update(length=-1), r"that belong together"),
    ("scan", lambda e: e["attributes"].update(length=4), r"expected: float32\[4,2\] on numpy:cpu:0, a row per step"),
    ("scan", lambda e: e["attributes"].update(length=True), r"attribute length is not valid.\n  expected: int\n"),
    ("scan", lambda e: e["attributes"].update(more=1), r"attributes is not valid.\n  expected: carries, rows, length"),
    ("scan", lambda e: e["regions"].clear(), r"regions is not valid.\n  expected: 1 regions\n  got: 0 regions"),
    (
        "scan",
        lambda e: e["operands"].__setitem__(0, None),
        r"operand 0 is not valid.\n  expected: a symbol or a number",
    ),
    ("scan", lambda e: e["regions"][0].update(name="a\0"), r"region 0, name.*\n  expected: printable"),
    ("scan", lambda e: e["regions"][0].pop("name"), r"region 0 is not valid.\n  expected: an object with the keys"),
    ("scan", lambda e: e["regions"][0]["outputs"].pop(), r"expected: \d+ arguments and \d outputs, by its equation"),
    (
        "scan",
        lambda e: e["regions"][0]["outputs"].__setitem__(0, 999),
        r"region 0, output 0.*\n.*the number of a symbol",
    ),
    (
        "scan",
        lambda e: e["regions"][0]["arguments"][-1].update(shape=[1]),
        r"argument \d+ of region 0.*\n.*, as operand \d+",
    ),
    (
        "scan",
        lambda e: e["regions"][0]["equations"][0]["operands"].__setitem__(0, 99),
        r"region 0, equation 0 .*operand",
    ),
    ("scan", lambda e: e["regions"][0]["constants"].append("no"), r"it has no tensor 'no'|the op's rules|not valid"),
    ("while_loop", lambda e: e["attributes"].update(limit=-1), r"that belong together"),
    ("while_loop", lambda e: e["attributes"].update(limit="3"), r"expected: int or NoneType"),
    ("while_loop", lambda e: e["regions"].reverse(), r"arguments and \d outputs|output 0 of region|bool\[\]"),
    ("while_loop", lambda e: e["regions"][0]["outputs"].__setitem__(0, 0), r"output 0 of region 0.*\n  expected: bool"),
    (
        "cond",
        lambda e: e["operands"].__setitem__(0, e["operands"][1]),
        r"operand 0 is not valid.\n  expected: bool\[\]",
    ),
    ("cond", lambda e: e["operands"].pop(), r"expected: \d arguments and \d outputs"),
    ("cond", lambda e: e["outputs"][0].update(dtype="float64"), r"output 0 of region 0.*\n.*float64\[2\].*as result 0"),
    ("cond", lambda e: e.update(outputs=[]), r"that belong together\n  got: \d operands, 0 outputs"),
    ("custom_gradient", lambda e: e["attributes"].update(connected=[5]), r"that belong together"),
    ("custom_gradient", lambda e: e["attributes"].update(inputs=99), r"that belong together"),
    ("custom_gradient", lambda e: e["attributes"].update(connected=[[0]]), r"that belong together"),
    ("assigned", lambda e: e["operands"].append(0), r"that belong together"),
]


def forge(tmp_path: Path, arrays: Any, graph: Any) -> Path:
    forged = tmp_path / "forged"
    write_tensors(str(forged), arrays, {KEY: json.dumps(graph)})
    return forged


@pytest.mark.parametrize(("op", "change", "text"), FAULTS)
def test_an_error_names_the_place_in_a_region(contents: Any, tmp_path: Path, op: str, change: Any, text: str) -> None:
    arrays, graph = contents[0], copy.deepcopy(contents[1])
    change(named(graph, op))
    with pytest.raises(CheckpointError, match=text):
        pt.load_graph(forge(tmp_path, arrays, graph))


def places(node: Any) -> list[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [pair for key, value in pairs for pair in [(node, key), *places(value)]]


def test_a_forged_region_loads_or_is_a_polytape_error(contents: Any, tmp_path: Path) -> None:
    arrays, graph = contents
    outcomes = {"loaded": 0, "rejected": 0}
    known = places(graph["equations"])
    values = st.none() | st.booleans() | st.integers(-2, 12) | st.just(2**70) | st.floats() | st.just([]) | st.just({})
    values |= st.sampled_from([container[key] for container, key in known])

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        changed = copy.deepcopy(graph)
        container, key = data.draw(st.sampled_from(places(changed["equations"])))
        if data.draw(st.booleans()):
            container[key] = copy.deepcopy(data.draw(values))
        else:
            del container[key]
        try:
            str(pt.load_graph(forge(tmp_path, arrays, changed)).graph)
            outcomes["loaded"] += 1
        except PolytapeError as error:
            outcomes["rejected"] += 1
            assert len(str(error)) < 3000

    check()
    assert outcomes["rejected"] > 75


def test_regions_that_are_nested_too_deeply_are_an_error(contents: Any, tmp_path: Path) -> None:
    arrays, graph = contents[0], copy.deepcopy(contents[1])
    named(graph, "scan")["regions"][0]["equations"] = "HERE"
    level = {"op": "cond", "operands": [0], "attributes": {}, "outputs": [], "source": ["a", 1], "regions": "THERE"}
    text = json.dumps(level).replace('"THERE"', '[{"equations": ["DEEPER"]}]').split('"DEEPER"')
    deep = json.dumps(graph).replace('"HERE"', "[" + text[0] * 20_000 + text[1] * 20_000 + "]")
    write_tensors(str(tmp_path / "forged"), arrays, {KEY: deep})
    with pytest.raises(CheckpointError, match=r"nested too deeply|is not valid"):
        pt.load_graph(tmp_path / "forged")
