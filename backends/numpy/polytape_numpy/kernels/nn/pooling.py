"""Pools, axis by axis: a row of windows is reduced to the elements of one axis, then along the next axis.

Half precision (float16, bfloat16) is summed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the pools on the arrays of ``xp``."""
    return [
        Kernel("max_pool", _max_pool(xp), fresh=True),
        Kernel("max_pool_gradient", _max_pool_gradient(xp), fresh=True),
        Kernel("avg_pool", _avg_pool(xp), fresh=True),
    ]


def _counts(shape: Shape, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> list[int]:
    """The number of windows along each of ``axes``."""
    counts = []
    for axis, k, step, pair, distance in zip(axes, size, stride, padding, dilation, strict=True):
        room = shape[axis] + sum(pair) - (k - 1) * distance - 1
        if room < 0:
            raise ValueError(f"windows of {size} elements do not fit into the shape {shape}")
        counts.append(room // step + 1)
    return counts


def _halves(dtype: Any) -> bool:
    return dtype.itemsize == 2 and dtype.kind not in "iu"


def _padded(xp: Any, x: Array, padding: Pairs, axes: Shape, fill: Any) -> Array:
    if not any(before or after for before, after in padding):
        return x
    shape, block = list(x.shape), [slice(None)] * x.ndim
    for axis, (before, after) in zip(axes, padding, strict=True):
        shape[axis] += before + after
        block[axis] = slice(before, before + x.shape[axis])
    y = xp.full(shape, fill, x.dtype)
    y[tuple(block)] = x
    return y


def _lowest(xp: Any, dtype: Any) -> Any:
    return xp.iinfo(dtype).min if dtype.kind in "iu" else -float("inf")


def _along(axis: int, first: int, count: int, step: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(first, first + (count - 1) * step + 1, step))


def _reduced(
    combine: Any, x: Array, size: Shape, stride: Shape, dilation: Shape, axes: Shape, counts: list[int]
) -> Array:
    """The windows combined by a function of two arrays, along one axis after the other; a copy."""
    original = x
    for axis, k, step, distance, count in zip(axes, size, stride, dilation, counts, strict=True):
        parts = [x[_along(axis, place * distance, count, step)] for place in range(k)]
        x = combine(parts[0], parts[1]) if k > 1 else parts[0]
        for part in parts[2:]:
            combine(x, part, out=x)
    return x.copy() if max(size, default=1) == 1 and original.size else x


def _max_pool(xp: Any) -> Callable[..., Array]:
    maximum = xp.maximum

    def max_pool(x: Array, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Array:
        counts = _counts(x.shape, size, stride, padding, dilation, axes)
        around = _padded(xp, x, padding, axes, _lowest(xp, x.dtype))
        return _reduced(maximum, around, size, stride, dilation, axes, counts)

    return max_pool


def _places(
    size: Shape, stride: Shape, dilation: Shape, axes: Shape, counts: list[int], rank: int
) -> Iterator[tuple[slice, ...]]:
    """The slices of an array that meet each element of the windows, in order."""
    cut = [slice(None)] * rank
    for inside in product(*[range(k) for k in size]):
        for axis, k, step, distance, count in zip(axes, inside, stride, dilation, counts, strict=True):
            cut[axis] = slice(k * distance, k * distance + (count - 1) * step + 1, step)
        yield tuple(cut)


def _max_pool_gradient(xp: Any) -> Callable[..., Array]:
    def max_pool_gradient(
        incoming: Array,
        x: Array,
        result: Array,
        *,
        size: Shape,
        stride: Shape,
        padding: Pairs,
        dilation: Shape,
        axes: Shape,
    ) -> Array:
        counts = _counts(x.shape, size, stride, padding, dilation, axes)
        shape = list(x.shape)
        for axis, count in zip(axes, counts, strict=True):
            shape[axis] = count
        if not incoming.shape == result.shape == tuple(shape):
            raise ValueError(f"shapes {incoming.shape} and {result.shape} do not match {shape}")
        around = _padded(xp, x, padding, axes, _lowest(xp, x.dtype))
        actual = None
        if around is not x:
            ones = xp.full([n if axis in axes else 1 for axis, n in enumerate(x.shape)], True, "bool")
            actual = _padded(xp, ones, padding, axes, False)
        y = xp.zeros(around.shape, "float32" if _halves(x.dtype) else x.dtype)
        left = xp.full(result.shape, True, "bool")  # windows whose first largest element is not found yet
        for place in _places(size, stride, dilation, axes, counts, x.ndim):
            part = around[place]
            found = part == result
            found |= part != part
            found &= left
            if actual is not None:
                found &= actual[place]
            y[place] += xp.where(found, incoming, xp.zeros((), incoming.dtype))
            left ^= found
        block = [slice(None)] * x.ndim
        for axis, (before, _) in zip(axes, padding, strict=True):
            block[axis] = slice(before, before + x.shape[axis])
        return y[tuple(block)].astype(x.dtype, copy=False)

    return max_pool_gradient


def _avg_pool(xp: Any) -> Callable[..., Array]:
    add = xp.add

    def avg_pool(
        x: Array, *, size: Shape, stride: Shape, padding: Pairs, axes: Shape, count_include_pad: bool
    ) -> Array:
        dilation = (1,) * len(axes)
        counts = _counts(x.shape, size, stride, padding, dilation, axes)
        wide = x.astype("float32") if _halves(x.dtype) else x
        around = _padded(xp, wide, padding, axes, 0)
        y = _reduced(add, around, size, stride, dilation, axes, counts)
        divisor: Any = prod(size)
        if not count_include_pad and around is not wide:
            actual = xp.full([n if axis in axes else 1 for axis, n in enumerate(x.shape)], 1, wide.dtype)
            divisor = _reduced(add, _padded(xp, actual, padding, axes, 0), size, stride, dilation, axes, counts)
        y /= divisor
        return y.astype(x.dtype, copy=False)

    return avg_pool
