"""Rounding and integer division, elementwise."""

from __future__ import annotations

import math

from .. import dtypes
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs
from .complex_parts import complex_, imag, is_complex, real
from .declaration import converted, op, primitive
from .logic import equal, less, not_equal, where

__all__ = ["ceil", "divmod", "floor", "floor_divide", "fmod", "modf", "remainder", "round", "trunc"]

_PIECEWISE = "its result is piecewise constant"


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def floor(x: TensorLike, /) -> Tensor:
    """The largest integer not above ``x``, elementwise, in the dtype of ``x``."""
    return primitive()


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def ceil(x: TensorLike, /) -> Tensor:
    """The smallest integer not below ``x``, elementwise, in the dtype of ``x``."""
    x = converted(x)
    return -floor(-x) if dtypes.category(x.dtype) == dtypes.FLOATING else x


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def trunc(x: TensorLike, /) -> Tensor:
    """``x`` without its fraction, elementwise, in the dtype of ``x``."""
    x = converted(x)
    return _signed(floor(abs(x)), x) if dtypes.category(x.dtype) == dtypes.FLOATING else x


def _signed(size: Tensor, x: Tensor) -> Tensor:
    from .representation import copysign  # this family is loaded only when it is used

    return copysign(size, x)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def round(x: TensorLike, /) -> Tensor:
    """The nearest integer, elementwise, in the dtype of ``x``; of two that are equally near, the even one."""
    x = converted(x)
    if is_complex(x):
        return complex_(round(real(x)), round(imag(x)))
    if dtypes.category(x.dtype) != dtypes.FLOATING:
        return x
    below = floor(x)
    above_half = less(0.5, x - below)
    odd = not_equal(floor(below * 0.5) * 2.0, below)
    up = above_half | (equal(x - below, 0.5) & odd)
    return _signed(abs(where(up, below + 1.0, below)), x)


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.broadcast, elementwise=True)
def fmod(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The remainder of ``x1 / x2`` with the sign of ``x1``, elementwise and exact; of an integer by 0 it is 0.

    Source:
        ISO C, ``fmod``.
    """
    return primitive()


fmod.gradient(x1=lambda g: g, x2=lambda g, x1, x2: -(g * trunc(x1 / x2)))


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.broadcast, elementwise=True, no_gradient=_PIECEWISE)
def floor_divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``floor(x1 / x2)``, elementwise, for the exact quotient; an integer divided by 0 gives 0."""
    return primitive()


@op(dtype=dtype_rules.same_real_number, shape=shape_rules.broadcast, elementwise=True)
def remainder(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 - floor_divide(x1, x2) * x2``, elementwise, with the sign of ``x2``; of an integer by 0 it is 0."""
    x1, x2 = converted(x1), converted(x2)
    r = fmod(x1, x2)
    if dtypes.category(x1.dtype) != dtypes.FLOATING:
        return r if x1.dtype.kind == "u" else where(not_equal(r, 0) & ((r < 0) ^ (x2 < 0)), r + x2, r)
    # A zero has the sign of the divisor. By an infinite divisor of the other sign, r + x2 is that divisor.
    return where(equal(r, 0), _signed(r, x2), where(not_equal(r, 0) & ((r < 0) ^ (x2 < 0)), r + x2, r))


remainder.gradient(x1=lambda g: g, x2=lambda g, x1, x2: -(g * floor_divide(x1, x2)))


def divmod(x1: TensorLike, x2: TensorLike, /) -> tuple[Tensor, Tensor]:
    """The quotient ``floor_divide(x1, x2)`` and the ``remainder(x1, x2)``.

    Args:
        x1, x2: real[...], broadcast and promoted together.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool or complex operands.
    Source:
        Python, ``divmod``.
    """
    return floor_divide(x1, x2), remainder(x1, x2)


def modf(x: TensorLike, /) -> tuple[Tensor, Tensor]:
    """The fraction and the whole part of ``x``, elementwise, both with its sign.

    Args:
        x: real[...]; integers and bools are cast to float32.
    Returns:
        Two tensors with the shape of ``x``. The fraction of an infinity is 0.
    Source:
        NumPy 2.4, ``numpy.modf``.
    """
    from .representation import copysign, signbit
    from .statistics import floating  # these families are loaded only when they are used

    x = floating(x)
    whole = trunc(x)
    infinite = equal(abs(x), math.inf)
    y, rest = where(infinite, 0, x), where(infinite, 0, whole)
    # The difference of equal numbers is 0 without a sign, here -0 for negative numbers.
    fraction = where(signbit(x), -(-y - -rest), y - rest)
    return where(infinite, copysign(0, x), fraction), whole
