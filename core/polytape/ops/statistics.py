"""Statistics along axes: ranges, and averages and covariances with weights."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .arithmetic import conjugate
from .manipulation import astype, concat, permute_dims, reshape
from .products import matmul
from .reduction import Axis, max as max_op, mean, min as min_op, sum

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "ptp",
]

Shape = tuple[int, ...]


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
