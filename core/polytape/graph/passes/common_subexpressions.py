"""Compute equal things once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ...tensors.tensor import Symbol
from ..ir import Equation, Graph, Literal, Operand

__all__ = ["common_subexpressions"]


def common_subexpressions(graph: Graph) -> Graph:
    """The graph in which equations with the same op, operands and attributes are one.

    Ops are pure: a random draw is a function of its generator's state, so two draws differ in an operand.
    """
    seen: dict[Hashable, Equation] = {}
    same: dict[Symbol, Symbol] = {}
    kept: list[Equation] = []
    for equation in graph.equations:
        equation = equation.substitute(same)
        try:
            first = seen.setdefault(_key(equation), equation)
        except TypeError:  # an attribute that cannot be hashed
            first = equation
        if first is equation:
            kept.append(equation)
        else:
            same.update(zip(equation.outputs, first.outputs, strict=True))
    return replace(
        graph,
        equations=tuple(kept),
        outputs=tuple(same.get(symbol, symbol) for symbol in graph.outputs),
        writes=tuple((variable, same.get(symbol, symbol)) for variable, symbol in graph.writes),
    )


def _key(equation: Equation) -> Hashable:
    # 1, 1.0 and True are one dict key, and so are 0.0 and -0.0: types and texts tell them apart.
    attributes = tuple((name, _exact(value)) for name, value in sorted(equation.attributes.items()))
    operands = tuple(_operand(one) for one in equation.operands)
    return equation.op, operands, attributes, equation.resolution.result_types


def _operand(operand: Operand) -> Hashable:
    return (operand.type, _exact(operand.value)) if isinstance(operand, Literal) else operand


def _exact(value: object) -> Hashable:
    if isinstance(value, tuple):
        return tuple(_exact(one) for one in value)
    return type(value), repr(value) if isinstance(value, (float, complex)) else value
