"""The checker: the faults it finds in graphs that were made invalid on purpose."""

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
    assert "graph body is not well-formed after shuffling: it uses a symbol that is not yet defined." in text
    assert "> a: float32[2] = exp(b)  # test_checking.py:" in text
    assert "    b: float32[2] = multiply(x, w)  # test_checking.py:" in text
    assert "fix: correct shuffling" in text


def test_an_output_type_that_differs_from_the_rules_is_found(graph: Graph) -> None:
    first, *rest = graph.equations
    wrong = Symbol(None, None, 0, (3,), first.outputs[0].dtype)
    rest = [equation.substitute({first.outputs[0]: wrong}) for equation in rest]
    with pytest.raises(GraphError, match=r"the op's rules give float32\[2\]"):
        check(replace(graph, equations=(replace(first, outputs=(wrong,)), *rest)))


def test_operands_that_a_rule_rejects_are_found(graph: Graph) -> None:
    first = graph.equations[0]
    wide = Symbol(None, None, 0, (3,), first.outputs[0].dtype)
    argument = replace(graph.arguments[0], symbol=wide)
    rejected = first.substitute({graph.arguments[0].symbol: wide})
    with pytest.raises(GraphError, match="the op's rule rejects its operands"):
        check(replace(graph, arguments=(argument,), equations=(rejected, *graph.equations[1:])))


def test_a_second_definition_is_found(graph: Graph) -> None:
    first, second, third = graph.equations
    with pytest.raises(GraphError, match="it defines a symbol that is already defined"):
        check(replace(graph, equations=(first, first, second, third)))


def test_a_result_without_a_definition_is_found(graph: Graph) -> None:
    with pytest.raises(GraphError, match="a result is not defined"):
        check(replace(graph, equations=graph.equations[:2]))


def test_an_assignment_of_another_type_is_found(graph: Graph) -> None:
    ((variable, _),) = graph.writes
    with pytest.raises(GraphError, match="a variable is assigned a value of another type"):
        check(replace(graph, writes=((variable, graph.equations[2].outputs[0]),)))


def test_an_input_that_appears_twice_is_found(graph: Graph) -> None:
    with pytest.raises(GraphError, match="an input appears twice"):
        check(replace(graph, constants=graph.arguments))
