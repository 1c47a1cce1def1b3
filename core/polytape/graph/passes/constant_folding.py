"""Constant folding: what depends on constants alone is computed once, when the function is traced.

    before                                     after
    a: int64[3] = arange(3)                    constant c0: float32[3]
    b: float32[3] = astype(a, dtype=float32)   c: float32[3] = multiply(x, c0)
    c: float32[3] = multiply(x, b)

Ops on captured tensors run while the function is traced, so that these are constants already; what is left are ops that
create tensors. A captured tensor that has a node is no constant, since a tape follows it. A result that is much larger
than its operands is computed at each run, instead of being kept in memory between runs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

from ...tensors.symbol import Symbol
from ...tensors.tensor import Tensor
from ..ir import Equation, Graph, Input, Literal, unwrapped

__all__ = ["constant_folding"]

LARGEST_NBYTES: Final = 1 << 16  # of a result that has more elements than its operands


def constant_folding(graph: Graph) -> Graph:
    """The graph with equations replaced by the constants that they compute."""
    arrays: dict[Symbol, Any] = {
        x.symbol: x.holder.array for x in graph.constants if x.holder is not None and x.holder.node is None
    }
    constants = list(graph.constants)
    equations: list[Equation] = []
    for equation in graph.equations:
        results = _computed(equation, arrays)
        if results is None:
            equations.append(equation)
            continue
        types = equation.resolution.result_types
        for symbol, array, tensor_type in zip(equation.outputs, results, types, strict=True):
            arrays[symbol] = array
            constants.append(Input("", symbol, tensor_type, Tensor(array, tensor_type, None)))
    if len(equations) == len(graph.equations):
        return graph
    return replace(graph, equations=tuple(equations), constants=tuple(constants))


def _computed(equation: Equation, arrays: dict[Symbol, Any]) -> list[Any] | None:
    """The results of an equation on constants; None if it must stay."""
    if equation.regions is not None or not all(symbol in arrays for symbol in equation.symbols()):
        return None  # a loop may take long, so it runs when the function is called
    resolution = equation.resolution
    given = sum(_nbytes(symbol) for symbol in equation.symbols())
    if sum(_nbytes(symbol) for symbol in equation.outputs) > max(given, LARGEST_NBYTES):
        return None
    if any(kernel.writes for kernel in resolution.candidates):
        return None
    operands = [x.array() if isinstance(x, Literal) else None if x is None else arrays[x] for x in equation.operands]
    fn, attributes = unwrapped(equation)
    try:
        results = fn(*operands, **attributes)
    except Exception:  # a run raises it, with the equation's line
        return None
    return [resolution.lift(results)] if equation.op.outputs is None else resolution.lift_all(results)


def _nbytes(symbol: Symbol) -> int:
    return math.prod(symbol.shape) * symbol.dtype.itemsize
