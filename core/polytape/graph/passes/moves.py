"""Moves between devices, for a graph that will run on one device: there, a moved value is the value itself.

    before                                                      after
    a: float32[3] = to_device(x, device=sim:sim:0)              b: float32[3] = multiply(x, w)
    b: float32[3] = multiply(a, w)                              return b
    c: float32[3] = to_device(b, device=numpy:cpu:0)
    return c

The kernels of the other equations are still those of the devices that the graph was traced on. So this is no pass for a
graph that runs, but the last step before one is written for other devices or programs, which find kernels of their own.
"""

from __future__ import annotations

from dataclasses import replace

from ...dispatch.transfer import transfer
from ...tensors.symbol import Symbol
from ..ir import Equation, Graph
from .regions import regions

__all__ = ["without_moves"]


def without_moves(graph: Graph) -> Graph:
    """The graph, and its regions, with each moved value replaced by the value before the move."""
    graph = regions(graph, without_moves)
    if all(equation.op is not transfer for equation in graph.equations):
        return graph
    replacements: dict[Symbol, Symbol] = {}
    equations: list[Equation] = []
    for equation in graph.equations:
        equation = equation.substitute(replacements)
        if equation.op is transfer:
            (moved,) = equation.operands
            assert isinstance(moved, Symbol)
            replacements[equation.outputs[0]] = moved
        else:
            equations.append(equation)
    return replace(
        graph,
        equations=tuple(equations),
        outputs=tuple([replacements.get(symbol, symbol) for symbol in graph.outputs]),
        writes=tuple([(variable, replacements.get(symbol, symbol)) for variable, symbol in graph.writes]),
    )
