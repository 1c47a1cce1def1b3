"""Which arrays a graph overwrites, and which it keeps between its runs."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph import Executable, Graph
from polytape.graph.buffers import LARGEST, Scratch, last_uses, owned, reusable
from polytape.graph.scalars import Scalars
from polytape.ops.optim import momentum_update
from polytape.registry.resolution import Copying, Guarded, Resolution


def scratch_of(graph: Graph) -> Scratch:
    return Scratch(graph, reusable(graph, last_uses(graph), Scalars(graph)))


def test_the_operand_of_a_kernel_that_may_return_a_view_is_not_overwritten() -> None:
    x = pt.ones((2, 3))
    graph = pt.function(lambda x: (pt.reshape(x * 2.0, (3, 2)), x * 2.0 + 1.0)).graph(x)
    assert reusable(graph, last_uses(graph), Scalars(graph)) == [None] * len(graph.equations)
    graph = pt.function(lambda x: (pt.reshape(x * 2.0, (3, 2)), x * 3.0 + 1.0)).graph(x)
    assert [buffer is not None for buffer in reusable(graph, last_uses(graph), Scalars(graph))] == [False] * 3 + [True]


def test_a_vector_that_only_a_run_refers_to_is_kept_for_the_next_run() -> None:
    graph = pt.function(lambda x: pt.sum(pt.exp(x * 2.0))).graph(pt.zeros(1000))
    source = Executable(graph).source.split("def call")[0]
    assert source.splitlines() == [
        "def run(x0):",
        "    try:",
        "        scratch = free.pop()",
        "    except IndexError:",
        "        scratch = allocate()",
        "    b0, = scratch",
        "    _a = k0(x0, n0_1, b0)",
        "    _b = k1(_a, _a)",
        "    _c = l2_0(e2_reduce(_b, e2_axis, None, None, e2_keepdims))",
        "    free.append(scratch)",
        "    return (_c, )",
    ]


@pytest.mark.parametrize(
    ("body", "copied"),
    [
        (lambda x, m: (x, m), True),  # arguments
        (lambda x, m: (x, m * 2.0), True),
        (lambda x, m: (x * 2.0, m * 2.0), False),
        (lambda x, m: (pt.reshape(pt.reshape(x, (5, 1)) * 2.0, (5,)), m * 2.0), True),  # a view
    ],
)
def test_a_kernel_that_writes_gets_temporaries_and_copies_of_everything_else(body: Any, copied: bool) -> None:
    def update(x: Any, m: Any) -> Any:
        after, momentum = momentum_update(*body(x, m), x, pt.asarray(0.5), pt.asarray([0.9, 0.0]))
        return after + momentum

    x, m = (pt.asarray(np.linspace(-1.0, k, 5, dtype="f4")) for k in (1.0, 2.0))
    before = x.numpy().copy(), m.numpy().copy()
    graph = pt.function(update).graph(x, m)
    assert (not owned(graph, last_uses(graph))) == copied
    np.testing.assert_array_equal(pt.function(update)(x, m).numpy(), update(x, m).numpy())
    np.testing.assert_array_equal([x.numpy(), m.numpy()], before)


@pytest.mark.parametrize("served", [True, False])
def test_kernels_that_predicates_choose_get_the_temporaries_themselves(served: bool) -> None:
    def update(x: Any, m: Any) -> Any:
        after, momentum = momentum_update(x * 2.0, m * 2.0, x, pt.asarray(0.5), pt.asarray([0.9, 0.0]))
        return after + momentum

    operands: list[tuple[Any, ...]] = []

    def guarded(resolution: Resolution) -> Resolution:
        copying = resolution.fn

        def kernel(*arrays: Any, **attributes: Any) -> Any:
            operands.append(arrays)
            return copying.fn(*arrays, **attributes)

        def when(*arrays: Any, **attributes: Any) -> bool:
            operands.append(arrays)
            return served

        spy = Copying(kernel, copying.operand_types, copying.written, False)
        types = resolution.operand_types, resolution.result_types, resolution.candidates
        return Resolution(Guarded([(when, spy)], spy), None, *types, resolution.how)

    x, m = pt.asarray([1.0, 2.0]), pt.asarray([3.0, 4.0])
    graph = pt.function(update).graph(x, m)
    equations = [
        replace(equation, resolution=guarded(equation.resolution))
        if type(equation.resolution.fn) is Copying
        else equation
        for equation in graph.equations
    ]
    (result,) = Executable(replace(graph, equations=tuple(equations))).run(x.array, m.array)
    assert result.tolist() == update(x, m).tolist()
    seen, used = operands
    assert all(used[position] is seen[position] for position in (0, 1))


@pytest.mark.parametrize(
    "body",
    [
        lambda x: pt.exp(x * 2.0),  # a result, and what it overwrites
        lambda x: pt.reshape(x * 2.0, (10, 100)),  # a view is a result
        lambda x: (x * 2.0)[1:3] + 1.0,
        lambda x: pt.sum(pt.reshape(x, (10, 100)) * 2.0),  # a matrix
    ],
)
def test_what_outlives_a_run_or_has_several_layouts_is_a_new_array(body: Any) -> None:
    graph = pt.function(body).graph(pt.zeros(1000))
    scratch = scratch_of(graph)
    assert not {*graph.results()} & scratch.private
    assert not [symbol for symbol in scratch.number if symbol.shape == (1000,)]


def test_a_graph_keeps_a_limited_amount_of_memory() -> None:
    n = LARGEST // 4
    graph = pt.function(lambda x: pt.sum(x * 2.0) + pt.sum(x * 3.0)).graph(pt.zeros(n))
    assert len(scratch_of(graph).number) == 1
    assert not scratch_of(pt.function(lambda x: pt.sum(x * 2.0)).graph(pt.zeros(n + 1))).number


def test_runs_at_the_same_time_use_different_arrays() -> None:
    @pt.function
    def f(x: Any) -> Any:
        y = pt.exp(x * 0.001)
        return pt.sum(pt.square(y + x) - y)

    x = [pt.asarray(np.full(1000, k, "f4")) for k in range(4)]
    expected = [float(f.python(part)) for part in x]
    wrong = []

    def work(k: int) -> None:
        wrong.extend([k for _ in range(200) if float(f(x[k])) != expected[k]])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
