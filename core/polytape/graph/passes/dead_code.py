"""Drop what no result depends on."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Equation, Graph, Input

__all__ = ["dead_code"]


def dead_code(graph: Graph) -> Graph:
    """The graph without equations and constants that neither an output nor an assignment needs.

    Arguments and variables stay: the call passes them, and a tape may follow a variable for its own sake.
    """
    needed = set(graph.results())
    kept: list[Equation] = []
    for equation in reversed(graph.equations):
        if needed.isdisjoint(equation.outputs):
            continue
        needed.update(equation.symbols())
        kept.append(equation)
    constants: list[Input] = [one for one in graph.constants if one.symbol in needed]
    return replace(graph, equations=tuple(reversed(kept)), constants=tuple(constants))
