"""Branches and loops of models: as control flow of a graph where that is possible, unrolled where it is not."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx: Any = pytest.importorskip("onnx", reason="models are read with the package onnx")
parser: Any = importlib.import_module("onnx.parser")
interop: Any = importlib.import_module("polytape.interop.onnx")

X = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")


def check(path: Path, outputs: Any, text: str, *inputs: Any) -> Any:
    """The model gives what another program gives, as a graph and node by node."""
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    path.write_bytes(model.SerializeToString())
    loaded = interop.load(path)
    expected = outputs(path, list(inputs))
    for call in (loaded, loaded.eager):
        results = call(*inputs)
        for result, wanted in zip(results if isinstance(results, tuple) else [results], expected, strict=True):
            assert result.dtype == wanted.dtype and result.shape == wanted.shape
            np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-5, atol=1e-6)
    return loaded


def regions(graph: Any) -> list[str]:
    return [e.op.name for e in graph.equations if e.regions is not None]


IF = """(bool c, float[4,3] x) => (float[m,3] y) {{ y = If (c) <
    then_branch = t () => (float[m,3] a) {{ {then} }},
    else_branch = e () => (float[m,3] b) {{ {other} }}> }}"""


@pytest.mark.parametrize("c", [True, False])
def test_an_if_is_a_cond_whose_branches_see_the_names_around_it(path: Path, outputs: Any, c: bool) -> None:
    text = IF.format(then="a = Tanh (x)", other="b = Identity (x)")
    model = check(path, outputs, text, np.asarray(c), X)
    assert regions(model.graph(np.asarray(c), X)) == ["cond"] and not model.static


def test_branches_with_different_shapes_make_the_condition_a_value_of_the_trace(path: Path, outputs: Any) -> None:
    text = IF.format(then="a = Tanh (x)", other="b = Concat <axis = 0> (x, x)")
    for c in (True, False):
        model = check(path, outputs, text, np.asarray(c), X)
        assert model.static == {"c"}


LOOP = """({inputs}) => (float[3] y{scan}) {{ {before}
    y{name} = Loop (m, c, h) <body = b (int64 i, bool go, float[3] s) => ({cond}, float[3] n{out}) {{
        f = Cast <to = 1> (i) d = Add (s, f) n = Mul (d, x) {body} }}> }}"""


def loop(**parts: str) -> str:
    given = {"inputs": "int64 m, float[3] h, float[3] x", "scan": "", "name": "", "out": "", "body": "", "before": "",
             "cond": "bool r"}  # fmt: skip
    given["before"] = "c = Constant <value = bool {1}> ()"
    return LOOP.format(**{**given, **parts})


H = np.asarray([1.0, 0.5, 0.25], "float32")


def test_a_loop_with_a_number_of_steps_is_a_scan_and_collects_its_outputs(path: Path, outputs: Any) -> None:
    text = loop(inputs="float[3] h, float[3] x", scan=", float[k,3] z", name=", z", out=", float[3] o",
                before="c = Constant <value = bool {1}> () m = Constant <value = int64 {4}> ()",
                body="o = Tanh (n) r = Identity (go)")  # fmt: skip
    model = check(path, outputs, text, H, H)
    assert regions(model.graph(H, H)) == ["scan"] and not model.static


def test_a_number_of_steps_that_is_an_input_is_read(path: Path, outputs: Any) -> None:
    text = loop(scan=", float[k,3] z", name=", z", out=", float[3] o", body="o = Tanh (n) r = Identity (go)")
    for m in (3, 1):
        model = check(path, outputs, text, np.asarray(m), H, H)
        assert model.static == {"m"}


def test_a_loop_with_a_condition_is_a_while_loop(path: Path, outputs: Any) -> None:
    body = "l = Constant <value = float {4.0}> () t = ReduceSum <keepdims = 0> (n) r = Less (t, l)"
    for m in (0, 2, 100):
        model = check(path, outputs, loop(body=body), np.asarray(m), H, H)
        assert regions(model.graph(np.asarray(m), H, H)) == ["while_loop"] and not model.static


def test_collected_outputs_of_a_condition_have_a_shape_of_values_and_run_without_a_graph(
    path: Path, outputs: Any
) -> None:
    body = "l = Constant <value = float {4.0}> () t = ReduceSum <keepdims = 0> (n) r = Less (t, l) o = Tanh (n)"
    text = loop(scan=", float[k,3] z", name=", z", out=", float[3] o", body=body)
    model = check(path, outputs, text, np.asarray(100), H, H)
    assert model.static == {"m", "h", "x"}


def test_a_state_that_grows_is_unrolled(path: Path, outputs: Any) -> None:
    text = """(float[3] x) => (float[n] y) {
        m = Constant <value = int64 {3}> () c = Constant <value = bool {1}> ()
        y = Loop (m, c, x) <body = b (int64 i, bool go, float[k] s) => (bool r, float[j] n) {
            n = Concat <axis = 0> (s, x) r = Identity (go) }> }"""
    model = check(path, outputs, text, H)
    assert regions(model.graph(H)) == [] and model(H).shape == (12,)


def test_constants_of_subgraphs_are_their_own(path: Path, outputs: Any) -> None:
    """Each branch has an initialiser of the same name, read again at each call."""
    text = IF.format(then="a = Mul (x, w)", other="b = Add (x, w)")
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    for k, value in enumerate((2.0, 5.0)):
        branch = model.graph.node[0].attribute[k].g
        branch.initializer.append(onnx.numpy_helper.from_array(np.asarray(value, "float32"), "w"))
    path.write_bytes(model.SerializeToString())
    loaded = interop.load(path)
    for _ in range(3):
        for call in (loaded, loaded.eager):
            np.testing.assert_array_equal(call(np.asarray(True), X).numpy(), 2.0 * X)
            np.testing.assert_array_equal(call(np.asarray(False), X).numpy(), X + 5.0)


SCAN = """(float[3] h, float[4,3] x, float[2,4] z) => (float[3] y, float[3,4] w, float[4,2] v) {{
    y, w, v = Scan <num_scan_inputs = 2, scan_input_axes = [0, 1], scan_output_axes = [1, 0]{ways},
        body = b (float[3] s, float[3] p, float[2] q) => (float[3] n, float[3] o, float[2] u) {{
            a = Add (s, p) n = Tanh (a) o = Sub (n, p) u = Exp (q) }}> (h, x, z) }}"""


@pytest.mark.parametrize(
    "ways",
    ["", ", scan_input_directions = [1, 1], scan_output_directions = [1, 1]", ", scan_input_directions = [0, 1]"],
)
def test_a_scan_along_axes_in_both_directions(path: Path, outputs: Any, runtime: bool, ways: str) -> None:
    text, z = SCAN.format(ways=ways), X[:2].repeat(2, axis=1)[:, :4].copy()
    if runtime:
        model = check(path, outputs, text, H, X, z)
    else:  # ONNX's evaluator has neither axes nor directions
        path.write_bytes(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}').SerializeToString())
        model = interop.load(path)
    assert regions(model.graph(H, X, z)) == ["scan"]
    order = range(4) if "scan_output" not in ways else range(3, -1, -1)
    state, rows = H, {}
    for k in order:
        state = np.tanh(state + X[k])
        rows[k] = state - X[k]
    for call in (model, model.eager):
        y, w, _ = call(H, X, z)
        np.testing.assert_allclose(y.numpy(), state, rtol=1e-5)
        np.testing.assert_allclose(w.numpy(), np.stack([rows[k] for k in range(4)], axis=1), rtol=1e-5, atol=1e-6)
