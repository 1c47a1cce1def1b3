"""Questions about elements, and exclusive or."""

from __future__ import annotations

import math

from .. import dtypes
from ..dispatch.convert import asarray
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs, maximum, minimum
from .complex_parts import imag, is_complex, real
from .declaration import converted, op
from .logic import equal, isfinite, less_equal, logical_and, logical_or, not_equal, where
from .manipulation import astype
from .reduction import all

__all__ = ["allclose", "array_equal", "isclose", "isinf", "isnan", "logical_xor"]

_PIECEWISE = "its result is piecewise constant"


@op(dtype=dtype_rules.truth, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def isnan(x: TensorLike, /) -> Tensor:
    """Whether ``x`` is NaN, elementwise."""
    return not_equal(x, x)


@op(dtype=dtype_rules.truth, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def isinf(x: TensorLike, /) -> Tensor:
    """Whether ``x``, or a part of it, is infinite, elementwise."""
    x = converted(x)
    if is_complex(x):
        return logical_or(isinf(real(x)), isinf(imag(x)))
    return equal(abs(x), math.inf) if dtypes.category(x.dtype) == dtypes.FLOATING else not_equal(x, x)


@op(dtype=dtype_rules.logical, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def logical_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Whether exactly one of ``x1`` and ``x2`` is true, elementwise."""
    return not_equal(x1, x2)


@op(dtype=dtype_rules.truth, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def isclose(
    x1: TensorLike, x2: TensorLike, /, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``, elementwise; equal infinities are close.

    Args:
        rtol, atol: the relative and the absolute tolerance.
        equal_nan: whether two NaN are close.
    Source:
        NumPy, ``isclose``.
    """
    x1, x2 = converted(x1), converted(x2)
    if dtypes.category(x1.dtype) == dtypes.INTEGER:
        return less_equal(_distance(x1, x2), abs(astype(x2, dtypes.float32)) * rtol + atol)
    if dtypes.category(x1.dtype) == dtypes.BOOL:
        x1, x2 = astype(x1, dtypes.float32), astype(x2, dtypes.float32)
    finite = logical_and(isfinite(x1), isfinite(x2))
    difference = where(finite, x1, 0) - where(finite, x2, 0)
    close = logical_and(finite, less_equal(abs(difference), abs(x2) * rtol + atol))
    close = logical_or(close, equal(x1, x2))
    return logical_or(close, logical_and(isnan(x1), isnan(x2))) if equal_nan else close


def _distance(x1: Tensor, x2: Tensor) -> Tensor:
    """The distance of two integers in float32; it is subtracted exactly, as an unsigned integer."""
    difference = maximum(x1, x2) - minimum(x1, x2)
    if difference.dtype.kind == "i":
        from .representation import bitcast  # this family is loaded only when it is used

        difference = bitcast(difference, dtype=dtypes.lookup(f"u{difference.dtype.name}"))
    return astype(difference, dtypes.float32)


def allclose(
    x1: TensorLike, x2: TensorLike, /, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close; see `isclose`.

    Args:
        x1, x2: any dtype[...], broadcast and promoted together.
        rtol, atol, equal_nan: as for `isclose`.
    Raises:
        ShapeError: shapes that do not broadcast. TraceError: inside a traced function, which cannot read values.
    Source:
        NumPy, ``allclose``.
    """
    return bool(all(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)))


def array_equal(x1: TensorLike, x2: TensorLike, /, *, equal_nan: bool = False) -> bool:
    """Whether two tensors have the same shape and equal elements.

    Args:
        x1, x2: any dtype[...].
        equal_nan: whether two NaN are equal.
    Raises:
        TraceError: inside a traced function, which cannot read values.
    Source:
        NumPy, ``array_equal``.
    """
    x1, x2 = asarray(x1), asarray(x2)
    if x1.shape != x2.shape:
        return False
    same = equal(x1, x2)
    return bool(all(logical_or(same, logical_and(isnan(x1), isnan(x2))) if equal_nan else same))
