"""Gradients of tables as rows, by a tape around traced calls: what the same tape gives around eager calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt

Build = Callable[[Callable[..., Any]], Callable[..., Any]]  # makes a traced function of one, or leaves it
VALUES = np.arange(12.0, dtype="float32").reshape(6, 2) / 8.0
IDS = np.array([[1, 3], [1, -1]], "int32")


def table() -> Any:
    return pt.Variable(pt.asarray(VALUES), name="table")


def lookups(build: Build) -> Any:
    """A model of two lookups and a matrix."""
    rows, w = table(), pt.Variable(pt.ones((2, 3)) / 3.0)
    loss = build(
        lambda ids: pt.sum(pt.square(pt.take(rows, ids, axis=0) @ w)) + pt.sum(pt.take(rows, ids[0], axis=0) ** 3)
    )
    return loss, [rows, w]


def only_a_table(build: Build) -> Any:
    rows = table()
    return build(lambda ids: pt.exp(pt.take(rows, ids, axis=0))), [rows]


def two_functions_and_a_lookup(build: Build) -> Any:
    """A table that two functions and the caller take rows from, with positions of two dtypes."""
    rows, scale = table(), pt.Variable(2.0)
    first = build(lambda ids: scale * pt.take(rows, ids, axis=0))
    second = build(lambda x: pt.sum(x * pt.take(rows, pt.asarray([0, 1], dtype="int64"), axis=0)))
    return lambda ids: second(first(ids)) + pt.mean(pt.take(rows, ids, axis=0)), [rows, scale]


def several_results(build: Build) -> Any:
    rows, bias = table(), pt.Variable(pt.zeros((2,)))
    model = build(lambda ids: (pt.take(rows, ids, axis=0) + bias, {"n": ids.size, "mean": pt.mean(rows[0] * bias)}))
    return lambda ids: pt.sum(model(ids)[0] ** 2), [bias, rows]


def a_table_in_two_places(build: Build) -> Any:
    """One table is also multiplied, the other one is not."""
    tied, rows = table(), table()

    def output(ids: Any) -> Any:
        return pt.take(tied, ids, axis=0) @ pt.permute_dims(tied, (1, 0)) + pt.sum(pt.take(rows, ids, axis=0) ** 2)

    return build(output), [tied, rows]


def another_axis(build: Build) -> Any:
    rows = table()
    return build(lambda ids: pt.take(rows, ids % 2, axis=1) ** 2), [rows]


def a_function_in_a_function(build: Build) -> Any:
    rows = table()
    embed = build(lambda ids: pt.take(rows, ids, axis=0))
    return build(lambda ids: pt.sum(pt.tanh(embed(ids)))), [rows]


def computed_positions(build: Build) -> Any:
    rows = table()
    return build(lambda ids: pt.take(rows, (ids + 7) % 5, axis=0) ** 2), [rows]


def an_assignment(build: Build) -> Any:
    rows, steps = table(), pt.Variable(0.0, trainable=False)

    def loss(ids: Any) -> Any:
        steps.assign_add(1.0)
        return pt.sum(pt.take(rows, ids, axis=0) ** 2) * steps

    return build(loss), [rows]


def noise(build: Build) -> Any:
    """The positions of the backward pass are the ones that were drawn, not new ones."""
    rows = table()

    def loss(ids: Any) -> Any:
        return pt.sum(pt.take(rows, pt.random.integers(0, 6, (4,)), axis=0) ** 2) + pt.sum(pt.take(rows, ids, axis=0))

    return build(loss), [rows]


MODELS = [
    lookups, only_a_table, two_functions_and_a_lookup, several_results, a_table_in_two_places, another_axis,
    a_function_in_a_function, computed_positions, an_assignment, noise,
]  # fmt: skip


def plain(g: Any) -> Any:
    """A gradient as comparable values."""
    if g is None:
        return None
    if isinstance(g, pt.IndexedSlices):
        return ("rows", g.values.tolist(), g.indices.tolist(), g.dense_shape)
    return ("whole", g.tolist())


def gradients(f: Any, variables: list[Any], sparse: bool = True) -> list[Any]:
    pt.random.seed(3)
    with pt.GradientTape() as tape:
        y = f(pt.asarray(IDS))
    return [plain(g) for g in tape.gradient(y, variables, sparse=sparse)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_tape_around_traced_calls_gives_what_it_gives_around_eager_ones(model: Any, backend: str) -> None:
    with pt.device(backend):
        eager, traced = model(lambda f: f), model(pt.function)
        for sparse in (True, False, True):
            assert gradients(*traced, sparse) == gradients(*eager, sparse)


def test_which_models_give_rows() -> None:
    """Without this, all of the above might compare whole gradients."""
    kinds = {model.__name__: [g[0] for g in gradients(*model(pt.function))] for model in MODELS}
    assert kinds.pop("another_axis") == ["whole"]
    assert kinds.pop("a_table_in_two_places") == ["whole", "rows"]
    assert all(x.count("rows") == 1 for x in kinds.values())


@pytest.fixture
def calls() -> Iterator[Counter[str]]:
    """How often the kernels of take, tanh and scatter have run."""
    counter: Counter[str] = Counter()

    def counted(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        def kernel(*arrays: Any, **attributes: Any) -> Any:
            counter[name] += 1
            return fn(*arrays, **attributes)

        return kernel

    def scatter(x: Any, indices: Any, values: Any, axis: Any = None) -> Any:
        y = x.copy()
        np.add.at(y, indices, values)
        return y

    kernels = {"take": np.take, "tanh": np.tanh, "scatter": scatter}
    registrations = [
        pt.kernel(name, backend="numpy", priority=10)(counted(name, fn))  # type: ignore[arg-type]  # any signature
        for name, fn in kernels.items()
    ]
    yield counter
    for registration in registrations:
        registration.remove()


def test_nothing_runs_again_and_the_whole_is_never_computed(calls: Counter[str]) -> None:
    f, variables = a_function_in_a_function(pt.function)
    for step in range(1, 4):
        assert gradients(f, variables)[0][0] == "rows"
        assert calls == {"take": step, "tanh": step}
    assert gradients(f, variables, sparse=False)[0][0] == "whole"
    assert calls == {"take": 4, "tanh": 4, "scatter": 1}


def test_an_error_of_the_backward_graph_names_the_function() -> None:
    def wrong(x: Any) -> Any:
        raise ValueError("no cosine today")

    rows = table()

    def loss(ids: Any) -> Any:
        return pt.sum(pt.sin(pt.take(rows, ids, axis=0)))

    f = pt.function(loss)
    registration = pt.kernel("cos", backend="numpy", priority=10)(wrong)
    try:
        with pt.GradientTape() as tape:
            y = f(pt.asarray(IDS))
        with pytest.raises(ValueError, match="no cosine today") as caught:
            tape.gradient(y, rows, sparse=True)
    finally:
        registration.remove()
    assert any("in the backward pass: the gradient of loss" in note for note in caught.value.__notes__)


def test_some_of_several_results(backend: str) -> None:
    """The first pass runs the function again, later ones do not; a result without rows gives no gradient."""
    with pt.device(backend):
        found = []
        for build in (lambda f: f, pt.function):
            rows, w = table(), pt.Variable(pt.ones((2,)))
            model = build(
                lambda ids, rows=rows, w=w: (pt.take(rows, ids, axis=0) * w, w * 2.0, pt.take(rows, ids, axis=0) ** 2)
            )
            for which in ([0], [0], [1], [0, 2], [1, 0], [2]):
                with pt.GradientTape() as tape:
                    results = model(pt.asarray(IDS))
                got = tape.gradient([results[k] for k in which], [rows, w], sparse=True)
                found.append([plain(g) for g in got])
        assert found[:6] == found[6:]
        assert found[0][0][0] == "rows" and found[2][0] is None


def test_rows_under_another_tape_have_a_gradient(backend: str) -> None:
    with pt.device(backend):
        found = []
        for build in (lambda f: f, pt.function):
            f, variables = lookups(build)
            with pt.GradientTape(persistent=True) as outer:
                with pt.GradientTape() as tape:
                    y = f(pt.asarray(IDS))
                slices, _ = tape.gradient(y, variables, sparse=True)
                total = pt.sum(slices.values**2)
            seconds = [outer.gradient(total, variables), outer.gradient(total, variables, sparse=True)]
            found.append([plain(slices), *[plain(g) for second in seconds for g in second]])
        for eager, traced in zip(*found, strict=True):
            assert traced[0] == eager[0]
        assert found[1][0][0] == "rows"
        dense = [[plain_dense(g) for g in row] for row in found]
        for eager, traced in zip(*dense, strict=True):
            np.testing.assert_allclose(traced, eager, rtol=1e-5)


def plain_dense(g: Any) -> Any:
    """A gradient of `plain` as the whole."""
    if g[0] == "whole":
        return np.asarray(g[1])
    whole = np.zeros(g[3])
    np.add.at(whole, np.asarray(g[2]), np.asarray(g[1]))
    return whole


def test_a_persistent_tape_and_weights(backend: str) -> None:
    with pt.device(backend):
        found = []
        for build in (lambda f: f, pt.function):
            f, variables = only_a_table(build)
            with pt.GradientTape(persistent=True) as tape:
                y = f(pt.asarray(IDS))
            weights = [None, pt.ones(y.shape) * 3.0, pt.zeros(y.shape)]
            found.append([plain(tape.gradient(y, variables[0], x, sparse=True)) for x in weights])
        assert found[0] == found[1]


def test_an_open_batch_size(backend: str) -> None:
    with pt.device(backend):
        rows = table()

        def loss(ids: Any) -> Any:
            return pt.mean(pt.tanh(pt.take(rows, ids, axis=0)))

        traced = pt.function(loss, input_signature=[pt.TensorSpec((None,), "int32")])
        for ids in ([1, 2, 1], [0, 5, 5, 4, 1], [2, 2]):
            found = []
            for f in (loss, traced):
                with pt.GradientTape() as tape:
                    y = f(pt.asarray(ids))
                found.append(plain(tape.gradient(y, rows, sparse=True)))
            assert found[0] == found[1] and found[0][0] == "rows"


def test_optimizers_change_only_the_rows(backend: str) -> None:
    """Adam moves all rows by a whole gradient, since its averages are of earlier steps; by rows it moves these."""
    with pt.device(backend):
        results = []
        for build in (lambda f: f, pt.function):
            rows = table()
            f = build(lambda ids, rows=rows: pt.sum(pt.take(rows, ids, axis=0) ** 2))
            optimizer = pt.optim.Adam(0.1)
            for ids in ([0, 1], [2, 2], [1, 4]):
                optimizer.minimize(lambda f=f, ids=ids: f(pt.asarray(ids)))
            results.append(rows.tolist())
        assert results[0] == results[1]
        assert results[0][3] == VALUES[3].tolist()


def test_a_loaded_graph(tmp_path: Path, backend: str) -> None:
    with pt.device(backend):
        f, variables = lookups(pt.function)
        expected = gradients(f, variables)
        f.export(tmp_path / "f", pt.asarray(IDS))
        loaded = pt.load_graph(tmp_path / "f")
        own = sorted(loaded.variables, key=lambda x: x.shape != variables[0].shape)
        assert gradients(loaded, own) == expected
