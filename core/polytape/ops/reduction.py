"""Reductions along axes."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import converted, op, primitive
from .logic import equal, logical_or, not_equal, where
from .manipulation import astype, reshape

__all__ = ["argmax", "max", "mean", "sum"]

Axis = int | tuple[int, ...] | None


def _spread(g: Tensor, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Tensor:
    """A reduction's cotangent with the reduced axes reinserted with size 1, so that it broadcasts to ``shape``."""
    if keepdims or axis is None or not g.shape:
        return g
    return reshape(g, shape_rules.reduced(shape, axis=axis, keepdims=True))


@op(dtype=dtype_rules.sum_dtype, shape=shape_rules.reduced, partial=True)
def sum(x: TensorLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
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


@op(dtype=dtype_rules.same_floating, shape=shape_rules.reduced, partial=True, floating=True)
def mean(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes; NaN if there are no elements."""
    x = converted(x)
    # In half precision, the sum could overflow although the mean does not, and would be rounded as well.
    wide = dtypes.float32 if x.dtype.itemsize == 2 else x.dtype
    total = sum(x, axis, dtype=wide, keepdims=keepdims) / float(_reduced_size(x.shape, axis))
    return total if wide is x.dtype else astype(total, x.dtype)


def _reduced_size(shape: tuple[int, ...], axis: Axis) -> int:
    """The number of elements that a reduction combines to one."""
    if axis is None:
        return shape_rules.count(shape)
    return shape_rules.count(tuple(shape[index] for index in shape_rules.normalise(axis, len(shape))))


@mean.gradient("x")
def _mean_back(g: Tensor, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Tensor:
    size = _reduced_size(x_shape, axis)
    return _spread(g * (1.0 / size if size else 0.0), x_shape, axis, keepdims)


@op(dtype=dtype_rules.same_real, shape=shape_rules.reduced_nonempty)
def max(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
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
def argmax(x: TensorLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the largest element along an axis; the first one if several are equal, the first NaN if there is one."""
    from .creation import arange_  # this family is loaded only when it is used

    x = converted(x)
    rank = x.ndim
    if axis is None:
        x, axis = reshape(x, -1), 0
    size = x.shape[axis]
    # The numbers from ``size`` down to 1 along the axis: the largest of those at a maximum belongs to the first one.
    order = arange_(size, 0, -1, dtype=dtypes.int64, device=x.device)
    order = reshape(order, (size, *(1,) * (x.ndim - 1 - axis % x.ndim)))
    found = logical_or(equal(x, max(x, axis, keepdims=True)), not_equal(x, x))
    index = size - max(where(found, order, 0), axis, keepdims=keepdims)
    return reshape(index, (1,) * rank) if keepdims and index.ndim != rank else index
