"""Layout: which permutations disappear, which stay, and that no result changes a bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph import Executable, Graph, check
from polytape.graph.passes import dead_code, layout, simplification

X = np.array([[0.5, -0.0, np.nan], [3.0, -0.25, np.inf]], "float32")


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def laid_out(body: Callable[..., Any], *arrays: Any) -> Graph:
    """The graph after the pass; its results have the bits and strides of the graph as traced."""
    tensors = [pt.asarray(x) for x in arrays]
    traced = pt.function(body).trace(*tensors)
    graph = dead_code(simplification(layout(traced)))
    check(graph, "layout")
    with np.errstate(all="ignore"):
        expected, results = [Executable(g).run(*[x.array for x in tensors]) for g in (traced, graph)]
    for x, y in zip(expected, results, strict=True):
        assert x.dtype == y.dtype and x.tobytes() == y.tobytes()
    return graph


def test_permutations_around_elementwise_equations_cancel() -> None:
    def body(x: Any) -> Any:
        y = pt.exp(pt.permute_dims(x, (1, 0)) * 2.0)
        return pt.permute_dims(y * y, (1, 0))

    assert names(laid_out(body, X)) == ["multiply", "exp", "multiply"]


def test_three_axes_become_one_permutation() -> None:
    def body(x: Any) -> Any:
        return pt.permute_dims(pt.negative(pt.permute_dims(x, (1, 2, 0))), (1, -1, 0))

    graph = laid_out(body, np.arange(24, dtype="float32").reshape(2, 3, 4))
    assert names(graph) == ["negative", "permute_dims"]
    assert graph.equations[1].attributes["axes"] == (2, 0, 1)


def test_nothing_moves_in_front_of_a_sum_a_product_or_a_result() -> None:
    def body(x: Any) -> Any:
        y = pt.exp(pt.permute_dims(x, (1, 0)))
        return pt.sum(y, axis=0), pt.matmul(x, y), pt.permute_dims(pt.tanh(y), (1, 0)), pt.permute_dims(x, (1, 0)) + 1.0

    traced = pt.function(body).trace(pt.asarray(X))
    assert layout(traced) is traced


def test_operands_in_different_orders_stay() -> None:
    def body(x: Any, y: Any) -> Any:
        return pt.permute_dims(pt.permute_dims(x, (1, 0)) + y, (1, 0)), pt.permute_dims(x, (1, 0))

    assert names(laid_out(body, X, X.T.copy())) == ["permute_dims", "add", "permute_dims", "permute_dims"]


def test_a_broadcast_operand_stays() -> None:
    def body(x: Any, y: Any) -> Any:
        return pt.permute_dims(pt.permute_dims(x, (1, 0)) * pt.permute_dims(y, (1, 0)), (1, 0))

    assert names(laid_out(body, X, X[:1])).count("permute_dims") == 3


UNARY = [pt.exp, pt.abs, pt.negative, lambda x: x * 2.0, lambda x: pt.permute_dims(x, (1, 0))]
BINARY = [pt.add, pt.multiply, pt.maximum]
STEP = st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 99), st.integers(0, 99))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=2, max_size=14), st.lists(st.integers(0, 99), min_size=1, max_size=3))
def test_random_graphs_keep_their_bits(steps: list[Any], results: list[int]) -> None:
    def body(x: Any, y: Any) -> Any:
        values = [x, y, pt.permute_dims(x, (1, 0))]
        for choice, left, right in steps:
            a, b = values[left % len(values)], values[right % len(values)]
            values.append(UNARY[choice](a) if choice < len(UNARY) else BINARY[choice - len(UNARY)](a, b))
        return [values[-1 - index % len(values)] for index in results]

    square = np.array([[0.5, -0.0, np.nan], [3.0, -0.25, np.inf], [-np.inf, 1.0, 0.0]], "float32")
    laid_out(body, square, square[::-1].copy())
