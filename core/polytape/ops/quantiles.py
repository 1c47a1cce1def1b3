"""Quantiles along axes, by sorting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, OutOfRangeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .gathering import take_along_axis
from .logic import equal, logical_and, not_equal, where
from .manipulation import astype, concat, identity, reshape, stop_gradient
from .reduction import Axis, reduced_last, sum
from .sorting import sort
from .statistics import floating

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

Shape = tuple[int, ...]

# How a method turns a quantile into a rank: alpha and beta of Hyndman & Fan.
_CONTINUOUS = {
    "linear": (1.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_METHODS = (*_CONTINUOUS, "lower", "higher", "midpoint", "nearest")


def quantile(
    x: TensorLike,
    q: TensorLike | Sequence[Any],
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """The numbers below which the shares ``q`` of the elements lie, over axes; NaN if any element is NaN.

    The gradient goes to the elements between which the result lies, and to ``q`` where the result depends on it
    continuously.

    Args:
        x: real[...]; integers and bools are cast to float32.
        q: one or more numbers from 0 to 1, which are read on the host.
        axis: axes to reduce; None means all axes.
        method: how to choose between two elements: ``linear``, ``lower``, ``higher``, ``midpoint``, ``nearest``,
            ``hazen``, ``weibull``, ``interpolated_inverted_cdf``, ``median_unbiased`` or ``normal_unbiased``.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        The shape of ``q``, followed by that of ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist. DTypeError: ``x`` is complex. OutOfRangeError: ``q`` outside 0 to 1,
            or an unknown ``method``.
    Source:
        R. Hyndman, Y. Fan (1996), The American Statistician 50(4), pp. 361-365.
    """
    return _quantile(x, q, axis, method, keepdims, skip=False)


def percentile(
    x: TensorLike,
    q: TensorLike | Sequence[Any],
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`quantile` for shares in percent, from 0 to 100.

    Args:
        x, q, axis, method, keepdims: as for `quantile`.
    Returns:
        As for `quantile`.
    Source:
        NumPy 2.4, ``numpy.percentile``.
    """
    return _quantile(x, q, axis, method, keepdims, skip=False, whole=100.0)


def median(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The element in the middle of the sorted ones, or the mean of the two there; NaN if any element is NaN.

    Args:
        x: real[...]; integers and bools are cast to float32.
        axis: axes to reduce; None means all axes.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Source:
        NumPy 2.4, ``numpy.median``.
    """
    return _quantile(x, 0.5, axis, "linear", keepdims, skip=False)


def nanquantile(
    x: TensorLike,
    q: TensorLike | Sequence[Any],
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN if there are none.

    Args:
        x, q, axis, method, keepdims: as for `quantile`.
    Returns:
        As for `quantile`.
    Source:
        NumPy 2.4, ``numpy.nanquantile``.
    """
    return _quantile(x, q, axis, method, keepdims, skip=True)


def nanpercentile(
    x: TensorLike,
    q: TensorLike | Sequence[Any],
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN if there are none.

    Args:
        x, q, axis, method, keepdims: as for `quantile`.
    Returns:
        As for `quantile`.
    Source:
        NumPy 2.4, ``numpy.nanpercentile``.
    """
    return _quantile(x, q, axis, method, keepdims, skip=True, whole=100.0)


def nanmedian(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """`median` of the elements that are not NaN; NaN if there are none.

    Args:
        x, axis, keepdims: as for `median`.
    Returns:
        ``x`` without the reduced axes.
    Source:
        NumPy 2.4, ``numpy.nanmedian``.
    """
    return _quantile(x, 0.5, axis, "linear", keepdims, skip=True)


def _quantile(
    x: TensorLike, q: Any, axis: Axis, method: str, keepdims: bool, *, skip: bool, whole: float = 1.0
) -> Tensor:
    shares = np.asarray(q, "float64") / whole
    if method not in _METHODS or not ((shares >= 0) & (shares <= 1)).all():
        raise OutOfRangeError(
            "there is no such quantile.",
            expected=f"shares from 0 to 1, and one of the methods {', '.join(_METHODS)}",
            got=f"{q!r}, method={method!r}",
            fix="divide percentages by 100" if whole == 1.0 else "pass percentages from 0 to 100",
        )
    values = floating(x)
    if dtypes.category(values.dtype) == dtypes.COMPLEX:
        raise DTypeError("complex numbers have no quantiles.", expected="a real dtype", fix="use the magnitudes")
    shape = shape_rules.reduced(values.shape, axis=axis, keepdims=keepdims)
    rows = reduced_last(values, axis)
    if not rows.shape[-1]:
        rows = concat([rows, _filled(rows, (*rows.shape[:-1], 1))], -1)
    rows = sort(rows)
    counted = _skipping if skip and bool(values.size) else _plain
    shifts = _shifts(q, shares.size, whole)
    results = [
        reshape(counted(rows, float(share), method, shift), (1, *shape))
        for share, shift in zip(shares.reshape(-1), shifts, strict=True)
    ]
    return reshape(concat(results, 0) if results else _filled(rows, (0, *shape)), (*shares.shape, *shape))


def _shifts(q: Any, count: int, whole: float) -> list[Tensor | None]:
    """For shares that a tape records, tensors of value 0 whose derivative by each share is 1."""
    if isinstance(q, Tensor):
        q = identity(q)  # also a variable's value
        if q.node is not None:
            moving = reshape(q - stop_gradient(q), -1) / whole
            return [moving[k] for k in range(count)]
    return [None] * count


def _filled(x: Tensor, shape: Shape) -> Tensor:
    from .creation import full  # this family is loaded only when it is used

    return full(shape, math.nan, dtype=x.dtype, device=x.device)


def _plain(rows: Tensor, share: float, method: str, shift: Tensor | None) -> Tensor:
    """A quantile of sorted rows; NaN, which is sorted last, spreads."""
    last = rows.shape[-1] - 1
    low, high, t, slope = _ranks(float(last + 1), share, method)
    a, b = rows[..., int(low)], rows[..., int(high)]
    result = a if low == high or t == 0 else b if t == 1 else _between(a, b, t)
    if shift is not None and slope:
        result = result + _gap(a, b) * astype(shift * slope, rows.dtype)
    invalid = rows[..., last]
    return where(not_equal(invalid, invalid), invalid, result)


def _ranks(count: float, share: float, method: str) -> tuple[float, float, float, float]:
    """The ranks of the elements around the quantile, its place between them, from 0 to 1, and the place's derivative.

    The derivative is by the share.
    """
    alpha, beta = _CONTINUOUS.get(method, (1.0, 1.0))
    free = count * share + alpha + share * (1.0 - alpha - beta) - 1.0
    rank = min(max(free, 0.0), count - 1.0)
    low = math.floor(rank)
    high = min(low + 1.0, count - 1.0)
    t = rank - low
    if method == "nearest":
        return (low, high, float(round(rank) > low), 0.0)
    places = {"lower": 0.0, "higher": float(t > 0), "midpoint": 0.5 if t > 0 else 0.0}
    slope = 0.0 if method in places or free != rank else count + 1.0 - alpha - beta
    return (low, high, places.get(method, t), slope)


def _between(a: Tensor, b: Tensor, t: Any) -> Tensor:
    """``a + t * (b - a)``, exact at both ends; equal infinities stay."""
    gap = _gap(a, b)
    if isinstance(t, float):
        return a + t * gap if t < 0.5 else b - gap * (1.0 - t)
    return where(t < 0.5, a + t * gap, b - gap * (1.0 - t))


def _gap(a: Tensor, b: Tensor) -> Tensor:
    """``b - a``; 0 between equal infinities."""
    endless = logical_and(equal(a, b), equal(abs(a), math.inf))
    return where(endless, 0, b) - where(endless, 0, a)


def _skipping(rows: Tensor, share: float, method: str, shift: Tensor | None) -> Tensor:
    """A quantile of the elements of sorted rows that are not NaN."""
    number = astype(sum(equal(rows, rows), -1, keepdims=True, dtype=dtypes.int64), dtypes.float64)
    # For each number of elements, the ranks and the place between them, in a table.
    table = np.array([_ranks(float(count), share, method) for count in range(1, rows.shape[-1] + 1)])
    index = astype(where(number > 0, number - 1, 0), dtypes.int64)
    low, high, t, slope = (_looked_up(table[:, column], index) for column in range(4))
    a, b = (take_along_axis(rows, astype(rank, dtypes.int64), axis=-1) for rank in (low, high))
    t = astype(t, rows.dtype)
    inner = _between(a, where(equal(t, 0), a, b), t)
    if shift is not None:
        inner = inner + _gap(a, b) * astype(slope * shift, rows.dtype)
    return where(number > 0, inner, math.nan)


def _looked_up(values: Any, index: Tensor) -> Tensor:
    from ..dispatch.convert import asarray  # for a host array

    return asarray(values, device=index.device)[index]
