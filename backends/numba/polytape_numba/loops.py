"""The compiled loops. Importing this module imports numba, so the kernels import it when one of them first runs.

All loops are in one file because numba's cache checks only the age of the file that defines the called function.
The loops do not check shapes or contiguity: the kernels that call them do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.extending import overload

from .cache import compiled as _compiled

__all__ = ["adam", "cross_entropy", "cross_entropy_gradient", "softmax"]

Array = Any

# error_model='python' would add a branch for a zero divisor to every division, which prevents SIMD: Adam would take
# 250 us instead of 43 us. 'contract' allows one rounding for a product and a sum; 'reassoc' would fold away the
# rounding constants of the exponential, and 'nnan' would lose NaN.
_EXACT: Final[Any] = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}
# Only sums may be reordered, so that they use SIMD lanes; the length of a block bounds their error.
_SUMS: Final[Any] = {"error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}, "nogil": True}
_GROUP: Final = 4096  # elements of the rows processed together, which stay in the first-level cache
_BLOCK: Final = 512  # elements summed in the array's own dtype


# --- The exponential ---


def _exp_in_place(y: Array) -> None:
    """Replace ``y`` by ``exp(y)``, to 1 ulp, for numbers of at most 0 and NaN. A libm call takes 4.5 ns per element.

    Source:
        S. Moshier, Cephes 2.8, expf.c (float32: polynomial and split of log 2); float64: the same scheme, with the
        Chebyshev interpolant of ``(exp(r) - 1 - r) / r**2`` of degree 9 on abs(r) <= log(2) / 2 (error 1.7e-17).
    """
    raise NotImplementedError  # numba compiles the overload below instead


@overload(_exp_in_place, jit_options=_EXACT)
def _select_exp(y: Array) -> Callable[[Array], None]:
    return _exp32 if y.dtype == numba.float32 else _exp64


_f = np.float32
_LOG2E: Final = 1.4426950408889634
_ROUND32: Final = 12582912.0  # 1.5 * 2**23: adding it rounds to an integer, which is then in the low bits of the sum
_ROUND64: Final = 6755399441055744.0  # 1.5 * 2**52
_BITS32: Final = 0x4B400000
_BITS64: Final = 0x4338000000000000


def _exp32(y: Array) -> None:
    for i in range(y.size):
        x = y[i]
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
        y[i] = p * low * high


def _exp64(y: Array) -> None:
    for i in range(y.size):
        x = y[i]
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
        y[i] = p * low * high


# --- Rows ---


def _bits_max(row: Array) -> Any:
    """The largest element, by comparing the bits as integers of the same order: five times as fast as with floats.

    A NaN with its sign bit set may be missed, but the sum of the exponentials is NaN in any case.
    """
    raise NotImplementedError


@overload(_bits_max, jit_options=_EXACT)
def _select_bits_max(row: Array) -> Callable[[Array], Any]:
    return _bits_max32 if row.dtype == numba.float32 else _bits_max64


def _bits_max32(row: Array) -> Any:
    bits = row.view(np.int32)
    best = np.int32(-0x80000000)
    for j in range(bits.size):
        k = bits[j]
        k = np.int32(k ^ ((k >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        best = max(best, k)
    return np.int32(best ^ ((best >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


def _bits_max64(row: Array) -> Any:
    bits = row.view(np.int64)
    best = np.int64(-0x8000000000000000)
    for j in range(bits.size):
        k = bits[j]
        k = k ^ ((k >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))
        best = max(best, k)
    return np.int64(best ^ ((best >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))).view(np.float64)


@_compiled(_EXACT)
def _shift(x: Array, y: Array, top: Array) -> None:
    """Write ``x - max(x)`` of each row to ``y`` and the maxima to ``top``."""
    for i in range(x.shape[0]):
        largest = _bits_max(x[i])
        top[i] = largest
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] - largest


@_compiled(_SUMS)
def _block_sum(block: Array) -> Any:
    total = block.dtype.type(0.0)
    for j in range(block.size):
        total += block[j]
    return total


@_compiled(_EXACT)
def _row_sum(row: Array) -> float:
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        # A slice instead of bounds: a possibly negative index would prevent SIMD (0.52 instead of 0.09 ns per element).
        total += _block_sum(row[start : start + _BLOCK])
    return total


@_compiled(_EXACT)
def _rows_at_once(x: Array) -> Any:
    return max(1, _GROUP // x.shape[1])


@_compiled(_EXACT)
def softmax(x: Array, y: Array) -> None:
    """Write softmax(x) of each row to ``y``; both are floating[rows, n] with n > 0."""
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part = y[start:stop]
        _shift(x[start:stop], part, top)
        _exp_in_place(part.reshape(-1))
        for i in range(stop - start):
            total = x.dtype.type(_row_sum(part[i]))
            for j in range(x.shape[1]):
                part[i, j] /= total


@_compiled(_EXACT)
def cross_entropy(labels: Array, x: Array, y: Array) -> bool:
    """Write -log_softmax(x)[label] of each row to ``y``. Return whether every label is a class."""
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    scratch = np.empty((min(step, x.shape[0]), x.shape[1]), x.dtype)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part = scratch[: stop - start]
        _shift(x[start:stop], part, top)
        _exp_in_place(part.reshape(-1))
        for i in range(stop - start):
            label = labels[start + i]
            if label < 0 or label >= x.shape[1]:
                return False
            total = x.dtype.type(_row_sum(part[i]))
            y[start + i] = x.dtype.type(math.log(total)) - (x[start + i, label] - top[i])
    return True


@_compiled(_EXACT)
def cross_entropy_gradient(g: Array, labels: Array, x: Array, y: Array) -> bool:
    """Write ``(softmax(x) - one_hot(label)) * g`` of each row to ``y``. Return whether every label is a class."""
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    one = x.dtype.type(1.0)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part = y[start:stop]
        _shift(x[start:stop], part, top)
        _exp_in_place(part.reshape(-1))
        for i in range(stop - start):
            label = labels[start + i]
            if label < 0 or label >= x.shape[1]:
                return False
            total = x.dtype.type(_row_sum(part[i]))
            factor = g[start + i]
            at_label = (part[i, label] / total - one) * factor
            for j in range(x.shape[1]):
                part[i, j] = part[i, j] / total * factor
            part[i, label] = at_label
    return True


# --- Optimizers ---


@_compiled(_EXACT)
def adam(
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    keep1: float,
    take1: float,
    keep2: float,
    take2: float,
    epsilon_hat: float,
    rate: float,
) -> None:
    """Do one step of Adam in one pass over memory; the arrays are floating[n], and x, m and v are overwritten.

    ``m = keep1 * m + take1 * g``, ``v = keep2 * v + (take2 * g)**2``, ``x -= rate * m / (sqrt(v) + epsilon_hat)``.
    """
    real = x.dtype.type
    k1, t1, k2, t2, e, a = real(keep1), real(take1), real(keep2), real(take2), real(epsilon_hat), real(rate)
    for i in range(x.size):
        scaled = g[i] * t2
        moment = m[i] * k1 + g[i] * t1
        second = v[i] * k2 + scaled * scaled
        m[i] = moment
        v[i] = second
        x[i] -= moment / (math.sqrt(second) + e) * a
