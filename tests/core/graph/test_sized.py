"""Gradients through functions with open sizes, to any order: those of eager calls, traced for the first size only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt

SIZES = (3, 5, 2, 40, 1)  # the last one has a trace of its own


def weights() -> pt.Variable:
    return pt.Variable(np.linspace(-1.0, 1.0, 12, dtype="f4").reshape(3, 4), name="w")


def recurrent(x: Any, w: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = pt.tanh(h @ pt.permute_dims(w, (1, 0)) @ w + row)
        return h, h

    return pt.scan(step, pt.zeros((4,)), x @ w)[1]


def branched(x: Any, w: Any) -> Any:
    return pt.cond(pt.sum(x) > 0.0, lambda: pt.tanh(x @ w), lambda: (x @ w) ** 2)


def normalised(x: Any, w: Any) -> Any:
    y = x @ w
    return (y - pt.mean(y, axis=0)) / pt.sqrt(pt.var(y, axis=0, correction=0) + 1e-2)


def attention(x: Any, w: Any) -> Any:
    q = x @ w
    return pt.nn.softmax(q @ pt.matrix_transpose(q) / 2.0) @ q


def joined(x: Any, w: Any) -> Any:
    y = x @ w
    return pt.concat([y[1:], pt.reshape(y, (-1,))[:4][None]], axis=0) ** 3


def dropped(x: Any, w: Any) -> Any:
    return pt.tanh(pt.nn.dropout(x, 0.5) @ w)


PROGRAMS = [
    lambda x, w: pt.tanh(x @ w), recurrent, branched, normalised, attention, joined, dropped,
    lambda x, w: pt.special.logsumexp(x @ w, axis=0), lambda x, w: pt.take(x @ w, pt.asarray([0, 0]), axis=0) ** 2,
    lambda x, w: pt.sort(x @ w, axis=0) * pt.cumulative_sum(x @ w, axis=0),
]  # fmt: skip


def operand(n: int) -> pt.Tensor:
    return pt.asarray(np.random.default_rng(n).normal(size=(n, 3)).astype("f4"))


def second_order(f: Callable[..., Any], w: Any, x: Any) -> list[Any]:
    """The gradients of a function of the gradients of a function of the result."""
    pt.random.seed(5)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.mean(pt.square(f(x)))
        first = tape.gradient(y, [x, w])
        total = pt.sum(first[0] ** 2) + pt.mean(first[1] ** 3)
    return [y, *first, *outer.gradient(total, [x, w])]


@pytest.mark.parametrize(
    "program", PROGRAMS, ids=[getattr(x, "__name__", "?") + str(k) for k, x in enumerate(PROGRAMS)]
)
def test_second_derivatives_are_traced_for_the_first_sizes_only(program: Any, backend: str) -> None:
    with pt.device(backend):
        w, runs = weights(), []

        def body(x: Any) -> Any:
            runs.append(x.shape)
            return program(x, w)

        def plain(x: Any) -> Any:
            return program(x, w)

        f, each = pt.function(body, input_signature=[pt.TensorSpec((None, 3))]), pt.function(plain)
        for n in SIZES:
            before = len(runs)
            found, traced, eager = (second_order(g, w, operand(n)) for g in (f, each, plain))
            for a, b, c in zip(found, traced, eager, strict=True):
                np.testing.assert_array_equal(a.numpy(), b.numpy())
                np.testing.assert_allclose(a.numpy(), c.numpy(), rtol=2e-4, atol=2e-5)
            # The second size finds which of several gradients are used, as a function without open sizes does.
            assert n in (3, 5, 1) or len(runs) == before


def test_the_third_order_and_two_open_sizes(backend: str) -> None:
    runs: list[Any] = []

    def body(x: Any, y: Any) -> Any:
        runs.append(1)
        return pt.mean(pt.tanh(x @ y) ** 2, axis=1)

    def third(f: Any, x: Any, y: Any) -> list[Any]:
        with pt.GradientTape() as a:
            a.watch([x, y])
            with pt.GradientTape() as b:
                b.watch([x, y])
                with pt.GradientTape() as c:
                    c.watch([x, y])
                    z = pt.sum(f(x, y))
                first = c.gradient(z, x)
                z = pt.sum(first**2)
            second = b.gradient(z, y)
            z = pt.sum(second**2)
        return [first, second, *a.gradient(z, [x, y])]

    with pt.device(backend):
        f = pt.function(body, input_signature=[pt.TensorSpec((None, 3)), pt.TensorSpec((3, None))])
        each = pt.function(lambda x, y: pt.mean(pt.tanh(x @ y) ** 2, axis=1))
        for n, m in ((3, 5), (5, 4), (4, 6), (9, 2), (2, 30)):
            before = len(runs)
            x, y = operand(n), pt.permute_dims(operand(m), (1, 0))
            for got, expected in zip(third(f, x, y), third(each, x, y), strict=True):
                np.testing.assert_array_equal(got.numpy(), expected.numpy())
            assert n in (3, 5) or len(runs) == before


def test_some_of_several_results_are_traced_for_the_first_sizes_only() -> None:
    runs: list[Any] = []

    def body(x: Any) -> Any:
        runs.append(1)
        return pt.sum(x**2), pt.sum(x**3, axis=0)

    f = pt.function(body, input_signature=[pt.TensorSpec((None, 3))])
    for n in (3, 5, 7, 9):
        before = len(runs)
        x = operand(n)
        with pt.GradientTape() as tape:
            tape.watch(x)
            cubes = f(x)[1]
        np.testing.assert_allclose(tape.gradient(cubes, x).numpy(), 3.0 * x.numpy() ** 2, rtol=1e-5)
        assert n in (3, 5) or len(runs) == before


def test_rows_and_jacobians(backend: str) -> None:
    with pt.device(backend):
        table = pt.Variable(np.linspace(-1.0, 1.0, 10, dtype="f4").reshape(5, 2))

        def body(ids: Any) -> Any:
            return pt.tanh(pt.take(table, ids, axis=0)) ** 2

        f = pt.function(body, input_signature=[pt.TensorSpec((None,), "int32")])
        for ids in ([1, 2, 1], [0, 4], [3, 3, 3, 0]):
            found = []
            for g in (f, body):
                with pt.GradientTape() as outer:
                    with pt.GradientTape() as tape:
                        y = g(pt.asarray(ids))
                    slices = tape.gradient(y, table, sparse=True)
                    assert isinstance(slices, pt.IndexedSlices)
                    z = pt.sum(slices.values**2)
                with pt.GradientTape() as third:
                    y = pt.sum(g(pt.asarray(ids)), axis=0)
                found.append([slices.to_dense(), outer.gradient(z, table), third.jacobian(y, table)])
            for a, b in zip(*found, strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


# --- gradients that need the size -------------------------------------------------------------------------------------


@pt.custom_gradient
def rooted(x: Any) -> Any:
    """The values themselves, with a gradient divided by a root of the size: no formula of a template."""
    scale = int(x.shape[0]) ** -0.5
    return x * 1.0, lambda g: g * scale * pt.cos(x)


@pt.custom_gradient
def rooted_twice(x: Any) -> Any:
    """As `rooted`, but only the gradient's gradient needs the size."""

    @pt.custom_gradient
    def gradient(g: Any) -> Any:
        scale = int(x.shape[0]) ** -0.5
        return g * 2.0, lambda h: h * scale

    return x * 1.0, gradient


@pytest.mark.parametrize("op", [rooted, rooted_twice])
def test_a_gradient_that_needs_a_size_is_traced_for_each(op: Any, backend: str) -> None:
    """The function has one trace for all sizes, and its gradients are those of eager calls."""
    runs: list[Any] = []

    def plain(x: Any) -> Any:
        return pt.sum(op(x) ** 2)

    def body(x: Any) -> Any:
        runs.append(x.shape)
        return plain(x)

    def orders(f: Any, x: Any) -> list[Any]:
        with pt.GradientTape() as outer:
            outer.watch(x)
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            first = tape.gradient(y, x)
            total = pt.sum(first**2)
        return [y, first, outer.gradient(total, x)]

    with pt.device(backend):
        f = pt.function(body, input_signature=[pt.TensorSpec((None, 3))])
        for n in (3, 5, 7, 5, 3, 7):
            before = len(runs)
            for got, expected in zip(orders(f, operand(n)), orders(plain, operand(n)), strict=True):
                np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5)
        assert len(runs) == before
        before = len(runs)
        assert np.isfinite(float(f(operand(11)))) and len(runs) == before  # without a tape, no size is traced again
