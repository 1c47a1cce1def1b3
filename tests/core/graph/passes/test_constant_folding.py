"""Constant folding: what is computed once, what is not, and that tapes, states and errors stay where they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph import Graph, check, optimise
from polytape.graph.passes import constant_folding, dead_code


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def test_what_depends_on_constants_alone_is_one_constant() -> None:
    c = pt.asarray([1.0, 2.0])

    def body(x: Any) -> Any:
        table = pt.exp(c * 2.0) + pt.astype(pt.arange(2), "float32")
        return x * table, pt.sum(table)

    graph = dead_code(constant_folding(pt.function(body).trace(pt.ones(2))))
    check(graph, "constant_folding")
    assert names(graph) == ["multiply"]
    assert len(graph.constants) == 2
    for got, expected in zip(pt.function(body)(pt.ones(2)), body(pt.ones(2)), strict=True):
        np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_variables_random_numbers_and_large_results_are_computed_at_each_run() -> None:
    w = pt.Variable(2.0)
    generator = pt.random.Generator(0)
    f = pt.function(lambda: (pt.exp(w), pt.random.uniform((2,), generator=generator), pt.zeros((1000, 1000))))
    assert {"exp", "random_uniform", "zeros"} <= set(names(optimise(f.trace(), fuse=False)))
    assert f()[1].tolist() != f()[1].tolist()
    w.assign(3.0)
    assert float(f()[0]) == pytest.approx(np.exp(3.0))


def test_a_captured_tensor_that_a_tape_follows_is_no_constant() -> None:
    c = pt.asarray([1.0, 2.0])
    f = pt.function(lambda x: pt.sum(pt.square(c) * x))
    x = pt.ones(2)
    with pt.GradientTape() as tape:
        tape.watch(c)
        y = f(x)
    assert tape.gradient(y, c).tolist() == [2.0, 4.0]
    assert names(f.graph(x)) == ["square", "multiply", "sum"]


def test_a_changed_result_changes_no_later_one() -> None:
    f = pt.function(lambda: pt.arange(3.0) * 2.0)
    first = f()
    first[0] = 9.0
    assert first.tolist() == [9.0, 2.0, 4.0] and f().tolist() == [0.0, 2.0, 4.0]


def test_an_error_is_raised_by_the_call_with_its_line() -> None:
    f = pt.function(lambda x: x + pt.linalg.inv(pt.zeros((2, 2))))
    assert names(f.graph(pt.ones((2, 2)))) == ["inv", "add"]
    with pytest.raises(pt.errors.LinAlgError) as caught:
        f(pt.ones((2, 2)))
    assert any("test_constant_folding.py" in note for note in caught.value.__notes__)
