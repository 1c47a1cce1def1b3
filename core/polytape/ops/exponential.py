"""Exponentials, logarithms and roots, elementwise."""

from __future__ import annotations

import math

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs, conjugate, maximum, minimum
from .declaration import converted, op
from .logic import equal, where

__all__ = ["cbrt", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "rsqrt", "sqrt"]

_REAL = ("real floating",)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def exp(x: TensorLike, /) -> Tensor:
    """``e ** x``, elementwise."""
    from .complex_bodies import complex_exp  # this module is loaded only when it is used

    return complex_exp(converted(x))


exp.gradient(x=lambda g, y: g * conjugate(y))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def expm1(x: TensorLike, /) -> Tensor:
    """``exp(x) - 1``, elementwise, accurate near 0."""
    from .complex_bodies import complex_expm1  # this module is loaded only when it is used

    return complex_expm1(converted(x))


expm1.gradient(x=lambda g, y: g * conjugate(y + 1.0))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def log(x: TensorLike, /) -> Tensor:
    """Natural logarithm, elementwise; -inf at 0, NaN below."""
    from .complex_bodies import complex_log  # this module is loaded only when it is used

    return complex_log(converted(x))


log.gradient(x=lambda g, x: g / conjugate(x))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def log1p(x: TensorLike, /) -> Tensor:
    """``log(1 + x)``, elementwise, accurate near 0."""
    from .complex_bodies import complex_log1p  # this module is loaded only when it is used

    return complex_log1p(converted(x))


log1p.gradient(x=lambda g, x: g / conjugate(x + 1.0))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def sqrt(x: TensorLike, /) -> Tensor:
    """Square root, elementwise; NaN below 0."""
    from .complex_bodies import complex_sqrt  # this module is loaded only when it is used

    return complex_sqrt(converted(x))


sqrt.gradient(x=lambda g, y: (g * 0.5) / conjugate(y))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def rsqrt(x: TensorLike, /) -> Tensor:
    """``1 / sqrt(x)``, elementwise.

    Source:
        TensorFlow 1.7, ``tf.rsqrt``.
    """
    return 1.0 / sqrt(x)


rsqrt.gradient(x=lambda g, x, y: (g * -0.5) * y / x)


def _logarithm(x: Tensor, base: int) -> Tensor:
    """The logarithm, exact where ``x`` is a power of the base."""
    if x.dtype.kind == "c":
        from .complex_parts import complex_, imag, real  # this family is loaded only when it is used

        y, factor = log(x), 1.0 / math.log(base)  # a complex factor would make NaN of an infinite part
        return complex_(real(y) * factor, imag(y) * factor)
    quotient = log(x) * (1.0 / math.log(base))
    if x.dtype.itemsize == 2:
        return quotient
    from .rounding import round  # this family is loaded only when it is used

    nearest = round(quotient)
    # Below the smallest normal number, several exponents have the same power of the base.
    least = {(2, 4): -126, (2, 8): -1022, (10, 4): -37, (10, 8): -307}[base, x.dtype.itemsize]
    exact = (nearest >= least) & equal(float(base) ** nearest, x)
    return where(exact, nearest, quotient)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log2(x: TensorLike, /) -> Tensor:
    """Logarithm to the base 2, elementwise; exact for powers of 2."""
    return _logarithm(converted(x), 2)


log2.gradient(x=lambda g, x: g * (1.0 / math.log(2.0)) / conjugate(x))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log10(x: TensorLike, /) -> Tensor:
    """Logarithm to the base 10, elementwise; exact for powers of 10."""
    return _logarithm(converted(x), 10)


log10.gradient(x=lambda g, x: g * (1.0 / math.log(10.0)) / conjugate(x))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def exp2(x: TensorLike, /) -> Tensor:
    """``2 ** x``, elementwise.

    Source:
        NumPy, ``exp2``.
    """
    return 2.0 ** converted(x)


exp2.gradient(x=lambda g, y: g * math.log(2.0) * conjugate(y))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def cbrt(x: TensorLike, /) -> Tensor:
    """Cube root, elementwise.

    Source:
        NumPy, ``cbrt``.
    """
    size = abs(converted(x))
    y = size ** (1.0 / 3.0)
    # A step of Newton's method corrects the exponent's rounding error of 14 ulp. At 0 and infinity it would give NaN.
    corrected = y - (y - size / where(equal(y, 0), 1, y * y)) / 3.0
    return _with_sign(where((y > 0) & (y < math.inf), corrected, y), converted(x))


def _with_sign(size: Tensor, x: Tensor) -> Tensor:
    from .representation import copysign  # this family is loaded only when it is used

    return copysign(size, x)


cbrt.gradient(x=lambda g, y: g / (3.0 * y * y))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def logaddexp(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``log(exp(x1) + exp(x2))``, elementwise, without overflow."""
    x1, x2 = converted(x1), converted(x2)
    largest = maximum(x1, x2)
    # Two equal infinities have no difference.
    difference = where(equal(x1, x2), 0, minimum(x1, x2) - largest)
    return largest + log1p(exp(difference))


@logaddexp.gradient("x1")
def _logaddexp_first(g: Tensor, x1: Tensor, y: Tensor) -> Tensor:
    return g * _share(x1, y)


@logaddexp.gradient("x2")
def _logaddexp_second(g: Tensor, x2: Tensor, y: Tensor) -> Tensor:
    return g * _share(x2, y)


def _share(x: Tensor, y: Tensor) -> Tensor:
    """``exp(x - y)``; where both are infinite, the operand has all of the gradient, or none of it."""
    return exp(where(equal(x, y), 0, x - y)) * where(equal(y, -math.inf), 0, 1)
