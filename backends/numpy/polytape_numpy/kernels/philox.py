"""Blocks of the counter-based generators Philox4x32-10 and Philox4x64-10.

NumPy's own generator, `numpy.random.Philox`, is the second one. It computes a word of 64 bits in 4 ns; array operations
take 20 ns for a word of the first one.

Source:
    J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

__all__ = ["MASK32", "MASK64", "block32", "block64", "blocks_at", "streams64"]

Array = Any
Four = tuple[int, int, int, int]

MASK32: Final = 0xFFFFFFFF
MASK64: Final = 0xFFFFFFFFFFFFFFFF
_ROUNDS: Final = 10
_M0, _M1, _W0, _W1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
_WIDE_M0, _WIDE_M1 = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_WIDE_W0, _WIDE_W1 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B


@lru_cache(maxsize=64)  # a program has few generators, and computing the keys takes as long as a block
def _round_keys(k0: int, k1: int) -> tuple[tuple[int, int], ...]:
    return tuple([(k0 + r * _W0 & MASK32, k1 + r * _W1 & MASK32) for r in range(_ROUNDS)])


def block32(counter: Four, key: tuple[int, int]) -> Four:
    """One block of Philox4x32-10, in Python integers.

    Args:
        counter: four 32-bit words, low word first.
        key: two 32-bit words, low word first.
    """
    c0, c1, c2, c3 = counter
    for k0, k1 in _round_keys(*key):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK32, (p0 >> 32) ^ c3 ^ k1, p0 & MASK32
    return c0, c1, c2, c3


def block64(counter: Four, key: tuple[int, int]) -> Four:
    """One block of Philox4x64-10, in Python integers of 64 bits."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = _WIDE_M0 * c0, _WIDE_M1 * c2
        c0, c1, c2, c3 = (p1 >> 64) ^ c1 ^ k0, p1 & MASK64, (p0 >> 64) ^ c3 ^ k1, p0 & MASK64
        k0, k1 = k0 + _WIDE_W0 & MASK64, k1 + _WIDE_W1 & MASK64
    return c0, c1, c2, c3


def blocks_at(xp: Any, key: int, counters: Array, lane: int = 0) -> Array:
    """Blocks of Philox4x32-10, uint32[n, 4]; both lanes of a round are the rows of one array.

    A 64-bit product is written once and its halves are strided views (all supported hosts and devices are
    little-endian), so that a round takes three passes.

    Args:
        xp: the module of arrays.
        key, lane: 64-bit integers.
        counters: uint64[n], contiguous; the low 64 bits of each counter.
    """
    n = len(counters)
    count = counters.view("uint32").reshape(n, 2)
    multiplied = xp.empty((2, n), "uint32")
    added: Array = xp.empty((2, n), "uint32")
    multiplied[0], added[0] = count[:, 0], count[:, 1]
    multiplied[1], added[1] = lane & MASK32, lane >> 32
    products = xp.empty((2, 2, n), "uint64")
    # The axes are: parity of the round, lane (swapped for the next round), block, low or high half.
    halves = products.view("uint32").reshape(2, 2, n, 2)[:, ::-1]
    factors = xp.asarray([[_M0], [_M1]], dtype="uint64")
    keys = xp.asarray(_round_keys(key & MASK32, key >> 32), dtype="uint32").reshape(_ROUNDS, 2, 1)
    for r in range(_ROUNDS):
        parity = r & 1
        xp.multiply(multiplied, factors, out=products[parity], dtype="uint64")
        xp.bitwise_xor(halves[parity, :, :, 1], added, out=multiplied)
        xp.bitwise_xor(multiplied, keys[r], out=multiplied)
        added = halves[parity, :, :, 0]
    blocks = xp.empty((n, 4), "uint32")
    blocks[:, 0], blocks[:, 2] = multiplied[0], multiplied[1]
    blocks[:, 1], blocks[:, 3] = added[0], added[1]
    return blocks


def streams64() -> Callable[[tuple[int, int], int], Array]:
    """A function of a key and n: the words uint64[n] of Philox4x64-10 from the counter 0, in NumPy's arrays."""
    idle: list[Any] = []  # generators; one is taken out while it is used, since a signal handler may draw meanwhile

    def words64(key: tuple[int, int], n: int) -> Array:
        try:
            generator = idle.pop()
        except IndexError:
            generator = _new_generator()
        # NumPy adds 1 to the counter before it computes a block.
        generator.state = {
            "bit_generator": "Philox", "state": {"counter": (MASK64,) * 4, "key": key},
            "buffer": (0, 0, 0, 0), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0,
        }  # fmt: skip
        y = generator.random_raw(n)
        idle.append(generator)
        return y

    return words64


def _new_generator() -> Any:
    from numpy.random import Philox  # takes 20 ms

    return Philox()
