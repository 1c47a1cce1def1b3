"""Comparisons, logical operations, and selection between two tensors."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive

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
    return primitive()


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 < x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def less_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 <= x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 > x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.ordered_truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def greater_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 >= x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.logical, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 and x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.logical, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 or x2``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.logical, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def logical_not(x: TensorLike, /) -> Tensor:
    """``not x``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.truth, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def isfinite(x: TensorLike, /) -> Tensor:
    """Whether ``x`` is neither infinite nor NaN, elementwise."""
    return primitive()
