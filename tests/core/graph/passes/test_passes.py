"""The passes: what each removes and keeps, and that random graphs compute the same after every pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph import Executable, Graph, check
from polytape.graph.passes import PASSES, common_subexpressions, dead_code


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def test_equal_equations_are_merged() -> None:
    def body(x: Any) -> Any:
        return pt.exp(x * 2.0) + pt.exp(x * 2.0), pt.sum(x, axis=[0]), pt.sum(x, axis=(0,))

    graph = common_subexpressions(pt.function(body).trace(pt.zeros((2, 2))))
    assert names(graph) == ["multiply", "exp", "add", "sum"]
    assert graph.outputs[1] is graph.outputs[2]


def test_numbers_that_compare_equal_but_differ_are_not_merged() -> None:
    def body(x: Any) -> Any:
        return x * 0.0, x * -0.0, x * 0, pt.full((2,), 1), pt.full((2,), 1.0), pt.full((2,), True)

    graph = common_subexpressions(pt.function(body).trace(pt.zeros(2)))
    assert len(graph.equations) == 6


def test_two_random_draws_are_not_merged() -> None:
    generator = pt.random.Generator(0)
    graph = common_subexpressions(
        pt.function(lambda: [pt.random.uniform((2,), generator=generator) for _ in range(2)]).trace()
    )
    assert names(graph).count("random_uniform") == 2


def test_what_no_result_needs_is_removed() -> None:
    w = pt.Variable([1.0, 2.0])
    constant = pt.asarray([3.0, 4.0])

    def body(x: Any) -> Any:
        _ = pt.exp(x) + constant
        w.assign(x * 2.0)
        return x

    graph = dead_code(pt.function(body).trace(pt.zeros(2)))
    assert names(graph) == ["multiply"]
    assert not graph.constants


def test_an_unused_variable_remains_an_input_since_tapes_may_follow_it() -> None:
    w = pt.Variable(1.0)
    assert len(pt.function(lambda x: (w * 2.0, x)[1]).graph(pt.zeros(2)).variables) == 1


UNARY = [pt.exp, pt.tanh, pt.negative, pt.square, pt.abs, lambda x: x * 2.0, lambda x: 1 - x, lambda x: x[::-1]]
BINARY = [pt.add, pt.subtract, pt.multiply, pt.maximum]
STEP = st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 99), st.integers(0, 99), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=12), st.lists(st.integers(0, 99), min_size=1, max_size=3))
def test_random_graphs_compute_the_same_after_every_pass(steps: list[Any], result_indices: list[int]) -> None:
    w = pt.Variable([0.5, -1.0, 0.25])

    def body(x: Any, y: Any) -> Any:
        values = [x, y, w, pt.ones(3)]
        for choice, left, right, assign in steps:
            a, b = values[left % len(values)], values[right % len(values)]
            values.append(UNARY[choice](a) if choice < len(UNARY) else BINARY[choice - len(UNARY)](a, b))
            if assign:
                w.assign(values[-1])
        return [pt.tanh(values[index % len(values)]) for index in result_indices]

    x, y = pt.asarray([0.1, 0.2, -0.3]), pt.asarray([1.0, -1.0, 0.5])
    before = w.array
    with np.errstate(all="ignore"):
        graph = pt.function(body).trace(x, y)
        check(graph)
        reference = Executable(graph).run(x.array, y.array, *[before for _ in graph.variables])
        eager = [result.numpy() for result in body(x, y)]
        for actual, expected in zip(reference, eager, strict=False):
            np.testing.assert_array_equal(actual, expected)
        for run_pass in PASSES:
            graph = run_pass(graph)
            check(graph, run_pass.__name__)
            results = Executable(graph).run(x.array, y.array, *[before for _ in graph.variables])
            for actual, expected in zip(results, reference, strict=True):
                np.testing.assert_array_equal(actual, expected)
