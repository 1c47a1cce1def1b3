"""The checker: what it finds in graphs that were made wrong on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import polytape as pt
from polytape.graph import Graph, GraphError, check
from polytape.tensors.tensor import Symbol


@pytest.fixture
def graph() -> Graph:
    w = pt.Variable([1.0, 2.0], name="w")

    def body(x: Any) -> Any:
        y = pt.exp(x * w)
        w.assign(y)
        return pt.sum(y), y

    return pt.function(body).graph(pt.zeros(2))


def test_a_traced_graph_is_well_formed(graph: Graph) -> None:
    check(graph)


def test_a_use_before_its_definition_is_shown_among_its_neighbours(graph: Graph) -> None:
    first, second, third = graph.equations
    with pytest.raises(GraphError) as caught:
        check(replace(graph, equations=(second, first, third)), "shuffling")
    text = str(caught.value)
    assert "graph body is not well-formed after shuffling: it uses what is not defined yet." in text
    assert "> a: float32[2] = exp(b)  # test_checking.py:" in text
    assert "    b: float32[2] = multiply(x, w)  # test_checking.py:" in text
    assert "fix: mend shuffling" in text


def test_a_type_that_the_rules_do_not_give_is_found(graph: Graph) -> None:
    first, *rest = graph.equations
    wrong = Symbol(None, None, 0, (3,), first.outputs[0].dtype)
    rest = [one.substitute({first.outputs[0]: wrong}) for one in rest]
    with pytest.raises(GraphError, match=r"the op's rules give float32\[2\]"):
        check(replace(graph, equations=(replace(first, outputs=(wrong,)), *rest)))


def test_operands_that_a_rule_refuses_are_found(graph: Graph) -> None:
    first = graph.equations[0]
    wide = Symbol(None, None, 0, (3,), first.outputs[0].dtype)
    argument = replace(graph.arguments[0], symbol=wide)
    bent = first.substitute({graph.arguments[0].symbol: wide})
    with pytest.raises(GraphError, match="the op's rule refuses its operands"):
        check(replace(graph, arguments=(argument,), equations=(bent, *graph.equations[1:])))


def test_a_second_definition_is_found(graph: Graph) -> None:
    first, second, third = graph.equations
    with pytest.raises(GraphError, match="it defines what is defined already"):
        check(replace(graph, equations=(first, first, second, third)))


def test_a_result_without_a_definition_is_found(graph: Graph) -> None:
    with pytest.raises(GraphError, match="a result is not defined"):
        check(replace(graph, equations=graph.equations[:2]))


def test_an_assignment_of_another_type_is_found(graph: Graph) -> None:
    ((variable, _),) = graph.writes
    with pytest.raises(GraphError, match="a variable is assigned another type"):
        check(replace(graph, writes=((variable, graph.equations[2].outputs[0]),)))


def test_an_input_that_is_there_twice_is_found(graph: Graph) -> None:
    with pytest.raises(GraphError, match="an input is there twice"):
        check(replace(graph, constants=graph.arguments))
