"""The removal of moves between devices from a graph that is written for one device."""

from __future__ import annotations

from typing import Any

import pytest

import polytape as pt
from polytape.graph.passes import without_moves

pytest.importorskip("polytape_sim")


def test_what_follows_a_move_takes_the_value_before_it() -> None:
    v = pt.Variable(1.0, device="sim")

    def body(x: Any) -> Any:
        y = x.to_device("sim").to_device("numpy")
        v.assign(pt.sum(x).to_device("sim"))
        return y, y * 2.0

    graph = without_moves(pt.function(body).trace(pt.ones((3,), device="numpy")))
    assert [equation.op.name for equation in graph.equations] == ["sum", "multiply"]
    total, product = graph.equations
    assert graph.outputs == (graph.arguments[0].symbol, product.outputs[0])
    assert [symbol for _, symbol in graph.writes] == [total.outputs[0]]
    assert product.operands[0] is graph.arguments[0].symbol


def test_the_regions_of_an_equation_have_none_either() -> None:
    def body(x: Any) -> Any:
        return pt.cond(pt.sum(x) > 0, lambda: x.to_device("sim").to_device("numpy") * 2.0, lambda: x)

    traced = pt.function(body).trace(pt.ones((3,), device="numpy"))
    assert "to_device" in str(traced) and "to_device" not in str(without_moves(traced))


def test_a_graph_without_moves_is_itself() -> None:
    traced = pt.function(lambda x: x * 2.0).trace(pt.ones((3,)))
    assert without_moves(traced) is traced
