"""Sums whose error does not grow with the number of rows.

NumPy sums pairwise along the axis that is contiguous in memory, and adds row after row along any other: in float32,
the mean of 20 million ones along the first axis of an array with two columns is 0.84. Here at most `_BLOCK` rows are
added in the array's own dtype, and the sums of these blocks in double precision. If the rows are short, this also takes
less time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, Final

from .rows import column, ones

__all__ = ["LONG", "SMALL", "add_reduce", "sum_by_dot"]

Array = Any
Axis = int | tuple[int, ...] | None

SMALL: Final = 4096  # elements; up to this size NumPy adds, since its call takes as long as one of the steps below
_BLOCK: Final = 64  # rows; with 128 of them, the sum of equal numbers has an error of 1e-6
# NumPy also adds _FEW rows (relative error 1e-5), and up to _MANY rows of up to _MEDIUM elements (2e-5), where the
# blocks would take longer.
_FEW: Final = 1024
_MANY: Final = 2048
LONG: Final = 256  # elements of float32 that BLAS sums at a time; with 1,024 of them, the error is 2e-6
_MEDIUM: Final = 262144
_JOINED: Final = 4096  # elements: short rows are joined to rows of this length, since each row costs NumPy 10 ns
_WIDE: Final = {"f": "d", "F": "D"}  # float32 to float64, complex64 to complex128, by their characters


def add_reduce(xp: Any) -> Callable[..., Array]:
    """``xp.add.reduce`` with the parameters ``(x, axis, dtype, out, keepdims)``, accurate for any number of rows.

    The function of any other module than NumPy is returned unchanged: devices sum in trees.
    """
    reduce: Callable[..., Array] = xp.add.reduce
    if xp.__name__ != "numpy":
        return reduce

    def accurate(x: Array, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Array:
        size = x.size
        if size <= SMALL or (axis is None and x.flags.contiguous):
            return reduce(x, axis, dtype, None, keepdims)
        working = (x.dtype if dtype is None else dtype).char
        if working not in _WIDE:
            return reduce(x, axis, dtype, None, keepdims)
        if x.flags.c_contiguous:
            shape = x.shape
            count = _leading(axis, len(shape))
            rows = prod(shape[:count])
            if count and rows < size:
                if rows <= _FEW or (rows <= _MANY and size <= _MEDIUM):
                    return reduce(x, axis, dtype, None, keepdims)
                y = _sum_of_rows(reduce, x.reshape(rows, -1), working).astype(working)
                return y.reshape((*(1,) * count, *shape[count:]) if keepdims else shape[count:])
        group = _rows(x, axis) if size > _MEDIUM else None
        if group is None:
            return reduce(x, axis, dtype, None, keepdims)
        return _by_groups(reduce, x, _axes(axis, x.ndim), keepdims, working, *group)

    return accurate


def sum_by_dot(xp: Any) -> Callable[[Array, Axis, bool], Array | None]:
    """The sum of float32 over all axes or the last one, by products with ones; None for other sums.

    The products take 0.4 of the time of a reduction. BLAS sums at most `LONG` elements at a time, in SIMD lanes:
    the sum of equal numbers has an error of 6e-7. Sums of float64 keep NumPy's pairwise order, for its accuracy.
    """
    if xp.__name__ != "numpy":
        return lambda x, axis, keepdims: None
    reduce, of_parts = xp.add.reduce, _sum_of_long_rows(xp)

    def whole(x: Array) -> Array:
        size = x.size
        if size <= LONG:
            return x.dot(ones(size, "f"))
        x = x.reshape(-1)
        count = size // LONG
        total = reduce(x[: count * LONG].reshape(count, LONG).dot(ones(LONG, "f")), None, "d")
        if count * LONG < size:
            total += x[count * LONG :].dot(ones(size - count * LONG, "f"))
        return total.astype("f")

    def summed(x: Array, axis: Axis, keepdims: bool) -> Array | None:
        if x.ndim == 1 or (axis is None and x.ndim and x.size > SMALL):
            if (
                LONG < x.size <= SMALL
                or x.dtype.char != "f"
                or not x.flags.c_contiguous
                or not (axis is None or axis == 0 or axis == -1)
            ):
                return None
            y = whole(x)
            return y.reshape((1,) * x.ndim) if keepdims else y
        if x.dtype.char != "f" or not x.ndim or not (axis == -1 or axis == x.ndim - 1) or not x.size:
            return None
        n = x.shape[-1]
        if not x.flags.c_contiguous or (n > LONG and x.size <= SMALL and not _part(n)):
            return None
        if n > LONG:
            y = of_parts(x, n)
            return y.reshape(*x.shape[:-1], 1) if keepdims else y.reshape(x.shape[:-1])
        return x.dot(column(n, "f")) if keepdims else x.dot(ones(n, "f"))

    return summed


def _sum_of_long_rows(xp: Any) -> Callable[[Array, int], Array]:
    """The sums of rows of n elements, in parts that BLAS sums at a time."""
    reduce, matmul = xp.add.reduce, xp.matmul

    def of_parts(x: Array, n: int) -> Array:
        part = _part(n)
        if part:
            return reduce(x.reshape(-1, part).dot(ones(part, "f")).reshape(-1, n // part), -1, "d").astype("f")
        rows, whole = x.reshape(-1, n), n - n % LONG
        y = reduce(matmul(rows[:, :whole].reshape(len(rows), -1, LONG), ones(LONG, "f")), -1, "d")
        y += rows[:, whole:].dot(ones(n - whole, "f"))
        return y.astype("f")

    return of_parts


@lru_cache(maxsize=64)
def _part(n: int) -> int:
    """The largest divisor of n that BLAS sums at a time; 0 if there is none of a useful size."""
    return max([k for k in range(64, LONG + 1) if n % k == 0], default=0)


def _leading(axis: Axis, rank: int) -> int:
    """How many leading axes ``axis`` consists of; 0 if it includes any other axis."""
    if type(axis) is int:
        return 1 if axis in (0, -rank) else 0
    axes = sorted(_axes(axis, rank))
    return len(axes) if axes == list(range(len(axes))) else 0


def _axes(axis: Axis, rank: int) -> list[int]:
    """The axes as numbers from 0 on; those that do not exist are left to NumPy."""
    if axis is None:
        return list(range(rank))
    return [k % rank if -rank <= k < rank else k for k in (axis if isinstance(axis, tuple) else (axis,))]


def _sum_of_rows(reduce: Callable[..., Array], x: Array, working: str) -> Array:
    """The sum along the last axis but one, in double precision; the last two axes are contiguous."""
    *lead, rows, width = x.shape
    axis, wide = len(lead), _WIDE[working]
    joined = min(max(1, _JOINED // width), rows // 2)
    lengths = rows // joined
    blocks = lengths // _BLOCK
    long = x if joined == 1 else x[..., : lengths * joined, :].reshape(*lead, lengths, joined * width)
    split = long[..., : blocks * _BLOCK, :].reshape(*lead, blocks, _BLOCK, joined * width)
    y = reduce(reduce(split, axis + 1, working), axis, wide)
    if blocks * _BLOCK < lengths:
        y += reduce(long[..., blocks * _BLOCK :, :], axis, working)
    if joined > 1:
        y = reduce(y.reshape(*lead, joined, width), axis)
    if lengths * joined < rows:
        y += reduce(x[..., lengths * joined :, :], axis, wide)
    return y


def _rows(x: Array, axis: Axis) -> tuple[list[int], int, int] | None:
    """The axes along which NumPy would add too many rows; None if there are none.

    Returns:
        The axes in the order of memory; the first and the last of the adjacent ones that make up the rows.
    """
    axes = _axes(axis, x.ndim)
    order = sorted(range(x.ndim), key=lambda k: -abs(x.strides[k]))
    shape, strides = [x.shape[k] for k in order], [x.strides[k] for k in order]
    runs: list[tuple[int, int, int]] = []  # number of rows, first and last axis of runs that form a single axis
    for position in [position for position, k in enumerate(order) if k in axes]:
        rows, first = shape[position], position
        if runs and runs[-1][2] == position - 1 and strides[position - 1] == strides[position] * shape[position]:
            rows, first = runs[-1][0] * rows, runs.pop()[1]
        runs.append((rows, first, position))
    if runs and prod(shape[runs[-1][2] + 1 :]) == 1:
        runs.pop()  # the innermost axis, along which NumPy sums pairwise
    rows, first, last = max(runs, default=(0, 0, 0))
    return None if rows <= _MANY or 0 in strides else (order, first, last)


def _by_groups(
    reduce: Callable[..., Array],
    x: Array,
    axes: list[int],
    keepdims: bool,
    working: str,
    order: list[int],
    first: int,
    last: int,
) -> Array:
    """The sum over ``axes``: first over the group of `_rows`, then over the others."""
    x = x.transpose(order)
    lead, rest = x.shape[:first], x.shape[last + 1 :]
    rows = x.reshape(*lead, prod(x.shape[first : last + 1]), prod(rest))
    y = _sum_of_rows(reduce, rows, working).reshape(*lead, *(1,) * (last + 1 - first), *rest)
    y = reduce(y, tuple(position for position, k in enumerate(order) if k in axes), None, None, True)
    y = y.transpose([order.index(k) for k in range(x.ndim)])
    shape = [n for k, n in enumerate(y.shape) if keepdims or k not in axes]
    return y.astype(working).reshape(shape)
