"""Rows of the draws by rejection. The references compute each number alone, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import distributions
from ..case import Case
from ..makers import Maker, exactly
from ..samples import error, sample
from .random import words_of

__all__ = ["CASES"]


def _each(count: int, draw: Callable[..., float], state: Any, *parameters: Any) -> Any:
    """The results of ``draw(integers, step, *numbers)`` for each element."""
    bits = int(state[0])
    arrays = np.broadcast_arrays(*parameters)
    words = 4 if bits == 24 else 4 * -(-count // 2)
    values = []
    for position, numbers in enumerate(zip(*(array.ravel().tolist() for array in arrays), strict=True)):

        def integers(lane: int, position: int = position) -> list[float]:
            start = [state[0], int(state[1]) + position * words // 4]
            own = words_of(start, words, lane)
            if bits == 24:
                return [word >> 8 for word in own]
            return [(own[2 * k] | own[2 * k + 1] << 32) >> 11 for k in range(count)]

        values.append(draw(integers, 2.0**-bits, *numbers))
    return np.array(values).reshape(arrays[0].shape)


def _gamma(integers: Any, step: float, a: float) -> float:
    """The logarithm of a gamma-distributed number (G. Marsaglia, W. Tsang, 2000)."""
    if not a > 0.0:
        return math.nan
    d = (a + 1.0 if a < 1.0 else a) - 1.0 / 3.0
    for lane in range(12):
        first, second, third = integers(lane)[:3]
        x = math.sqrt(-2.0 * math.log((first + 1) * step)) * math.cos(second * 2.0 * math.pi * step)
        v = (1.0 + x / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(max(third, 1) * step) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    return math.log(d * v) + (math.log(max(integers(0)[3], 1) * step) / a if a < 1.0 else 0.0)


def _inverted(u: float, probability: Callable[[int], float]) -> float:
    total, k = probability(0), 0
    while u >= total and k < 64:
        k += 1
        total += probability(k)
    return float(k)


def _poisson(integers: Any, step: float, rate: float) -> float:
    """Algorithm PTRS (W. Hoermann, 1993)."""

    def log_probability(k: float) -> float:
        return k * math.log(rate) - rate - math.lgamma(k + 1.0)

    if not 0.0 <= rate < math.inf:
        return math.nan
    if rate < 10.0:
        return _inverted(integers(0)[0] * step, lambda k: math.exp(log_probability(k)) if rate else float(k == 0))
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    for lane in range(26):
        u, v = (max(number, 1) * step for number in integers(lane)[:2])
        us = 0.5 - abs(u - 0.5)
        k = math.floor((2.0 * a / us + b) * (u - 0.5) + rate + 0.43)
        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
            break
        hat = math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / us**2 + b))
        if k >= 0 and (us >= 0.013 or v <= us) and hat <= log_probability(k):
            break
    return float(k)


def _binomial(integers: Any, step: float, n: float, p: float) -> float:
    """Algorithm BTRS (W. Hoermann, 1993)."""
    if not (0.0 <= n < math.inf and 0.0 <= p <= 1.0):
        return math.nan
    q = 1.0 - p if p > 0.5 else p

    def log_probability(k: float) -> float:
        ways = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
        return ways + k * math.log(q) + (n - k) * math.log1p(-q)

    if n * q < 10.0:
        k = _inverted(
            integers(0)[0] * step,
            lambda k: (math.exp(log_probability(k)) if k <= n else 0.0) if q else float(k == 0),
        )
        return n - k if p > 0.5 else k
    deviation = math.sqrt(n * q * (1.0 - q))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * q
    highest = log_probability(math.floor((n + 1.0) * q))
    for lane in range(30):
        u, v = (max(number, 1) * step for number in integers(lane)[:2])
        us = 0.5 - abs(u - 0.5)
        k = math.floor((2.0 * a / us + b) * (u - 0.5) + n * q + 0.5)
        if us >= 0.07 and v <= 0.92 - 4.2 / b:
            break
        hat = math.log(v * (2.83 + 5.1 / b) * deviation / (a / us**2 + b))
        if 0 <= k <= n and hat <= log_probability(k) - highest:
            break
    return n - k if p > 0.5 else float(k)


def _von_mises(integers: Any, step: float, kappa: float) -> float:
    """D. Best, N. Fisher (1979), with r as in the paper."""
    if not 0.0 <= kappa < math.inf:
        return math.nan
    tau = 1.0 + math.hypot(1.0, 2.0 * kappa)
    rho = 2.0 * kappa / (tau + math.sqrt(2.0 * tau))
    half = (tau + math.sqrt(2.0 * tau)) / 2.0
    for lane in range(34):
        u, v = (max(number, 1) * step for number in integers(lane)[:2])
        angle = (2.0 * u - 1.0) * math.pi / 2.0
        result = 2.0 * math.atan2((1.0 - rho) / (1.0 + rho) * math.sin(angle), math.cos(angle))
        c = half * (1.0 + rho**2) / 2.0 - kappa * math.cos(result)
        if math.log(c / v) + 1.0 - c >= 0.0:
            break
    return result


# References get every operand in float64, so the key says from how many bits the numbers of a sample are made.
_NARROW = exactly(np.array([24, 7], "uint64"), "uint64")
_WIDE = exactly(np.array([53, 2**64 - 2], "uint64"), "uint64")  # its counter wraps around


def _parameters(dtype: str, *values: Any) -> list[Maker]:
    makers = [exactly(np.array(value)) for value in values]
    for maker in makers:
        maker.dtypes = (dtype,)
    return makers


def _samples(*values: Any, **attributes: Any) -> list[Any]:
    return [
        sample(_NARROW, *_parameters("float32", *values), **attributes),
        sample(_WIDE, *_parameters("float64", *values), **attributes),
    ]


def _dtype_error(operands: int) -> Any:
    half = [exactly(np.array([1.0]), "float16")] * operands
    return error(DTypeError, "draws in float32 or float64", _NARROW, *half)


def _gammas(state: Any, a: Any, *, in_logs: bool = False) -> Any:
    logs = _each(4, _gamma, state, a)
    return logs if in_logs else np.exp(logs)


_INVALID = [math.nan, -1.0, math.inf]
_MANY = np.linspace(0.0, 60.0, 300).reshape(3, 100)

CASES = [
    Case(
        distributions.random_gamma,
        _NARROW,
        *_parameters("float32", [[0.5, 1.0, 2.5], [40.0, 1e5, 0.02]]),
        more=[
            *_samples(np.linspace(0.05, 9.0, 120), in_logs=True),
            *_samples(np.linspace(0.3, 9.0, 120)),
            *_samples([-1.0, 0.0, math.nan]),
            *_samples(3.0),
            *_samples(np.zeros((0, 2))),
            *_samples(np.full(9000, 0.9)),
        ],
        reference=_gammas,
        # exp(log(u) / a) has the relative error of log(u), multiplied by its size, which is up to 50.
        ulp=256.0,
        scale=1.0,
        errors=[_dtype_error(1)],
    ),
    Case(
        distributions.random_poisson,
        _NARROW,
        *_parameters("float32", [[0.0, 0.2, 9.0], [11.0, 40.0, 5000.0]]),
        more=[*_samples(_MANY), *_samples(_INVALID), *_samples(9.99), *_samples(np.zeros((0, 2)))],
        reference=lambda state, rate: _each(2, _poisson, state, rate),
        ulp=0.0,
        errors=[_dtype_error(1)],
    ),
    Case(
        distributions.random_binomial,
        _NARROW,
        *_parameters("float32", [[1.0, 19.0, 20.0], [40.0, 3000.0, 0.0]], [0.5, 0.25, 0.875]),
        more=[
            *_samples([[100.0], [7.0]], np.linspace(0.0, 1.0, 129)),
            *_samples([1.0, 5.0, -1.0, 4.0, math.inf, 3.0], [-0.1, 1.1, 0.5, math.nan, 0.5, 1.0]),
            *_samples(12.0, 0.5),
            *_samples(np.zeros((0, 2)), 0.5),
        ],
        reference=lambda state, n, p: _each(2, _binomial, state, n, p),
        ulp=0.0,
        errors=[
            _dtype_error(2),
            error(ShapeError, "the shapes do not broadcast", _NARROW, *_parameters("float32", [1.0, 2.0], [0.5] * 3)),
        ],
    ),
    Case(
        distributions.random_von_mises,
        _NARROW,
        *_parameters("float32", [[0.0, 0.5, 2.0], [4.0, 30.0, 1e3]]),
        more=[*_samples(np.linspace(0.0, 8.0, 120)), *_samples(_INVALID), *_samples(2.0), *_samples(np.zeros((0, 2)))],
        reference=lambda state, kappa: _each(2, _von_mises, state, kappa),
        ulp=64.0,
        scale=1.0,
        errors=[_dtype_error(1)],
    ),
]
