"""Sums, products and extremes of segments, and one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .arithmetic import maximum
from .creation import arange_, full, ones, zeros
from .declaration import converted, op, states
from .likeness import ones_like
from .logic import equal, less, where
from .manipulation import astype_, concat, reshape
from .movement import scatter, take
from .rearranging import expand_dims

__all__ = [
    "one_hot",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
]

Shape = tuple[int, ...]


def check_integer(indices: DType) -> None:
    """Raise DTypeError if indices have another dtype than an integer one."""
    if dtypes.category(indices) != dtypes.INTEGER:
        raise DTypeError("indices must be integers.", expected="integers", got=str(indices), fix="cast them to 'int64'")


@states(takes="numeric", returns="dtype of ``data``")
def _summed_dtype(data: DType, segment_ids: DType) -> DType:
    check_integer(segment_ids)
    if data is dtypes.bool_:
        raise DTypeError(
            "is not defined for bool.", expected="a numeric dtype", got=str(data), fix="cast it to 'int32'"
        )
    return data


@states(takes="real numeric", returns="dtype of ``data``")
def _ordered_dtype(data: DType, segment_ids: DType) -> DType:
    if dtypes.category(data) == dtypes.COMPLEX:
        raise DTypeError(
            "is not defined for complex numbers.", expected="a real dtype", got=str(data), fix="use the real parts"
        )
    return _summed_dtype(data, segment_ids)


@states(takes="floating", returns="dtype of ``data``")
def _mean_dtype(data: DType, segment_ids: DType) -> DType:
    check_integer(segment_ids)
    if dtypes.category(data) < dtypes.FLOATING:
        raise DTypeError(
            "needs floating-point numbers.", expected="a floating dtype", got=str(data), fix="cast it to 'float32'"
        )
    return data


@states(
    returns="[num_segments, ...]",
    rejects="``segment_ids`` does not give one segment per row of ``data``",
    num_segments="the number of segments.",
)
def _segments(data: Shape, segment_ids: Shape, *, num_segments: int) -> Shape:
    if not data or segment_ids != data[:1]:
        raise ShapeError(
            "the segments do not match the data.",
            expected=f"segment_ids of shape {data[:1]}" if data else "data with at least one axis",
            got=f"shapes {data} and {segment_ids}",
            fix="give the number of a segment for each row",
        )
    return (*shape_rules.as_shape((num_segments,)), *data[1:])


def _wide(x: Tensor) -> Tensor:
    """``x``, in float32 if it has half precision, in which each addition would be rounded."""
    return astype_(x, dtypes.float32) if dtypes.category(x.dtype) >= dtypes.FLOATING and x.dtype.itemsize == 2 else x


@op(dtype=_summed_dtype, shape=_segments)
def segment_sum(data: TensorLike, segment_ids: TensorLike, /, *, num_segments: int) -> Tensor:
    """The sum of the rows of each segment; 0 for a segment without rows.

    Args:
        data: numeric[n, ...].
        segment_ids: integer[n]: the segment of each row, in any order; negative ones count from the end.
    Raises:
        ShapeError: not one segment per row. DTypeError: bool data, or segments that are not integers. On the host also
            OutOfRangeError, for a segment that does not exist.
    Source:
        TensorFlow 2, ``tf.math.unsorted_segment_sum``; JAX, ``jax.ops.segment_sum``.
    """
    x = converted(data)
    rows = _wide(x)
    sums = zeros((num_segments, *x.shape[1:]), dtype=rows.dtype, device=x.device)
    return astype_(scatter(sums, segment_ids, rows, axis=0), x.dtype)


segment_sum.gradient(data=lambda g, segment_ids: take(g, segment_ids, axis=0))


def _sizes(segment_ids: Tensor, count: int, dtype: DType, rank: int) -> Tensor:
    """The number of rows of each segment, of a shape that broadcasts with the segments of data of ``rank`` axes."""
    sizes = segment_sum(
        ones(segment_ids.shape, dtype=dtype, device=segment_ids.device), segment_ids, num_segments=count
    )
    return reshape(sizes, (count, *(1,) * (rank - 1)))


@op(dtype=_mean_dtype, shape=_segments)
def segment_mean(data: TensorLike, segment_ids: TensorLike, /, *, num_segments: int) -> Tensor:
    """The mean of the rows of each segment; 0 for a segment without rows.

    Args:
        data: floating[n, ...].
        segment_ids: integer[n]: the segment of each row, in any order; negative ones count from the end.
    Raises:
        ShapeError: not one segment per row. DTypeError: data that is not floating, or segments that are not integers.
            On the host also OutOfRangeError, for a segment that does not exist.
    Source:
        TensorFlow 2, ``tf.math.unsorted_segment_mean``.
    """
    x, ids = converted(data), converted(segment_ids)
    rows = _wide(x)
    sizes = maximum(_sizes(ids, num_segments, dtypes.int64, x.ndim), 1)
    return astype_(segment_sum(rows, ids, num_segments=num_segments) / astype_(sizes, rows.dtype), x.dtype)


def _lowest(dtype: DType) -> float:
    return float("-inf") if dtypes.category(dtype) == dtypes.FLOATING else int(np.iinfo(dtype).min)


@op(dtype=_ordered_dtype, shape=_segments)
def segment_max(data: TensorLike, segment_ids: TensorLike, /, *, num_segments: int) -> Tensor:
    """The largest elements of the rows of each segment; NaN wins, and rows that tie share the gradient.

    A segment without rows gives -infinity, or the smallest integer.

    Args:
        data: real numeric[n, ...].
        segment_ids: integer[n]: the segment of each row, in any order; negative ones count from the end.
    Raises:
        ShapeError: not one segment per row. DTypeError: bool or complex data, or segments that are not integers. On the
            host also OutOfRangeError, for a segment that does not exist.
    Source:
        JAX, ``jax.ops.segment_max``; TensorFlow 2, ``tf.math.unsorted_segment_max``.
    """
    x = converted(data)
    nothing = full((num_segments, *x.shape[1:]), _lowest(x.dtype), dtype=x.dtype, device=x.device)
    return scatter(nothing, segment_ids, x, axis=0, mode="max")


def _extreme_back(g: Tensor, y: Tensor, data: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    ties = astype_(equal(data, take(y, segment_ids, axis=0)), g.dtype)
    share = g / maximum(segment_sum(ties, segment_ids, num_segments=num_segments), 1)
    return ties * take(share, segment_ids, axis=0)


segment_max.gradient(data=_extreme_back)


def _mirrored(x: Tensor) -> Tensor:
    """``x`` in the opposite order, exactly; its own inverse."""
    if dtypes.category(x.dtype) == dtypes.FLOATING:
        return -x
    return int(np.iinfo(x.dtype).max) - x if x.dtype.kind == "u" else -1 - x  # -x would overflow at the minimum


@op(dtype=_ordered_dtype, shape=_segments)
def segment_min(data: TensorLike, segment_ids: TensorLike, /, *, num_segments: int) -> Tensor:
    """The smallest elements of the rows of each segment; NaN wins, and rows that tie share the gradient.

    A segment without rows gives infinity, or the largest integer.

    Args:
        data: real numeric[n, ...].
        segment_ids: integer[n]: the segment of each row, in any order; negative ones count from the end.
    Raises:
        ShapeError: not one segment per row. DTypeError: bool or complex data, or segments that are not integers. On the
            host also OutOfRangeError, for a segment that does not exist.
    Source:
        JAX, ``jax.ops.segment_min``; TensorFlow 2, ``tf.math.unsorted_segment_min``.
    """
    return _mirrored(segment_max(_mirrored(converted(data)), segment_ids, num_segments=num_segments))


segment_min.gradient(data=_extreme_back)


@op(dtype=_summed_dtype, shape=_segments)
def segment_prod(data: TensorLike, segment_ids: TensorLike, /, *, num_segments: int) -> Tensor:
    """The product of the rows of each segment; 1 for a segment without rows.

    The gradient is exact also where elements are 0.

    Args:
        data: numeric[n, ...].
        segment_ids: integer[n]: the segment of each row, in any order; negative ones count from the end.
    Raises:
        ShapeError: not one segment per row. DTypeError: bool data, or segments that are not integers. On the host also
            OutOfRangeError, for a segment that does not exist.
    Source:
        JAX, ``jax.ops.segment_prod``; G. Blelloch (1990), Prefix sums and their applications, section 1.5, for the
        segmented scan.
    """
    from .cumulative import cumulative_sum  # these families are loaded only when they are used
    from .sorting import argsort

    x, ids = converted(data), astype_(segment_ids, dtypes.int64)
    sizes = _sizes(ids, num_segments, dtypes.int64, 1)  # before the next line, so that -n - 1 stays out of range
    ids = where(less(ids, 0), ids + num_segments, ids)
    count = x.shape[0]
    if not count or not num_segments:
        return ones((num_segments, *x.shape[1:]), dtype=x.dtype, device=x.device)
    order = argsort(ids)
    ids, products = take(ids, order), take(_wide(x), order, axis=0)
    distance = 1
    while distance < count:  # each row is multiplied by the product that ends ``distance`` rows before it
        same = reshape(equal(ids[distance:], ids[:-distance]), (count - distance, *(1,) * (x.ndim - 1)))
        further = products[distance:]
        further = where(same, further * products[:-distance], further)
        products = concat([products[:distance], further], axis=0)
        distance *= 2
    last = maximum(cumulative_sum(sizes) - 1, 0)
    found = take(products, last, axis=0)
    empty = reshape(equal(sizes, 0), (num_segments, *(1,) * (x.ndim - 1)))
    return astype_(where(empty, ones_like(found), found), x.dtype)


@states(takes="integer", returns="``dtype``")
def _one_hot_dtype(indices: DType, *, dtype: DType | None) -> DType:
    check_integer(indices)
    return dtypes.defaults.floating if dtype is None else dtype


@states(
    takes="[...]",
    returns="the shape of ``indices`` with a new axis of ``num_classes`` elements",
    rejects="a negative ``num_classes``, or an axis that the result does not have",
    num_classes="the number of classes.",
    axis="where the new axis is in the result.",
)
def _one_hot_shape(indices: Shape, *, num_classes: int, axis: int) -> Shape:
    (place,) = shape_rules.normalise(axis, len(indices) + 1)
    return (*indices[:place], *shape_rules.as_shape((num_classes,)), *indices[place:])


@op(dtype=_one_hot_dtype, shape=_one_hot_shape, no_gradient="it is a function of integers")
def one_hot(indices: TensorLike, num_classes: int, /, *, axis: int = -1, dtype: Any = None) -> Tensor:
    """Vectors with a 1 at the given position and zeros elsewhere; only zeros for a position that does not exist.

    Args:
        indices: integer[...].
        dtype: default float32.
    Raises:
        ShapeError: a negative ``num_classes``, or an axis that the result does not have. DTypeError: indices that are
            not integers.
    Source:
        TensorFlow 1.7, ``tf.one_hot``.
    """
    x = converted(indices)
    place = axis % (x.ndim + 1)
    if x.dtype is dtypes.uint64:
        x = astype_(where(less(x, num_classes), x, num_classes), dtypes.int64)
    classes = arange_(0, num_classes, 1, dtype=dtypes.int64, device=x.device)
    classes = reshape(classes, (num_classes, *(1,) * (x.ndim - place)))
    return astype_(equal(expand_dims(astype_(x, dtypes.int64), place), classes), _one_hot_dtype(x.dtype, dtype=dtype))
