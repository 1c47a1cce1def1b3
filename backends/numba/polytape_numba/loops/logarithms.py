"""Functions of one float32 that are made of logarithms; `universal` makes universal functions of them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from .functions import EXACT, INLINE, log_of

__all__ = ["OTHERWISE", "digamma", "is_regular", "lgamma", "log1p"]

_f = np.float32
_SHIFT: Final = 8.0  # arguments below it are raised by it, where the series have errors below 1e-16
_CONSTANT: Final = 0.5 * math.log(2.0 * math.pi)
_NAN: Final = math.nan


@register_jitable(**INLINE)
def log1p(x: Any) -> Any:
    """``log(1 + x)``, to 1 ulp.

    Source:
        K. C. Ng (1993), FDLIBM 5.3, s_log1p.c; the polynomial is that of FreeBSD's single precision s_log1pf.c.
    """
    v = x
    u = v + _f(1.0)
    bits = np.int32(np.float32(u).view(np.int32) + np.int32(0x3F800000 - 0x3F3504F3))
    k = _f(np.int32(bits >> np.int32(23)) - np.int32(127))
    f = np.int32((bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32) - _f(1.0)
    lost = (_f(1.0) - (u - v) if k >= _f(2.0) else v - (u - _f(1.0))) / u  # what rounding takes from 1 + x
    near = (v > _f(-0.29289323)) & (v < _f(0.41421354))
    f = v if near else f
    k = _f(0.0) if near else k
    lost = _f(0.0) if near else lost
    s = f / (f + _f(2.0))
    z = s * s
    p = _f(0.24279078841)
    p = p * z + _f(0.28498786688)
    p = p * z + _f(0.40000972152)
    p = p * z + _f(0.66666662693)
    half = f * f * _f(0.5)
    value = s * (half + p * z) + (k * _f(9.0580006145e-06) + lost) - half + f + k * _f(6.9313812256e-01)
    value = v if v == _f(np.inf) else value
    value = _f(-np.inf) if v == _f(-1.0) else value
    value = _f(np.nan) if v < _f(-1.0) else value
    return math.copysign(value, v)


@register_jitable(**INLINE)
def lgamma(x: Any) -> Any:
    """The logarithm of the size of the gamma function: Stirling's series, in float64."""
    v = np.float64(x)
    product = v * (v + 1.0) * ((v + 2.0) * (v + 3.0)) * ((v + 4.0) * (v + 5.0) * ((v + 6.0) * (v + 7.0)))
    near = v < _SHIFT
    z = v + _SHIFT if near else v
    inverse = 1.0 / z
    square = inverse * inverse
    p = -3617 / 122400
    p = p * square + 1 / 156
    p = p * square - 691 / 360360
    p = p * square + 1 / 1188
    p = p * square - 1 / 1680
    p = p * square + 1 / 1260
    p = p * square - 1 / 360
    p = p * square + 1 / 12
    value = (z - 0.5) * (log_of(z) - 1.0) + p * inverse + (_CONSTANT - 0.5)
    value -= log_of(product if near else 1.0)
    return _f(0.0 if (v == 1.0) | (v == 2.0) else value)  # otherwise 2e-15


@register_jitable(**EXACT)
def _lgamma_otherwise(x: Any) -> Any:
    """`lgamma` of numbers that are not regular."""
    return _f(math.lgamma(np.float64(x)))


@register_jitable(**INLINE)
def digamma(x: Any) -> Any:
    """The derivative of `lgamma`: that of Stirling's series, in float64."""
    v = np.float64(x)
    # The sum of the reciprocals of v, v + 1, ... v + 7, as the quotient of the derivative of their product by it.
    a, b, c, d = v * (v + 7.0), (v + 1.0) * (v + 6.0), (v + 2.0) * (v + 5.0), (v + 3.0) * (v + 4.0)
    product, slope = a * b * (c * d), (v + v + 7.0) * ((a + b) * (c * d) + (c + d) * (a * b))
    near = v < _SHIFT
    z = v + _SHIFT if near else v
    inverse = 1.0 / z
    square = inverse * inverse
    p = -3617 / 8160
    p = p * square + 1 / 12
    p = p * square - 691 / 32760
    p = p * square + 1 / 132
    p = p * square - 1 / 240
    p = p * square + 1 / 252
    p = p * square - 1 / 120
    p = p * square + 1 / 12
    value = log_of(z) - 0.5 * inverse - p * square
    return _f(value - (slope if near else 0.0) / (product if near else 1.0))


@register_jitable(**EXACT)
def _digamma_otherwise(x: Any) -> Any:
    """`digamma` of 0, of a negative number or of infinity."""
    if x == 0.0:
        return math.copysign(_f(np.inf), -x)
    if x == np.inf:
        return x
    size = np.float64(-x)
    apart = size - math.floor(size + 0.5)
    if apart == 0.0 or size == np.inf:
        return _f(_NAN)
    # digamma(-y) = digamma(y) + 1 / y + pi / tan(pi y)
    total = 1.0 / size + math.pi / math.tan(math.pi * apart)
    while size < _SHIFT:
        total -= 1.0 / size
        size += 1.0
    square = 1.0 / (size * size)
    p = 1 / 12 - square * (
        1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132 - square * 691 / 32760)))
    )
    return _f(total + math.log(size) - 0.5 / size - p * square)


@register_jitable(**INLINE)
def is_regular(x: Any) -> bool:
    """Whether the series of `lgamma` and `digamma` hold, as for all positive finite numbers; also true for NaN."""
    return not (x <= 0 or x == np.inf)


# The functions for numbers that are not regular, in a loop of their own since they prevent SIMD.
OTHERWISE: Final = {"digamma": _digamma_otherwise, "lgamma": _lgamma_otherwise}
