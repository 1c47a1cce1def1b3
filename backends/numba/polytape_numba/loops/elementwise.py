"""Functions of one element of each operand, of one dtype; `universal` makes universal functions of them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from .functions import INLINE, exp_of, expm1_of, like, log1p_of, normal_tail

__all__ = [
    "cube",
    "elu",
    "elu_gradient",
    "erf",
    "gelu",
    "gelu_by_tanh",
    "gelu_gradient",
    "gelu_gradient_by_tanh",
    "leaky_relu",
    "leaky_relu_gradient",
    "relu",
    "relu_gradient",
    "sigmoid",
    "sigmoid_gradient",
    "silu",
    "silu_gradient",
    "softplus",
    "whole_power",
]

_f = np.float32
_FAR: Final = 1000.0  # as in the bodies of the ops: finite, where the functions have their limits
_END: Final = 15.0  # where exp(-x**2 / 2) is 0 in float32
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_TWICE_LINEAR: Final = 2.0 * math.sqrt(2.0 / math.pi)
_TWICE_CUBIC: Final = _TWICE_LINEAR * 0.044715


# Comparisons are written so that NaN is kept.


@register_jitable(**INLINE)
def _inside(x: Any, limit: Any) -> Any:
    x = limit if x > limit else x
    return -limit if x < -limit else x


# --- Powers and logistic functions ---


@register_jitable(**INLINE)
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, with the digits of small results."""
    e = exp_of(-abs(x))
    return (e if x < like(x, 0.0) else like(x, 1.0)) / (e + like(x, 1.0))


@register_jitable(**INLINE)
def sigmoid_gradient(g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``, where ``y`` is a result of `sigmoid`."""
    return g * (y * (like(y, 1.0) - y))


@register_jitable(**INLINE)
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return log1p_of(exp_of(-abs(x))) + (x if x > like(x, 0.0) else like(x, 0.0))


@register_jitable(**INLINE)
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``."""
    return (like(x, -_FAR) if x < like(x, -_FAR) else x) * sigmoid(x)


@register_jitable(**INLINE)
def silu_gradient(g: Any, x: Any) -> Any:
    """``g * sigmoid(x) * (1 + x * sigmoid(-x))``."""
    inner = _inside(x, like(x, _FAR))
    return g * (sigmoid(inner) * (inner * sigmoid(-inner) + like(x, 1.0)))


@register_jitable(**INLINE)
def gelu_by_tanh(x: Any) -> Any:
    """``x / 2 * (1 + tanh(t))`` as ``x * sigmoid(2 * t)``, which keeps the digits of small results."""
    inner = _inside(x, like(x, _FAR))
    above = like(x, -_FAR) if x < like(x, -_FAR) else x
    return above * sigmoid(inner * (inner * inner * like(x, _TWICE_CUBIC) + like(x, _TWICE_LINEAR)))


@register_jitable(**INLINE)
def gelu_gradient_by_tanh(g: Any, x: Any) -> Any:
    """``g`` times the derivative of `gelu_by_tanh`."""
    inner = _inside(x, like(x, _FAR))
    squared = inner * inner
    t = inner * (squared * like(x, _TWICE_CUBIC) + like(x, _TWICE_LINEAR))
    slope = squared * like(x, 3.0 * _TWICE_CUBIC) + like(x, _TWICE_LINEAR)
    return g * (sigmoid(t) * (inner * slope * sigmoid(-t) + like(x, 1.0)))


@register_jitable(**INLINE)
def cube(x: Any) -> Any:
    """``x * x * x``."""
    return x * x * x


@register_jitable(**INLINE)
def whole_power(x: Any, exponent: Any) -> Any:
    """``x`` to a whole power from -63 to 63, for float32; the products are taken in float64."""
    n = np.int32(abs(exponent))
    factor, y = np.float64(x), 1.0
    # Without a loop: every product is computed, which SIMD does at 1 ns per element.
    y = y * factor if n & np.int32(1) else y
    factor *= factor
    y = y * factor if n & np.int32(2) else y
    factor *= factor
    y = y * factor if n & np.int32(4) else y
    factor *= factor
    y = y * factor if n & np.int32(8) else y
    factor *= factor
    y = y * factor if n & np.int32(16) else y
    factor *= factor
    y = y * factor if n & np.int32(32) else y
    return _f(1.0 / y if exponent < _f(0.0) else y)


# --- Rectifiers ---


@register_jitable(**INLINE)
def relu(x: Any) -> Any:
    """``max(x, 0)``."""
    return like(x, 0.0) if x < like(x, 0.0) else x


@register_jitable(**INLINE)
def relu_gradient(g: Any, y: Any) -> Any:
    """``g`` where ``y``, a result of `relu`, is positive, 0 elsewhere."""
    return g if y > like(y, 0.0) else like(y, 0.0)


@register_jitable(**INLINE)
def leaky_relu(x: Any, slope: Any) -> Any:
    """``x`` where it is positive, ``slope * x`` elsewhere."""
    return x if x > like(x, 0.0) else x * slope


@register_jitable(**INLINE)
def leaky_relu_gradient(g: Any, x: Any, slope: Any) -> Any:
    """``g`` where ``x`` is positive, ``slope * g`` elsewhere."""
    return g if x > like(x, 0.0) else g * slope


@register_jitable(**INLINE)
def elu(x: Any, alpha: Any) -> Any:
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    below = expm1_of(like(x, 0.0) if x > like(x, 0.0) else x) * alpha
    return x if x >= like(x, 0.0) else below  # -0 is its own result


@register_jitable(**INLINE)
def elu_gradient(g: Any, x: Any, alpha: Any) -> Any:
    """``g`` where ``x`` is positive, ``g * alpha * exp(x)`` elsewhere."""
    below = g * (exp_of(like(x, 0.0) if x > like(x, 0.0) else x) * alpha)
    return g if x > like(x, 0.0) else below


# --- float32 only: the normal distribution ---


@register_jitable(**INLINE)
def gelu(x: Any) -> Any:
    """``x`` times the probability that a standard normal number is below ``x``."""
    size = abs(x)
    size = _f(_END) if size > _f(_END) else size
    tail = normal_tail(size, exp_of(size * size * _f(-0.5)))
    return (x if x > _f(0.0) else _f(0.0)) - size * tail


@register_jitable(**INLINE)
def gelu_gradient(g: Any, x: Any) -> Any:
    """``g`` times the derivative of `gelu`."""
    inner = _inside(x, _f(_END))
    bell = exp_of(inner * inner * _f(-0.5))
    tail = normal_tail(abs(inner), bell)
    return g * (inner * (bell * _f(_DENSITY)) + (tail if inner < _f(0.0) else _f(1.0) - tail))


@register_jitable(**INLINE)
def erf(x: Any) -> Any:
    """The error function: a polynomial up to 1, fitted for the relative error, which is 1e-9; beyond, 1 less a tail."""
    size = abs(x)
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
    return math.copysign(value, x)
