"""Random draws from the counter-based generators of `philox`, with the same bits on every backend.

The stream of a state ``(key, counter)`` is a sequence of 32-bit words: word i is word ``i % 4`` of the Philox block
whose 128-bit counter is ``counter + i // 4`` (modulo 2**64, low word first; the upper 64 bits are the lane) and whose
64-bit key is ``key`` (low word first). Draws use lane 0; the attempts of rejection samplers use lanes 0, 1, 2, ...
The words that a draw of n numbers uses, and the number that they give:

==================  =====================  ==================================================================
op and dtype        words                  number
==================  =====================  ==================================================================
uniform float32     n                      (word >> 8) * 2**-24
uniform float16     n                      (word >> 21) * 2**-11
uniform bfloat16    n                      (word >> 24) * 2**-8
uniform float64     2 n                    ((low | high << 32) >> 11) * 2**-53 of words low, high
normal              2 ceil(n / 2)          Box-Muller on the uniforms (a, b) of two words, in float32:
                                           sqrt(-2 log(a + 2**-24)) times cos(2 pi b), then times sin(2 pi b)
normal float64      4 ceil(n / 2)          the same in float64 on four words, with a + 2**-53
permutation         2 n                    the stable order of r = low word | high word << 32
integers            2 n                    low + (r * (high - low) >> 64) for r = low word | high word << 32;
                                           low + r % (high - low) if high - low >= 2**32
==================  =====================  ==================================================================

The angle is a single product, ``(word >> 8) * (2 pi * 2**-24)`` with the constant rounded to float32 (in float64, 53
bits and 2**-53), so that backends differ only in their log, cos and sin.

A mask has many numbers, and needs few bits of each. It takes one block, of which words w0 to w3 are the key
``(w0 | w1 << 32, w2 | w3 << 32)`` of a stream of Philox4x64-10. Block i of digit k has the counter ``(i, k, 0, 0)``,
low word first. Element i of the mask has the number ``d0 * 2**-16 + d1 * 2**-32 + d2 * 2**-48``, where digit k is piece
``i % 4`` of 16 bits, low piece first, of word ``i // 4`` of the blocks of digit k. The element is true if the number is
at least the rate, rounded to a multiple of 2**-48: the digits 1 and 2 decide for one element in 65,536.

Source:
    J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011);
    G. Box, M. Muller, Ann. Math. Statist. 29 (1958), pp. 610-611.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, prod
from typing import Any, Final

from polytape.backend import Kernel

from .philox import MASK32, MASK64, block32, block64, blocks_at, streams64

__all__ = ["kernels"]

Array = Any
Words = Callable[..., Array]  # (key, counter, count, lane=0) -> uint32[count or up to 3 more]
Make = Callable[[Array], Array]
Draw = Callable[[Array, tuple[int, ...], Any, int, Make], Array]

_CHUNK: Final = 8192  # blocks at a time: their working arrays, 450 kB, stay in a core's second-level cache
_FEW: Final = 10  # up to this many blocks, plain Python (4 us per block) is faster than 60 calls on arrays (40 us)


def kernels(xp: Any) -> list[Kernel]:
    """The random kernels on the arrays of ``xp``; ``state`` is a host uint64[2] for every ``xp``."""
    draw = _draw(xp)
    return [
        Kernel("random_bits", _random_bits(xp)),
        Kernel("random_permutation", _random_permutation(xp)),
        Kernel("random_uniform", _random_uniform(xp, draw)),
        Kernel("random_normal", _random_normal(xp, draw)),
        Kernel("random_integers", _random_integers(xp, draw)),
        *([Kernel("random_mask", _random_mask(xp))] if xp.__name__ == "numpy" else []),
    ]


def _words(xp: Any) -> Words:
    def words(key: int, counter: int, count: int, lane: int = 0) -> Array:
        n = -(-count // 4)
        if n <= _FEW:
            keys, lanes = (key & MASK32, key >> 32), (lane & MASK32, lane >> 32)
            stream: list[int] = []
            for i in range(counter, counter + n):
                stream += block32((i & MASK32, i >> 32 & MASK32, *lanes), keys)
            return xp.asarray(stream, dtype="uint32")
        counters = xp.arange(n, dtype="uint64")
        counters += xp.uint64(counter)
        return blocks_at(xp, key, counters, lane).reshape(-1)

    return words


def _random_bits(xp: Any) -> Callable[..., Array]:
    words = _words(xp)

    def random_bits(state: Array, *, lane: int = 0, n: int, device: Any) -> Array:
        key, counter = int(state[0]), int(state[1])
        if n < 0 or not 0 <= lane <= MASK64:
            raise ValueError(f"there are no {n} words in lane {lane}")
        if n <= 4 * _CHUNK:
            return words(key, counter, n, lane)[:n]
        y = xp.empty(n, "uint32")
        for start in range(0, n, 4 * _CHUNK):
            part = y[start : start + 4 * _CHUNK]
            part[...] = words(key, counter + start // 4 & MASK64, len(part), lane)[: len(part)]
        return y

    return random_bits


def _random_permutation(xp: Any) -> Callable[..., Array]:
    bits = _random_bits(xp)

    def random_permutation(state: Array, *, n: int, device: Any) -> Array:
        keys = bits(state, n=2 * n, device=device).view("uint64")
        return xp.argsort(keys, kind="stable").astype("int64", copy=False)

    return random_permutation


def _draw(xp: Any) -> Draw:
    words = _words(xp)

    def draw(
        state: Array, shape: tuple[int, ...], dtype: Any, per_number: int, make: Callable[[Array], Array]
    ) -> Array:
        """Draw numbers of ``dtype``. ``make`` converts ``per_number`` words to each; surplus numbers are dropped."""
        key, counter = int(state[0]), int(state[1])
        n = prod(shape)
        if min(shape, default=0) < 0:
            raise ValueError(f"shape {shape} has a negative size")
        chunk = 4 * _CHUNK // per_number
        if n <= chunk:
            return make(words(key, counter, n * per_number))[:n].astype(dtype, copy=False).reshape(shape)
        y = xp.empty(n, dtype)
        for start in range(0, n, chunk):
            chunk_counter = counter + start * per_number // 4 & MASK64
            part = y[start : start + chunk]
            part[...] = make(words(key, chunk_counter, len(part) * per_number))[: len(part)]
        return y.reshape(shape)

    return draw


def _random_uniform(xp: Any, draw: Draw) -> Callable[..., Array]:
    # character of a dtype, whose name takes NumPy 2 us -> by how many bits to shift a word, the distance of the numbers
    steps = {"f": (8, 2.0**-24), "e": (21, 2.0**-11)}

    def random_uniform(state: Array, *, shape: tuple[int, ...], dtype: Any, device: Any) -> Array:
        def wide(words: Array) -> Array:
            return _integers53(xp, words) * 2.0**-53

        def narrow(words: Array) -> Array:
            words >>= xp.uint32(shift)
            y = words.astype("float32")
            y *= step
            return y

        if dtype.char == "d":
            return draw(state, shape, dtype, 2, wide)
        shift, step = steps.get(dtype.char) or (24, 2.0**-8)  # of bfloat16
        return draw(state, shape, dtype, 1, narrow)

    return random_uniform


def _integers53(xp: Any, words: Array) -> Array:
    """The upper 53 bits of each pair of ``words`` as a float64; ``words`` are overwritten."""
    wide = words.view("uint64")
    wide >>= xp.uint64(11)
    return wide.astype("float64")


def _random_normal(xp: Any, draw: Draw) -> Callable[..., Array]:
    def box_muller(radius: Array, angle: Array, step: float) -> Array:
        """Pairs of normal numbers from integers below ``1 / step`` stored as floats; both operands are overwritten."""
        radius += 1  # so that the product is in (0, 1], and log is never taken of 0
        radius *= step
        xp.log(radius, out=radius)
        radius *= -2
        xp.sqrt(radius, out=radius)
        angle *= 2 * pi * step
        y = xp.empty((len(radius), 2), radius.dtype)
        xp.multiply(radius, xp.cos(angle), out=y[:, 0])
        xp.multiply(radius, xp.sin(angle), out=y[:, 1])
        return y.reshape(-1)

    def wide(words: Array) -> Array:
        integers = _integers53(xp, words)
        return box_muller(integers[0::2], integers[1::2], 2.0**-53)

    def narrow(words: Array) -> Array:
        words >>= xp.uint32(8)
        return box_muller(words[0::2].astype("float32"), words[1::2].astype("float32"), 2.0**-24)

    def random_normal(state: Array, *, shape: tuple[int, ...], dtype: Any, device: Any) -> Array:
        if dtype.char == "d":
            return draw(state, shape, dtype, 2, wide)
        return draw(state, shape, dtype, 1, narrow)

    return random_normal


def _random_integers(xp: Any, draw: Draw) -> Callable[..., Array]:
    half = xp.uint64(32)

    def random_integers(state: Array, *, low: int, high: int, shape: tuple[int, ...], dtype: Any, device: Any) -> Array:
        span = high - low

        def make(words: Array) -> Array:
            if span <= MASK32:
                # The upper 64 bits of r * span from two 64-bit products; neither the products nor the sum overflow.
                y = words[0::2] * xp.uint64(span)
                y >>= half
                y += words[1::2] * xp.uint64(span)
                y >>= half
            else:
                y = words.view("uint64")
                if span <= MASK64:
                    y %= xp.uint64(span)
            y += xp.uint64(low & MASK64)  # two's complement: correct modulo 2**64 for a negative low
            return y.astype(dtype)

        return draw(state, shape, dtype, 2, make)

    return random_integers


def _random_mask(xp: Any) -> Callable[..., Array]:
    words64 = streams64()

    def random_mask(state: Array, *, rate: float, shape: tuple[int, ...], device: Any) -> Array:
        n, threshold = prod(shape), round(rate * 2.0**48)
        if min(shape, default=0) < 0:
            raise ValueError(f"shape {shape} has a negative size")
        if not n or threshold == 1 << 48:
            return xp.zeros(shape, "bool")
        key, counter = state.tolist()
        w0, w1, w2, w3 = block32((counter & MASK32, counter >> 32, 0, 0), (key & MASK32, key >> 32))
        stream = (w0 | w1 << 32, w2 | w3 << 32)
        pieces = words64(stream, -(-n // 4)).view("uint16")[:n]
        first, rest = xp.uint16(threshold >> 32), threshold & MASK32
        y = pieces >= first
        if rest:
            ties = pieces == first
            if xp.count_nonzero(ties):
                for i in xp.flatnonzero(ties).tolist():
                    y[i] = _later_digits(stream, i) >= rest
        return y.reshape(shape)

    return random_mask


def _later_digits(key: tuple[int, int], i: int) -> int:
    """The digits 1 and 2 of element i of a mask, as an integer of 32 bits."""
    words = [block64((i // 16, digit, 0, 0), key)[i // 4 % 4] for digit in (1, 2)]
    d1, d2 = [word >> 16 * (i % 4) & 0xFFFF for word in words]
    return d1 << 16 | d2
