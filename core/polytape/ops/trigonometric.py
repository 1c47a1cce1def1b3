"""Trigonometric and hyperbolic functions, elementwise. Angles are in radians.

The formulas for complex numbers are those of W. Kahan (1987), Branch cuts for complex elementary functions.
"""

from __future__ import annotations

import math

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs, conjugate, maximum, minimum
from .complex_parts import complex_, conj, imag, is_complex, real
from .declaration import converted, in_single, op, primitive
from .exponential import exp, expm1, log, log1p, sqrt
from .logic import equal, not_equal, where

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "hypot",
    "sin",
    "sinh",
    "tan",
    "tanh",
]

_REAL = ("real floating",)
_LOG_2 = math.log(2.0)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def sin(x: TensorLike, /) -> Tensor:
    """Sine, elementwise."""
    x = converted(x)  # sin(z) = -i sinh(iz)
    y = sinh(complex_(-imag(x), real(x)))
    return complex_(imag(y), -real(y))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True, primitive_for=_REAL)
def cos(x: TensorLike, /) -> Tensor:
    """Cosine, elementwise."""
    x = converted(x)  # cos(z) = cosh(iz)
    return cosh(complex_(-imag(x), real(x)))


sin.gradient(x=lambda g, x: g * conjugate(cos(x)))
cos.gradient(x=lambda g, x: -(g * conjugate(sin(x))))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def tan(x: TensorLike, /) -> Tensor:
    """Tangent, elementwise."""
    x = converted(x)
    if is_complex(x):  # tan(z) = -i tanh(iz)
        y = tanh(complex_(-imag(x), real(x)))
        return complex_(imag(y), -real(y))
    return sin(x) / cos(x)


tan.gradient(x=lambda g, y: g * conjugate(y * y + 1.0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def atan2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The angle between the positive x axis and the point ``(x2, x1)``, from -pi to pi, elementwise."""
    return primitive()


@atan2.gradient("x1", "x2")
def _atan2_back(g: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    # Scaled first, so that the squares of large or small numbers neither overflow nor vanish.
    scale = maximum(abs(x1), abs(x2))
    a, b = x1 / scale, x2 / scale
    share = g / ((a * a + b * b) * scale)
    return share * b, -(share * a)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def asin(x: TensorLike, /) -> Tensor:
    """Inverse sine, elementwise; NaN outside [-1, 1]."""
    x = converted(x)
    if is_complex(x):
        a, b = real(x), imag(x)
        below, above = _roots(a, b)
        infinite = _is_infinite(a) | _is_infinite(b)
        angle = where(equal(a, 0), a, atan2(a, real(below * above)))
        return complex_(
            where(infinite, atan2(_direction(a), abs(_direction(b))), angle),
            where(infinite, _signed(math.inf, b), asinh(imag(conj(below) * above))),
        )
    return atan2(x, sqrt((1.0 - x) * (1.0 + x)))


asin.gradient(x=lambda g, x: g / conjugate(sqrt((1.0 - x) * (1.0 + x))))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def acos(x: TensorLike, /) -> Tensor:
    """Inverse cosine, elementwise; NaN outside [-1, 1]."""
    x = converted(x)
    if is_complex(x):
        a, b = real(x), imag(x)
        below, above = _roots(a, b)
        infinite = _is_infinite(a) | _is_infinite(b)
        angle = where(equal(a, 0), math.pi / 2.0, 2.0 * atan2(real(below), real(above)))
        return complex_(
            where(infinite, atan2(abs(_direction(b)), _direction(a)), angle),
            where(infinite, _signed(math.inf, -b), asinh(imag(conj(above) * below))),
        )
    return atan2(sqrt((1.0 - x) * (1.0 + x)), x)


acos.gradient(x=lambda g, x: -(g / conjugate(sqrt((1.0 - x) * (1.0 + x)))))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def atan(x: TensorLike, /) -> Tensor:
    """Inverse tangent, elementwise."""
    x = converted(x)
    if is_complex(x):  # atan(z) = -i atanh(iz)
        y = atanh(complex_(-imag(x), real(x)))
        return complex_(imag(y), -real(y))
    return atan2(x, 1.0)


atan.gradient(x=lambda g, x: g / conjugate(x * x + 1.0))


def _roots(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """``sqrt(1 - z)`` and ``sqrt(1 + z)`` of ``z = a + ib``.

    The parts are added separately: a complex 1 has an imaginary part of 0, which would change the sign of a -0.
    """
    return sqrt(complex_(1.0 - a, -b)), sqrt(complex_(1.0 + a, b))


def _is_infinite(x: Tensor) -> Tensor:
    return equal(abs(x), math.inf)


def _direction(x: Tensor) -> Tensor:
    """1 for infinity, 0 for finite numbers, with the sign of ``x``: the part of a point at infinity, for its angle."""
    return _signed(where(_is_infinite(x), 1.0, where(equal(x, x), 0.0, x)), x)


def _signed(size: Tensor | float, x: Tensor) -> Tensor:
    """An odd function's value, by that of the operand's magnitude; the sign of zero is kept."""
    from .representation import copysign  # this family is loaded only when it is used

    return copysign(size, x)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def sinh(x: TensorLike, /) -> Tensor:
    """Hyperbolic sine, elementwise."""
    x = converted(x)
    if is_complex(x):
        a, b = real(x), imag(x)
        return complex_(_real_part(sinh(a), cos(b)), _product(cosh(a), sin(b)))
    size = abs(x)
    t = expm1(size)
    half = exp(size * 0.5)
    # For large numbers exp(x) overflows before sinh(x) does.
    return _signed(where(t < math.inf, (t + t / (t + 1.0)) * 0.5, half * 0.5 * half), x)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def cosh(x: TensorLike, /) -> Tensor:
    """Hyperbolic cosine, elementwise."""
    x = converted(x)
    if is_complex(x):
        a, b = real(x), imag(x)
        return complex_(_real_part(cosh(a), cos(b)), _product(sinh(a), sin(b)))
    size = abs(x)
    e = exp(size)
    half = exp(size * 0.5)
    return where(e < math.inf, (e + 1.0 / e) * 0.5, half * 0.5 * half)


def _product(x1: Tensor, x2: Tensor) -> Tensor:
    """The product of a hyperbolic and a circular function, in which 0 times infinity or NaN is 0."""
    y = where(equal(x1, 0) & not_equal(x2, x2), x1, x1 * x2)
    return where(equal(x2, 0), x2 * _signed(1.0, x1), y)


def _real_part(x1: Tensor, x2: Tensor) -> Tensor:
    """Like `_product`; infinity where the first factor is infinite and the second, of an infinite angle, is NaN."""
    return where(_is_infinite(x1) & not_equal(x2, x2), x1, _product(x1, x2))


sinh.gradient(x=lambda g, x: g * conjugate(cosh(x)))
cosh.gradient(x=lambda g, x: g * conjugate(sinh(x)))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def tanh(x: TensorLike, /) -> Tensor:
    """Hyperbolic tangent, elementwise."""
    x = converted(x)
    if is_complex(x):
        a, b = real(x), imag(x)
        # Kahan: with t = tan(b), s = sinh(a), r = cosh(a): (r s (1 + t^2) + i t) / (1 + (1 + t^2) s^2).
        t, s = tan(b), sinh(a)
        beta = t * t + 1.0
        divisor = beta * s * s + 1.0
        large = abs(a) > 20.0
        first = where(large, _signed(1.0, a), where(equal(a, 0), a, beta * sqrt(s * s + 1.0) * s / divisor))
        second = where(large, 4.0 * sin(b) * cos(b) * exp(-2.0 * abs(a)), t / divisor)
        return complex_(first, where(_is_infinite(a), _signed(0.0, b), where(equal(b, 0), b, second)))
    t = expm1(-2.0 * abs(x))
    return _signed(-t / (t + 2.0), x)


tanh.gradient(x=lambda g, y: g * conjugate(1.0 - y * y))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def asinh(x: TensorLike, /) -> Tensor:
    """Inverse hyperbolic sine, elementwise."""
    x = converted(x)
    if is_complex(x):  # asinh(z) = -i asin(iz)
        y = asin(complex_(-imag(x), real(x)))
        return complex_(imag(y), -real(y))
    return in_single(_asinh, x)


def _asinh(x: Tensor) -> Tensor:
    size = abs(x)
    near = log1p(size + size * size / (1.0 + sqrt(1.0 + size * size)))
    return _signed(where(size > 1e8, log(size) + _LOG_2, near), x)


asinh.gradient(x=lambda g, x: g / conjugate(sqrt(x * x + 1.0)))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def acosh(x: TensorLike, /) -> Tensor:
    """Inverse hyperbolic cosine, elementwise; NaN below 1."""
    x = converted(x)
    if is_complex(x):
        y = acos(x)
        return complex_(abs(imag(y)), _signed(real(y), imag(x)))
    return in_single(_acosh, x)


def _acosh(x: Tensor) -> Tensor:
    t = x - 1.0
    near = log1p(t + sqrt(t) * sqrt(t + 2.0))
    return where(x > 1e8, log(x) + _LOG_2, near)


acosh.gradient(x=lambda g, x: g / conjugate(sqrt(x - 1.0) * sqrt(x + 1.0)))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def atanh(x: TensorLike, /) -> Tensor:
    """Inverse hyperbolic tangent, elementwise; NaN outside [-1, 1]."""
    x = converted(x)
    if is_complex(x):
        return _complex_atanh(real(x), imag(x), 1e9 if x.dtype.itemsize == 8 else 1e17)
    size = abs(x)
    return _signed(log1p(2.0 * size / (1.0 - size)) * 0.5, x)


atanh.gradient(x=lambda g, x: g / conjugate((1.0 - x) * (1.0 + x)))


def _complex_atanh(a: Tensor, b: Tensor, large: float) -> Tensor:
    size, height = abs(a), abs(b)
    below = 1.0 - size
    first = log1p(4.0 * size / (below * below + b * b)) * 0.25
    second = atan2(2.0 * b, below * (1.0 + size) - b * b) * 0.5
    # For large numbers, whose squares overflow, it is 1 / z + i pi / 2.
    scale = maximum(maximum(size, height), 1.0)
    u, v = size / scale, height / scale
    far = scale > large
    first = where(far, u / ((u * u + v * v) * scale), first)
    second = where(far, _signed(math.pi / 2.0, b), second)
    infinite = _is_infinite(a) | _is_infinite(b)
    return complex_(
        _signed(where(infinite | equal(a, 0), 0.0, first), a),
        where(infinite & equal(b, b), _signed(math.pi / 2.0, b), second),
    )


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def hypot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``sqrt(x1 ** 2 + x2 ** 2)``, elementwise, without overflow; its gradient at 0 is 0."""
    x1, x2 = abs(converted(x1)), abs(converted(x2))
    large, small = maximum(x1, x2), minimum(x1, x2)
    quotient = small / where(equal(large, 0), 1, large)
    y = large * sqrt(quotient * quotient + 1.0)
    return where(equal(x1, math.inf) | equal(x2, math.inf), math.inf, y)


hypot.gradient(
    x1=lambda g, x1, y: g * (x1 / where(equal(y, 0), 1, y)), x2=lambda g, x2, y: g * (x2 / where(equal(y, 0), 1, y))
)
