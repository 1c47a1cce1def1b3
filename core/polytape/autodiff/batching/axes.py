"""Batching of ops that work along axes, which are one further to the right in a batch."""

from __future__ import annotations

from typing import Any

from ...tensors.tensor import Tensor, operators
from .rules import Call, rule, size_of

__all__: list[str] = []


def _shifted(axis: int, rank: int) -> int:
    """An axis of one element, counted from either end, as an axis of the batch."""
    return axis % rank + 1


def _flat(x: Any) -> Tensor:
    """Each element as a vector."""
    result: Tensor = operators.reshape(x, (x.shape[0], size_of(x.shape[1:])))
    return result


@rule("all", "any", "count_nonzero", "euclidean_norm", "logsumexp", "max", "mean", "min", "prod", "std", "sum", "var")
def _reduction(call: Call) -> Any:
    axis, rank = call.attribute("axis"), call.rank()
    if axis is None:
        axes = tuple(range(1, rank + 1))
    else:
        axes = tuple(_shifted(n, rank) for n in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    return call.again(call.operands, axis=axes)


@rule("argmax", "argmin")
def _position(call: Call) -> Any:
    axis, rank = call.attribute("axis"), call.rank()
    if axis is not None:
        return call.again(call.operands, axis=_shifted(axis, rank))
    y = call.again([_flat(call.operands[0])], axis=1, keepdims=False)
    return operators.reshape(y, (call.size, *call.results[0]))


@rule("cumulative_max", "cumulative_min", "cumulative_prod", "cumulative_sum", "logcumsumexp")
def _cumulative(call: Call) -> Any:
    axis = call.attribute("axis")
    return call.again(call.operands, axis=1 if axis is None else _shifted(axis, call.rank()))


@rule(
    "argsort", "fft", "glu", "ifft", "irfft", "log_softmax", "log_softmax_gradient", "rfft", "softmax",
    "softmax_gradient", "sort", "take_along_axis", "top_k",
)  # fmt: skip
def _along(call: Call) -> Any:
    rank = call.rank()
    if any(call.rank(position) != rank for position in range(len(call.operands))):
        return NotImplemented
    return call.again(call.all_full(), axis=_shifted(call.attribute("axis"), rank))


@rule("roll")
def _roll(call: Call) -> Any:
    axis = call.attribute("axis")
    if axis is None:
        y = call.again([_flat(call.operands[0])], axis=1)
        return operators.reshape(y, (call.size, *call.results[0]))
    axes = tuple(_shifted(n, call.rank()) for n in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    return call.again(call.operands, axis=axes if isinstance(axis, (tuple, list)) else axes[0])


@rule("one_hot")
def _one_hot(call: Call) -> Any:
    axis = call.attribute("axis")
    return call.again(call.operands, axis=axis + 1 if axis >= 0 else axis)


@rule("tril", "triu")
def _last_two(call: Call) -> Any:
    return call.again(call.operands)


@rule("windows", "avg_pool", "max_pool", "max_pool_gradient")
def _windows(call: Call) -> Any:
    return call.again(call.all_full(), axes=tuple(axis + 1 for axis in call.attribute("axes")))


@rule("fold")
def _fold(call: Call) -> Any:
    return call.again(call.operands, axes=tuple(axis + 1 for axis in call.attribute("axes")))
