"""Passes on graphs with regions: they run inside each region, and look from none outwards."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt
from polytape.graph import Graph, check, optimise


def traced(f: Any, *operands: Any) -> Graph:
    return pt.function(f).trace(*operands)


def test_equal_loops_stay_apart_and_an_unused_one_is_removed() -> None:
    def loop(x: Any) -> Any:
        return pt.scan(lambda c, x: (c + x, c), 0.0, x)[0]

    graph = optimise(traced(lambda x: (loop(x), loop(x)), pt.ones((3,))), check)
    assert [equation.op.name for equation in graph.equations] == ["scan", "scan"]
    unused = optimise(traced(lambda x: (loop(x), x * 2.0)[1], pt.ones((3,))), check)
    assert [equation.op.name for equation in unused.equations] == ["multiply"]


def test_a_value_that_only_a_region_reads_is_kept() -> None:
    def f(x: Any, w: Any) -> Any:
        scale = pt.exp(w) * 2.0
        return pt.scan(lambda c, x: (c * scale, pt.cond(x > 0, lambda: scale, lambda: scale * 2.0)), 1.0, x)

    operands = pt.ones((2,)), pt.asarray(0.0)
    graph = optimise(traced(f, *operands), check)
    assert [equation.op.name for equation in graph.equations] == ["exp", "multiply", "scan"]
    carry, ys = pt.function(f)(*operands)
    assert carry.tolist() == 4.0 and ys.tolist() == [2.0, 2.0]


def test_regions_are_optimised_by_the_same_passes_and_fused() -> None:
    def f(x: Any) -> Any:
        return pt.scan(lambda c, x: (pt.tanh(c + x) * 0.5 + pt.tanh(c + x), None), pt.zeros((1 << 17,)), x)[0]

    x = pt.asarray(np.random.default_rng(0).normal(size=(2, 1 << 17)).astype("float32"))
    (equation,) = pt.function(f).graph(x).equations[-1:]
    (body,) = equation.regions.graphs
    assert [inner.op.name for inner in body.equations] == ["fused[add, tanh, multiply, add]"]
    assert np.array_equal(pt.function(f)(x).numpy(), f(x).numpy())
