"""Passes: functions from a graph to an equivalent graph."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .common_subexpressions import common_subexpressions
from .dead_code import dead_code

__all__ = ["PASSES", "common_subexpressions", "dead_code", "optimise"]

PASSES: tuple[Callable[[Graph], Graph], ...] = (common_subexpressions, dead_code)


def optimise(graph: Graph, check: Callable[[Graph, str], None] | None = None) -> Graph:
    """The graph after all passes, in order.

    Args:
        graph: as traced.
        check: called after each pass with the graph and the pass's name; tests pass `polytape.graph.checking.check`.
    """
    for run_pass in PASSES:
        graph = run_pass(graph)
        if check is not None:
            check(graph, run_pass.__name__)
    return graph
