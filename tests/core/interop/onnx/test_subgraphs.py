"""Branches and loops are If, Loop and Scan in a model, and branches and loops again when it is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt

onnx: Any = pytest.importorskip("onnx", reason="exports need the package onnx")

X = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
# ONNX's evaluator, which runs without onnxruntime, has no Scan from the last element to the first.
H = np.asarray([0.5, -0.25, 1.0], "float32")


def ops(path: Any) -> set[str]:
    return {node.op_type for node in onnx.load(str(path)).graph.node}


def kinds(graph: Any) -> set[str]:
    """The names of the equations with regions, at any depth."""
    found = set()
    for equation in graph.equations:
        if equation.regions is not None:
            found |= {equation.op.name}.union(*map(kinds, equation.regions.graphs))
    return found


@pytest.mark.parametrize("value", [1.5, -2.0])
def test_a_branch_reads_names_around_it(agree: Any, path: Any, value: float) -> None:
    w = pt.Variable(H, name="w")

    def body(x: Any, y: Any) -> Any:
        return pt.cond(x > 0, lambda: (w * x, y), lambda: (y - 1.0, pt.exp(w)))

    loaded = agree(body, np.asarray(value, "float32"), H)
    assert ops(path) == {"Greater", "If", "Identity"}
    assert kinds(loaded.graph(np.asarray(value, "float32"), H)) == {"cond"}


def test_a_loop_until_a_condition_is_false(agree: Any) -> None:
    def step(state: Any) -> Any:
        n, steps = state
        return pt.cond(n % 2 == 0, lambda n: n // 2, lambda n: 3 * n + 1, n), steps + 1

    loaded = agree(lambda n: pt.while_loop(lambda s: s[0] != 1, step, (n, 0))[1], np.asarray(27))
    assert loaded(np.asarray(27)).item() == 111
    assert loaded(np.asarray(1)).item() == 0
    assert kinds(loaded.graph(np.asarray(1))) == {"cond", "while_loop"}


def test_a_loop_with_a_limit_can_be_differentiated_after_loading(agree: Any) -> None:
    def body(x: Any) -> Any:
        return pt.while_loop(lambda s: pt.sum(s) < 20.0, lambda s: s * s + x, x, maximum_iterations=4)

    x = pt.asarray(H)
    loaded = agree(body, H)
    gradients = []
    for f in (body, loaded, loaded.eager):
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum(f(x))
        gradients.append(tape.gradient(y, x).numpy())
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-6)
    np.testing.assert_allclose(gradients[2], gradients[0], rtol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_in_both_directions(agree: Any, path: Any, runtime: bool, reverse: bool) -> None:
    w = pt.Variable(np.eye(3, dtype="float32") * 0.5, name="w")

    def body(x: Any, h: Any) -> Any:
        return pt.scan(lambda c, v: (pt.tanh(c @ w + v), (c * 2.0, v)), h, x, reverse=reverse)

    loaded = agree(lambda x, h: pt.nn.relu(body(x, h)[1][0]) + body(x, h)[0], X, H, elsewhere=runtime or not reverse)
    assert ops(path) >= {"Scan"}
    assert f"length=5{', reverse=True' if reverse else ''}" in str(loaded.graph(X, H))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_over_nothing_map_and_loops_between_bounds(agree: Any, runtime: bool, reverse: bool) -> None:
    def body(x: Any, n: Any) -> Any:
        carry, rows = pt.scan(lambda c, _: (c * 1.5, pt.sum(c)), x, None, 4, reverse)
        last = pt.scan(lambda c, _: (c + 1.0, None), x, None, 3, reverse)[0]
        counted = pt.fori_loop(2, 6, lambda i, c: c * x + pt.astype(i, "float32"), x)
        dynamic = pt.fori_loop(0, n, lambda i, c: c * x + pt.astype(i, "float32"), x)
        return carry, rows, last, counted, dynamic, pt.map(lambda v: v * v, x)

    agree(body, H, np.asarray(4), elsewhere=runtime or not reverse)


def test_the_gradient_of_a_scan_that_keeps_its_carries(agree: Any, runtime: bool) -> None:
    def body(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum(pt.scan(lambda c, v: (c * v + 1.0, pt.sin(c)), pt.ones(3), x)[1])
        return tape.gradient(y, x), y

    agree(body, X, elsewhere=runtime)


def test_a_hand_written_gradient_inside_a_loop_is_its_forward_value(agree: Any, runtime: bool) -> None:
    @pt.custom_gradient
    def halved(x: Any) -> Any:
        return x * 2.0, lambda g: g * 0.5

    def body(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.sum(pt.scan(lambda c, v: (halved(c) + v, None), pt.zeros(3), x)[0])
        return y, tape.gradient(y, x)

    agree(body, X, elsewhere=runtime)


def test_constants_of_bodies_and_nested_loops(agree: Any) -> None:
    table = pt.asarray(np.arange(6, dtype="float32").reshape(2, 3))

    def body(x: Any) -> Any:
        def outer(c: Any, v: Any) -> Any:
            inner = pt.map(lambda row: pt.sum(row * v) + pt.sum(c), table)
            return c + pt.mean(inner), inner

        return pt.scan(outer, pt.zeros(3), x)

    agree(lambda x: body(x)[1], X)
