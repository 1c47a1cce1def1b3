"""Functions of one number that the compiler vectorises within the loops that call them.

A libm call takes 4.5 to 20 ns per element, and prevents SIMD; the functions here take 0.3 to 1 ns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.extending import overload

__all__ = ["EXACT", "INLINE", "SUMS", "exp_of", "expm1_of", "like", "log1p_of", "log_of", "normal_tail"]

# error_model='python' would add a branch for a zero divisor to every division, which prevents SIMD: Adam would take
# 250 us instead of 43 us. 'contract' allows one rounding for a product and a sum; 'reassoc' would fold away the
# rounding constants of the exponential, and 'nnan' would lose NaN.
EXACT: Final[Any] = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}
# Otherwise long functions are called for each element, which prevents SIMD: lgamma would take 12 instead of 1.7 ns.
INLINE: Final[Any] = {**EXACT, "forceinline": True}
# Only sums may be reordered, so that they use SIMD lanes; the length of a block bounds their error.
SUMS: Final[Any] = {**INLINE, "fastmath": {"contract", "reassoc", "nsz"}}

_f = np.float32
_LOG2E: Final = 1.4426950408889634
_ROUND32: Final = 12582912.0  # 1.5 * 2**23: adding it rounds to an integer, which is then in the low bits of the sum
_ROUND64: Final = 6755399441055744.0  # 1.5 * 2**52
_BITS32: Final = 0x4B400000
_BITS64: Final = 0x4338000000000000


def like(x: Any, value: float) -> Any:
    """A constant, as a number of the dtype of ``x``: with a float64, the compiler would compute in float64."""
    raise NotImplementedError  # numba compiles the overload below instead


@overload(like, jit_options=EXACT)
def _select_like(x: Any, value: float) -> Callable[[Any, float], Any]:
    return _like32 if x == numba.float32 else _like64


def _like32(x: Any, value: float) -> Any:
    return np.float32(value)


def _like64(x: Any, value: float) -> Any:
    return np.float64(value)


def exp_of(x: Any) -> Any:
    """``exp(x)``, to 1 ulp, for numbers of at most 0 and NaN.

    Source:
        S. Moshier, Cephes 2.8, expf.c (float32: polynomial and split of log 2); float64: the same scheme, with the
        Chebyshev interpolant of ``(exp(r) - 1 - r) / r**2`` of degree 9 on abs(r) <= log(2) / 2 (error 1.7e-17).
    """
    raise NotImplementedError  # numba compiles the overload below instead


@overload(exp_of, jit_options=EXACT)
def _select_exp(x: Any) -> Callable[[Any], Any]:
    return _exp32 if x == numba.float32 else _exp64


def _exp32(x: Any) -> Any:
    x = _f(-104.0) if x < _f(-104.0) else x  # exp(-104) rounds to 0; NaN is kept
    t = x * _f(_LOG2E) + _f(_ROUND32)
    n = t - _f(_ROUND32)
    k = np.int32(np.float32(t).view(np.int32) - np.int32(_BITS32))
    r = x - n * _f(0.693359375)
    r = r - n * _f(-2.12194440e-4)
    p = _f(1.9875691500e-4)
    p = p * r + _f(1.3981999507e-3)
    p = p * r + _f(8.3334519073e-3)
    p = p * r + _f(4.1665795894e-2)
    p = p * r + _f(1.6666665459e-1)
    p = p * r + _f(5.0000001201e-1)
    p = p * (r * r) + r + _f(1.0)
    # 2**k as two factors, since a single factor cannot represent results in the subnormal range.
    half = np.int32(k >> np.int32(1))
    low = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    high = np.int32((k - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * low * high


def _exp64(x: Any) -> Any:
    x = -746.0 if x < -746.0 else x
    t = x * _LOG2E + _ROUND64
    n = t - _ROUND64
    k = np.float64(t).view(np.int64) - np.int64(_BITS64)
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    p = 2.5100424157005067e-08
    p = p * r + 2.7620138719733994e-07
    p = p * r + 2.7557268378684192e-06
    p = p * r + 2.480152119021773e-05
    p = p * r + 0.00019841269863105968
    p = p * r + 0.0013888888917281794
    p = p * r + 0.008333333333330051
    p = p * r + 0.04166666666662399
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    p = p * (r * r) + r + 1.0
    half = k >> np.int64(1)
    low = np.int64((half + np.int64(1023)) << np.int64(52)).view(np.float64)
    high = np.int64((k - half + np.int64(1023)) << np.int64(52)).view(np.float64)
    return p * low * high


def expm1_of(x: Any) -> Any:
    """``exp(x) - 1``, to 2 ulp, for numbers of at most 0 and NaN; the scheme and the source of `exp_of`.

    With ``exp(x) = 2**k (1 + q)``, it is ``(2**k - 1) + 2**k q``, and small results are q itself.
    """
    raise NotImplementedError


@overload(expm1_of, jit_options=EXACT)
def _select_expm1(x: Any) -> Callable[[Any], Any]:
    return _expm1_32 if x == numba.float32 else _expm1_64


def _expm1_32(x: Any) -> Any:
    x = _f(-20.0) if x < _f(-20.0) else x  # where the result rounds to -1
    t = x * _f(_LOG2E) + _f(_ROUND32)
    n = t - _f(_ROUND32)
    k = np.int32(np.float32(t).view(np.int32) - np.int32(_BITS32))
    r = x - n * _f(0.693359375)
    r = r - n * _f(-2.12194440e-4)
    p = _f(1.9875691500e-4)
    p = p * r + _f(1.3981999507e-3)
    p = p * r + _f(8.3334519073e-3)
    p = p * r + _f(4.1665795894e-2)
    p = p * r + _f(1.6666665459e-1)
    p = p * r + _f(5.0000001201e-1)
    scale = np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)
    return (scale - _f(1.0)) + scale * (p * (r * r) + r)


def _expm1_64(x: Any) -> Any:
    x = -45.0 if x < -45.0 else x
    t = x * _LOG2E + _ROUND64
    n = t - _ROUND64
    k = np.float64(t).view(np.int64) - np.int64(_BITS64)
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    p = 2.5100424157005067e-08
    p = p * r + 2.7620138719733994e-07
    p = p * r + 2.7557268378684192e-06
    p = p * r + 2.480152119021773e-05
    p = p * r + 0.00019841269863105968
    p = p * r + 0.0013888888917281794
    p = p * r + 0.008333333333330051
    p = p * r + 0.04166666666662399
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    scale = np.int64((k + np.int64(1023)) << np.int64(52)).view(np.float64)
    return (scale - 1.0) + scale * (p * (r * r) + r)


def log1p_of(e: Any) -> Any:
    """``log(1 + e)``, for numbers from 0 to 1 and NaN.

    With s = e / (2 + e), it is 2 atanh(s), and s is at most 1/3; the polynomial is the Chebyshev interpolant of
    ``(atanh(s) / s - 1) / s**2`` in s**2 from 0 to 1/9 (error 4e-10 in float32, 5e-18 in float64).
    """
    raise NotImplementedError


@overload(log1p_of, jit_options=EXACT)
def _select_log1p(e: Any) -> Callable[[Any], Any]:
    return _log1p32 if e == numba.float32 else _log1p64


def _log1p32(e: Any) -> Any:
    s = e / (e + _f(2.0))
    z = s * s
    p = _f(0.11612164612011674)
    p = p * z + _f(0.10853287900440187)
    p = p * z + _f(0.14296178997151418)
    p = p * z + _f(0.1999985316596486)
    p = p * z + _f(0.3333333366026371)
    s = s + s
    return s + s * (p * z)


def _log1p64(e: Any) -> Any:
    s = e / (e + 2.0)
    z = s * s
    p = 0.08082022805971766
    p = p * z + 0.04400369243072337
    p = p * z + 0.06000536404795356
    p = p * z + 0.06657072104827468
    p = p * z + 0.07692785032479312
    p = p * z + 0.09090894718066429
    p = p * z + 0.11111111358713932
    p = p * z + 0.1428571428355438
    p = p * z + 0.20000000000007292
    p = p * z + 0.3333333333333333
    s = s + s
    return s + s * (p * z)


def log_of(x: Any) -> Any:
    """``log(x)`` to 1 ulp, for positive float64 that are normal, and NaN.

    Source:
        K. C. Ng (1993), FDLIBM 5.3, e_log.c.
    """
    raise NotImplementedError


@overload(log_of, jit_options=EXACT)
def _select_log(x: Any) -> Callable[[Any], Any]:
    return _log64


def _log64(x: Any) -> Any:
    bits = np.float64(x).view(np.int64) + np.int64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    k = np.float64((bits >> np.int64(52)) - np.int64(1023))
    f = np.int64((bits & np.int64(0xFFFFFFFFFFFFF)) + np.int64(0x3FE6A09E667F3BCD)).view(np.float64) - 1.0
    s = f / (f + 2.0)
    z = s * s
    p = 1.479819860511658591e-01
    p = p * z + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    half = f * f * 0.5
    value = s * (half + p * z) + k * 1.90821492927058770002e-10 - half + f + k * 6.93147180369123816490e-01
    return x if x != x else value


# --- The normal distribution, float32 ---


def normal_tail(x: Any, bell: Any) -> Any:
    """The probability that a standard normal number is above ``x``, for float32 from 0 to 15 and NaN.

    ``bell`` is ``exp(-x**2 / 2)``. The polynomial is that of `polytape_numpy.kernels.nn.smooth`.
    """
    raise NotImplementedError


@overload(normal_tail, jit_options=EXACT)
def _select_normal_tail(x: Any, bell: Any) -> Callable[[Any, Any], Any]:
    return _normal_tail32


def _normal_tail32(x: Any, bell: Any) -> Any:
    t = _f(1.0) / (x * _f(0.35) + _f(1.0))
    p = _f(-0.029159560596887676)
    p = p * t + _f(0.14403919813862062)
    p = p * t + _f(-0.2558564006531356)
    p = p * t + _f(0.15933993587760986)
    p = p * t + _f(-0.023226568100932057)
    p = p * t + _f(0.10555865119585355)
    p = p * t + _f(0.11981969352918223)
    p = p * t + _f(0.13986374107966595)
    p = p * t + _f(0.1396212935384162)
    return p * t * bell
