"""Loops over the rows of a matrix, each of which is read from memory once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.extending import overload

from ..cache import compiled
from .functions import EXACT, INLINE, SUMS, exp_of
from .sums import row_dot, row_sum

__all__ = [
    "cross_entropy",
    "cross_entropy_gradient",
    "log_softmax",
    "log_softmax_gradient",
    "logsumexp",
    "softmax",
    "softmax_gradient",
]

Array = Any

_GROUP: Final = 4096  # elements of the rows processed together, which stay in the first-level cache
_LONG: Final = 64  # elements of a row: the exponentials of longer ones use SIMD without a group
_FEW: Final = 64  # elements of all rows: a group, with its temporary arrays, takes longer
_BLOCK: Final = 512  # exponentials summed in the array's own dtype, as in `sums`


def _bits_max(row: Array) -> Any:
    """The largest element, by comparing the bits as integers of the same order: five times as fast as with floats.

    A NaN with its sign bit set may be missed, but the sum of the exponentials is NaN in any case.
    """
    raise NotImplementedError


@overload(_bits_max, jit_options=INLINE)
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


@compiled(EXACT)
def _exp_in_place(y: Array) -> None:
    for i in range(y.size):
        y[i] = exp_of(y[i])


@compiled(EXACT)
def _shift(x: Array, y: Array, top: Array) -> None:
    """Write ``x - max(x)`` of each row to ``y`` and the maxima to ``top``."""
    for i in range(x.shape[0]):
        largest = _bits_max(x[i])
        top[i] = largest
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] - largest


@compiled(EXACT)
def _rows_at_once(x: Array) -> Any:
    return max(1, _GROUP // x.shape[1])


@compiled(SUMS)
def _block_of_exp(block: Array, top: Any) -> Any:
    total = block.dtype.type(0.0)
    for j in range(block.size):
        total += exp_of(block[j] - top)
    return total


@compiled(INLINE)
def _sum_of_exp(row: Array, top: Any) -> float:
    """The sum of ``exp(row - top)``, where no element is above ``top``."""
    total = 0.0
    for start in range(0, row.size, _BLOCK):
        total += _block_of_exp(row[start : start + _BLOCK], top)
    return total


@compiled(EXACT)
def _one_by_one(x: Array) -> Any:
    return x.size <= _FEW or x.shape[1] >= _LONG


@compiled(INLINE)
def _softmax_row(row: Array, y: Array) -> None:
    top = _bits_max(row)
    for j in range(row.size):
        y[j] = exp_of(row[j] - top)
    total = row.dtype.type(row_sum(y))
    for j in range(row.size):
        y[j] /= total


@compiled(EXACT)
def softmax(x: Array, y: Array) -> None:
    """Write softmax(x) of each row to ``y``; both are floating[rows, n] with n > 0."""
    if _one_by_one(x):
        for i in range(x.shape[0]):
            _softmax_row(x[i], y[i])
        return
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part = y[start:stop]
        _shift(x[start:stop], part, top)
        _exp_in_place(part.reshape(-1))
        for i in range(stop - start):
            total = x.dtype.type(row_sum(part[i]))
            for j in range(x.shape[1]):
                part[i, j] /= total


@compiled(EXACT)
def softmax_gradient(g: Array, y: Array, dx: Array) -> None:
    """Write ``y * (g - sum(g * y))`` of each row to ``dx``."""
    for i in range(y.shape[0]):
        total = y.dtype.type(row_dot(g[i], y[i]))
        for j in range(y.shape[1]):
            dx[i, j] = (g[i, j] - total) * y[i, j]


@compiled(EXACT)
def log_softmax(x: Array, y: Array) -> None:
    """Write log(softmax(x)) of each row to ``y``."""
    if _one_by_one(x):
        for i in range(x.shape[0]):
            row, result, largest = x[i], y[i], _bits_max(x[i])
            logarithm = x.dtype.type(math.log(_sum_of_exp(row, largest)))
            for j in range(row.size):
                result[j] = row[j] - largest - logarithm
        return
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    scratch = np.empty((min(step, x.shape[0]), x.shape[1]), x.dtype)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part, powers = y[start:stop], scratch[: stop - start]
        _shift(x[start:stop], part, top)
        for i in range(stop - start):
            for j in range(x.shape[1]):
                powers[i, j] = exp_of(part[i, j])
        for i in range(stop - start):
            logarithm = x.dtype.type(math.log(row_sum(powers[i])))
            for j in range(x.shape[1]):
                part[i, j] -= logarithm


@compiled(EXACT)
def log_softmax_gradient(g: Array, y: Array, dx: Array) -> None:
    """Write ``g - exp(y) * sum(g)`` of each row to ``dx``."""
    for i in range(y.shape[0]):
        total = y.dtype.type(row_sum(g[i]))
        for j in range(y.shape[1]):
            dx[i, j] = g[i, j] - exp_of(y[i, j]) * total


@compiled(EXACT)
def logsumexp(x: Array, y: Array) -> None:
    """Write ``log(sum(exp(x)))`` of each row to ``y``."""
    if _one_by_one(x):
        for i in range(x.shape[0]):
            largest = _bits_max(x[i])
            y[i] = x.dtype.type(math.log(_sum_of_exp(x[i], largest))) + largest
            if math.isinf(largest):  # the difference of two infinities is NaN
                y[i] = _sum_of_infinite(x[i], largest)
        return
    step = _rows_at_once(x)
    top = np.empty(step, x.dtype)
    scratch = np.empty((min(step, x.shape[0]), x.shape[1]), x.dtype)
    for start in range(0, x.shape[0], step):
        stop = min(x.shape[0], start + step)
        part = scratch[: stop - start]
        _shift(x[start:stop], part, top)
        _exp_in_place(part.reshape(-1))
        for i in range(stop - start):
            y[start + i] = x.dtype.type(math.log(row_sum(part[i]))) + top[i]
            if math.isinf(top[i]):  # the difference of two infinities is NaN
                y[start + i] = _sum_of_infinite(x[start + i], top[i])


@compiled(EXACT)
def _sum_of_infinite(row: Array, top: Any) -> Any:
    for j in range(row.size):
        if math.isnan(row[j]):
            return row[j]
    return top


@compiled(EXACT)
def cross_entropy(labels: Array, x: Array, y: Array) -> bool:
    """Write -log_softmax(x)[label] of each row to ``y``. Return whether every label is a class."""
    if _one_by_one(x):
        for i in range(x.shape[0]):
            label = labels[i]
            if label < 0 or label >= x.shape[1]:
                return False
            largest = _bits_max(x[i])
            y[i] = x.dtype.type(math.log(_sum_of_exp(x[i], largest))) - (x[i, label] - largest)
        return True
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
            total = x.dtype.type(row_sum(part[i]))
            y[start + i] = x.dtype.type(math.log(total)) - (x[start + i, label] - top[i])
    return True


@compiled(EXACT)
def cross_entropy_gradient(g: Array, labels: Array, x: Array, y: Array) -> bool:
    """Write ``(softmax(x) - one_hot(label)) * g`` of each row to ``y``. Return whether every label is a class."""
    if _one_by_one(x):
        for i in range(x.shape[0]):
            label, row, factor = labels[i], y[i], g[i]
            if label < 0 or label >= x.shape[1]:
                return False
            _softmax_row(x[i], row)
            at_label = (row[label] - x.dtype.type(1.0)) * factor
            for j in range(row.size):
                row[j] *= factor
            row[label] = at_label
        return True
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
            total = x.dtype.type(row_sum(part[i]))
            factor = g[start + i]
            at_label = (part[i, label] / total - one) * factor
            for j in range(x.shape[1]):
                part[i, j] = part[i, j] / total * factor
            part[i, label] = at_label
    return True
