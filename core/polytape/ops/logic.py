"""Comparisons, logical operations, and selection between two tensors."""

from __future__ import annotations

import math

from .. import dtypes
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import converted, op, primitive

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
    "where",
]

_PIECEWISE = "its result is piecewise constant"


@op(dtype=dtype_rules.second_dtype, shape=shape_rules.broadcast, elementwise=True, promotes=("x1", "x2"))
def where(condition: TensorLike, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1`` where ``condition`` is true, ``x2`` elsewhere.

    Args:
        condition: bool[...].
    Returns:
        The broadcast shape, the promoted dtype of ``x1`` and ``x2``.
    """
    return primitive()


where.gradient(
    x1=lambda g, condition: where(condition, g, 0),
    x2=lambda g, condition: where(condition, 0, g),
)


@op(dtype=dtype_rules.truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 == x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def not_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 != x2``, elementwise."""
    return logical_not(equal(x1, x2))


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 < x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 <= x2``, elementwise."""
    return logical_or(less(x1, x2), equal(x1, x2))


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 > x2``, elementwise."""
    return less(x2, x1)


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 >= x2``, elementwise."""
    return less_equal(x2, x1)


@op(dtype=dtype_rules.logical, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 and x2``, elementwise."""
    return where(x1, x2, False)


@op(dtype=dtype_rules.logical, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 or x2``, elementwise."""
    return where(x1, True, x2)


@op(dtype=dtype_rules.logical, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def logical_not(x: TensorLike, /) -> Tensor:
    """``not x``, elementwise."""
    return equal(x, False)


@op(dtype=dtype_rules.truth, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def isfinite(x: TensorLike, /) -> Tensor:
    """Whether ``x`` is neither infinite nor NaN, elementwise."""
    x = converted(x)
    category = dtypes.category(x.dtype)
    if category == dtypes.COMPLEX:
        return equal(x - x, 0)  # inf - inf is NaN
    return less(abs(x), math.inf) if category == dtypes.FLOATING else equal(x, x)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of maximum and minimum",
)
def larger_share(incoming: TensorLike, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The share of ``incoming`` that ``x1`` has in the larger of ``x1`` and ``x2``: all, half at a tie, or nothing.

    It is all of it where an operand is NaN, so that the gradient of an invalid result reaches both operands.

    Source:
        PyTorch 2.13, derivatives.yaml, ``maximum``.
    """
    return where(equal(x1, x2), converted(incoming) * 0.5, where(less(x1, x2), 0, incoming))


larger_share.gradient(incoming=lambda g, x1, x2: larger_share(g, x1, x2))
