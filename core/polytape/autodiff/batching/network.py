"""Batching of neural ops: the batch is merged into the axis of examples, or is one of the leading axes."""

from __future__ import annotations

from typing import Any

from ...tensors.tensor import operators
from .rules import Call, rule, size_of

__all__: list[str] = []


@rule("conv")
def _conv(call: Call) -> Any:
    x, w = call.operands
    if call.batched[1] or x is None or not size_of(x.shape):
        return NotImplemented
    merged = operators.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
    return operators.reshape(call.again([merged, w]), (call.size, *call.results[0]))


@rule("layer_norm", "rms_norm", "layer_norm_gradient", "rms_norm_gradient")
def _norm(call: Call) -> Any:
    axis = call.attribute("axis")
    rank = max(call.rank(position) for position in range(2 if "incoming" in call.op.operands else 1))
    if any(call.batched[position] for position, name in enumerate(call.op.operands) if name in ("weight", "bias")):
        return NotImplemented
    axes = tuple(n % rank + 1 for n in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    wide = [
        call.operands[position] if name in ("weight", "bias") else call.full(position)
        for position, name in enumerate(call.op.operands)
    ]
    return call.again(wide, axis=axes if isinstance(axis, (tuple, list)) else axes[0])


@rule(
    "nll_loss", "softmax_cross_entropy_gradient", "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
)  # fmt: skip
def _over_classes(call: Call) -> Any:
    return call.again(call.all_full())
