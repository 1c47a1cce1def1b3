"""Words of Philox4x32-10 and Philox4x64-10, and the numbers made of them; polytape_numpy's `random` defines both.

All integers are unsigned: numba would convert a sum of signed and unsigned ones to a float.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from ..cache import compiled
from .functions import EXACT, INLINE

__all__ = ["polar32", "polar64", "random_bits", "random_integers", "random_mask", "uniform32", "uniform64"]

Array = Any
Four = tuple[Any, Any, Any, Any]

_u = np.uint64
_LOW: Final = _u(0xFFFFFFFF)
_HALF: Final = _u(32)
_M0, _M1, _W0, _W1 = _u(0xD2511F53), _u(0xCD9E8D57), _u(0x9E3779B9), _u(0xBB67AE85)
_WIDE_M0, _WIDE_M1 = _u(0xD2E7470EE14C6C93), _u(0xCA5A826395121157)
_WIDE_W0, _WIDE_W1 = _u(0x9E3779B97F4A7C15), _u(0xBB67AE8584CAA73B)


def _upper64_of(context: Any, x: Any, y: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""

    def generate(context: Any, builder: Any, signature: Any, operands: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*[builder.zext(operand, wide) for operand in operands])
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_upper64: Final[Any] = intrinsic(_upper64_of)


@register_jitable(**INLINE)
def _block32(key: Any, counter: Any, lane: Any) -> Four:
    """One block of Philox4x32-10; its words are uint64."""
    c0, c1, c2, c3 = counter & _LOW, counter >> _HALF, lane & _LOW, lane >> _HALF
    k0, k1 = key & _LOW, key >> _HALF
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@register_jitable(**INLINE)
def _block64(k0: Any, k1: Any, counter: Any, digit: Any) -> Four:
    """One block of Philox4x64-10."""
    c0, c1, c2, c3 = counter, digit, _u(0), _u(0)
    for _ in range(10):
        h0, h1 = _upper64(_WIDE_M0, c0), _upper64(_WIDE_M1, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, _WIDE_M1 * c2, h0 ^ c3 ^ k1, _WIDE_M0 * c0
        k0, k1 = k0 + _WIDE_W0, k1 + _WIDE_W1
    return c0, c1, c2, c3


@compiled(EXACT)
def random_bits(state: Array, lane: Any, y: Array) -> None:
    """Write the words of the stream of a state to ``y`` [n blocks, 4], uint32."""
    key, counter = state[0], state[1]
    for i in range(y.shape[0]):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), lane)
        y[i, 0], y[i, 1], y[i, 2], y[i, 3] = w0, w1, w2, w3


@register_jitable(**INLINE)
def _integer32(word: Any) -> Any:
    return np.float32(np.int32(word >> _u(8)))


@register_jitable(**INLINE)
def _integer64(low: Any, high: Any) -> Any:
    return np.float64(np.int64((low | high << _HALF) >> _u(11)))


@compiled(EXACT)
def uniform32(state: Array, y: Array) -> None:
    """Write uniform numbers to ``y`` [n blocks, 4], float32."""
    key, counter, step = state[0], state[1], np.float32(2.0**-24)
    for i in range(y.shape[0]):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), _u(0))
        y[i, 0], y[i, 1] = _integer32(w0) * step, _integer32(w1) * step
        y[i, 2], y[i, 3] = _integer32(w2) * step, _integer32(w3) * step


@compiled(EXACT)
def uniform64(state: Array, y: Array) -> None:
    """Write uniform numbers to ``y`` [n blocks, 2], float64."""
    key, counter = state[0], state[1]
    for i in range(y.shape[0]):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), _u(0))
        y[i, 0], y[i, 1] = _integer64(w0, w1) * 2.0**-53, _integer64(w2, w3) * 2.0**-53


@compiled(EXACT)
def polar32(state: Array, start: int, step: Any, angle_step: Any, u: Array, angle: Array) -> None:
    """Write what normal numbers are made of: ``u`` in (0, 1] and the angle, float32[2 n blocks].

    Args:
        state: the generator's.
        start: the number of the first block.
        step, angle_step: float32, what integers of 24 bits are multiplied by.
        u, angle: are overwritten.
    """
    key, counter, one = state[0], state[1] + _u(start), np.float32(1.0)
    for i in range(u.size // 2):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), _u(0))
        u[2 * i], angle[2 * i] = (_integer32(w0) + one) * step, _integer32(w1) * angle_step
        u[2 * i + 1], angle[2 * i + 1] = (_integer32(w2) + one) * step, _integer32(w3) * angle_step


@compiled(EXACT)
def polar64(state: Array, start: int, step: Any, angle_step: Any, u: Array, angle: Array) -> None:
    """As `polar32`, float64[n blocks], from integers of 53 bits."""
    key, counter = state[0], state[1] + _u(start)
    for i in range(u.size):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), _u(0))
        u[i], angle[i] = (_integer64(w0, w1) + 1.0) * step, _integer64(w2, w3) * angle_step


@compiled(EXACT)
def random_integers(state: Array, low: Any, span: Any, y: Array) -> None:
    """Write integers from ``low`` on to ``y`` [n blocks, 2], uint64; a span from 2**32 on takes remainders."""
    key, counter, small = state[0], state[1], span <= _LOW
    for i in range(y.shape[0]):
        w0, w1, w2, w3 = _block32(key, counter + _u(i), _u(0))
        first, second = w0 | w1 << _HALF, w2 | w3 << _HALF
        if small:
            y[i, 0], y[i, 1] = low + _upper64(first, span), low + _upper64(second, span)
        else:
            y[i, 0], y[i, 1] = low + first % span, low + second % span


@register_jitable(**INLINE)
def _later_digits(k0: Any, k1: Any, i: int) -> Any:
    """The digits 1 and 2 of element i of a mask, as an integer of 32 bits."""
    word, shift, number = i // 4 % 4, _u(16 * (i % 4)), _u(0)
    for digit in range(1, 3):
        w0, w1, w2, w3 = _block64(k0, k1, _u(i // 16), _u(digit))
        w = (w0 if word == 0 else w1) if word < 2 else (w2 if word == 2 else w3)
        number = number << _u(16) | w >> shift & _u(0xFFFF)
    return number


@compiled(EXACT)
def random_mask(state: Array, threshold: Any, words: Array, y: Array) -> None:
    """Write a mask to ``y`` [n], bool.

    Args:
        state: the generator's.
        threshold: the rate times 2**48, below 2**48.
        words: uint64[blocks of n elements, 4], which is overwritten.
        y: is overwritten.
    """
    w0, w1, w2, w3 = _block32(state[0], state[1], _u(0))
    k0, k1 = w0 | w1 << _HALF, w2 | w3 << _HALF
    for i in range(words.shape[0]):
        words[i, 0], words[i, 1], words[i, 2], words[i, 3] = _block64(k0, k1, _u(i), _u(0))
    first, rest = np.uint16(threshold >> _HALF), threshold & _LOW
    pieces = words.reshape(-1).view(np.uint16)
    ties = 0
    for i in range(y.size):
        y[i] = pieces[i] >= first
        ties += pieces[i] == first
    if ties and rest:
        for i in range(y.size):
            if pieces[i] == first:
                y[i] = _later_digits(k0, k1, i) >= rest
