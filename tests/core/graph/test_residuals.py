"""What a tape keeps of a traced call: nothing is computed twice, and gradients are those of eager calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph import check


@pytest.fixture
def calls() -> Any:
    """How often the kernels of exp, matmul and reshape have run."""
    counter: Counter[str] = Counter()

    def counted(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        def kernel(*arrays: Any, **attributes: Any) -> Any:
            counter[name] += 1
            return fn(*arrays, **attributes)

        return kernel

    kernels = {
        "exp": counted("exp", np.exp),
        "matmul": counted("matmul", np.matmul),
        "reshape": counted("reshape", lambda x, shape: x.reshape(shape)),
    }
    registrations = [pt.kernel(name, backend="numpy", priority=10)(fn) for name, fn in kernels.items()]
    yield counter
    for registration in registrations:
        registration.remove()


def gradients(f: Any, *arrays: Any) -> list[Any]:
    tensors = [pt.asarray(x) for x in arrays]
    with pt.GradientTape() as tape:
        tape.watch(tensors)
        y = f(*tensors)
    return [y, *tape.gradient(y, tensors)]


X = np.array([[0.5, -1.0], [2.0, 0.25]], "float32")


def test_the_gradient_of_a_traced_call_runs_nothing_again(calls: Counter[str]) -> None:
    f = pt.function(lambda x, w: pt.sum(pt.exp(x @ w)))
    traced = gradients(f, X, X)
    assert calls == {"exp": 1, "matmul": 3}
    for got, expected in zip(traced, gradients(f.python, X, X), strict=True):
        np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_a_mere_arrangement_is_made_again_instead_of_kept(calls: Counter[str]) -> None:
    f = pt.function(lambda x: pt.sum(pt.square(pt.reshape(pt.exp(x), (-1,)))))
    gradients(f, X)
    assert calls["exp"] == 1 and calls["reshape"] == 3  # forward, for the rule of square, and back
    halves = next(iter(next(iter(f.concretes.values()))[0].splits.values()))
    assert [symbol.shape for symbol in halves.forward.graph.outputs] == [(), (2, 2)]  # the sum, and exp(x) once
    check(halves.forward.graph, "split")
    check(halves.backward.graph, "split")


def test_variables_are_read_once_and_assigned_once(calls: Counter[str]) -> None:
    w = pt.Variable(X)

    @pt.function
    def f(x: Any) -> Any:
        y = pt.sum(pt.exp(w) * x)
        w.assign(w * 2.0)
        return y

    x = pt.asarray(X)
    with pt.GradientTape() as tape:
        y = f(x)
    w.assign(pt.zeros((2, 2)))  # the gradient is that of the call
    np.testing.assert_array_equal(tape.gradient(y, w).numpy(), np.exp(X) * X)
    assert calls["exp"] == 1
    np.testing.assert_array_equal(w.numpy(), np.zeros((2, 2)))


def test_an_assignment_in_the_function_happens_once() -> None:
    w = pt.Variable(1.0)

    @pt.function
    def f(x: Any) -> Any:
        w.assign_add(1.0)
        return w * x

    x = pt.asarray(3.0)
    for step in range(3):
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert float(tape.gradient(y, x)) == 2.0 + step == float(w)


def test_some_of_several_results_and_higher_orders() -> None:
    f = pt.function(lambda x: (pt.exp(x), x * x, pt.argmax(x)))
    x = pt.asarray([0.5, 1.5])
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape(persistent=True) as tape:
            tape.watch(x)
            a, b, _ = f(x)
        first = tape.gradient(b, x)  # only one result has a gradient, under another tape
    assert first.tolist() == [1.0, 3.0]
    assert outer.gradient(first, x).tolist() == [2.0, 2.0]
    assert tape.gradient(b, x).tolist() == [1.0, 3.0]
    np.testing.assert_allclose(tape.gradient([a, b], x).numpy(), np.exp([0.5, 1.5]) + np.array([1, 3]), rtol=1e-6)


def test_an_input_without_influence_has_no_gradient() -> None:
    f = pt.function(lambda x, y: pt.sum(x * 2.0) + 0.0 * pt.sum(pt.floor(y)))
    x, y = pt.asarray(X), pt.asarray(X)
    with pt.GradientTape() as tape:
        tape.watch([x, y])
        z = f(x, y)
    assert [None if g is None else g.tolist() for g in tape.gradient(z, [x, y])] == [[[2.0, 2.0]] * 2, None]


def test_an_op_without_a_gradient_raises_when_the_gradient_is_asked_for() -> None:
    @pt.custom_gradient
    def closed(x: Any) -> Any:
        def gradient(g: Any) -> Any:
            raise pt.errors.TapeError("closed has no gradient.", fix="do not ask for it")

        return x * 2.0, gradient

    f = pt.function(lambda x: closed(x) + 1.0)
    x = pt.asarray(1.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert float(y) == 3.0
    with pytest.raises(pt.errors.TapeError, match="closed has no gradient"):
        tape.gradient(y, x)


OPS: list[Callable[..., Any]] = [
    lambda x, y: x * y, lambda x, y: x - y, lambda x, y: pt.exp(x * 0.25), lambda x, y: pt.maximum(x, y),
    lambda x, y: pt.reshape(pt.tanh(x), (4,))[1:3] + y, lambda x, y: x @ y, lambda x, y: pt.permute_dims(x, (1, 0)),
    lambda x, y: x / (pt.sum(pt.abs(y)) + 1.0), lambda x, y: pt.nn.softmax(x), lambda x, y: pt.sum(x, axis=0) + y,
]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(OPS) - 1), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=10))
def test_gradients_of_random_programs_are_those_of_eager_ones(steps: list[tuple[int, int, int]]) -> None:
    def body(x: Any, y: Any) -> Any:
        values = [x, y]
        for op, left, right in steps:
            values.append(OPS[op](values[left % len(values)], values[right % len(values)]))
        return values[-1]

    for got, expected in zip(gradients(pt.function(body), X, X * 0.5), gradients(body, X, X * 0.5), strict=True):
        assert (got is None) == (expected is None)
        if got is not None:  # the incoming gradient is an array here, and the number 1 there: sums round differently
            np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
