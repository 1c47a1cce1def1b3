"""Functions of each element, in one pass over memory: operands and result are contiguous vectors of one dtype."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from ..cache import compiled
from .functions import EXACT, exp_of, expm1_of, log1p_of, normal_tail

__all__ = [
    "elu",
    "elu_gradient",
    "erf",
    "gelu",
    "gelu_by_tanh",
    "gelu_gradient",
    "gelu_gradient_by_tanh",
    "sigmoid",
    "silu",
    "silu_gradient",
    "softplus",
]

Array = Any

_f = np.float32
_FAR: Final = 1000.0  # as in the bodies of the ops: finite, where the functions have their limits
_END: Final = 15.0  # where exp(-x**2 / 2) is 0 in float32
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_TWICE_LINEAR: Final = 2.0 * math.sqrt(2.0 / math.pi)
_TWICE_CUBIC: Final = _TWICE_LINEAR * 0.044715


# Comparisons are written so that NaN is kept.


@register_jitable(**EXACT)
def _logistic(x: Any, one: Any) -> Any:
    """``1 / (1 + exp(-x))``, with the digits of small results."""
    e = exp_of(-abs(x))
    return (e if x < one - one else one) / (e + one)


@register_jitable(**EXACT)
def _inside(x: Any, limit: Any) -> Any:
    x = limit if x > limit else x
    return -limit if x < -limit else x


@compiled(EXACT)
def sigmoid(x: Array, y: Array) -> None:
    """``1 / (1 + exp(-x))``."""
    one = x.dtype.type(1.0)
    for i in range(x.size):
        y[i] = _logistic(x[i], one)


@compiled(EXACT)
def softplus(x: Array, y: Array) -> None:
    """``log(1 + exp(x))``."""
    zero = x.dtype.type(0.0)
    for i in range(x.size):
        y[i] = log1p_of(exp_of(-abs(x[i]))) + (x[i] if x[i] > zero else zero)


@compiled(EXACT)
def silu(x: Array, y: Array) -> None:
    """``x * sigmoid(x)``."""
    one, far = x.dtype.type(1.0), x.dtype.type(-_FAR)
    for i in range(x.size):
        y[i] = (far if x[i] < far else x[i]) * _logistic(x[i], one)


@compiled(EXACT)
def silu_gradient(g: Array, x: Array, y: Array) -> None:
    """``g * sigmoid(x) * (1 + x * sigmoid(-x))``."""
    one, far = x.dtype.type(1.0), x.dtype.type(_FAR)
    for i in range(x.size):
        inner = _inside(x[i], far)
        y[i] = g[i] * (_logistic(inner, one) * (inner * _logistic(-inner, one) + one))


@compiled(EXACT)
def elu(x: Array, alpha: float, y: Array) -> None:
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    zero, factor = x.dtype.type(0.0), x.dtype.type(alpha)
    for i in range(x.size):
        below = expm1_of(zero if x[i] > zero else x[i]) * factor
        y[i] = x[i] if x[i] >= zero else below  # -0 is its own result


@compiled(EXACT)
def elu_gradient(g: Array, x: Array, alpha: float, y: Array) -> None:
    """``g`` where ``x`` is positive, ``g * alpha * exp(x)`` elsewhere."""
    zero, factor = x.dtype.type(0.0), x.dtype.type(alpha)
    for i in range(x.size):
        below = g[i] * (exp_of(zero if x[i] > zero else x[i]) * factor)
        y[i] = g[i] if x[i] > zero else below


@compiled(EXACT)
def gelu_by_tanh(x: Array, y: Array) -> None:
    """``x / 2 * (1 + tanh(t))`` as ``x * sigmoid(2 * t)``, which keeps the digits of small results."""
    real = x.dtype.type
    one, far, linear, cubic = real(1.0), real(_FAR), real(_TWICE_LINEAR), real(_TWICE_CUBIC)
    for i in range(x.size):
        inner = _inside(x[i], far)
        above = -far if x[i] < -far else x[i]
        y[i] = above * _logistic(inner * (inner * inner * cubic + linear), one)


@compiled(EXACT)
def gelu_gradient_by_tanh(g: Array, x: Array, y: Array) -> None:
    """``g`` times the derivative of `gelu_by_tanh`."""
    real = x.dtype.type
    one, far, linear, cubic = real(1.0), real(_FAR), real(_TWICE_LINEAR), real(_TWICE_CUBIC)
    triple = real(3.0 * _TWICE_CUBIC)
    for i in range(x.size):
        inner = _inside(x[i], far)
        squared = inner * inner
        t = inner * (squared * cubic + linear)
        slope = squared * triple + linear
        y[i] = g[i] * (_logistic(t, one) * (inner * slope * _logistic(-t, one) + one))


# --- float32 only: the normal distribution ---


@compiled(EXACT)
def gelu(x: Array, y: Array) -> None:
    """``x`` times the probability that a standard normal number is below ``x``."""
    zero, end = _f(0.0), _f(_END)
    for i in range(x.size):
        size = abs(x[i])
        size = end if size > end else size
        tail = normal_tail(size, exp_of(size * size * _f(-0.5)))
        y[i] = (x[i] if x[i] > zero else zero) - size * tail


@compiled(EXACT)
def gelu_gradient(g: Array, x: Array, y: Array) -> None:
    """``g`` times the derivative of `gelu`."""
    zero, one = _f(0.0), _f(1.0)
    for i in range(x.size):
        inner = _inside(x[i], _f(_END))
        bell = exp_of(inner * inner * _f(-0.5))
        tail = normal_tail(abs(inner), bell)
        y[i] = g[i] * (inner * (bell * _f(_DENSITY)) + (tail if inner < zero else one - tail))


@compiled(EXACT)
def erf(x: Array, y: Array) -> None:
    """The error function: a polynomial up to 1, fitted for the relative error, which is 1e-9; beyond, 1 less a tail."""
    for i in range(x.size):
        size = abs(x[i])
        z = size * size
        p = _f(7.875875062685488e-05)
        p = p * z + _f(-0.000801686428716587)
        p = p * z + _f(0.005189087423433974)
        p = p * z + _f(-0.026854212010626412)
        p = p * z + _f(0.11283594715160218)
        p = p * z + _f(-0.37612626666720334)
        p = p * z + _f(1.1283791658483509)
        far = _f(10.0) if size > _f(10.0) else size
        tail = normal_tail(far * _f(math.sqrt(2.0)), exp_of(-(far * far)))
        value = _f(1.0) - (tail + tail) if size > _f(1.0) else p * size
        y[i] = math.copysign(value, x[i])
