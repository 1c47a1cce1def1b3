"""Dead code elimination: remove equations and constants that no result depends on."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Equation, Graph, Input

__all__ = ["dead_code"]


def dead_code(graph: Graph) -> Graph:
    """The graph without equations and constants that neither an output nor an assignment needs.

    All arguments stay, because the call passes them. All variables stay, because a tape may follow a variable that no
    result depends on.
    """
    needed = set(graph.results())
    equations: list[Equation] = []
    for equation in reversed(graph.equations):
        if needed.isdisjoint(equation.outputs):
            continue
        needed.update(equation.symbols())
        equations.append(equation)
    constants: list[Input] = [constant for constant in graph.constants if constant.symbol in needed]
    return replace(graph, equations=tuple(reversed(equations)), constants=tuple(constants))
