"""Random draws whose words come from loops; all numbers have the bits of those of NumPy's kernels."""

from __future__ import annotations

from math import pi, prod
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .compiled import FEW, loops
from .universal import Fn, numpy_kernels

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]

_CHUNK: Final = 16384  # pairs of normal numbers at a time, which stay in a core's second-level cache


def kernels() -> list[Kernel]:
    """The kernels of the random family that loops serve."""
    few = numpy_kernels("random")
    return [
        Kernel("random_bits", _random_bits(few["random_bits"])),
        Kernel("random_integers", _random_integers(few["random_integers"])),
        Kernel("random_mask", _random_mask(few["random_mask"])),
        Kernel("random_normal", _random_normal(few["random_normal"])),
        Kernel("random_uniform", _random_uniform(few["random_uniform"])),
    ]


def _random_bits(otherwise: Fn) -> Fn:
    def random_bits(state: Array, *, lane: int = 0, n: int, device: Any) -> Array:
        if n < FEW or not 0 <= lane < 2**64:
            return otherwise(state, lane=lane, n=n, device=device)
        y = np.empty((-(-n // 4), 4), "uint32")
        loops().random_bits(_owned(state), np.uint64(lane), y)
        return y.reshape(-1)[:n]

    return random_bits


def _random_uniform(otherwise: Fn) -> Fn:
    def random_uniform(state: Array, *, shape: Shape, dtype: Any, device: Any) -> Array:
        n, per_block = prod(shape), 16 // dtype.itemsize
        if n < FEW or min(shape) < 0 or dtype.char not in "fd":
            return otherwise(state, shape=shape, dtype=dtype, device=device)
        y = np.empty((-(-n // per_block), per_block), dtype)
        loop = loops().uniform32 if dtype.char == "f" else loops().uniform64
        loop(_owned(state), y)
        return y.reshape(-1)[:n].reshape(shape)

    return random_uniform


def _random_integers(otherwise: Fn) -> Fn:
    def random_integers(state: Array, *, low: int, high: int, shape: Shape, dtype: Any, device: Any) -> Array:
        n, span = prod(shape), high - low
        if n < FEW or min(shape) < 0 or span >= 2**64:
            return otherwise(state, low=low, high=high, shape=shape, dtype=dtype, device=device)
        y = np.empty((-(-n // 2), 2), "uint64")
        loops().random_integers(_owned(state), np.uint64(low % 2**64), np.uint64(span), y)
        return y.reshape(-1)[:n].reshape(shape).astype(dtype)

    return random_integers


def _random_normal(otherwise: Fn) -> Fn:
    def random_normal(state: Array, *, shape: Shape, dtype: Any, device: Any) -> Array:
        n, wide = prod(shape), dtype.char == "d"
        if n < FEW or min(shape) < 0 or dtype.char not in "fd":
            return otherwise(state, shape=shape, dtype=dtype, device=device)
        per_block = 1 if wide else 2
        pairs = -(-n // (2 * per_block)) * per_block
        y, step = np.empty((pairs, 2), dtype), 2.0**-53 if wide else 2.0**-24
        loop, state = loops().polar64 if wide else loops().polar32, _owned(state)
        for start in range(0, pairs, _CHUNK):
            part = y[start : start + _CHUNK]
            radius, angle = np.empty(len(part), dtype), np.empty(len(part), dtype)
            loop(state, start // per_block, dtype.type(step), dtype.type(2 * pi * step), radius, angle)
            np.log(radius, out=radius)
            radius *= -2
            np.sqrt(radius, out=radius)
            np.multiply(radius, np.cos(angle), out=part[:, 0])
            np.multiply(radius, np.sin(angle), out=part[:, 1])
        return y.reshape(-1)[:n].reshape(shape)

    return random_normal


def _random_mask(otherwise: Fn) -> Fn:
    def random_mask(state: Array, *, rate: float, shape: Shape, device: Any) -> Array:
        n, threshold = prod(shape), round(rate * 2.0**48)
        if n < FEW or min(shape) < 0 or threshold >= 1 << 48:
            return otherwise(state, rate=rate, shape=shape, device=device)
        y = np.empty(n, "bool")
        loops().random_mask(_owned(state), np.uint64(threshold), np.empty((-(-n // 16), 4), "uint64"), y)
        return y.reshape(shape)

    return random_mask


def _owned(state: Array) -> Array:
    """The state in a writable array in C order: for another one, numba would compile the loop again."""
    return state if state.flags.carray else np.array(state)
