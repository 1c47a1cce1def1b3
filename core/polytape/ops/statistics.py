"""Statistics along axes: order statistics, and averages and covariances with weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .arithmetic import conjugate
from .gathering import take_along_axis
from .logic import equal, logical_and, not_equal, where
from .manipulation import astype, concat, permute_dims, reshape
from .products import matmul
from .reduction import Axis, max as max_op, mean, min as min_op, reduced_last, sum
from .sorting import sort

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "ptp",
    "quantile",
]

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


def tensor(x: TensorLike) -> Tensor:
    """An operand as a tensor."""
    from ..dispatch.convert import asarray  # for operands that are not tensors

    return asarray(x)


def floating(x: TensorLike) -> Tensor:
    """An operand as a floating tensor; integers and bools become float32."""
    y = tensor(x)
    return astype(y, dtypes.defaults.floating) if dtypes.category(y.dtype) < dtypes.FLOATING else y


def ptp(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest less the smallest element over axes.

    Args:
        x: real numeric[...].
        axis: axes to reduce; None means all axes.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes.
    Raises:
        ShapeError: an axis that does not exist or has no elements. DTypeError: ``x`` is bool or complex.
    Source:
        NumPy 2.4, ``numpy.ptp``.
    """
    return max_op(x, axis, keepdims=keepdims) - min_op(x, axis, keepdims=keepdims)


def average(
    x: TensorLike, /, axis: Axis = None, *, weights: TensorLike | None = None, keepdims: bool = False
) -> Tensor:
    """The mean over axes, weighted: ``sum(x * weights) / sum(weights)``.

    Args:
        x: any dtype[...].
        axis: axes to reduce; None means all axes.
        weights: numeric, of the shape of ``x``, or of rank 1 along a single ``axis``; default: all equal.
        keepdims: whether to keep the reduced axes, with size 1.
    Returns:
        ``x`` without the reduced axes, the promoted floating dtype.
    Raises:
        ShapeError: weights of another shape.
    Source:
        NumPy 2.4, ``numpy.average``.
    """
    values = floating(x)
    if weights is None:
        return mean(values, axis, keepdims=keepdims)
    factors = floating(weights)
    if factors.shape != values.shape:
        axes = shape_rules.normalise(axis, values.ndim)
        if len(axes) != 1 or factors.shape != (values.shape[axes[0]],):
            raise ShapeError(
                "the weights do not match the operand.",
                expected=f"weights of shape {values.shape}, or of the size of a single axis",
                got=f"shape {factors.shape}",
                fix="broadcast them first",
            )
        factors = reshape(factors, (-1, *(1,) * (values.ndim - 1 - axes[0])))
    total = sum(values * factors, axis, keepdims=keepdims)
    return total / sum(factors + values * 0 if factors.ndim != values.ndim else factors, axis, keepdims=keepdims)


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

    The gradient goes to the elements between which the result lies.

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
    return _quantile(x, np.asarray(q, "float64") / 100.0, axis, method, keepdims, skip=False)


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
    return _quantile(x, np.asarray(q, "float64") / 100.0, axis, method, keepdims, skip=True)


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


def _quantile(x: TensorLike, q: Any, axis: Axis, method: str, keepdims: bool, *, skip: bool) -> Tensor:
    shares = np.asarray(q, "float64")
    if method not in _METHODS or not ((shares >= 0) & (shares <= 1)).all():
        raise OutOfRangeError(
            "there is no such quantile.",
            expected=f"shares from 0 to 1, and one of the methods {', '.join(_METHODS)}",
            got=f"{q!r}, method={method!r}",
            fix="divide percentages by 100",
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
    results = [reshape(counted(rows, float(share), method), (1, *shape)) for share in shares.reshape(-1)]
    return reshape(concat(results, 0) if results else _filled(rows, (0, *shape)), (*shares.shape, *shape))


def _filled(x: Tensor, shape: Shape) -> Tensor:
    from .creation import full  # this family is loaded only when it is used

    return full(shape, math.nan, dtype=x.dtype, device=x.device)


def _plain(rows: Tensor, share: float, method: str) -> Tensor:
    """A quantile of sorted rows; NaN, which is sorted last, spreads."""
    last = rows.shape[-1] - 1
    low, high, t = _ranks(float(last + 1), share, method)
    a, b = rows[..., int(low)], rows[..., int(high)]
    result = a if low == high or t == 0 else b if t == 1 else _between(a, b, t)
    invalid = rows[..., last]
    return where(not_equal(invalid, invalid), invalid, result)


def _ranks(count: float, share: float, method: str) -> tuple[float, float, float]:
    """The ranks of the elements around the quantile, and its place between them, from 0 to 1."""
    alpha, beta = _CONTINUOUS.get(method, (1.0, 1.0))
    rank = min(max(count * share + alpha + share * (1.0 - alpha - beta) - 1.0, 0.0), count - 1.0)
    low = math.floor(rank)
    high = min(low + 1.0, count - 1.0)
    t = rank - low
    if method == "nearest":
        return (low, high, float(round(rank) > low))
    places = {"lower": 0.0, "higher": float(t > 0), "midpoint": 0.5 if t > 0 else 0.0}
    return (low, high, places.get(method, t))


def _between(a: Tensor, b: Tensor, t: Any) -> Tensor:
    """``a + t * (b - a)``, exact at both ends; equal infinities stay."""
    endless = logical_and(equal(a, b), equal(abs(a), math.inf))
    gap = where(endless, 0, b) - where(endless, 0, a)
    if isinstance(t, float):
        return a + t * gap if t < 0.5 else b - gap * (1.0 - t)
    return where(t < 0.5, a + t * gap, b - gap * (1.0 - t))


def _skipping(rows: Tensor, share: float, method: str) -> Tensor:
    """A quantile of the elements of sorted rows that are not NaN."""
    number = astype(sum(equal(rows, rows), -1, keepdims=True, dtype=dtypes.int64), dtypes.float64)
    # For each number of elements, the ranks and the place between them, in a table.
    table = np.array([_ranks(float(count), share, method) for count in range(1, rows.shape[-1] + 1)])
    index = astype(where(number > 0, number - 1, 0), dtypes.int64)
    low, high, t = (_looked_up(table[:, column], index) for column in range(3))
    a, b = (take_along_axis(rows, astype(rank, dtypes.int64), axis=-1) for rank in (low, high))
    t = astype(t, rows.dtype)
    inner = _between(a, where(equal(t, 0), a, b), t)
    return where(number > 0, inner, math.nan)


def _looked_up(values: Any, index: Tensor) -> Tensor:
    from ..dispatch.convert import asarray  # for a host array

    return asarray(values, device=index.device)[index]


def cov(
    x: TensorLike,
    y: TensorLike | None = None,
    /,
    *,
    rowvar: bool = True,
    correction: float = 1.0,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    """Covariance matrix of variables, each observed several times.

    Args:
        x: any dtype[variables, observations], or [observations] for a single variable.
        y: further variables, in the same form.
        rowvar: False if rows are observations and columns are variables.
        correction: subtracted from the number of observations, by which the products are divided.
        fweights: integer[observations], how often each observation counts.
        aweights: real[observations], how reliable each observation is.
    Returns:
        [variables, variables], or [] for a single variable.
    Source:
        NumPy 2.4, ``numpy.cov``.
    """
    rows = [_variables(piece, rowvar) for piece in (x, y) if piece is not None]
    values = concat(rows, 0) if len(rows) > 1 else rows[0]
    weights = None
    for given in (fweights, aweights):
        if given is not None:
            factor = astype(tensor(given), _real(values))
            weights = factor if weights is None else weights * factor
    if weights is None:
        distance = values - mean(values, -1, keepdims=True)
        scaled: Tensor = distance / max(float(values.shape[-1]) - correction, 0.0)
    else:
        total = sum(weights)
        distance = values - sum(values * weights, -1, keepdims=True) / total
        shift = total if aweights is None else sum(weights * astype(tensor(aweights), _real(values)))
        left = total - (correction * shift / total if aweights is not None else correction)
        scaled = distance * weights / left
    result = matmul(scaled, conjugate(permute_dims(distance, (1, 0))))
    return reshape(result, ()) if result.shape == (1, 1) else result


def _real(x: Tensor) -> Any:
    return {"complex64": dtypes.float32, "complex128": dtypes.float64}.get(x.dtype.name, x.dtype)


def _variables(x: TensorLike, rowvar: bool) -> Tensor:
    values = floating(x)
    if values.ndim > 2:
        raise ShapeError("cov needs a matrix.", expected="rank 1 or 2", got=f"shape {values.shape}", fix="reshape it")
    if values.ndim < 2:
        return reshape(values, (1, -1))
    return values if rowvar else permute_dims(values, (1, 0))


def corrcoef(x: TensorLike, y: TensorLike | None = None, /, *, rowvar: bool = True) -> Tensor:
    """Correlation coefficients of variables: their covariances divided by their standard deviations.

    Args:
        x, y, rowvar: as for `cov`.
    Returns:
        [variables, variables], or [] for a single variable.
    Source:
        NumPy 2.4, ``numpy.corrcoef``.
    """
    from .creation import arange_  # this family is loaded only when it is used
    from .exponential import sqrt

    c = cov(x, y, rowvar=rowvar)
    if not c.ndim:
        return c / c
    numbers = arange_(0, c.shape[0], 1, dtype=dtypes.int64, device=c.device)
    deviation = sqrt(c[numbers, numbers])
    return c / reshape(deviation, (-1, 1)) / deviation
