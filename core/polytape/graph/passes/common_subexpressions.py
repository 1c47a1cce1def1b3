"""Common subexpression elimination: compute equal values once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ...tensors.tensor import Symbol
from ..ir import Equation, Graph, Literal, Operand

__all__ = ["common_subexpressions"]


def common_subexpressions(graph: Graph) -> Graph:
    """The graph with equations of the same op, operands and attributes merged into one.

    Ops are pure: a random draw is a function of its generator's state, so two draws differ in an operand.
    """
    seen: dict[Hashable, Equation] = {}
    replacements: dict[Symbol, Symbol] = {}
    equations: list[Equation] = []
    for equation in graph.equations:
        equation = equation.substitute(replacements)
        try:
            first = seen.setdefault(_key(equation), equation)
        except TypeError:  # an attribute that cannot be hashed
            first = equation
        if first is equation:
            equations.append(equation)
        else:
            replacements.update(zip(equation.outputs, first.outputs, strict=True))
    return replace(
        graph,
        equations=tuple(equations),
        outputs=tuple(replacements.get(symbol, symbol) for symbol in graph.outputs),
        writes=tuple((variable, replacements.get(symbol, symbol)) for variable, symbol in graph.writes),
    )


def _key(equation: Equation) -> Hashable:
    # 1, 1.0 and True are the same dict key, and so are 0.0 and -0.0; the type and the repr keep them distinct.
    attributes = tuple((name, _value_key(value)) for name, value in sorted(equation.attributes.items()))
    operands = tuple(_operand_key(operand) for operand in equation.operands)
    return equation.op, operands, attributes, equation.resolution.result_types


def _operand_key(operand: Operand) -> Hashable:
    return (operand.type, _value_key(operand.value)) if isinstance(operand, Literal) else operand


def _value_key(value: object) -> Hashable:
    if isinstance(value, tuple):
        return tuple(_value_key(x) for x in value)
    return type(value), repr(value) if isinstance(value, (float, complex)) else value
