"""Control flow under `polytape.vmap` equals a loop over the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import TraceError

BATCH = np.random.default_rng(4).normal(size=(5, 3)).astype("float32")
FUNCTIONS = {
    "scan": lambda x: pt.scan(lambda c, x: (pt.sin(c) + x, c * x), 0.5, x)[1],
    "map": lambda x: pt.map(lambda x: pt.exp(x), x),
    "cond": lambda x: pt.cond(x[0] > 0, lambda x: x * 2.0, lambda x: pt.cos(x), x),
    "cond on a constant": lambda x: pt.cond(pt.asarray(False), lambda x: x * 2.0, lambda x: pt.cos(x), x),
    "while_loop": lambda x: pt.while_loop(lambda s: pt.sum(s) < 9.0, lambda s: s * s * 1.5 + 1.0, x),
    "bounded": lambda x: pt.while_loop(lambda s: pt.sum(s) < 9.0, lambda s: s * s * 1.5 + 1.0, x, 2),
    "fori_loop": lambda x: pt.fori_loop(0, 3, lambda i, s: s * x + i, x),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_batch_equals_its_elements_with_gradients_inside_and_outside(f: Callable[[Any], Any]) -> None:
    xs = pt.asarray(BATCH)

    def gradient(x: Any) -> Any:
        return pt.gradients_function(lambda x: pt.sum(pt.square(f(x))))(x)[0]

    rows = [pt.asarray(row) for row in BATCH]
    expected, slopes = np.stack([f(x).numpy() for x in rows]), np.stack([gradient(x).numpy() for x in rows])
    np.testing.assert_allclose(pt.vmap(f)(xs).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(pt.vmap(gradient)(xs).numpy(), slopes, rtol=1e-5)
    (outside,) = pt.gradients_function(lambda xs: pt.sum(pt.square(pt.vmap(f)(xs))))(xs)
    np.testing.assert_allclose(outside.numpy(), slopes, rtol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_batch_inside_a_graph_equals_one_outside(name: str) -> None:
    f, xs = FUNCTIONS[name], pt.asarray(BATCH)
    expected = pt.vmap(f)(xs).numpy()
    np.testing.assert_allclose(pt.function(pt.vmap(f))(xs).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(pt.vmap(pt.function(f))(xs).numpy(), expected, rtol=1e-5)
    if name != "while_loop":  # it has no limit, and so no gradient in a graph

        def loss(xs: Any) -> Any:
            return pt.sum(pt.square(pt.vmap(f)(xs)))

        slopes = pt.gradients_function(loss)(xs)[0].numpy()
        np.testing.assert_allclose(pt.gradients_function(pt.function(loss))(xs)[0].numpy(), slopes, rtol=1e-5)


def test_a_loop_over_a_batch_in_a_graph_is_one_equation() -> None:
    def f(x: Any, c: Any) -> Any:
        carry, ys = pt.scan(lambda c, y: (c + y * x[0], c), c, x)
        return carry + pt.while_loop(lambda s: s < 9.0, lambda s: s * 2.0 + 1.0, ys[1])

    xs, c = pt.asarray(np.abs(BATCH)), pt.asarray(0.5)
    g = pt.function(pt.vmap(f, in_axes=(0, None)))
    names = [equation.op.name for equation in g.trace(xs, c).equations]
    assert names.count("scan") == names.count("while_loop") == 1 and len(names) < 20
    np.testing.assert_allclose(g(xs, c).numpy(), [f(pt.asarray(x), c).numpy() for x in np.abs(BATCH)], rtol=1e-5)


def test_a_variable_and_random_numbers_in_a_batch_in_a_graph() -> None:
    def program(form: Any) -> list[Any]:
        v, generator = pt.Variable(1.0), pt.random.Generator(2)

        def step(c: Any, x: Any) -> Any:
            v.assign(v * 2.0)
            return c + x * v, pt.random.uniform((), generator=generator)

        f = form(pt.vmap(lambda x: pt.scan(step, 0.0, x), randomness="different"))
        carry, draws = f(pt.asarray(BATCH))
        return [carry.tolist(), draws.tolist(), float(v), generator.state.tolist()]

    assert program(pt.function) == program(lambda f: f)


def test_a_loop_of_unknown_length_with_a_tape_inside_a_batch_in_a_graph_says_what_to_do() -> None:
    def gradient(x: Any) -> Any:
        return pt.gradients_function(lambda x: pt.sum(FUNCTIONS["while_loop"](x)))(x)[0]

    with pytest.raises(TraceError, match="pass maximum_iterations"):
        pt.function(pt.vmap(gradient))(pt.asarray(BATCH))


def test_a_variable_cannot_be_assigned_for_some_elements_only() -> None:
    v = pt.Variable(0.0, name="v")

    def f(x: Any) -> Any:
        return pt.cond(x[0] > 0, lambda: v.assign_add(1.0) * 1.0, lambda: pt.asarray(0.0))

    with pytest.raises(TraceError, match=r"v cannot be assigned inside polytape\.cond under vmap"):
        pt.vmap(f)(pt.asarray(BATCH))
    assert float(v) == 0.0
