"""The incomplete gamma and beta functions.

Series and continued fractions have a fixed number of terms, which suffices for the arguments they serve, and are
evaluated from the last to the first. Every branch gets arguments inside its domain, so that nothing overflows in a
branch that is not chosen, and gradients through the bodies are finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum
from ..declaration import in_single, op
from ..exponential import exp, expm1, log, log1p, sqrt
from ..logic import equal, logical_and, logical_not, logical_or, where
from .error import polynomial
from .gamma import betaln, lgamma_from_2, lgamma_of_positive, stirling_rest

__all__ = ["betainc", "gammainc", "gammaincc"]

_QUADRATURE_FROM: Final = 100.0  # the parameter of the gamma functions
_BETA_QUADRATURE_FROM: Final = 1000.0  # both parameters
_STIRLING_FROM: Final = 8.0
_ATANH: Final = tuple(1.0 / (2 * k + 1) for k in range(17, 0, -1))


def _is_double(x: Tensor) -> bool:
    return x.dtype.itemsize == 8


def less_log1p(x: Tensor, ratio: Tensor) -> Tensor:
    """``x - log(1 + x)``, accurate near 0 and, by ``ratio``, which is ``1 + x``, near -1."""
    near = maximum(minimum(x, 0.5), -0.4)
    r = near / (near + 2.0)  # log1p(x) == 2 atanh(r)
    square = r * r
    series = r * (near - square * polynomial(square, _ATANH) * 2.0)
    return where(equal(x, near), series, x - log(ratio))


def _gamma_density(a: Tensor, x: Tensor) -> Tensor:
    """``x**a * exp(-x) / gamma(a + 1)`` for positive operands."""
    small = minimum(a, _STIRLING_FROM)
    direct = exp(small * log(x) - x - lgamma_of_positive(small + 1.0))
    large = maximum(a, _STIRLING_FROM)
    distance = large * less_log1p((x - large) / large, x / large)
    return where(a < _STIRLING_FROM, direct, exp(-distance - stirling_rest(large)) / sqrt(large * (2.0 * math.pi)))


def _gamma_series(a: Tensor, x: Tensor) -> Tensor:
    """The lower function over the density, for ``x`` up to ``a + 1`` and ``a`` up to 100."""
    total = x * 0.0 + 1.0
    for n in range(120 if _is_double(x) else 64, 0, -1):
        total = total * (x / (a + float(n))) + 1.0
    return total


def _gamma_fraction(a: Tensor, x: Tensor) -> Tensor:
    """The upper function over the density and ``a``, for ``x`` from ``a + 1`` and ``a`` up to 100."""
    shifted = x - a
    terms = 100 if _is_double(x) else 32
    total = shifted + (2.0 * terms + 1.0)
    for n in range(terms, 0, -1):
        total = shifted + (2.0 * n - 1.0) - (n - a) * float(n) / total
    return 1.0 / total


def _integral(width: Tensor, terms: Callable[[Tensor], Tensor]) -> Tensor:
    """The integral of ``terms`` from 0 to ``width``, which may be negative, by Gauss and Legendre's formula."""
    points, weights = np.polynomial.legendre.leggauss(40 if _is_double(width) else 24)
    total = width * 0.0
    for point, weight in zip((points + 1.0) * 0.5, weights * 0.5, strict=True):
        total = total + terms(width * float(point)) * float(weight)
    return total * width


def _window(offset: Tensor, deviation: Tensor, low: Tensor, high: Tensor, scale: Tensor) -> Tensor:
    """How far to integrate a bell from ``offset`` beside its mean, away from the mean, until it has lost 16 digits.

    At ``offset``, the bell falls at the rate ``abs(offset) / scale``, and faster beyond: in a tail it is narrow, and a
    window for its middle would leave it between two points of the quadrature.
    """
    distance = abs(offset)
    nats = 40.0 if _is_double(offset) else 20.0
    steep = scale * nats / where(equal(distance, 0), 1.0, distance)
    steep = where(equal(distance, 0), math.inf, steep)
    above = minimum(minimum(maximum(deviation * 6.0, deviation * 12.0 - offset), high), steep)
    below = maximum(maximum(minimum(deviation * -6.0, deviation * -9.0 - offset), low), -steep)
    return where(offset < 0, below, above)


def _gamma_quadrature(a: Tensor, x: Tensor) -> Tensor:
    """The lower function for ``x < a``, else the upper one, over the density, for ``a`` from 100."""
    offset = x - a  # t - a, computed from it, is exact to its own last place and not to that of a
    width = _window(offset, sqrt(a), -x, a * 64.0, x)
    at_x = less_log1p(offset / a, x / a)
    total = _integral(
        width, lambda step: exp(a * (at_x - less_log1p((offset + step) / a, (x + step) / a))) / (x + step)
    )
    return where(offset < 0, -total, total) * a


def _gamma_part(a: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """The smaller of the two functions, roughly, for finite positive operands, and whether it is the lower one."""
    large = a >= _QUADRATURE_FROM
    lower = x < where(large, a, a + 1.0)
    small_a = minimum(a, _QUADRATURE_FROM)
    series = _gamma_series(small_a, minimum(x, small_a + 1.0))
    fraction = _gamma_fraction(small_a, maximum(x, small_a + 1.0)) * small_a
    large_a = maximum(a, _QUADRATURE_FROM)
    # Beyond these multiples of a, the density underflows.
    quadrature = _gamma_quadrature(large_a, maximum(minimum(x, large_a * 64.0), large_a * 1e-5))
    factor = where(large, quadrature, where(lower, series, fraction))
    return _gamma_density(a, x) * factor, lower


def _gamma_edges(a: Tensor, x: Tensor, inside: Tensor, value: Tensor, *, lower: bool) -> Tensor:
    """``value`` inside, and the limits of a distribution of mean ``a`` at 0 and infinity."""
    none, whole = (0.0, 1.0) if lower else (1.0, 0.0)
    nothing = logical_or(logical_and(equal(x, 0), a > 0), logical_and(equal(a, math.inf), x < math.inf))
    everything = logical_or(logical_and(equal(x, math.inf), a < math.inf), logical_and(equal(a, 0), x > 0))
    edge = where(nothing, none, where(everything, whole, math.nan))
    return where(inside, value, where(logical_and(a >= 0, x >= 0), edge, math.nan))


def _inside(a: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where both operands are finite and positive, and the operands there, elsewhere 1."""
    inside = logical_and(logical_and(a > 0, a < math.inf), logical_and(x > 0, x < math.inf))
    return inside, where(inside, a, 1.0), where(inside, x, 1.0)


def _gammainc(a: Tensor, x: Tensor) -> Tensor:
    inside, parameter, argument = _inside(a, x)
    part, lower = _gamma_part(parameter, argument)
    return _gamma_edges(a, x, inside, where(lower, part, 1.0 - part), lower=True)


def _upper_near_0(a: Tensor, x: Tensor) -> Tensor:
    """The upper function for ``x`` up to 1 and ``a`` up to 1, where the lower one is near 1.

    It is ``1 - d * (1 + a * sum of (-x)**n / (n! * (a + n)))`` with ``d = x**a / gamma(a + 1)``.
    """
    # lgamma(a + 1) from lgamma(a + 2), which has all digits for small a if a + 2 is not rounded.
    next_lgamma = where(a <= 0.5, lgamma_from_2(minimum(a, 0.5)), lgamma_of_positive(a + 2.0))
    logarithm = a * log(x) - (next_lgamma - log1p(a))
    total = x * 0.0
    for n in range(20, 0, -1):
        total = (total + 1.0 / (a + float(n))) * (x / -float(n))
    return -expm1(logarithm) - exp(logarithm) * (a * total)


def _gammaincc(a: Tensor, x: Tensor) -> Tensor:
    inside, parameter, argument = _inside(a, x)
    part, lower = _gamma_part(parameter, argument)
    value = where(lower, 1.0 - part, part)
    near = logical_and(parameter <= 1.0, argument <= 1.0)
    value = where(near, _upper_near_0(minimum(parameter, 1.0), minimum(argument, 1.0)), value)
    return _gamma_edges(a, x, inside, value, lower=False)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def gammainc(a: TensorLike, x: TensorLike, /) -> Tensor:
    """Lower incomplete gamma function ``integral of t**(a - 1) * exp(-t) from 0 to x``, over ``gamma(a)``.

    It is elementwise, the distribution function of a gamma variable with shape ``a``; NaN for negative operands. Its
    gradient is 0 where an operand is 0 or infinite.

    Source:
        DLMF, sections 8.7 and 8.9; from ``a = 100`` a Gauss-Legendre quadrature.
    """
    return in_single(_gammainc, a, x)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def gammaincc(a: TensorLike, x: TensorLike, /) -> Tensor:
    """Upper incomplete gamma function, ``1 - gammainc(a, x)``, elementwise, accurate where it is small.

    Source:
        DLMF, sections 8.7 and 8.9; from ``a = 100`` a Gauss-Legendre quadrature.
    """
    return in_single(_gammaincc, a, x)


def _beta_distance(a: Tensor, b: Tensor, offset: Tensor, x: Tensor, rest: Tensor) -> Tensor:
    """``-log`` of ``x**a * rest**b`` over its largest value, for ``x`` at ``offset`` from the mean."""
    total = a + b
    left = less_log1p(offset * (total / a), x * (total / a))
    return a * left + b * less_log1p(offset * (total / -b), rest * (total / b))


def _beta_density(a: Tensor, b: Tensor, x: Tensor, rest: Tensor) -> Tensor:
    """``x**a * rest**b / beta(a, b)`` for positive operands, where ``rest`` is ``1 - x``."""
    large_a, large_b = maximum(a, _STIRLING_FROM), maximum(b, _STIRLING_FROM)
    total = large_a + large_b
    # The powers alone would have relative errors of a + b units.
    distance = _beta_distance(large_a, large_b, _beta_offset(large_a, large_b, x, rest), x, rest)
    correction = stirling_rest(large_a) + stirling_rest(large_b) - stirling_rest(total)
    scale = sqrt(large_a / total * large_b / (2.0 * math.pi))
    direct = exp(a * log(x) + b * log(rest) - betaln(a, b))
    both = minimum(a, b) >= _STIRLING_FROM
    return where(both, exp(-distance - correction) * scale, direct)


def _beta_offset(a: Tensor, b: Tensor, x: Tensor, rest: Tensor) -> Tensor:
    """``x`` less the mean ``a / (a + b)``."""
    total = a + b
    return x * (b / total) - rest * (a / total)


def _beta_fraction(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """The incomplete function over the density, for ``x`` up to its mean and ``a`` or ``b`` up to 1000."""
    total = x * 0.0 + 1.0
    for m in range(100 if _is_double(x) else 60, -1, -1):
        odd = (a + float(m)) / (a + 2.0 * m) * ((a + b + float(m)) / (a + (2.0 * m + 1.0))) * x
        total = 1.0 - odd / total
        if m:
            even = (b - float(m)) / (a + (2.0 * m - 1.0)) * (m / (a + 2.0 * m)) * x
            total = 1.0 + even / total
    return 1.0 / (a * total)


def _beta_quadrature(a: Tensor, b: Tensor, x: Tensor, rest: Tensor) -> Tensor:
    """As `_beta_fraction` below the mean, above it its complement, for ``a`` and ``b`` from 1000."""
    total = a + b
    offset = _beta_offset(a, b, x, rest)
    width = _window(offset, sqrt(a / total * (b / total) / total), -x, rest, x * (rest / total))
    at_x = _beta_distance(a, b, offset, x, rest)

    def density(step: Tensor) -> Tensor:
        t, other = x + step, rest - step
        return exp(at_x - _beta_distance(a, b, offset + step, t, other)) / (t * other)

    value = _integral(width, density)
    return where(offset < 0, -value, value)


def _betainc(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    inside = logical_and(logical_and(a > 0, a < math.inf), logical_and(b > 0, b < math.inf))
    inside = logical_and(inside, logical_and(x > 0, x < 1))
    p, q, z = where(inside, a, 1.0), where(inside, b, 1.0), where(inside, x, 0.5)
    rest = 1.0 - z
    large = minimum(p, q) >= _BETA_QUADRATURE_FROM
    large_p, large_q = maximum(p, _BETA_QUADRATURE_FROM), maximum(q, _BETA_QUADRATURE_FROM)
    large_z = where(large, z, 0.5)
    large_rest = 1.0 - large_z
    lower = where(large, _beta_offset(large_p, large_q, z, rest) < 0, z <= (p + 1.0) / (p + q + 2.0))
    fraction = _beta_fraction(where(lower, p, q), where(lower, q, p), where(lower, z, rest))
    quadrature = _beta_quadrature(large_p, large_q, large_z, large_rest)
    part = _beta_density(p, q, z, rest) * where(large, quadrature, fraction)
    value = where(lower, part, 1.0 - part)
    at_0, at_1 = logical_or(equal(a, 0), equal(b, math.inf)), logical_or(equal(b, 0), equal(a, math.inf))
    within = where(at_0, 1.0, where(at_1, 0.0, math.nan))
    ends = where(logical_or(equal(x, 0), equal(x, 1)), x, math.nan)
    edge = where(logical_and(x > 0, x < 1), within, ends)
    single = logical_and(logical_not(logical_and(equal(a, 0), equal(b, 0))), minimum(a, b) < math.inf)
    valid = logical_and(single, logical_and(a >= 0, b >= 0))
    return where(inside, value, where(valid, edge, math.nan))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def betainc(a: TensorLike, b: TensorLike, x: TensorLike, /) -> Tensor:
    """Incomplete beta function ``integral of t**(a - 1) * (1 - t)**(b - 1) from 0 to x``, over ``beta(a, b)``.

    It is elementwise, the distribution function of a beta variable; NaN outside ``0 <= x <= 1`` and for negative ``a``
    or ``b``. Its gradient is 0 where ``x`` is 0 or 1, and where ``a`` or ``b`` is 0 or infinite.

    Source:
        DLMF, formula 8.17.22; where ``a`` and ``b`` are 1000 or more, a Gauss-Legendre quadrature.
    """
    return in_single(_betainc, a, b, x)
