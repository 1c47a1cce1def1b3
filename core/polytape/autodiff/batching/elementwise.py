"""Batching of ops that act on each element of their operands: operands get the same number of axes."""

from __future__ import annotations

from typing import Any

from ...tensors.tensor import operators
from .rules import Call, rule

__all__: list[str] = []


@rule("elementwise")
def _elementwise(call: Call) -> Any:
    rank = max(call.rank(position) for position in range(len(call.operands)))
    return call.again([call.aligned(position, rank) for position in range(len(call.operands))])


@rule("astype", "bitcast", "identity", "stop_gradient")
def _same_shape(call: Call) -> Any:
    return call.again(call.operands)


@rule("broadcast_to")
def _broadcast(call: Call) -> Any:
    (shape,) = call.results
    return operators.broadcast_to(call.aligned(0, len(shape)), (call.size, *shape))
