"""Regions: the passes run on the subgraphs of control flow too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..ir import Equation, Graph

__all__ = ["regions"]


def regions(graph: Graph, optimise: Callable[[Graph], Graph]) -> Graph:
    """The graph with each region optimised by itself: it is a graph that reads nothing from around it."""
    if all(equation.regions is None for equation in graph.equations):
        return graph

    def optimised(equation: Equation) -> Equation:
        if equation.regions is None:
            return equation
        inner = equation.regions.replaced([optimise(region) for region in equation.regions.graphs])
        return replace(equation, attributes={**equation.attributes, "regions": inner})

    return replace(graph, equations=tuple(optimised(equation) for equation in graph.equations))
