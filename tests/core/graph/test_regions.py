"""Equations with regions: what passes, the checker and recording do with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import polytape as pt
from polytape.graph import Graph, GraphError, check
from polytape.graph.interpreting import interpret


def traced(f: Any, *operands: Any) -> Graph:
    return pt.function(f).trace(*operands)


def test_the_checker_looks_into_regions_and_at_their_operands() -> None:
    graph = traced(lambda x: pt.scan(lambda c, x: (c + x, None), 0.0, x)[0], pt.ones((3,)))
    (scan,) = graph.equations
    (body,) = scan.regions.graphs
    broken = replace(body, equations=())
    inner = replace(scan, attributes={"regions": scan.regions.replaced([broken])})
    with pytest.raises(GraphError, match="graph step is not well-formed after a pass: a result is not defined"):
        check(replace(graph, equations=(inner,)), "a pass")
    swapped = replace(scan, operands=scan.operands[::-1])
    with pytest.raises(GraphError, match="the op's rule rejects its operands"):
        check(replace(graph, equations=(swapped,)), "a pass")


def test_a_graph_with_regions_is_interpreted_op_by_op() -> None:
    def f(x: Any, n: Any) -> Any:
        y, _ = pt.scan(lambda c, x: (pt.cond(x > 0.7, lambda c: c + x, lambda c: c * x, c), None), 1.0, x)
        return pt.while_loop(lambda s: s < n, lambda s: s * 2.0, y)

    operands = pt.asarray([1.0, 0.5, 3.0]), pt.asarray(20.0)
    assert interpret(traced(f, *operands), operands)[0].tolist() == f(*operands).tolist()


def test_a_summary_of_a_graph_with_regions_is_the_graph_s() -> None:
    pytest.importorskip("tensorboard")
    from polytape.summary.graph_protos import definition

    graph = traced(lambda x: pt.scan(lambda c, x: (c + x, None), 0.0, x)[0], pt.ones((3,)))
    assert b"scan_a/0_step/" in definition(graph)
