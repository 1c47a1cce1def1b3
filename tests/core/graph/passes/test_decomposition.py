"""Decomposition: which ops are replaced by their bodies, and that the results stay the same bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph import Executable, Graph, check, optimise
from polytape.graph.passes import decomposition
from polytape.testing import CASES

X = np.array([[0.5, -1.0, 2.0], [3.0, -0.25, -0.0]], "float32")


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def decomposed(body: Callable[..., Any], *tensors: Any) -> Graph:
    """The graph after the pass, checked; it gives the bits of the graph as traced."""
    traced = pt.function(body).trace(*tensors)
    graph = decomposition(traced)
    check(graph, "decomposition")
    arrays = [x.array for x in tensors]
    with np.errstate(all="ignore"):
        expected, results = Executable(traced).run(*arrays), Executable(graph).run(*arrays)
    for x, y in zip(expected, results, strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)
    return graph


def test_an_op_without_a_kernel_is_its_body() -> None:
    graph = decomposed(lambda x: pt.nn.hard_tanh(x, min_val=-0.5) * 2.0, pt.asarray(X))
    assert names(graph) == ["maximum", "minimum", "multiply"]
    assert len({equation.source for equation in graph.equations}) == 1


def test_bodies_of_bodies_are_replaced_too_and_constants_are_shared() -> None:
    def body(x: Any) -> Any:
        return pt.nn.log_sigmoid(x), pt.nn.log_sigmoid(x * 2.0)

    graph = decomposed(body, pt.asarray(X))
    assert all(equation.resolution.how == "kernel" for equation in graph.equations)
    arrays = [id(x.holder.array) for x in graph.constants if x.holder is not None]
    assert len(arrays) == len(set(arrays))


def test_the_result_of_a_body_may_be_its_operand() -> None:
    def body(x: Any) -> Any:
        y = pt.nn.dropout(x, rate=0.0) if hasattr(pt.nn, "dropout") else x
        return pt.nn.hard_tanh(y), y

    decomposed(body, pt.asarray(X))


def test_the_calls_stay_where_a_gradient_needs_them() -> None:
    f = pt.function(lambda x: pt.nn.hard_tanh(x))
    x = pt.asarray(X)
    assert names(optimise(f.trace(x), fuse=False)) == ["hard_tanh"]
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), (abs(X) < 1.0).astype("float32"))
    np.testing.assert_array_equal(pt.vmap(f)(x).numpy(), f(x).numpy())


def test_a_body_that_raises_stays_and_raises_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def reading(*operands: Any, **attributes: Any) -> Any:
        return operands[0] if float(operands[0][0, 0]) > 0 else operands[0] * 2.0

    f = pt.function(lambda x: pt.nn.hard_tanh(x))
    x = pt.asarray(X)
    traced = f.trace(x)
    op = traced.equations[0].op
    monkeypatch.setattr(type(op), "run_body", lambda self, operands, attributes: reading(*operands))
    assert names(decomposition(traced)) == ["hard_tanh"]


OTHERS = {"getitem", "scatter_add", "setitem", "stack"}  # their rows have operands that are no tensors
BODIES = {
    case.op.name: case
    for case in CASES
    if not case.op.primitive and "float32" in case.samples[0].dtypes() and case.op.name not in OTHERS
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BODIES)
def test_every_op_gives_the_bits_of_its_body(name: str) -> None:
    case = BODIES[name]
    sample = case.samples[0]
    rng = np.random.default_rng(0)
    tensors = [pt.asarray(maker.make(rng, np.dtype("float32"))) for maker in sample.operands]
    decomposed(lambda *operands: case.op(*operands, **sample.attributes), *tensors)
