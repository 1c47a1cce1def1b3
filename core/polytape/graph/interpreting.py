"""Running a graph by calling its ops one by one, where a trace that computes at once is open (`polytape.vmap`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff.calling import call_op
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor
from .ir import Graph, Literal, Operand

__all__ = ["interpret"]


def interpret(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results of a graph that assigns no variables, as if its ops were called now.

    Args:
        graph: the graph.
        inputs: its arguments, then the values of its variables and of its sources.
    """
    assert not graph.writes, f"{graph.name} assigns variables"
    known = [*graph.arguments, *graph.variables, *[x for source in graph.sources for x in source.inputs]]
    values = {x.symbol: value for x, value in zip(known, inputs, strict=True)}
    for constant in graph.constants:
        assert constant.holder is not None
        values[constant.symbol] = constant.holder
    for equation in graph.equations:
        operands = [_operand(x, values) for x in equation.operands]
        if equation.regions is not None:
            outputs = equation.regions.replay(operands)
        else:
            result = call_op(equation.op, operands, equation.attributes)
            outputs = [result] if equation.op.outputs is None else result
        values.update(zip(equation.outputs, outputs, strict=True))
    return [values[symbol] for symbol in graph.outputs]


def _operand(x: Operand, values: dict[Symbol, Any]) -> Tensor | None:
    if x is None:
        return None
    operand: Tensor = Tensor(x.array(), x.type, None) if isinstance(x, Literal) else values[x]
    return operand
