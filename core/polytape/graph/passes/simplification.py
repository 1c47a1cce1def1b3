"""Simplification: equations whose result is one of their operands, or needs fewer steps.

    before                                              after
    a: float32[6] = multiply(x, 1.0)                    b: float32[2,3] = reshape(x, shape=(2, 3))
    b: float32[2,3] = reshape(a, shape=(2, 3))          return b
    c: float32[3,2] = permute_dims(b, axes=(1, 0))
    d: float32[2,3] = permute_dims(c, axes=(1, 0))
    return d

Every rule holds for all values bit by bit, NaN, infinities and -0.0 included. So ``x + 0.0`` stays, since it turns -0.0
into 0.0, but ``x - 0.0`` is ``x``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ...dtypes import FLOATING
from ...tensors.symbol import Symbol
from ..ir import Equation, Graph, Literal

__all__ = ["simplification"]

Producers = dict[Symbol, Equation]
# Returns the symbol that an equation's result is equal to, the equation to use instead, or None.
Rule = Callable[[Equation, Producers], Symbol | Equation | None]


def simplification(graph: Graph) -> Graph:
    """The graph after the rules; what they leave unused, `dead_code` removes."""
    producers: Producers = {}
    replacements: dict[Symbol, Symbol] = {}
    equations: list[Equation] = []
    for equation in graph.equations:
        equation = equation.substitute(replacements)
        rule = RULES.get(equation.op.name)
        found = rule(equation, producers) if rule is not None else None
        if isinstance(found, Symbol):
            replacements[equation.outputs[0]] = found
            continue
        equation = equation if found is None else found
        equations.append(equation)
        producers.update(dict.fromkeys(equation.outputs, equation))
    return replace(
        graph,
        equations=tuple(equations),
        outputs=tuple(replacements.get(symbol, symbol) for symbol in graph.outputs),
        writes=tuple((variable, replacements.get(symbol, symbol)) for variable, symbol in graph.writes),
    )


def _neutral(value: float, *, right_only: bool = False) -> Rule:
    """The rule of an op that gives back one operand if the other is this number."""

    def rule(equation: Equation, producers: Producers) -> Symbol | None:
        left, right = equation.operands
        if isinstance(left, Symbol) and _is_number(right, value) and _same_type(equation, left):
            return left
        if not right_only and isinstance(right, Symbol) and _is_number(left, value) and _same_type(equation, right):
            return right
        return None

    return rule


def _add(equation: Equation, producers: Producers) -> Symbol | None:
    """``x + -0.0`` is ``x``, and so is ``x + 0`` of integers."""
    floating = equation.resolution.result_type.category >= FLOATING
    return _neutral(-0.0 if floating else 0.0)(equation, producers)  # type: ignore[return-value]  # it is no equation


def _is_number(operand: object, value: float) -> bool:
    if not isinstance(operand, Literal) or isinstance(operand.value, complex) or operand.value != value:
        return False
    return math.copysign(1.0, operand.value) == math.copysign(1.0, value)


def _same_type(equation: Equation, operand: Symbol) -> bool:
    """Whether an operand has the shape and dtype of the result; the device of an equation's operands is one."""
    result = equation.outputs[0]
    return operand.shape == result.shape and operand.dtype is result.dtype


def _involution(equation: Equation, producers: Producers) -> Symbol | None:
    """``-(-x)`` is ``x``."""
    inner = _producer(equation, producers)
    if inner is None or inner.op is not equation.op:
        return None
    operand = inner.operands[0]
    return operand if isinstance(operand, Symbol) and _same_type(equation, operand) else None


def _idempotent(equation: Equation, producers: Producers) -> Symbol | None:
    """``abs(abs(x))`` is ``abs(x)``."""
    inner = _producer(equation, producers)
    return inner.outputs[0] if inner is not None and inner.op is equation.op else None


def _same(equation: Equation, producers: Producers) -> Symbol | None:
    """An op that changes only shape or dtype, to those that its operand has."""
    operand = equation.operands[0]
    return operand if isinstance(operand, Symbol) and _same_type(equation, operand) else None


def _reshape(equation: Equation, producers: Producers) -> Symbol | Equation | None:
    """A reshape of a reshape is one of the operand."""
    inner = _producer(equation, producers)
    if inner is not None and inner.op is equation.op:
        equation = replace(equation, operands=inner.operands)
        return _same(equation, producers) or equation
    return _same(equation, producers)


def _permute(equation: Equation, producers: Producers) -> Symbol | Equation | None:
    """Permutations that follow each other are one, or none."""
    axes = equation.attributes.get("axes")
    inner = _producer(equation, producers)
    found: Equation | None = None
    if not isinstance(axes, tuple):
        return None
    if inner is not None and inner.op is equation.op and isinstance(inner.attributes.get("axes"), tuple):
        before = inner.attributes["axes"]
        axes = tuple(before[axis] for axis in axes)
        found = replace(equation, operands=inner.operands, attributes={**equation.attributes, "axes": axes})
    operand = (found or equation).operands[0]
    rank = len(axes)
    identity = all(axis % rank == position for position, axis in enumerate(axes))
    return operand if identity and isinstance(operand, Symbol) else found


def _producer(equation: Equation, producers: Producers) -> Equation | None:
    """The equation that computes the first operand."""
    operand = equation.operands[0]
    return producers.get(operand) if isinstance(operand, Symbol) else None


RULES: Final[dict[str, Rule]] = {
    "abs": _idempotent,
    "add": _add,
    "astype": _same,
    "bitwise_invert": _involution,
    "broadcast_to": _same,
    "conj": _involution,
    "divide": _neutral(1.0, right_only=True),
    "expand_dims": _same,
    "logical_not": _involution,
    "multiply": _neutral(1.0),
    "negative": _involution,
    "permute_dims": _permute,
    "power": _neutral(1.0, right_only=True),
    "reshape": _reshape,
    "squeeze": _same,
    "subtract": _neutral(0.0, right_only=True),
}
