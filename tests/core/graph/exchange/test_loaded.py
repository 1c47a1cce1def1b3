"""`polytape.load_graph`: a loaded graph is called, differentiated, assigned, traced and saved like the function."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    DeviceError,
    DTypeError,
    PolytapeError,
    ShapeError,
    TraceError,
)
from polytape.graph.exchange import LoadedGraph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.safetensors"


def reloaded(path: Path, f: Any, *args: Any, device: Any = None, **kwargs: Any) -> LoadedGraph:
    pt.function(f).export(path, *args, **kwargs)
    return pt.load_graph(path, device=device)


X = pt.asarray([1.0, -2.0, 0.5])


# --- arguments and results --------------------------------------------------------------------------------------------


def test_arguments_and_results_keep_their_structure(path: Path) -> None:
    def body(batch: Any, *rest: Any, scale: float = 2.0, **more: Any) -> Any:
        q, r = pt.linalg.qr(pt.reshape(batch["x"], (3, 1)))
        return {"b": [batch["x"] * scale, None, (7, "s", -0.0)], "a": pt.linalg.qr(q), 3: r + rest[0] + more["extra"]}

    arguments = ({"x": X, "n": 4}, X[0], pt.asarray([2, 3])), {"extra": X[1]}
    loaded = reloaded(path, body, *arguments[0], **arguments[1])
    expected = pt.function(body)(*arguments[0], **arguments[1])
    got = loaded(*arguments[0], **arguments[1])
    assert list(got) == list(expected) == ["b", "a", 3]
    assert type(got["a"]) is type(expected["a"]) and got["a"].Q.shape == (3, 1)
    assert repr(got["b"][1:]) == repr([None, (7, "s", -0.0)])
    assert got[3].tolist() == expected[3].tolist()
    assert list(loaded.arguments) == ["batch_x", "rest_0", "rest_1", "more_extra"]
    run = loaded.run({"batch_x": X, "rest_0": X[0], "rest_1": np.asarray([2, 3], "int32"), "more_extra": X[1]})
    assert run["b"][0].tolist() == got["b"][0].tolist()


def test_static_arguments_are_fixed_and_may_be_repeated(path: Path) -> None:
    loaded = reloaded(path, lambda n, x, *, flag=False, axis=(0,): pt.sum(x, axis=axis) * n, 3, X, flag=True)
    assert str(inspect.signature(loaded)) == "(n, x, *, flag=True, axis=(0,))"
    assert float(loaded(3, X, axis=(0,))) == float(loaded(3, X, flag=True)) == -1.5
    for call in (lambda: loaded(4, X), lambda: loaded(3.0, X), lambda: loaded(3, X, flag=False)):
        with pytest.raises(DTypeError, match="was exported for another argument"):
            call()
    with pytest.raises(DTypeError, match=r"cannot be called like this: missing a required argument: 'n'"):
        loaded(x=X)


def test_variables_and_objects_among_the_arguments_are_left_out(path: Path) -> None:
    v = pt.Variable([1.0, 2.0, 3.0], name="v")
    loaded = reloaded(path, lambda x, model, v: x * v, X, object(), v)
    assert str(inspect.signature(loaded)) == "(x)"
    assert loaded(X).tolist() == [1.0, -4.0, 1.5]


@pytest.mark.parametrize(
    ("x", "kind", "text"),
    [
        (
            np.ones(3),
            DTypeError,
            r"take .* as x.\n  expected: float32\[3\] on numpy:cpu:0\n  got: float64\[3\] on",
        ),
        (
            np.ones(2, "float32"),
            ShapeError,
            r"take .* as x.\n  expected: float32\[3\] on numpy:cpu:0\n  got: float32\[2\] on",
        ),
        (pt.ones((3,), device="numba"), DeviceError, "fix: move it: x.to_device\\('numpy:cpu:0'\\)"),
        (object(), PolytapeError, "object"),
    ],
)
def test_an_argument_of_another_type_is_an_error(path: Path, x: Any, kind: Any, text: str) -> None:
    loaded = reloaded(path, lambda x: x + 1.0, X)
    with pytest.raises(kind, match=text):
        loaded(x)
    with pytest.raises(DTypeError, match=r"expected: a value for each of x\n  got: y\n  fix: add x"):
        loaded.run({"y": X})


def test_the_text_has_the_lines_of_the_source(path: Path) -> None:
    loaded = reloaded(path, lambda x: pt.exp(x) * 2, X)
    assert f"# {Path(__file__).name}:{inspect.currentframe().f_lineno - 1}" in str(loaded.graph)  # type: ignore[union-attr]  # CPython has frames
    assert repr(loaded) == "<loaded graph <lambda>(x): 2 equations>"


# --- state ------------------------------------------------------------------------------------------------------------


def trained() -> tuple[Any, Any, Any]:
    """A training step with Adam, dropout and a metric that is only assigned; its variables."""
    w = pt.Variable([[0.5], [-1.0], [2.0]], name="w")
    last = pt.Variable(0.0, name="last", trainable=False)
    optimizer = pt.optim.Adam(0.1)
    generator = pt.random.Generator(3)

    @pt.function
    def step(x: Any, y: Any) -> Any:
        with pt.GradientTape() as tape:
            noise = pt.random.normal((4, 3), generator=generator)
            loss = pt.mean(pt.square((x + noise) @ w + pt.random.uniform((4, 1), generator=generator) - y))
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        last.assign(loss)
        return loss, w

    return step, w, last


def test_a_training_step_continues_in_the_file(path: Path, backend: str) -> None:
    with pt.device(backend):
        step, w, last = trained()
        x, y = pt.random.Generator(1), pt.ones((4, 1))
        x = pt.random.normal((4, 3), generator=x)
        step(x, y)
        step.export(path, x, y)
        loaded = pt.load_graph(path)
        assert str(loaded.graph) == str(step.graph(x, y))
        for _ in range(3):
            (loss, weights), (expected, _) = loaded(x, y), step(x, y)
            assert loss.numpy().tobytes() == expected.numpy().tobytes()
            assert weights.numpy().tobytes() == w.numpy().tobytes()
        named = {variable.name: variable for variable in loaded.variables}
        assert weights is named["w"] and float(named["last"]) == float(last) and named["w"].device.backend == backend
        assert [v.name for v in loaded.trainable_variables] == ["w"] and len(loaded.generators) == 1
        before = named["w"].numpy()
        loaded.hyperparameters[0].assign(0.0)
        loaded(x, y)
        assert (named["w"].numpy() == before).all()


def test_a_graph_from_one_backend_runs_on_another(path: Path, backend: str) -> None:
    step, _, _ = trained()
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    step.export(path, x, y)
    loaded = pt.load_graph(path, device=backend)
    assert loaded.device.backend == backend
    assert {v.device.backend for v in loaded.variables} == {backend}
    np.testing.assert_allclose(loaded(x, y)[0].numpy(), step(x, y)[0].numpy(), rtol=1e-5)
    second = path.with_name("again.safetensors")
    pt.function(lambda x, y: loaded(x, y)[0]).export(
        second, pt.asarray(x, device=backend), pt.asarray(y, device=backend)
    )
    back = pt.load_graph(second)  # on numpy, from that backend
    assert back.device.backend == "numpy"
    np.testing.assert_allclose(back(x, y).numpy(), step(x, y)[0].numpy(), rtol=1e-5)


def test_a_call_that_fails_assigns_nothing(path: Path) -> None:
    v = pt.Variable(1, dtype="int64", name="v")

    def body(x: Any, k: Any) -> Any:
        v.assign_add(1)
        return x[k]

    loaded = reloaded(path, body, X, pt.asarray([0]))
    with pytest.raises(IndexError):
        loaded(X, pt.asarray([7]))
    assert int(loaded.variables[0]) == 1
    assert loaded(X, pt.asarray([1])).tolist() == [-2.0] and int(loaded.variables[0]) == 2


def test_a_checkpoint_saves_the_variables_and_the_generator(path: Path, tmp_path: Path) -> None:
    step, _, _ = trained()
    x, y = pt.ones((4, 3)), pt.ones((4, 1))
    step.export(path, x, y)
    first, second = pt.load_graph(path), pt.load_graph(path)
    first(x, y)
    saved = pt.Checkpoint(graph=first).write(str(tmp_path / "checkpoint.safetensors"))
    pt.Checkpoint(graph=second).restore(saved).assert_consumed()
    assert float(first(x, y)[0]) == float(second(x, y)[0])


def test_a_copy_has_its_own_state(path: Path) -> None:
    step, _, _ = trained()
    x, y = pt.ones((4, 3)), pt.ones((4, 1))
    step.export(path, x, y)
    first = pt.load_graph(path)
    first(x, y)
    second = copy.deepcopy(first)
    (loss, w), expected = second(x, y), first(x, y)[0]
    assert float(loss) == float(expected) and w is second.variables[0] is not first.variables[0]
    second(x, y)
    assert w.tolist() != first.variables[0].tolist()
    with pytest.raises(DTypeError, match=r"cannot be pickled.*\n.*\n.*\n  fix: polytape\.load_graph\("):
        pickle.dumps(first)


def test_threads_lose_no_assignment(path: Path) -> None:
    count = pt.Variable(0, dtype="int64")
    loaded = reloaded(path, lambda x: count.assign_add(x), pt.asarray(1, dtype="int64"))
    one = pt.asarray(1, dtype="int64")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: [loaded(one) for _ in range(100)], range(4)))
    assert int(loaded.variables[0]) == 400


def test_a_tensor_from_another_trace_is_an_error(path: Path) -> None:
    loaded = reloaded(path, lambda x: x + 1.0, X)
    kept: list[Any] = []
    pt.function(kept.append)(X)
    with pytest.raises(TraceError, match="trac"):
        loaded(kept[0])


# --- gradients and other traces ---------------------------------------------------------------------------------------


def gradients(f: Callable[..., Any], x: Any, w: Any) -> list[Any]:
    """First and second derivatives."""
    with pt.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        first = inner.gradient(y, [x, w])
        total = pt.sum(first[0] * first[0])
    return [*first, outer.gradient(total, x), outer.gradient(total, w)]


def test_gradients_of_both_orders_have_the_same_bits(path: Path, backend: str) -> None:
    with pt.device(backend):
        w = pt.Variable([0.25, 1.5, -1.0], name="w")
        traced = pt.function(lambda x: pt.sum(pt.tanh(x * w) ** 3 + pt.nn.softmax(x)))
        x = pt.asarray([1.0, -2.0, 0.5])
        traced.export(path, x)
        loaded = pt.load_graph(path)
        for got, expected in zip(gradients(loaded, x, loaded.variables[0]), gradients(traced, x, w), strict=True):
            assert got.numpy().tobytes() == expected.numpy().tobytes()


def test_it_runs_inside_a_traced_function_and_under_vmap(path: Path) -> None:
    w = pt.Variable([0.25, 1.5, -1.0], name="w")
    loaded = reloaded(path, lambda x: pt.sum(pt.tanh(x * w)), X)
    outer = pt.function(lambda x: loaded(x) * 2.0)
    assert float(outer(X)) == 2.0 * float(loaded(X))
    assert "tanh" in str(outer.graph(X)) and "variable w" in str(outer.graph(X))
    rows = pt.asarray([[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]])
    np.testing.assert_allclose(pt.vmap(loaded)(rows).numpy(), [float(loaded(row)) for row in rows], rtol=1e-6)


def test_a_kernel_that_is_registered_later_runs(path: Path) -> None:
    loaded = reloaded(path, lambda x: pt.expm1(x), X)
    before = loaded(X).tolist()
    with pt.kernel("expm1", backend="numpy", when=lambda x: x.shape == (3,))(lambda x: x * 0):
        assert loaded(X).tolist() == [0.0, -0.0, 0.0]
    assert loaded(X).tolist() == before


def test_other_default_dtypes_do_not_change_a_loaded_graph(path: Path) -> None:
    pt.function(lambda x: x + pt.ones((3,)) + pt.arange(3.0)).export(path, X)
    pt.set_default_dtype("float64")
    try:
        assert pt.load_graph(path)(X).tolist() == [2.0, 0.0, 3.5]
    finally:
        pt.set_default_dtype("float32")


# --- files that cannot be loaded --------------------------------------------------------------------------------------


def test_a_missing_file_and_one_without_a_graph_are_errors(path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError):
        pt.load_graph(path)
    pt.save(path, {"x": X})
    with pytest.raises(CheckpointError, match=r"it has no graph.\n  expected: the metadata polytape\.graph"):
        pt.load_graph(path)


def test_a_backend_without_a_dtype_is_an_error_of_the_backend(path: Path) -> None:
    with pt.register_backend(pt.Backend(name="narrow", extends="numpy", dtypes=("float32", "int64", "bool"))):
        pt.function(lambda x: x * 2).export(path, pt.asarray([1.0], dtype="float64"))
        with pytest.raises(DTypeError, match="does not support float64"):
            pt.load_graph(path, device="narrow")
