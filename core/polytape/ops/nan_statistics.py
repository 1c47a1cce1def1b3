"""Reductions that skip NaN."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..tensors.tensor import Tensor, TensorLike
from . import reduction
from .cumulative import cumulative_prod, cumulative_sum
from .logic import equal, where
from .manipulation import astype
from .reduction import Axis, count_nonzero
from .statistics import floating, tensor

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _replaced(x: TensorLike, number: float) -> Tensor:
    """``x`` with ``number`` in place of NaN."""
    y = tensor(x)
    return where(equal(y, y), y, number) if dtypes.category(y.dtype) >= dtypes.FLOATING else y


def _counted(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return astype(
        count_nonzero(equal(x, x), axis, keepdims=keepdims), x.dtype if x.dtype.itemsize > 2 else dtypes.float32
    )


def nansum(x: TensorLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Sum over axes of the elements that are not NaN; 0 if there are none.

    Args:
        x: any dtype[...].
        axis: axes to reduce; None means all axes.
        dtype: of the result; default: as for `polytape.sum`.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nansum``.
    """
    return reduction.sum(_replaced(x, 0), axis, dtype=dtype, keepdims=keepdims)


def nanprod(x: TensorLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Product over axes of the elements that are not NaN; 1 if there are none.

    Args:
        x: any dtype[...].
        axis: axes to reduce; None means all axes.
        dtype: of the result; default: as for `polytape.prod`.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nanprod``.
    """
    return reduction.prod(_replaced(x, 1), axis, dtype=dtype, keepdims=keepdims)


def nanmax(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Largest element over axes that is not NaN; NaN if there is none.

    Args:
        x: real[...].
        axis: axes to reduce; None means all axes.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist or has no elements. DTypeError: ``x`` is complex.
    Source:
        NumPy 2.4, ``numpy.nanmax``.
    """
    y = tensor(x)
    if dtypes.category(y.dtype) < dtypes.FLOATING:
        return reduction.max(y, axis, keepdims=keepdims)
    found = reduction.max(_replaced(y, -math.inf), axis, keepdims=keepdims)
    return where(reduction.any(equal(y, y), axis, keepdims=keepdims), found, math.nan)


def nanmin(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Smallest element over axes that is not NaN; NaN if there is none.

    Args:
        x: real[...].
        axis: axes to reduce; None means all axes.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist or has no elements. DTypeError: ``x`` is complex.
    Source:
        NumPy 2.4, ``numpy.nanmin``.
    """
    y = tensor(x)
    if dtypes.category(y.dtype) < dtypes.FLOATING:
        return reduction.min(y, axis, keepdims=keepdims)
    found = reduction.min(_replaced(y, math.inf), axis, keepdims=keepdims)
    return where(reduction.any(equal(y, y), axis, keepdims=keepdims), found, math.nan)


def nanargmax(x: TensorLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the largest element along an axis that is not NaN; -1 if there is none.

    Args:
        x: real[...].
        axis: the axis to reduce; None flattens ``x`` first.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        int64, ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist or has no elements. DTypeError: ``x`` is complex.
    Source:
        NumPy 2.4, ``numpy.nanargmax``, which raises an error instead of -1.
    """
    y = tensor(x)
    if dtypes.category(y.dtype) < dtypes.FLOATING:
        return reduction.argmax(y, axis, keepdims=keepdims)
    known = equal(y, y)
    best = reduction.max(_replaced(y, -math.inf), axis, keepdims=True)
    # The first place that is equal to the best one and not NaN, which the replaced NaN could be equal to as well.
    index = reduction.argmax(where(known, equal(y, best), False), axis, keepdims=keepdims)
    return where(reduction.any(known, axis, keepdims=keepdims), index, -1)


def nanargmin(x: TensorLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Index of the smallest element along an axis that is not NaN; -1 if there is none.

    Args:
        x: real[...].
        axis: the axis to reduce; None flattens ``x`` first.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        int64, ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist or has no elements. DTypeError: ``x`` is complex.
    Source:
        NumPy 2.4, ``numpy.nanargmin``, which raises an error instead of -1.
    """
    y = tensor(x)
    if dtypes.category(y.dtype) < dtypes.FLOATING:
        return reduction.argmin(y, axis, keepdims=keepdims)
    known = equal(y, y)
    best = reduction.min(_replaced(y, math.inf), axis, keepdims=True)
    # The first place that is equal to the best one and not NaN, which the replaced NaN could be equal to as well.
    index = reduction.argmax(where(known, equal(y, best), False), axis, keepdims=keepdims)
    return where(reduction.any(known, axis, keepdims=keepdims), index, -1)


def nanmean(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Mean over axes of the elements that are not NaN; NaN if there are none.

    Args:
        x: any dtype[...]; integers and bools are cast to float32.
        axis: axes to reduce; None means all axes.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nanmean``.
    """
    y = floating(x)
    wide = y if y.dtype.itemsize > 2 else astype(y, dtypes.float32)
    total = nansum(wide, axis, keepdims=keepdims)
    return astype(total / _counted(wide, axis, keepdims), y.dtype)


def nanvar(x: TensorLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Variance over axes of the elements that are not NaN; NaN if no element is left.

    Args:
        x: real[...]; integers and bools are cast to float32.
        axis: axes to reduce; None means all axes.
        correction: subtracted from the number of elements, by which the sum of squares is divided.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nanvar``.
    """
    y = floating(x)
    wide = y if y.dtype.itemsize > 2 else astype(y, dtypes.float32)
    distance = _replaced(wide - nanmean(wide, axis, keepdims=True), 0)
    left = _counted(wide, axis, keepdims) - correction
    total = reduction.sum(distance * distance, axis, keepdims=keepdims)
    return astype(total / where(left > 0, left, 0), y.dtype)


def nanstd(x: TensorLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Standard deviation over axes of the elements that are not NaN; its gradient is 0 where it is 0.

    Args:
        x: real[...]; integers and bools are cast to float32.
        axis: axes to reduce; None means all axes.
        correction: subtracted from the number of elements, by which the sum of squares is divided.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nanstd``.
    """
    from .exponential import sqrt  # this family is loaded only when it is used

    y = nanvar(x, axis, correction=correction, keepdims=keepdims)
    flat = equal(y, 0)
    return where(flat, 0, sqrt(where(flat, 1, y)))


def nancumsum(x: TensorLike, /, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """`polytape.cumulative_sum` with NaN counted as 0.

    Args:
        x: any dtype[...].
        axis: the axis to work along; may be None for rank 1.
        dtype: of the result; default: as there.
    Returns:
        Shape of ``x``.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nancumsum``.
    """
    return cumulative_sum(_replaced(x, 0), axis, dtype=dtype)


def nancumprod(x: TensorLike, /, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """`polytape.cumulative_prod` with NaN counted as 1.

    Args:
        x: any dtype[...].
        axis: the axis to work along; may be None for rank 1.
        dtype: of the result; default: as there.
    Returns:
        Shape of ``x``.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.nancumprod``.
    """
    return cumulative_prod(_replaced(x, 1), axis, dtype=dtype)
