"""The gamma function and its relatives.

Half precision is computed in float32 and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Final

from ...errors import OutOfRangeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum, power
from ..declaration import in_single, op
from ..exponential import exp, log, log1p
from ..logic import equal, isfinite, logical_and, logical_or, where
from ..representation import signbit
from ..rounding import floor, round
from ..trigonometric import cos, sin
from .error import polynomial

__all__ = ["beta", "betaln", "digamma", "gammasgn", "lgamma", "polygamma", "zeta"]

# Interpolation at Chebyshev points, highest power first: lgamma(2 + t) / t for t from -1/2 to 1/2, with a relative
# error of 3e-19, and digamma(x) / (x - root) in x - 3/2 for x from 1 to 2, with one of 2e-17.
_LGAMMA: Final = (
    6.379047507619774e-08, -1.3412819758517287e-07, 2.0304806751615227e-07, -4.303558760359961e-07,
    9.578663334114758e-07, -2.0449201467015115e-06, 4.374374916915131e-06, -9.438458716242811e-06,
    2.050726741605779e-05, -4.4926351103833334e-05, 9.945750909889392e-05, -0.00022315475074520367,
    0.0005096695248853096, -0.0011927539120010226, 0.002890510330738737, -0.0073855510286681535, 0.02058080842778457,
    -0.06735230105319814, 0.3224670334241132, 0.42278433509846713,
)  # fmt: skip
_DIGAMMA: Final = (
    -0.00017312261802727394, 0.00025968482126430747, -0.00015148586836773365, 0.0002272331660987376,
    -0.0004821990530566789, 0.0007233266279287554, -0.0010376374098418604, 0.0015566317474486838,
    -0.002345267632540769, 0.003519006401502276, -0.005279964873257405, 0.007926944646403797, -0.011908218001568644,
    0.0179072524394512, -0.02697579675613825, 0.04076083381242074, -0.061922133273064534, 0.09498872445494122,
    -0.14840492305390884, 0.2405424842407742, -0.4236274212814605, 0.951055876031833,
)  # fmt: skip
_ROOT: Final = 1.4616321325302124
_ROOT_REST: Final = 1.2438149938918909e-08
_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)
_STIRLING_FROM: Final = 7.5


@cache
def bernoulli(count: int) -> tuple[Fraction, ...]:
    """The Bernoulli numbers B(0), B(2), ..., ``count`` of them."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * count - 1):
        numbers.append(-sum((math.comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0)) / (m + 1))
    return tuple(numbers[::2])


@cache
def _stirling_series() -> tuple[float, ...]:
    """B(2 k) / (2 k (2 k - 1)), the coefficients of x**(1 - 2 k) in lgamma(x), highest k first."""
    return tuple(float(b / (2 * k * (2 * k - 1))) for k, b in enumerate(bernoulli(11)) if k)[::-1]


@cache
def _digamma_series() -> tuple[float, ...]:
    """B(2 k) / (2 k), the coefficients of -x**(-2 k) in digamma(x), highest k first."""
    return tuple(float(b / (2 * k)) for k, b in enumerate(bernoulli(13)) if k)[::-1]


def stirling_rest(x: Tensor) -> Tensor:
    """What Stirling's formula ``(x - 1/2) log(x) - x + log(2 pi) / 2`` lacks of lgamma(x), for ``x >= 7.5``."""
    inverse = 1.0 / x
    return inverse * polynomial(inverse * inverse, _stirling_series())


def lgamma_from_2(t: Tensor) -> Tensor:
    """lgamma(2 + t), for ``t`` from -1/2 to 1/2."""
    return t * polynomial(t, _LGAMMA)


def lgamma_of_positive(x: Tensor) -> Tensor:
    """lgamma for ``x > 0``."""
    large = maximum(x, _STIRLING_FROM)
    stirling = (large - 0.5) * (log(large) - 1.0) + (_HALF_LOG_TWO_PI - 0.5) + stirling_rest(large)
    # lgamma(x) = lgamma(2 + t) -+ log(factor): t is exact, so no digits are lost near the zeros 1 and 2.
    below = x < 1.5
    t = where(x < 0.5, x, where(below, x - 1.0, minimum(x, _STIRLING_FROM) - 2.0))
    factor = where(x < 0.5, x * (x + 1.0), where(below, x, 1.0))
    for _ in range(5):
        step = t > 0.5
        factor = where(step, factor * (t + 1.0), factor)
        t = where(step, t - 1.0, t)
    logarithm = log(where(x > 0, factor, 1.0))
    return where(x >= _STIRLING_FROM, stirling, lgamma_from_2(t) + where(below, -logarithm, logarithm))


def _from_nearest_integer(x: Tensor) -> Tensor:
    """``x`` less the nearest integer, exactly, for finite ``x``."""
    return x - round(x)  # and not less floor(x), which would round a small negative x


def _is_negative_zero(x: Tensor) -> Tensor:
    return logical_and(equal(x, 0), signbit(x))


def _lgamma(x: Tensor) -> Tensor:
    y = abs(x)
    value = lgamma_of_positive(y)
    negative = logical_and(x < 0, y < math.inf)
    # pi / (x sin(pi x)) = -gamma(x) gamma(-x)
    sine = abs(sin(_from_nearest_integer(where(negative, y, 0.5)) * math.pi)) * where(negative, y, 1.0)
    reflected = math.log(math.pi) - log(where(equal(sine, 0), 1.0, sine)) - value
    reflected = where(equal(sine, 0), math.inf, reflected)
    return where(negative, reflected, where(equal(x, 0), math.inf, value))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def lgamma(x: TensorLike, /) -> Tensor:
    """Logarithm of the absolute value of the gamma function, elementwise; inf at 0, -1, -2, ...

    Source:
        DLMF, sections 5.5 and 5.11, with an interpolation around 2.
    """
    return in_single(_lgamma, x)


def _gammasgn(x: Tensor) -> Tensor:
    below = floor(where(logical_and(x < 0, isfinite(x)), x, 0.5))
    odd = below - 2.0 * floor(below * 0.5)
    sign = where(equal(below, x), math.nan, 1.0 - 2.0 * odd)
    sign = where(x > -math.inf, sign, math.nan)
    return where(x < 0, sign, where(_is_negative_zero(x), -1.0, where(equal(x, x), 1.0, x)))


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.same_shape,
    elementwise=True,
    floating=True,
    no_gradient="its result is piecewise constant",
)
def gammasgn(x: TensorLike, /) -> Tensor:
    """Sign of the gamma function, elementwise; NaN at -1, -2, ..., and that of ``x`` at 0.

    Source:
        SciPy 1.17, ``scipy.special.gammasgn``.
    """
    return in_single(_gammasgn, x)


def _digamma(x: Tensor) -> Tensor:
    reflects = logical_and(x <= 0, x > -math.inf)
    z = where(reflects, 1.0 - x, x)
    large = maximum(z, 8.0)
    inverse = 1.0 / large
    inverse_square = inverse * inverse
    asymptotic = log(large) - (0.5 * inverse + inverse_square * polynomial(inverse_square, _digamma_series()))
    # From 1 to 2 there is a root, where digamma(x) = digamma(x - 1) + 1 / (x - 1) would lose all digits.
    t = minimum(z, 8.0)
    added = where(t < 1, -1.0 / where(logical_and(t > 0, t < 1), t, 1.0), 0.0)
    t = where(t < 1, t + 1.0, t)
    for _ in range(6):
        step = t > 2
        t = where(step, t - 1.0, t)
        added = where(step, added + 1.0 / where(step, t, 1.0), added)
    small = ((t - _ROOT) - _ROOT_REST) * polynomial(t - 1.5, _DIGAMMA) + added
    value = where(z >= 8.0, asymptotic, small)
    d = _from_nearest_integer(where(reflects, x, 0.5)) * math.pi
    pole = equal(d, 0)
    cotangent = cos(d) / where(pole, 1.0, sin(d)) * math.pi
    at_pole = where(equal(x, 0), where(_is_negative_zero(x), math.inf, -math.inf), math.nan)
    reflected = where(pole, at_pole, value - cotangent)
    return where(reflects, reflected, where(x < 0, math.nan, value))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def digamma(x: TensorLike, /) -> Tensor:
    """Derivative of `lgamma`, elementwise; NaN at -1, -2, ..., infinite at 0.

    Source:
        DLMF, sections 5.5 and 5.11, with an interpolation from 1 to 2.
    """
    return in_single(_digamma, x)


@cache
def _zeta_series() -> tuple[float, ...]:
    """B(2 k) / (2 k)!, the coefficients of the Euler-Maclaurin formula."""
    return tuple(float(b / math.factorial(2 * k)) for k, b in enumerate(bernoulli(13)) if k)


_TERMS: Final = 10  # of a zeta series, added one by one


def _zeta_of_positive(order: Tensor | float, start: Tensor) -> Tensor:
    """zeta for ``order > 1`` and finite ``start > 0``."""
    total = power(start, -order)
    for k in range(1, _TERMS):
        total = total + power(start + float(k), -order)
    end = start + float(_TERMS)
    last = power(end, -order)
    # For a large start, last underflows and end * last does not.
    total = total + (power(end, 1.0 - order) / (order - 1.0) + last * 0.5)
    term = last * (order / end)
    for k, coefficient in enumerate(_zeta_series()):
        total = total + term * coefficient
        term = term * ((order + (2.0 * k + 1.0)) / end) * ((order + (2.0 * k + 2.0)) / end)
    return total


def _zeta(s: Tensor, q: Tensor) -> Tensor:
    valid = logical_and(s > 1, q > 0)
    finite = logical_and(valid, q < math.inf)
    value = _zeta_of_positive(where(finite, minimum(s, 1e30), 2.0), where(finite, q, 1.0))
    pole = logical_or(equal(s, 1), logical_and(s > 1, equal(q, floor(q))))
    outside = where(logical_and(pole, equal(q, q)), math.inf, math.nan)
    return where(valid, where(finite, value, 0.0), outside)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def zeta(x: TensorLike, q: TensorLike, /) -> Tensor:
    """Hurwitz zeta function, ``sum of (q + k)**-x over k = 0, 1, ...``, elementwise; Riemann's for ``q = 1``.

    It is inf at ``x == 1`` and at ``q = 0, -1, -2, ...``, and NaN where ``x < 1`` or ``q`` is another negative number.

    Source:
        DLMF, formula 25.11.5 (Euler-Maclaurin).
    """
    return in_single(_zeta, x, q)


def _polygamma_shape(x: tuple[int, ...], *, n: int) -> tuple[int, ...]:
    if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= 100:
        raise OutOfRangeError(
            "polygamma has no such order.", expected="an int n from 0 to 100", got=f"n = {n!r}", fix="pass the order"
        )
    return x


@cache
def _cotangent_derivative(n: int) -> tuple[float, ...]:
    """The n-th derivative of cot(x) as a polynomial in cot(x), highest power first."""
    coefficients = [0, 1]  # lowest first
    for _ in range(n):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return tuple(map(float, coefficients[::-1]))


def _polygamma(n: int) -> Callable[[Tensor], Tensor]:
    sign = 1.0 if n % 2 else -1.0

    def compute(x: Tensor) -> Tensor:
        reflects = logical_and(x < 0, x > -math.inf)
        z = where(reflects, 1.0 - x, x)
        finite = logical_and(z > 0, z < math.inf)
        value = _zeta_of_positive(n + 1.0, where(finite, z, 1.0)) * float(math.factorial(n))
        value = where(finite, value, where(z > 0, 0.0, where(z <= 0, math.inf, math.nan)))
        d = _from_nearest_integer(where(reflects, x, 0.5)) * math.pi
        pole = equal(d, 0)
        cotangent = cos(d) / where(pole, 1.0, sin(d))
        reflected = -value - polynomial(cotangent, _cotangent_derivative(n)) * math.pi ** (n + 1)
        return where(reflects, where(pole, sign * math.inf, reflected), value * sign)

    return compute


@op(
    dtype=dtype_rules.same_real_floating,
    shape=_polygamma_shape,
    elementwise=True,
    floating=True,
)
def polygamma_(x: TensorLike, /, *, n: int = 0) -> Tensor:
    """The n-th derivative of digamma, elementwise; users call `polygamma`.

    Args:
        n: the order, from 0 to 100.
    Returns:
        Shape and dtype of ``x``; float32 for integers and bools.
    Raises:
        OutOfRangeError: ``n`` is not an int from 0 to 100. DTypeError: ``x`` is complex.
    Source:
        DLMF, section 5.15.
    """
    return digamma(x) if n == 0 else in_single(_polygamma(n), x)


def polygamma(n: int, x: TensorLike, /) -> Tensor:
    """The n-th derivative of `digamma`, elementwise.

    Args:
        n: the order, from 0 to 100.
        x: real[...].
    Returns:
        Shape and dtype of ``x``; float32 for integers and bools.
    Raises:
        OutOfRangeError: ``n`` is not an int from 0 to 100. DTypeError: ``x`` is complex.
    Source:
        DLMF, section 5.15.
    """
    return polygamma_(x, n=n)


def _betaln(x1: Tensor, x2: Tensor) -> Tensor:
    p, q = minimum(x1, x2), maximum(x1, x2)
    positive = logical_and(p > 0, q < math.inf)
    # Differences of lgamma at large arguments cancel; those of Stirling's formula are taken in closed form.
    small, large = where(positive, p, 1.0), maximum(where(positive, q, 8.0), 8.0)
    log_ratio = log1p(small / large)
    rest = stirling_rest(large) - stirling_rest(small + large)
    one_large = lgamma_of_positive(small) - (large - 0.5) * log_ratio - small * (log(small + large) - 1.0) + rest
    both = maximum(small, 8.0)
    both_large = (
        (_HALF_LOG_TWO_PI + stirling_rest(both))
        + (rest - 0.5 * log(large))
        + ((both - 0.5) * log(both / (both + large)) - large * log_ratio)
    )
    none_large = _lgamma(p) + _lgamma(q) - _lgamma(where(equal(q, math.inf), 1.0, p + q))
    value = where(p >= 8.0, both_large, where(q >= 8.0, one_large, none_large))
    return where(positive, value, where(logical_and(p > 0, equal(q, math.inf)), -math.inf, none_large))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def betaln(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Logarithm of the absolute value of the beta function, elementwise; meant for positive operands.

    Source:
        DLMF, sections 5.11 and 5.12.
    """
    return in_single(_betaln, x1, x2)


@betaln.gradient("x1", "x2")
def _betaln_back(g: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    common = digamma(x1 + x2)
    return g * (digamma(x1) - common), g * (digamma(x2) - common)


def _beta(x1: Tensor, x2: Tensor) -> Tensor:
    return exp(_betaln(x1, x2)) * (_gammasgn(x1) * _gammasgn(x2) * _gammasgn(x1 + x2))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def beta(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Beta function ``gamma(x1) * gamma(x2) / gamma(x1 + x2)``, elementwise; meant for positive operands.

    Source:
        DLMF, section 5.12.
    """
    return in_single(_beta, x1, x2)


@beta.gradient("x1", "x2")
def _beta_back(g: Tensor, y: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    common = digamma(x1 + x2)
    return g * y * (digamma(x1) - common), g * y * (digamma(x2) - common)


lgamma.gradient(x=lambda g, x: g * digamma(x))
digamma.gradient(x=lambda g, x: g * polygamma_(x, n=1))
polygamma_.gradient(x=lambda g, x, n: g * polygamma_(x, n=n + 1))
