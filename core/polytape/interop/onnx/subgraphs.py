"""Branches and loops as ONNX's ``If``, ``Loop`` and ``Scan``, whose subgraphs see the names around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ...control.branching import Branches
from ...control.looping import Repeated
from ...control.scanning import Steps
from ...graph.ir import Graph
from .nodes import Nodes

__all__ = ["Subgraphs", "in_subgraphs"]


class Subgraphs(Nodes, Protocol):
    """What an equation with regions is written with."""

    def subgraph(self, name: str, arguments: Sequence[tuple[Any, Any]], body: Callable[[list[str]], list[str]]) -> Any:
        """A subgraph.

        Args:
            name: of the subgraph.
            arguments: dtype and shape of each input.
            body: takes their names, adds nodes, and returns the names of the outputs.
        """

    def region(self, graph: Graph, operands: Sequence[str]) -> list[str]:
        """The names of a region's outputs, after its equations have been written."""


def in_subgraphs(nodes: Subgraphs, regions: Any, operands: Sequence[str]) -> list[str]:
    """The names of the outputs of an equation with regions."""
    if isinstance(regions, Branches):
        return _cond(nodes, regions, operands)
    if isinstance(regions, Repeated):
        return _while_loop(nodes, regions, operands)
    if isinstance(regions, Steps):
        return _scan(nodes, regions, operands)
    # A hand-written gradient, or a use of an assigned variable, gives its last operands.
    return list(operands[len(operands) - len(regions.results) :])


def _types(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [(tensor_type.dtype, shape) for tensor_type, shape in values]


def _cond(nodes: Subgraphs, regions: Branches, operands: Sequence[str]) -> list[str]:
    predicate, *given = operands
    true, false = (nodes.subgraph(graph.name, [], _branch(nodes, graph, given)) for graph in regions.graphs)
    return nodes.outputs("If", len(regions.results), predicate, then_branch=true, else_branch=false)


def _branch(nodes: Subgraphs, graph: Graph, given: Sequence[str]) -> Callable[[list[str]], list[str]]:
    return lambda _: nodes.region(graph, given)


def _while_loop(nodes: Subgraphs, regions: Repeated, operands: Sequence[str]) -> list[str]:
    count = len(regions.results)
    condition, body = regions.graphs
    state, captured = operands[:count], operands[count:]

    def step(arguments: list[str]) -> list[str]:
        after = nodes.region(body, [*arguments[2:], *captured])
        return [*nodes.region(condition, [*after, *captured]), *after]

    arguments = [(np.dtype("int64"), ()), (np.dtype("bool"), ()), *_types(regions.results)]
    subgraph = nodes.subgraph("body", arguments, step)
    limit = "" if regions.limit is None else nodes.constant(regions.limit, "int64")
    (start,) = nodes.region(condition, operands)
    return nodes.outputs("Loop", count, limit, start, *state, body=subgraph)


def _scan(nodes: Subgraphs, regions: Steps, operands: Sequence[str]) -> list[str]:
    """A scan over nothing gets an operand that no step uses, since ONNX needs one."""
    count, first = regions.carries, regions.carries + regions.rows
    state, rows, captured = operands[:count], list(operands[count:first]), operands[first:]
    elements = [(dtype, shape[1:]) for dtype, shape in _types(regions.operands[count:first])]
    if not rows:
        rows, elements = [nodes.constant([False] * regions.length, "bool")], [(np.dtype("bool"), ())]

    def step(arguments: list[str]) -> list[str]:
        results = nodes.region(regions.graphs[0], [*arguments[: count + regions.rows], *captured])
        return [*results, *(arguments[:count] if regions.keep else ())]

    subgraph = nodes.subgraph("step", [*_types(regions.operands[:count]), *elements], step)
    columns = len(regions.results) - count
    ways: dict[str, Any] = {}
    if regions.reverse:
        ways = {"scan_input_directions": [1] * len(rows)}
        if columns:
            ways["scan_output_directions"] = [1] * columns
    return nodes.outputs("Scan", count + columns, *state, *rows, body=subgraph, num_scan_inputs=len(rows), **ways)
