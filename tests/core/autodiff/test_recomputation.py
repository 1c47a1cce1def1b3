from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt

Block = Callable[..., Any]


def identity(f: Block) -> Block:
    return f


def results(decorate: Callable[[Block], Block]) -> list[Any]:
    """Value, gradients, and the gradients of a function of these, of a block with a variable and random draws."""
    w, scale = pt.Variable(np.array([1.0, 2.0])), pt.asarray(np.array([0.5, 1.5]))

    @decorate
    def block(x: pt.Tensor, *, k: float) -> dict[str, Any]:
        y = pt.nn.dropout(pt.tanh(pt.exp(x) * w) * captured, 0.5)
        return {"y": y * k, "n": 3, "sum": pt.sum(x * x)}

    pt.random.seed(3)
    x = pt.asarray(np.array([0.3, -0.5]))
    with pt.GradientTape() as outer:
        outer.watch([x, scale])
        captured = scale * 2.0
        with pt.GradientTape() as inner:
            inner.watch([x, captured])
            first, second = block(x, k=1.0), block(x + 0.1, k=2.0)
            y = pt.sum(first["y"] * second["y"]) * first["sum"] * first["n"]
        gradients = inner.gradient(y, [x, w, captured])
        total = pt.sum(gradients[0] * gradients[1] * gradients[2])
    return [t.numpy() for t in [y, *gradients, *outer.gradient(total, [x, w, scale])]]


def test_values_and_gradients_to_order_two_are_those_of_the_function() -> None:
    for got, expected in zip(results(pt.recompute), results(identity), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_nested_calls() -> None:
    def nested(f: Block) -> Block:
        return pt.recompute(lambda *args, **kwargs: pt.recompute(f)(*args, **kwargs))

    for got, expected in zip(results(nested), results(identity), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_function_runs_once_more_per_backward_pass() -> None:
    runs = []

    @pt.recompute
    def f(x: pt.Tensor) -> pt.Tensor:
        runs.append(1)
        return x * x

    assert float(f(pt.asarray(2.0))) == 4.0
    x = pt.asarray(3.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = f(x)
    assert len(runs) == 2
    assert [float(tape.gradient(y, x)) for _ in range(2)] == [6.0, 6.0]
    assert len(runs) == 4


def test_a_tape_keeps_the_arguments_only() -> None:
    def deep(x: pt.Tensor) -> pt.Tensor:
        for _ in range(20):
            x = pt.tanh(pt.exp(x * 0.1))
        return x

    def held(f: Block) -> float:
        x = pt.ones((100_000,))
        tracemalloc.start()
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        size = tracemalloc.get_traced_memory()[0] / x.nbytes
        tracemalloc.stop()
        assert y.shape == tape.gradient(y, x).shape
        return size

    assert held(deep) > 20
    assert held(pt.recompute(deep)) < 1.5


def test_records_are_freed_without_the_garbage_collector() -> None:
    data = pt.exp(pt.ones((4,)))
    counts = [sys.getrefcount(data.array)]
    with pt.GradientTape() as tape:
        tape.watch(data)
        y = pt.sum(pt.recompute(lambda x: pt.exp(x))(data))
    counts.append(sys.getrefcount(data.array))
    del y, tape
    counts.append(sys.getrefcount(data.array))
    assert counts[0] == counts[2] < counts[1]


def test_variables_keep_the_value_of_the_first_run_and_are_assigned_once() -> None:
    w, steps = pt.Variable(2.0), pt.Variable(0.0, trainable=False)

    @pt.recompute
    def f(x: pt.Tensor) -> pt.Tensor:
        steps.assign_add(1.0)
        return x * w * w * steps

    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        w.assign(100.0)
        steps.assign(50.0)
    by_x, by_w = tape.gradient(y, [x, w])
    assert (float(y), float(by_x), float(by_w)) == (12.0, 4.0, 12.0)
    assert (float(w), float(steps)) == (100.0, 50.0)


def test_variables_as_arguments_and_one_tensor_as_two_arguments() -> None:
    w, x = pt.Variable(2.0), pt.asarray(5.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.recompute(lambda a, b, c: a * b * b * c * c * c)(w, x, x)
    by_w, by_x = tape.gradient(y, [w, x])
    assert (float(by_w), float(by_x)) == (5.0**5, 2.0 * 5 * 5.0**4)


def test_a_function_that_differentiates_by_its_variable() -> None:
    w = pt.Variable(2.0)

    def slope(x: pt.Tensor) -> pt.Tensor:
        with pt.GradientTape() as tape:
            y = w * w * x
        return tape.gradient(y, w)

    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.recompute(slope)(x)
    assert [float(g) for g in tape.gradient(y, [x, w])] == [4.0, 6.0]


def test_random_draws_are_replayed_and_the_generator_moves_once() -> None:
    f = lambda x: x * pt.random.normal((3,))  # noqa: E731  # it is used twice
    x = pt.ones((3,))
    pt.random.seed(1)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.recompute(f)(x)
    gradient = tape.gradient(y, x)
    np.testing.assert_array_equal(gradient.numpy(), y.numpy())
    after = pt.random.uniform((2,)).numpy()
    pt.random.seed(1)
    f(x)
    np.testing.assert_array_equal(after, pt.random.uniform((2,)).numpy())


def test_a_function_that_changes_between_the_runs_is_an_error() -> None:
    state = {"extra": False}
    w = pt.Variable(2.0)

    def reads(x: pt.Tensor) -> pt.Tensor:
        return x * w if state["extra"] else x * 2.0

    def draws(x: pt.Tensor) -> pt.Tensor:
        return x * pt.random.uniform(()) if state["extra"] else x * 2.0

    def returns(x: pt.Tensor) -> pt.Tensor:
        return pt.stack([x, x]) if state["extra"] else x * 2.0

    parts = {reads: "it read the variable", draws: "it drew more random numbers", returns: "it returned float32"}
    for f, part in parts.items():
        x = pt.asarray(1.0)
        state["extra"] = False
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.recompute(f)(x)
        state["extra"] = True
        with pytest.raises(pt.PolytapeError, match=part):
            tape.gradient(y, x)
        state["extra"] = f is not returns
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.recompute(f)(x)
        if f is not returns:
            state["extra"] = False
            with pytest.raises(pt.PolytapeError, match=r"it did not read a variable|it drew fewer random numbers"):
                tape.gradient(y, x)


def test_a_tensor_of_the_enclosing_scope_that_was_changed_is_an_error() -> None:
    x, held = pt.asarray([1.0, 2.0]), pt.asarray([3.0, 4.0])
    with pt.GradientTape() as tape:
        tape.watch([x, held])
        h = held * 1.0
        y = pt.recompute(lambda x: x * h)(x)
        h[0] = 100.0
    with pytest.raises(pt.PolytapeError, match="or a tensor of an enclosing scope, that it had read"):
        tape.gradient(y, x)


def test_creating_a_variable_or_pausing_an_outer_tape_is_an_error() -> None:
    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(pt.PolytapeError, match=r"cannot be created inside polytape\.recompute"):
            pt.recompute(lambda x: x * pt.Variable(1.0))(x)

        def paused(x: pt.Tensor) -> pt.Tensor:
            with tape.stop_recording():
                return x * 2.0

        with pytest.raises(pt.PolytapeError, match=r"stop_recording inside polytape\.recompute"):
            pt.recompute(paused)(x)


def test_inside_a_traced_function_and_around_one() -> None:
    w = pt.Variable([1.0, 2.0])
    f = lambda x: pt.exp(pt.sin(x) * w)  # noqa: E731  # it is used four times
    gradient = lambda f: lambda x: pt.gradients_function(lambda x: pt.sum(f(x) ** 2))(x)[0]  # noqa: E731  # as above
    x = pt.asarray([0.3, -0.5])
    expected = gradient(f)(x).numpy()
    for g in (gradient(pt.recompute(pt.function(f))), pt.function(gradient(pt.recompute(f)))):
        np.testing.assert_allclose(g(x).numpy(), expected, rtol=1e-6)
    assert [str(e.op) for e in pt.function(gradient(pt.recompute(f))).graph(x).equations].count("<op sin>") == 2


def test_with_forward_mode_jacobians_and_maps() -> None:
    f = lambda x: pt.exp(pt.sin(x) * x[::-1])  # noqa: E731  # it is used often
    r = pt.recompute(f)
    x = pt.asarray(np.array([0.3, -0.5]))
    np.testing.assert_allclose(pt.jacobian(r)(x).numpy(), pt.jacobian(f)(x).numpy(), rtol=1e-12)
    np.testing.assert_allclose(pt.jvp(r, (x,), ([1.0, 2.0],))[1].numpy(), pt.jvp(f, (x,), ([1.0, 2.0],))[1].numpy())
    hessians = [pt.hessian(lambda x, f=f: pt.sum(f(x)))(x).numpy() for f in (r, f)]
    np.testing.assert_allclose(*hessians, rtol=1e-12)
    batch = pt.stack([x, x * 2.0])
    maps = [pt.vmap(pt.gradients_function(lambda x, f=f: pt.sum(f(x))))(batch)[0].numpy() for f in (r, f)]
    np.testing.assert_allclose(*maps, rtol=1e-12)
    with pt.GradientTape() as tape:
        tape.watch(batch)
        y = pt.sum(pt.vmap(r)(batch))
    np.testing.assert_allclose(tape.gradient(y, batch).numpy(), maps[0], rtol=1e-12)


def test_a_hand_written_gradient_inside() -> None:
    @pt.custom_gradient
    def rounded(x: pt.Tensor) -> Any:
        return pt.round(x), lambda g: g * 3.0

    assert [float(g) for g in pt.gradients_function(pt.recompute(lambda x: rounded(x) * x))(1.5)] == [2.0 + 3 * 1.5]


def test_integer_results_and_arguments() -> None:
    @pt.recompute
    def f(x: pt.Tensor, i: pt.Tensor) -> Any:
        return pt.take(x, i), pt.argmax(x)

    x = pt.asarray([1.0, 5.0, 3.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y, best = f(x, pt.asarray([0, 0, 2]))
    assert int(best) == 1
    assert tape.gradient(y, x).tolist() == [2.0, 0.0, 1.0]
