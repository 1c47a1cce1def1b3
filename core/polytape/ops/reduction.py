"""Reductions along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import DType
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import conjugate
from .declaration import converted, op, primitive, states
from .logic import equal, logical_not, logical_or, not_equal, where
from .manipulation import astype, concat, permute_dims, reshape

__all__ = ["all", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var"]

Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]

_PIECEWISE = "its result is piecewise constant"


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
        Array API standard 2025.12, ``sum``, with int32 as the default integer.
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
    """Index of the largest element along an axis; the first one of equal ones, the first NaN if there is one."""
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


def _mirrored(x: Tensor) -> Tensor:
    """``x`` in the opposite order, exactly: the largest element becomes the smallest one. Its own inverse."""
    if x.dtype is dtypes.bool_:
        return logical_not(x)
    if x.dtype.kind in "iu":
        return int(np.iinfo(x.dtype).max) - x if x.dtype.kind == "u" else -1 - x  # -x would overflow at the minimum
    return -x


@op(dtype=dtype_rules.same_real, shape=shape_rules.reduced_nonempty)
def min(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Smallest element over axes; NaN if any element is NaN.

    Elements that tie for the minimum share the gradient equally.
    """
    return _mirrored(max(_mirrored(converted(x)), axis, keepdims=keepdims))


min.gradient(x=_max_back)


@op(dtype=dtype_rules.index_dtype, shape=shape_rules.reduced_one, no_gradient="its result is an index")
def argmin(x: TensorLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the smallest element along an axis; the first one of equal ones, the first NaN if there is one."""
    return argmax(_mirrored(converted(x)), axis, keepdims=keepdims)


@op(dtype=dtype_rules.truth, shape=shape_rules.reduced, no_gradient=_PIECEWISE)
def any(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Whether an element differs from 0, over axes; False if there are no elements. NaN differs from 0."""
    from .creation import zeros  # this family is loaded only when it is used

    x = converted(x)
    if _reduced_size(x.shape, axis):
        return max(not_equal(x, 0), axis, keepdims=keepdims)
    return zeros(shape_rules.reduced(x.shape, axis=axis, keepdims=keepdims), dtype=dtypes.bool_, device=x.device)


@op(dtype=dtype_rules.truth, shape=shape_rules.reduced, no_gradient=_PIECEWISE)
def all(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Whether all elements differ from 0, over axes; True if there are no elements. NaN differs from 0."""
    return logical_not(any(equal(x, 0), axis, keepdims=keepdims))


@states(takes="any dtype", returns="int64")
def _count_dtype(x: DType) -> DType:
    return dtypes.int64


@op(dtype=_count_dtype, shape=shape_rules.reduced, no_gradient=_PIECEWISE)
def count_nonzero(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The number of elements that differ from 0, over axes."""
    return sum(not_equal(x, 0), axis, dtype=dtypes.int64, keepdims=keepdims)


@op(dtype=dtype_rules.sum_dtype, shape=shape_rules.reduced)
def prod(x: TensorLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Product over axes; 1 if there are no elements. The gradient is exact also where elements are 0.

    Args:
        dtype: in which to multiply, and of the result; default: the dtype of ``x``, but int32 or uint32 for bool and
            for integers below 32 bits.
    Source:
        Array API standard 2025.12, ``prod``, with int32 as the default integer.
    """
    from .creation import ones  # this family is loaded only when it is used

    x = converted(x)
    own = dtype_rules.sum_dtype(x.dtype, dtype=None) if dtype is None else dtypes.lookup(dtype)
    # Halves are multiplied until one element is left; in half precision, each product would be rounded.
    y = astype(reduced_last(x, axis), dtypes.float32 if own.itemsize == 2 and own.kind not in "iu" else own)
    while y.shape[-1] > 1:
        half = y.shape[-1] // 2
        paired = y[..., :half] * y[..., half : 2 * half]
        y = paired if y.shape[-1] == 2 * half else concat([paired, y[..., 2 * half :]], -1)
    shape = shape_rules.reduced(x.shape, axis=axis, keepdims=keepdims)
    return astype(reshape(y, shape), own) if y.shape[-1] else ones(shape, dtype=own, device=x.device)


def reduced_last(x: Tensor, axis: Axis) -> Tensor:
    """``x`` with the reduced axes joined to one, the last."""
    axes = shape_rules.normalise(axis, x.ndim)
    kept = tuple(index for index in range(x.ndim) if index not in axes)
    return reshape(_permuted(x, (*kept, *axes)), (*[x.shape[index] for index in kept], _reduced_size(x.shape, axis)))


def _permuted(x: Tensor, axes: Shape) -> Tensor:
    return x if axes == tuple(range(x.ndim)) else permute_dims(x, axes)


@prod.gradient("x")
def _prod_back(g: Tensor, x: Tensor, dtype: Any, axis: Axis, keepdims: bool) -> Tensor:
    from .cumulative import other_products  # this family is loaded only when it is used

    wide = astype(x, g.dtype)
    rows = reduced_last(wide, axis)
    others = conjugate(other_products(rows))
    axes = shape_rules.normalise(axis, x.ndim)
    order = tuple([index for index in range(x.ndim) if index not in axes]) + axes
    inverse = tuple(order.index(index) for index in range(x.ndim))
    back = _permuted(reshape(others, tuple(x.shape[index] for index in order)), inverse)
    return _spread(g, x.shape, axis, keepdims) * back


@states(takes="floating", returns="dtype of {x}; the real one for complex numbers")
def _real_dtype(x: DType) -> DType:
    dtype_rules.same_floating(x)
    return {"complex64": dtypes.float32, "complex128": dtypes.float64}.get(x.name, x)


@op(dtype=_real_dtype, shape=shape_rules.reduced, floating=True)
def var(x: TensorLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Variance over axes: the mean of the squared distances from the mean.

    Args:
        correction: subtracted from the number of elements, by which the sum of squares is divided: 1 for the unbiased
            estimate from a sample. NaN or infinity if no element is left.
    """
    x = converted(x)
    # Two passes: mean(x * x) - mean(x) ** 2 would be 0 in float32 for 10000, 10001, 10002.
    wide = astype(x, dtypes.float32) if x.dtype.itemsize == 2 else x
    distance = wide - mean(wide, axis, keepdims=True)
    square = distance * conjugate(distance)
    if dtypes.category(x.dtype) == dtypes.COMPLEX:
        from .complex_parts import real  # this family is loaded only when it is used

        square = real(square)
    y = sum(square, axis, keepdims=keepdims) / _degrees(x.shape, axis, correction)
    return y if wide is x else astype(y, x.dtype)


def _degrees(shape: Shape, axis: Axis, correction: float) -> float:
    """The number by which `var` divides."""
    left = _reduced_size(shape, axis) - correction
    return float(left) if left > 0 else 0.0


@var.gradient("x")
def _var_back(g: Tensor, x: Tensor, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    scaled = _spread(g, x.shape, axis, keepdims) * (2.0 / (_degrees(x.shape, axis, correction) or math.nan))
    return scaled * (x - mean(x, axis, keepdims=True))


@op(dtype=_real_dtype, shape=shape_rules.reduced, floating=True)
def std(x: TensorLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Standard deviation over axes: the square root of `var`. Its gradient is 0 where it is 0.

    Args:
        correction: as for `var`.
    """
    from .exponential import sqrt  # this family is loaded only when it is used

    x = converted(x)
    wide = astype(x, dtypes.float32) if x.dtype.itemsize == 2 else x
    y = sqrt(var(wide, axis, correction=correction, keepdims=keepdims))
    return y if wide is x else astype(y, x.dtype)


@std.gradient("x")
def _std_back(g: Tensor, y: Tensor, x: Tensor, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    flat = equal(y, 0)
    scaled = where(flat, 0, g / where(flat, 1, y)) * (1.0 / (_degrees(x.shape, axis, correction) or math.nan))
    return _spread(scaled, x.shape, axis, keepdims) * (x - mean(x, axis, keepdims=True))
