"""Rows of the random draws. The reference is Philox4x32-10 and its transforms in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DTypeError, OutOfRangeError, ShapeError
from ...ops import random
from ..case import Case
from ..makers import exactly
from ..samples import error, sample

__all__ = ["CASES", "words_of"]

_MASK = 0xFFFFFFFF


def words_of(state: Any, count: int, lane: int = 0) -> list[int]:
    """The first ``count`` words of the stream (J. Salmon et al., SC11, 2011)."""
    key, start = int(state[0]), int(state[1])
    words: list[int] = []
    for block in range(-(-count // 4)):
        counter = (start + block) % 2**64
        c0, c1, c2, c3 = counter & _MASK, counter >> 32, lane & _MASK, lane >> 32
        k0, k1 = key & _MASK, key >> 32
        for _ in range(10):
            p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
            c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & _MASK, (p0 >> 32) ^ c3 ^ k1, p0 & _MASK
            k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
        words += [c0, c1, c2, c3]
    return words[:count]


def _pairs(state: Any, count: int) -> list[int]:
    """The first ``count`` pairs of words, each as a 64-bit integer."""
    words = words_of(state, 2 * count)
    return [words[2 * k] | words[2 * k + 1] << 32 for k in range(count)]


def _bits(state: Any, *, lane: int = 0, n: int) -> Any:
    return np.array(words_of(state, n, lane), "uint64")


def _permutation(state: Any, *, n: int) -> Any:
    return np.argsort(np.array(_pairs(state, n), "uint64"), kind="stable")


def _uniform(state: Any, *, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    if dtype == "float64":
        values = [(pair >> 11) * 2.0**-53 for pair in _pairs(state, count)]
    else:
        bits = {"float32": 24, "float16": 11, "bfloat16": 8}[dtype]
        values = [(word >> (32 - bits)) * 2.0**-bits for word in words_of(state, count)]
    return np.array(values).reshape(shape)


def _normal(state: Any, *, shape: tuple[int, ...], dtype: str) -> Any:
    count = math.prod(shape)
    half = -(-count // 2)
    values: list[float] = []
    if dtype == "float64":
        bits, integers = 53, [pair >> 11 for pair in _pairs(state, 2 * half)]
    else:
        bits, integers = 24, [word >> 8 for word in words_of(state, 2 * half)]
    precision = np.float64 if bits == 53 else np.float32
    for k in range(half):
        radius = math.sqrt(-2.0 * math.log((integers[2 * k] + 1) * 2.0**-bits))
        # The angle is rounded as in the backends, so that only their log, cos and sin differ from the reference.
        angle = float(precision(integers[2 * k + 1]) * precision(2.0 * math.pi * 2.0**-bits))
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return np.array(values[:count]).reshape(shape)


def _philox64(counter: tuple[int, ...], k0: int, k1: int) -> tuple[int, ...]:
    """A block of Philox4x64-10."""
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (p1 >> 64) ^ c1 ^ k0, p1 % 2**64, (p0 >> 64) ^ c3 ^ k1, p0 % 2**64
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % 2**64, (k1 + 0xBB67AE8584CAA73B) % 2**64
    return c0, c1, c2, c3


def _mask_numbers(state: Any, count: int) -> list[int]:
    """The numbers of a mask's elements, times 2**48."""
    key, numbers = _pairs(state, 2), [0] * count
    for digit in range(3):
        blocks = [_philox64((i, digit, 0, 0), *key) for i in range(-(-count // 16))]
        for i in range(count):
            numbers[i] = numbers[i] << 16 | blocks[i // 16][i // 4 % 4] >> 16 * (i % 4) & 0xFFFF
    return numbers


def _mask(state: Any, *, rate: float, shape: tuple[int, ...]) -> Any:
    numbers = _mask_numbers(state, math.prod(shape))
    return np.array([x >= round(rate * 2**48) for x in numbers], "bool").reshape(shape)


def _integers(state: Any, *, low: int, high: int, shape: tuple[int, ...], dtype: str) -> Any:
    span = high - low
    values = [low + (pair % span if span > _MASK else pair * span >> 64) for pair in _pairs(state, math.prod(shape))]
    return np.array(values, dtype="int64").reshape(shape)


_STATE = exactly(np.array([123456789012345, 7], "uint64"), "uint64")
_LATE = exactly(np.array([2**64 - 1, 2**64 - 2], "uint64"), "uint64")  # its counter wraps around
_BAD_SHAPE = error(ShapeError, "a size is negative", _STATE, shape=(-1,), dtype="float32")


def _dtype(dtype: str, attributes: dict[str, Any]) -> str:
    return str(attributes["dtype"])


def _samples(dtype: str) -> list[Any]:
    return [
        sample(state, shape=shape, dtype=dtype)
        for shape in ((), (1,), (0, 2), (5, 3), (101,))
        for state in (_STATE, _LATE)
    ]


CASES = [
    Case(
        random.random_bits,
        _STATE,
        n=9,
        more=[
            *(sample(_LATE, n=n) for n in (0, 1, 50)),
            sample(_LATE, n=50, lane=1),
            sample(_STATE, n=5, lane=2**64 - 1),
            sample(_STATE, n=40_001, lane=2**33 + 5),
        ],
        reference=_bits,
        result="uint32",
        errors=[
            error(ShapeError, "a size is negative", _STATE, n=-1),
            error(OutOfRangeError, "there is no lane -1", _STATE, n=4, lane=-1),
            error(OutOfRangeError, "there is no lane 18446744073709551616", _STATE, n=4, lane=2**64),
        ],
    ),
    Case(
        random.random_permutation,
        _STATE,
        n=9,
        more=[sample(_LATE, n=n) for n in (0, 1, 2, 300)],
        reference=_permutation,
        result="int64",
        errors=[error(ShapeError, "a size is negative", _STATE, n=-1)],
    ),
    Case(
        random.random_uniform,
        _STATE,
        shape=(2, 3),
        dtype="float32",
        more=[
            *[draw for dtype in ("float32", "float16", "float64") for draw in _samples(dtype)],
            sample(_STATE, shape=(101,), dtype="bfloat16"),
        ],
        reference=_uniform,
        result=_dtype,
        large=[sample(_STATE, shape=(33_000,), dtype="float16")],
        ulp=0.0,  # the bits are the same on every backend
        errors=[_BAD_SHAPE, error(DTypeError, "cannot draw int32", _STATE, shape=(2,), dtype="int32")],
    ),
    Case(
        random.random_normal,
        _STATE,
        shape=(2, 3),
        dtype="float32",
        more=[draw for dtype in ("float32", "float64") for draw in _samples(dtype)],
        reference=_normal,
        result=_dtype,
        large=[sample(_STATE, shape=(17_000,), dtype="float64")],
        errors=[_BAD_SHAPE, error(DTypeError, "cannot draw int32", _STATE, shape=(2,), dtype="int32")],
    ),
    Case(
        random.random_integers,
        _STATE,
        low=-5,
        high=11,
        shape=(2, 3),
        dtype="int32",
        more=[
            sample(_STATE, low=0, high=1, shape=(4,), dtype="int64"),
            sample(_LATE, low=0, high=200, shape=(51,), dtype="uint8"),
            sample(_STATE, low=-(2**40), high=2**40, shape=(51,), dtype="int64"),
            sample(_STATE, low=0, high=2, shape=(0, 3), dtype="int32"),
            sample(_STATE, low=0, high=6, shape=(), dtype="int16"),
        ],
        reference=_integers,
        result=_dtype,
        errors=[
            error(DTypeError, "cannot draw float32", _STATE, low=0, high=2, shape=(2,), dtype="float32"),
            error(ShapeError, "a size is negative", _STATE, low=0, high=2, shape=(-1,), dtype="int32"),
        ],
    ),
    Case(
        random.random_mask,
        _STATE,
        rate=0.2,
        shape=(2, 3),
        more=[
            *[
                sample(state, rate=rate, shape=shape)
                for shape in ((), (1,), (0, 2), (5, 3), (101,))
                for state, rate in ((_STATE, 0.3), (_LATE, 0.5))
            ],
            *[sample(_STATE, rate=rate, shape=(33,)) for rate in (0.0, 1.0, 2.0**-50, 1.0 - 2.0**-50)],
            # The third digit of element 21 decides: at the first rate it is true, at the second one false.
            *[sample(_STATE, rate=(0x70194366C96B + k) * 2.0**-48, shape=(33,)) for k in (0, 1)],
        ],
        reference=_mask,
        result="bool",
        errors=[error(ShapeError, "a size is negative", _STATE, rate=0.5, shape=(-1,))],
    ),
]
