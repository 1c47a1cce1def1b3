"""What ops whose kernels serve real numbers do with complex ones: formulas of real functions of the parts.

They run on a backend without complex kernels, and define the ops' results. The branch cuts and the values at zeros and
infinities are those of W. Kahan (1987), Branch cuts for complex elementary functions, in A. Iserles and M. Powell
(eds.), The State of the Art in Numerical Analysis, pp. 165-211.
"""

from __future__ import annotations

import math

from ..tensors.tensor import Tensor
from .arithmetic import abs, maximum, minimum
from .complex_parts import complex_, imag, real
from .exponential import exp, expm1, log, log1p, sqrt
from .likeness import ones_like
from .logic import equal, not_equal, where
from .representation import copysign
from .trigonometric import atan2, cos, hypot, sin

__all__ = ["complex_exp", "complex_expm1", "complex_log", "complex_log1p", "complex_power", "complex_sqrt"]


def _is_nan(x: Tensor) -> Tensor:
    return not_equal(x, x)


def complex_exp(x: Tensor) -> Tensor:
    """``exp(a) cos(b) + i exp(a) sin(b)``."""
    a, b = real(x), imag(x)
    size, half = exp(a), exp(a * 0.5)
    # Where exp(a) overflows, a small cosine or sine may still give a number; the product is then taken in two steps.
    overflows = equal(size, math.inf) & (a < math.inf)

    def times(factor: Tensor) -> Tensor:
        product = where(overflows, half * factor * half, size * factor)
        return where(equal(a, -math.inf) & _is_nan(factor), size, product)

    first = times(cos(b))
    first = where(equal(a, math.inf) & _is_nan(first), math.inf, first)
    return complex_(first, where(equal(b, 0), b, times(sin(b))))


def complex_expm1(x: Tensor) -> Tensor:
    """``expm1(a) cos(b) - 2 sin(b / 2)**2 + i exp(a) sin(b)``."""
    a, b = real(x), imag(x)
    y, half = exp(x), sin(b * 0.5)
    # + 0.0: the real part of a zero is not -0.
    near = expm1(a) * cos(b) - 2.0 * half * half + 0.0
    return complex_(where(a > 40.0, real(y), where(equal(a, -math.inf), -1.0, near)), imag(y))


def complex_log(x: Tensor) -> Tensor:
    """``log(abs(x)) + i atan2(b, a)``."""
    a, b = real(x), imag(x)
    size = hypot(a, b)
    large, small = maximum(abs(a), abs(b)), minimum(abs(a), abs(b))
    # Near the unit circle the logarithm is that of 1 and a small number, whose digits the rounded size has lost.
    near = (size > 0.7) & (size < 1.5)
    first, first_rest = _exact_square(where(near, large, 1.0))
    second, second_rest = _exact_square(where(near, small, 0.0))
    # Near the circle these differences are exact: the numbers differ by at most a factor of 2.
    less_1 = where(second < 0.25, (first - 1.0) + second, (first - 0.5) + (second - 0.5))
    close = log1p(less_1 + (first_rest + second_rest)) * 0.5
    scale = _scale(large)
    far = log(hypot(a * scale, b * scale)) - log(scale)
    return complex_(where(near, close, far), atan2(b, a))


def complex_log1p(x: Tensor) -> Tensor:
    """``log(1 + x)``, from ``abs(1 + x)**2 - 1 = 2 a + a**2 + b**2`` near 0."""
    a, b = real(x), imag(x)
    near = (abs(a) < 0.5) & (abs(b) <= 1.0)
    c = where(near, a, 0.0)
    first, first_rest = _exact_square(c)
    second, second_rest = _exact_square(where(near, b, 0.0))
    close = log1p((2.0 * c + second) + first + (first_rest + second_rest)) * 0.5
    far = log(complex_(a + 1.0, b))
    return complex_(where(near, close, real(far)), imag(far))


def complex_sqrt(x: Tensor) -> Tensor:
    """``t + i b / (2 t)`` with ``t = sqrt((abs(x) + abs(a)) / 2)``; the parts change places where ``a < 0``."""
    a, b = real(x), imag(x)
    scale = _scale(maximum(abs(a), abs(b)))
    u, v = a * scale, abs(b * scale)
    t = sqrt((hypot(u, v) + abs(u)) * 0.5)
    small = where(equal(t, 0), t, v / (2.0 * where(equal(t, 0), 1.0, t)))
    right, back = u >= 0, 1.0 / sqrt(scale)
    infinite = equal(v, math.inf)
    return complex_(
        where(infinite, math.inf, where(right, t, small) * back),
        where(infinite, b, copysign(where(right, small, t) * back, b)),
    )


def complex_power(x1: Tensor, x2: Tensor) -> Tensor:
    """``exp(x2 log(x1))``; 1 for an exponent of 0, and 0 for a base of 0 and an exponent with a positive real part."""
    zero, none = equal(x1, 0), equal(x2, 0)
    base = where(zero, 1, x1)
    c, d = real(x2), imag(x2)
    size, angle = hypot(real(base), imag(base)), atan2(imag(base), real(base))
    # A power of the size is more accurate than the exponential of a product.
    length = size**c * exp(-d * angle)
    turned = where(equal(d, 0), 0.0, d * real(log(base))) + c * angle
    y = complex_(length * cos(turned), length * sin(turned))
    y = where(equal(x2, 1), x1, where(equal(x2, 2), x1 * x1, y))
    of_zero = where(c > 0, 0.0, math.nan)
    return where(none, 1, where(zero, complex_(of_zero, of_zero), y))


def _scale(size: Tensor) -> Tensor:
    """A power of 4 by which numbers of this size neither overflow nor lose digits when they are squared and added."""
    small, large, factor = 2.0**-960, 2.0**1021, 2.0**54
    if size.dtype.itemsize == 4:
        small, large, factor = 2.0**-100, 2.0**125, 2.0**24
    return where(size < small, factor, where(size > large, 0.25, ones_like(size)))


def _exact_square(x: Tensor) -> tuple[Tensor, Tensor]:
    """A square and its rounding error (T. Dekker, 1971, Numerische Mathematik 18, pp. 224-242)."""
    splitter = 4097.0 if x.dtype.itemsize == 4 else 134217729.0
    scaled = x * splitter
    high = scaled - (scaled - x)
    low = x - high
    y = x * x
    return y, ((high * high - y) + 2.0 * high * low) + low * low
