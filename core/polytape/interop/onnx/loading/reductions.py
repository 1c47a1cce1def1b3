"""Nodes that reduce axes, or compute along one: sums, norms, softmax, cumulative ops, sorting."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt

from .registry import integer, integers, node


def _axes(x: Any, axes: Any, noop_with_empty_axes: int) -> Any:
    """The axes of a reduction; None, which means all axes, if there are none."""
    given = [] if axes is None else integers(axes)
    return tuple(given) if given else () if noop_with_empty_axes else None


def _reduction(name: str, op: Any) -> None:
    @node(name, host="axes")
    def reduce(x: Any, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Any:
        return op(x, axis=_axes(x, axes, noop_with_empty_axes), keepdims=bool(keepdims))


def _same_dtype(op: Any) -> Any:
    """An op whose result has the dtype of its operand; the standard's sums of small integers are wider."""
    return lambda x, axis, keepdims: op(x, axis=axis, dtype=x.dtype, keepdims=keepdims)


def _identity_of(op: Any, any_or_all: Any, lowest: bool) -> Any:
    """A maximum or minimum, which in ONNX has a value for bools and for no elements."""

    def reduce(x: Any, axis: Any, keepdims: bool) -> Any:
        if x.dtype == pt.bool:
            return any_or_all(x, axis=axis, keepdims=keepdims)
        if 0 in x.shape:
            shape = pt.sum(x, axis=axis, keepdims=keepdims).shape
            return pt.full(shape, -pt.inf if lowest else pt.inf, dtype=x.dtype)
        return op(x, axis=axis, keepdims=keepdims)

    return reduce


def _l2(x: Any, axis: Any, keepdims: bool) -> Any:
    # As a vector norm, which scales; the norm of integers is a floating number that is cast back.
    return pt.astype(pt.linalg.vector_norm(pt.astype(x, _floating(x)), axis=axis, keepdims=keepdims), x.dtype)


def _floating(x: Any) -> Any:
    return x.dtype if pt.isdtype(x.dtype, "real floating") else pt.float64


_sum = _same_dtype(pt.sum)
_reduction("ReduceL1", lambda x, **how: _sum(pt.abs(x), **how))
_reduction("ReduceL2", _l2)
_reduction("ReduceLogSum", lambda x, **how: pt.log(_sum(x, **how)))
_reduction("ReduceLogSumExp", pt.special.logsumexp)
_reduction("ReduceMax", _identity_of(pt.max, pt.any, lowest=True))
_reduction("ReduceMean", pt.mean)
_reduction("ReduceMin", _identity_of(pt.min, pt.all, lowest=False))
_reduction("ReduceProd", _same_dtype(pt.prod))
_reduction("ReduceSum", _sum)
_reduction("ReduceSumSquare", lambda x, **how: _sum(pt.square(x), **how))


def _arg(name: str, op: Any) -> None:
    @node(name)
    def find(x: Any, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Any:
        if not select_last_index:
            return op(x, axis=axis, keepdims=bool(keepdims))
        return x.shape[axis] - 1 - op(pt.flip(x, axis=axis), axis=axis, keepdims=bool(keepdims))


_arg("ArgMax", pt.argmax)
_arg("ArgMin", pt.argmin)


# --- along one axis ---------------------------------------------------------------------------------------------------


def _normalized(name: str, op: Any) -> None:
    """A function along one axis, or before version 13 along all axes from one on."""

    @node(name)
    def normalize(x: Any, *, axis: int | None = None, run: Any) -> Any:
        if run.opset >= 13:
            return op(x, -1 if axis is None else axis)
        first = (1 if axis is None else axis) % max(x.ndim, 1)
        return pt.reshape(op(pt.reshape(x, (*x.shape[:first], math.prod(x.shape[first:]))), -1), x.shape)


_normalized("Softmax", lambda x, axis: pt.nn.softmax(x, axis=axis))
_normalized("LogSoftmax", lambda x, axis: pt.nn.log_softmax(x, axis=axis))
_normalized("Hardmax", lambda x, axis: pt.one_hot(pt.argmax(x, axis=axis), x.shape[axis], axis=axis, dtype=x.dtype))


@node("LpNormalization")
def _lp_normalization(x: Any, *, axis: int = -1, p: int = 2) -> Any:
    norm = pt.linalg.vector_norm(x, axis=axis, keepdims=True, ord=p)
    return pt.where(norm == 0, 0, x / norm)


def _cumulative(name: str, op: Any) -> None:
    @node(name, host="axis")
    def accumulate(x: Any, axis: Any, *, exclusive: int = 0, reverse: int = 0) -> Any:
        axis = integer(axis)
        if reverse:
            x = pt.flip(x, axis=axis)
        y = op(x, axis=axis, dtype=x.dtype, include_initial=bool(exclusive))
        if exclusive:
            y = y[(slice(None),) * (axis % x.ndim) + (slice(None, -1),)]
        return pt.flip(y, axis=axis) if reverse else y


_cumulative("CumSum", pt.cumulative_sum)
_cumulative("CumProd", pt.cumulative_prod)


@node("TopK", host="k")
def _top_k(x: Any, k: Any, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:
    return tuple(pt.top_k(x, integer(k), axis=axis, largest=bool(largest)))


@node("Unique", reads="x")
def _unique(x: Any, *, axis: int | None = None, sorted: int = 1) -> tuple[Any, ...]:
    found = pt.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)
    values, first, inverse, counts = found
    inverse = pt.reshape(inverse, (-1,))
    if not sorted:  # in the order of their first occurrences
        order = pt.argsort(first)
        rank = pt.argsort(order)
        along = 0 if axis is None else axis
        values, first, counts, inverse = pt.take(values, order, axis=along), first[order], counts[order], rank[inverse]
    return values, first, inverse, counts
