"""Batching of neural ops: the batch is merged into the axis of examples or of channels, or is a leading axis."""

from __future__ import annotations

from typing import Any

from ...registry import tables
from ...tensors.tensor import operators
from .movement import from_front, to_front
from .rules import Call, rule, size_of

__all__: list[str] = []


@rule("conv")
def _conv(call: Call) -> Any:
    x, w = call.operands
    if x is None or w is None or not size_of(x.shape) or not size_of(w.shape):
        return NotImplemented
    if not call.batched[1]:
        merged = operators.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
        return operators.reshape(call.again([merged, w]), (call.size, *call.results[0]))
    channels = call.rank() - 1 if call.attribute("data_format") == "channels_last" else 1
    return _kernels_per_element(call, x, w, channels)


def _kernels_per_element(call: Call, x: Any, w: Any, channels: int) -> Any:
    """A convolution whose kernels differ: the elements' channels side by side, and an element's in groups of its own.

    If all elements share ``x``, the groups stay as they are, and each has the channels out of all elements.
    """
    size, groups = call.size, call.attribute("groups")
    own = w.shape[-1] // groups
    kernels = from_front(w, len(w.shape) - 2)  # [*window, channels in, size, channels out]
    if call.batched[0]:
        wide = from_front(x, channels)
        wide = operators.reshape(wide, _with_axes(x.shape[1:], channels, (size * x.shape[channels + 1],)))
        y = call.again([wide, operators.reshape(kernels, (*w.shape[1:-1], size * w.shape[-1]))], groups=size * groups)
        return to_front(operators.reshape(y, _with_axes(y.shape, channels, (size, w.shape[-1]))), channels)
    kernels = operators.reshape(kernels, (*w.shape[1:-1], size, groups, own))
    last = len(kernels.shape) - 3
    kernels = tables.get_op("permute_dims")(kernels, (*range(last), last + 1, last, last + 2))
    y = call.again([x, operators.reshape(kernels, (*w.shape[1:-1], groups * size * own))])
    split = operators.reshape(y, _with_axes(y.shape, channels, (groups, size, own)))
    return operators.reshape(to_front(split, channels + 1), (size, *call.results[0]))


def _with_axes(shape: Any, axis: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with the axes of these sizes in the place of one."""
    return (*shape[:axis], *sizes, *shape[axis + 1 :])


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
