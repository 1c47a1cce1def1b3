"""A loaded model: its arguments, variables, devices, traces, and errors that name nodes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import CheckpointError, DTypeError, ShapeError, TraceError

onnx: Any = pytest.importorskip("onnx", reason="models are read with the package onnx")
parser: Any = importlib.import_module("onnx.parser")
interop: Any = importlib.import_module("polytape.interop.onnx")

X = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")
W = np.random.default_rng(1).standard_normal((3, 2)).astype("float32")


def loaded(path: Path, text: str, constants: dict[str, Any] | None = None, **how: Any) -> Any:
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    for name, array in (constants or {}).items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    path.write_bytes(model.SerializeToString())
    return interop.load(path, **how)


LINE = "(float[4,3] x) => (float[4,2] y) { p = MatMul (x, w) y = Add (p, b) }"


def test_variables_are_trained_saved_and_exported_again(path: Path, tmp_path: Path) -> None:
    constants = {"w": W, "b": np.zeros(2, "float32")}
    model = loaded(path, LINE, constants, variables=True)
    assert [v.name for v in model.variables] == ["w", "b"]
    optimizer = pt.optim.SGD(0.1)

    @pt.function
    def step(x: Any, y: Any) -> Any:
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(model(x) - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.variables), model.variables, strict=True))
        return loss

    target = np.ones((4, 2), "float32")
    losses = [float(step(X, target)) for _ in range(30)]
    assert losses[-1] < 0.2 * losses[0]
    manual = X @ model.constants["w"].numpy() + model.constants["b"].numpy()
    for call in (model, model.eager):
        np.testing.assert_allclose(call(X).numpy(), manual, rtol=1e-5, atol=1e-6)
    interop.export(model, tmp_path / "trained.onnx", X)
    np.testing.assert_array_equal(interop.load(tmp_path / "trained.onnx")(X).numpy(), model(X).numpy())
    saved = pt.Checkpoint(model=model).save(tmp_path / "state")
    other = loaded(path, LINE, constants, variables=True)
    pt.Checkpoint(model=other).restore(saved).assert_consumed()
    np.testing.assert_array_equal(other(X).numpy(), model(X).numpy())


def test_constants_are_tensors_unless_variables_are_asked_for(path: Path) -> None:
    model = loaded(path, LINE, {"w": W, "b": np.ones(2, "float32")})
    assert not model.variables and set(model.constants) == {"w", "b"}
    assert "MatMul" not in repr(model) and "x -> y, opset 17" in repr(model)
    assert model.inputs == ["x"] and model.outputs == ["y"]


@pytest.mark.parametrize("device", ["numba", "sim"])
def test_a_model_runs_on_another_device(path: Path, device: str) -> None:
    if device not in {x.name for x in pt.backends() if x.status == "ready"}:
        pytest.skip(f"{device} is not ready")
    model = loaded(path, LINE, {"w": W, "b": np.ones(2, "float32")}, device=device)
    for call in (model, model.eager):
        y = call(X)
        assert y.device.backend == device
        np.testing.assert_allclose(y.numpy(), X @ W + 1.0, rtol=1e-5, atol=1e-6)


def test_gradients_and_vmap_of_a_model(path: Path) -> None:
    model = loaded(path, "(float[3] x) => (float y) { e = Exp (x) y = ReduceSum <keepdims = 0> (e) }")
    for call in (model, model.eager):
        gradient = pt.gradients_function(call)(pt.asarray(X[0]))[0]
        np.testing.assert_allclose(gradient.numpy(), np.exp(X[0]), rtol=1e-6)
        np.testing.assert_allclose(pt.vmap(call)(pt.asarray(X)).numpy(), np.exp(X).sum(axis=1), rtol=1e-6)


def test_a_result_that_is_an_argument_has_a_handle_of_its_own(path: Path) -> None:
    model = loaded(path, "(float[4,3] x) => (float[4,3] y, float[4,3] z) { y = Identity (x) z = Identity (y) }")
    x = pt.asarray(X)
    for call in (model, model.eager):
        y, _ = call(x)
        y[0, 0] = 7.0
        assert x.numpy()[0, 0] == X[0, 0]


def test_an_input_with_a_constant_may_be_left_out_or_given_by_name(path: Path) -> None:
    model = loaded(path, "(float[4,3] x, float scale) => (float[4,3] y) { y = Mul (x, scale) }",
                   {"scale": np.asarray(2.0, "float32")})  # fmt: skip
    np.testing.assert_array_equal(model(X).numpy(), 2 * X)
    np.testing.assert_array_equal(model(X, scale=np.asarray(3.0, "float32")).numpy(), 3 * X)


def test_names_that_are_no_identifiers_keep_their_order(path: Path) -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float a, float b) => (float c) { c = Sub (a, b) }'
    )
    names = {"a": "in/0", "b": "class", "c": "1"}
    for x in (*model.graph.input, *model.graph.output):
        x.name = names[x.name]
    model.graph.node[0].input[:] = ["in/0", "class"]
    model.graph.node[0].output[:] = ["1"]
    path.write_bytes(model.SerializeToString())
    three, one = np.float32(3.0), np.float32(1.0)
    assert interop.load(path)(three, one).item() == 2.0
    assert interop.load(path)(**{"class": three, "in/0": one}).item() == -2.0


# --- shapes from values -----------------------------------------------------------------------------------------------

RESHAPE = "(float[4,3] x, int64[2] shape) => (float[a,b] y) { t = Tanh (x) y = Reshape (t, shape) }"


def test_there_is_a_trace_for_each_value_that_determines_a_shape(path: Path) -> None:
    model = loaded(path, RESHAPE)
    for shape in ((2, 6), (12, 1), (2, 6)):
        assert model(X, np.asarray(shape)).shape == shape
    assert model.static == {"shape"}
    assert model.graph(X, np.asarray([6, 2])).outputs[0].shape == (6, 2)
    assert [x.name for x in model.graph(X, np.asarray([6, 2])).arguments] == ["x"]


def test_shapes_that_follow_from_shapes_need_no_values(path: Path) -> None:
    text = """(float[4,3] x) => (float[a,b] y) {
        s = Shape (x) one = Constant <value = int64[1] {1}> () n = Gather (s, one)
        zero = Constant <value = int64[1] {-1}> ()
        both = Concat <axis = 0> (n, zero) y = Reshape (x, both) }"""
    model = loaded(path, text)
    assert model(X).shape == (3, 4) and not model.static
    assert [e.op.name for e in model.graph(X).equations] == ["reshape"]
    text = """(float[4,3] x) => (float[a,b] y) {
        s = Shape (x) first, second = Split <axis = 0> (s) both = Concat <axis = 0> (second, first)
        y = Reshape (x, both) }"""
    model = loaded(path, text)
    assert model(X).shape == (3, 4) and not model.static


def test_a_model_whose_results_have_shapes_of_values_runs_without_a_graph(path: Path) -> None:
    model = loaded(path, "(float[4,3] x) => (int64[2,n] y) { p = Relu (x) y = NonZero (p) }")
    np.testing.assert_array_equal(model(X).numpy(), np.stack(np.nonzero(X > 0)))
    assert model.static == {"x"}
    with pytest.raises(TraceError, match=r"NonZero 'y' of .* needs values inside a traced function"):
        pt.function(lambda x: model(x))(X)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_arguments_that_the_model_does_not_declare_are_errors(path: Path) -> None:
    model = loaded(path, LINE, {"w": W, "b": np.ones(2, "float32")})
    for call in (model, model.eager, model.graph):
        with pytest.raises(DTypeError, match=r"cannot take x as float64[\s\S]*astype"):
            call(X.astype("float64"))
        with pytest.raises(ShapeError, match=r"cannot take x of shape \(3, 4\)[\s\S]*\(4, 3\)"):
            call(X.T.copy())
        with pytest.raises(DTypeError, match="no x"):
            call()
        with pytest.raises(DTypeError, match="an unexpected z"):
            call(X, z=X)
        with pytest.raises(DTypeError, match="an unexpected argument 2"):
            call(X, X)
    free = loaded(path, "(float[n,3] x) => (float[n,3] y) { y = Tanh (x) }")
    assert free(X[:2]).shape == (2, 3)
    with pytest.raises(ShapeError, match=r"\(\?, 3\)"):
        free(X[0])


def test_an_error_in_a_node_names_it(path: Path) -> None:
    model = loaded(path, "(float[n,3] x, float[m,3] z) => (float[n,3] y) { t = Tanh (x) y = Add (t, z) }")
    for call in (model, model.eager):
        with pytest.raises(ShapeError, match=r"do not broadcast") as caught:
            call(X, X[:3])
        assert caught.value.__notes__ == ["in Add 'y', opset 17"]
    model = loaded(path, "(float[4,3] x) => (float[4,3] y) { y = Transpose <perm = [0, 5]> (x) }")
    with pytest.raises((ShapeError, CheckpointError), match=r"permute_dims|Transpose"):
        model(X)
