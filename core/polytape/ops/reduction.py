"""Reductions along axes."""

from __future__ import annotations

from typing import Any

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive
from .logic import equal
from .manipulation import astype, reshape

__all__ = ["argmax", "max", "mean", "sum"]

Axis = int | tuple[int, ...] | None


def _spread(g: Tensor, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Tensor:
    """A reduction's cotangent with the reduced axes reinserted with size 1, so that it broadcasts to ``shape``."""
    if keepdims or axis is None or not g.shape:
        return g
    return reshape(g, shape_rules.reduced(shape, axis=axis, keepdims=True))


@op(dtype=dtype_rules.sum_dtype, shape=shape_rules.reduced, partial=True)
def sum(x: TensorLike, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Sum over axes; 0 if there are no elements.

    Args:
        dtype: in which to sum, and of the result; default: the dtype of ``x``, but int32 or uint32 for bool and for
            integers below 32 bits.
    Source:
        Array API standard 2024.12, ``sum``, with int32 as the default integer.
    """
    return primitive()


@sum.gradient("x")
def _sum_back(g: Tensor, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Tensor:
    return _spread(g, x_shape, axis, keepdims)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.reduced, partial=True)
def mean(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes; NaN if there are no elements."""
    return primitive()


@mean.gradient("x")
def _mean_back(g: Tensor, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Tensor:
    if axis is None:
        size = shape_rules.count(x_shape)
    else:
        size = shape_rules.count(tuple(x_shape[index] for index in shape_rules.normalise(axis, len(x_shape))))
    return _spread(g * (1.0 / size if size else 0.0), x_shape, axis, keepdims)


@op(dtype=dtype_rules.same_real, shape=shape_rules.reduced_nonempty)
def max(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over axes; NaN if any element is NaN.

    Elements that tie for the maximum share the gradient equally.
    """
    return primitive()


@max.gradient("x")
def _max_back(g: Tensor, x: Tensor, y: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    shape = shape_rules.reduced(x.shape, axis=axis, keepdims=True)
    mask = astype(equal(x, reshape(y, shape)), x.dtype)
    return reshape(g, shape) * mask / sum(mask, axis=axis, keepdims=True)


@op(dtype=dtype_rules.index_dtype, shape=shape_rules.reduced_one, no_gradient="its result is an index")
def argmax(x: TensorLike, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the largest element along an axis; the first one if several are equal."""
    return primitive()
