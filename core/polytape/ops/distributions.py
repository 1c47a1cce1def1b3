"""Random draws by rejection, as ops of a generator's state and the parameters. Users call `polytape.random`.

Attempt k of element i takes its words from lane k of the generator, at the blocks of element i, so that it depends
neither on other elements nor on how many of them are still rejected. Each op makes so many attempts that all fail
with a probability below 1e-15; the result is then the mode.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Final

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError
from ..tensors.tensor import Tensor
from . import shape_rules
from .arithmetic import maximum, minimum
from .creation import full, zeros
from .declaration import op, states
from .exponential import exp, log, log1p, sqrt
from .logic import logical_and, logical_not, logical_or, where
from .manipulation import astype, broadcast_to, reshape
from .random import integers24, integers53, polar, random_bits
from .rounding import floor
from .trigonometric import atan2, cos, sin

__all__: list[str] = []

Shape = tuple[int, ...]
_DISCRETE = "its result is a whole number"
_REJECTED = "a rejection sampler's result is not a differentiable function of its parameters"
_STEPS: Final = 64  # of an inversion with a mean below 10; more have a probability below 1e-28


@states(returns="dtype of the parameters", rejects="parameters that are neither float32 nor float64")
def _computed(state: DType, *parameters: DType) -> DType:
    for parameter in parameters:
        if parameter not in (dtypes.float32, dtypes.float64) or parameter is not parameters[0]:
            raise DTypeError(
                "draws in float32 or float64.",
                expected="parameters of one of these dtypes",
                got=", ".join(map(str, parameters)),
                fix="cast them first",
            )
    return parameters[0]


@states(takes="[...]", returns="the broadcast shape of the parameters", rejects="shapes that do not broadcast")
def _parameters(state: Shape, *parameters: Shape) -> Shape:
    return shape_rules.broadcast(*parameters)


def _integers(state: Tensor, parameter: Tensor, lane: int, count: int) -> list[Tensor]:
    """For each element ``count`` integers of 24 bits, or 53 for float64, from whole blocks of the generator."""
    size = shape_rules.count(parameter.shape)
    wide = parameter.dtype is dtypes.float64
    words = 4 * -(-count * (2 if wide else 1) // 4)
    bits = reshape(random_bits(state, lane=lane, n=size * words, device=parameter.device), (*parameter.shape, words))
    if wide:
        return [integers53(bits[..., 2 * k], bits[..., 2 * k + 1]) for k in range(count)]
    return [integers24(bits[..., k]) for k in range(count)]


def _unit(integers: Tensor) -> Tensor:
    """Uniform numbers in (0, 1)."""
    return maximum(integers, 1.0) * (2.0**-53 if integers.dtype is dtypes.float64 else 2.0**-24)


def _first_accepted(fallback: Tensor, attempts: int, attempt: Callable[[int], tuple[Tensor, Tensor]]) -> Tensor:
    """Per element the first candidate that is accepted; ``attempt(lane)`` returns candidates and acceptances."""
    result = fallback
    waiting = full(fallback.shape, True, device=fallback.device)
    for lane in range(attempts):
        candidate, accepted = attempt(lane)
        result = where(logical_and(waiting, accepted), candidate, result)
        waiting = logical_and(waiting, logical_not(accepted))
    return result


@op(
    dtype=_computed,
    shape=_parameters,
    host=("state",),
    no_gradient=_REJECTED,
    internal="polytape.random.gamma",
)
def random_gamma(state: Tensor, a: Tensor, *, in_logs: bool = False) -> Tensor:
    """Gamma-distributed numbers with shape parameter ``a`` and scale 1; NaN where ``a`` is not positive.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each number uses a block of it, in float64 two.
        in_logs: whether to return the logarithms of the numbers, which may be too small for the dtype.
    Source:
        G. Marsaglia, W. Tsang (2000), ACM Transactions on Mathematical Software 26 (3), pp. 363-372.
    """
    d = where(a < 1.0, a + 1.0, a) - 1.0 / 3.0
    c = 1.0 / sqrt(d * 9.0)

    def attempt(lane: int) -> tuple[Tensor, Tensor]:
        first, second, third, _ = _integers(state, a, lane, 4)
        radius, angle = polar(first, second)
        x = radius * cos(angle)
        t = c * x
        # d - d v + d log v for v = (1 + t)**3, without subtracting numbers as large as d.
        exponent = d * ((log1p(t) - t) * 3.0 - t * t * (t + 3.0))
        return t, log(_unit(third)) < x * x * 0.5 + exponent

    t = _first_accepted(zeros(a.shape, dtype=a.dtype, device=a.device), 12, attempt)
    boost = where(a < 1.0, log(_unit(_integers(state, a, 0, 4)[3])) / a, 0.0)
    one = t + 1.0
    result = log(d) + log1p(t) * 3.0 + boost if in_logs else d * (one * one * one) * exp(boost)
    return where(a > 0.0, result, float("nan"))


def _stirling(x: Tensor) -> Tensor:
    """``log(gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2)`` for x >= 1, to 2e-5 at 1 and full precision from 10.

    Source:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, 6.1.48.
    """
    y = x + (22999.0 / 22737.0) / x
    y = x + (195.0 / 371.0) / y
    y = x + (53.0 / 210.0) / y
    y = x + (1.0 / 30.0) / y
    return (1.0 / 12.0) / y


def _deviance(x: Tensor, mean: Tensor) -> Tensor:
    """``x log(x / mean) - (x - mean) - log(x / mean) / 2`` without subtracting the logarithms of large numbers."""
    e = (x - mean) / mean
    ratio = log1p(e)
    return mean * ((e + 1.0) * ratio - e) - ratio * 0.5


def _inverted(u: Tensor, p: Tensor, factor: Callable[[int], Tensor]) -> Tensor:
    """The number of partial sums of probabilities that are at most ``u``.

    Args:
        u: from 0 to 1.
        p: the probability of 0.
        factor: the probability of k + 1 divided by that of k.
    """
    count, total = zeros(p.shape, dtype=p.dtype, device=p.device), p
    for k in range(_STEPS):
        p = p * factor(k)
        following = total + p
        # Rounded sums may stay below 1: the count ends where they no longer grow.
        count = count + astype(logical_and(u >= total, following > total), count.dtype)
        total = following
    return count


@op(
    dtype=_computed,
    shape=_parameters,
    host=("state",),
    no_gradient=_DISCRETE,
    internal="polytape.random.poisson",
)
def random_poisson(state: Tensor, rate: Tensor) -> Tensor:
    """Poisson-distributed whole numbers with mean ``rate``, as floats; NaN where it is negative or not finite.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each number uses a block of it.
    Source:
        W. Hoermann (1993), Insurance: Mathematics and Economics 12, pp. 39-45: algorithm PTRS; inversion below 10.
    """
    mean = where(rate >= 10.0, rate, 10.0)
    b = sqrt(mean) * 2.53 + 0.931
    a = b * 0.02483 - 0.059
    inverse_alpha = 1.1328 / (b - 3.4) + 1.1239
    ratio = 0.9277 - 3.6224 / (b - 2.0)
    constant = log(mean * (2.0 * pi)) * 0.5

    def attempt(lane: int) -> tuple[Tensor, Tensor]:
        first, second = [_unit(integers) for integers in _integers(state, rate, lane, 2)]
        u = first - 0.5
        us = 0.5 - abs(u)
        k = floor((a * 2.0 / us + b) * u + mean + 0.43)
        at_once = logical_and(us >= 0.07, second <= ratio)
        possible = logical_and(k >= 0.0, logical_or(us >= 0.013, second <= us))
        x = maximum(k, 0.0) + 1.0
        height = log(second * inverse_alpha / (a / (us * us) + b))
        below = height <= -(_deviance(x, mean) + constant + _stirling(x))
        return k, logical_or(at_once, logical_and(possible, below))

    large = _first_accepted(floor(mean), 26, attempt)
    few = where(rate < 10.0, rate, 0.0)
    step = 2.0**-53 if rate.dtype is dtypes.float64 else 2.0**-24
    small = _inverted(_integers(state, rate, 0, 2)[0] * step, exp(-few), lambda k: few / (k + 1.0))
    valid = logical_and(rate >= 0.0, rate < float("inf"))
    return where(valid, where(rate < 10.0, small, large), float("nan"))


@op(
    dtype=_computed,
    shape=_parameters,
    host=("state",),
    no_gradient=_DISCRETE,
    internal="polytape.random.binomial",
)
def random_binomial(state: Tensor, n: Tensor, p: Tensor) -> Tensor:
    """The number of successes in ``n`` trials with probability ``p``, as floats.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each number uses a block of it.
    Returns:
        The broadcast shape, dtype of the parameters; NaN where ``n`` is negative or ``p`` is not from 0 to 1.
    Source:
        W. Hoermann (1993), Journal of Statistical Computation and Simulation 46, pp. 101-110: algorithm BTRS;
        inversion for means below 10.
    """
    shape = shape_rules.broadcast(n.shape, p.shape)
    n, p = broadcast_to(n, shape), broadcast_to(p, shape)
    valid = logical_and(logical_and(n >= 0.0, n < float("inf")), logical_and(p >= 0.0, p <= 1.0))
    rare = where(p > 0.5, 1.0 - p, p)
    frequent = n * rare >= 10.0
    large = _transformed(state, where(frequent, n, 20.0), where(frequent, rare, 0.5))
    few, rare = where(frequent, 0.0, n), where(frequent, 0.0, rare)
    odds = rare / (1.0 - rare)
    step = 2.0**-53 if n.dtype is dtypes.float64 else 2.0**-24
    none = exp(few * log1p(-rare))
    small = _inverted(
        _integers(state, n, 0, 2)[0] * step, none, lambda k: odds * (maximum(few - float(k), 0.0) / (k + 1.0))
    )
    successes = where(frequent, large, small)
    return where(valid, where(p > 0.5, n - successes, successes), float("nan"))


def _transformed(state: Tensor, n: Tensor, p: Tensor) -> Tensor:
    """Algorithm BTRS, for p <= 1/2 and n p >= 10."""
    q = 1.0 - p
    successes, failures = n * p, n * q
    deviation = sqrt(successes * q)
    b = deviation * 2.53 + 1.15
    a = b * 0.0248 + p * 0.01 - 0.0873
    ratio = 0.92 - 4.2 / b
    alpha = (5.1 / b + 2.83) * deviation
    mode = floor((n + 1.0) * p)

    def height(k: Tensor) -> Tensor:
        """The logarithm of the probability of k, but for a constant."""
        x, y = k + 1.0, n - k + 1.0
        return _deviance(x, successes) + _deviance(y, failures) + _stirling(x) + _stirling(y)

    highest = height(mode)

    def attempt(lane: int) -> tuple[Tensor, Tensor]:
        first, second = [_unit(integers) for integers in _integers(state, n, lane, 2)]
        u = first - 0.5
        us = 0.5 - abs(u)
        k = floor((a * 2.0 / us + b) * u + successes + 0.5)
        at_once = logical_and(us >= 0.07, second <= ratio)
        possible = logical_and(k >= 0.0, k <= n)
        below = log(second * alpha / (a / (us * us) + b)) <= highest - height(where(possible, k, mode))
        return k, logical_or(at_once, logical_and(possible, below))

    return _first_accepted(mode, 30, attempt)


@op(
    dtype=_computed,
    shape=_parameters,
    host=("state",),
    no_gradient=_REJECTED,
    internal="polytape.random.von_mises",
)
def random_von_mises(state: Tensor, kappa: Tensor) -> Tensor:
    """Angles from -pi to pi with the von Mises distribution around 0; NaN where ``kappa`` is negative or infinite.

    The candidates have the wrapped Cauchy distribution, twice the angle of ``(cos(h), g sin(h))`` for uniform h.

    Args:
        state: uint64[2] on the host, as for `random_bits`; each number uses a block of it.
    Source:
        D. Best, N. Fisher (1979), Applied Statistics 28 (2), pp. 152-157.
    """
    valid = logical_and(kappa >= 0.0, kappa < float("inf"))
    kappa = where(valid, kappa, 0.0)
    small = minimum(kappa, 1e9)  # its square does not overflow; above, sqrt(4 kappa**2 + 1) is 2 kappa
    root = maximum(sqrt(small * small * 4.0 + 1.0), kappa * 2.0)
    # kappa / rho - kappa, in the notation of the source, without subtracting: rho is near 1 if kappa is large.
    rest = (1.0 / (root + kappa * 2.0) + 1.0 + sqrt((root + 1.0) * 2.0)) * 0.5
    g = rest / (rest + kappa * 2.0)
    offset = rest * (rest / (rest + kappa)) * 0.5

    def attempt(lane: int) -> tuple[Tensor, Tensor]:
        first, second = [_unit(integers) for integers in _integers(state, kappa, lane, 2)]
        angle = (first * 2.0 - 1.0) * (pi / 2.0)
        sine, cosine = g * sin(angle), cos(angle)
        squared = sine * sine
        c = offset + kappa * 2.0 * (squared / (squared + cosine * cosine))
        return atan2(sine, cosine) * 2.0, log(c / second) + 1.0 - c >= 0.0

    y = _first_accepted(zeros(kappa.shape, dtype=kappa.dtype, device=kappa.device), 34, attempt)
    return where(valid, y, float("nan"))
