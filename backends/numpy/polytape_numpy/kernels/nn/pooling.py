"""Pools, axis by axis: a row of windows is reduced to the elements of one axis, then along the next axis.

Half precision (float16, bfloat16) is summed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

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


class _Plan(NamedTuple):
    """What follows from the shape of an operand and the attributes of a pool alone.

    Attributes:
        counts: the number of windows along each of the axes.
        padded: whether there is padding.
        steps: per axis with windows of several elements or apart, the slices that meet each element of its windows.
    """

    counts: list[int]
    padded: bool
    steps: list[list[tuple[slice, ...]]]


@lru_cache(maxsize=256)
def _plan(shape: Shape, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> _Plan:
    """The plan of a pool, kept since its steps take longer than the sums of a small operand."""
    counts, steps = [], []
    for axis, k, step, pair, distance in zip(axes, size, stride, padding, dilation, strict=True):
        room = shape[axis] + pair[0] + pair[1] - (k - 1) * distance - 1
        if room < 0:
            raise ValueError(f"windows of {size} elements do not fit into the shape {shape}")
        counts.append(room // step + 1)
        if k > 1 or step > 1:
            steps.append([_along(axis, place * distance, counts[-1], step) for place in range(k)])
    return _Plan(counts, any(before or after for before, after in padding), steps)


def _halves(dtype: Any) -> bool:
    return dtype.itemsize == 2 and dtype.kind not in "iu"


def _padded(xp: Any, x: Array, padding: Pairs, axes: Shape, fill: Any) -> Array:
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


def _reduced(combine: Any, x: Array, steps: list[list[tuple[slice, ...]]]) -> Array:
    """The windows combined by a function of two arrays, along one axis after the other; a new array."""
    fresh = False
    for first, *others in steps:
        part = x[first]
        for k, other in enumerate(others):
            # The first of them makes a new array, which the others write.
            part = combine(part, x[other], out=part if k else None)
            fresh = True
        x = part
    return x if fresh else x.copy()


def _max_pool(xp: Any) -> Callable[..., Array]:
    maximum = xp.maximum

    def max_pool(x: Array, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Array:
        plan = _plan(x.shape, size, stride, padding, dilation, axes)
        return _reduced(maximum, _padded(xp, x, padding, axes, _lowest(xp, x.dtype)) if plan.padded else x, plan.steps)

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
        plan = _plan(x.shape, size, stride, padding, dilation, axes)
        counts, shape = plan.counts, list(x.shape)
        for axis, count in zip(axes, counts, strict=True):
            shape[axis] = count
        if not incoming.shape == result.shape == tuple(shape):
            raise ValueError(f"shapes {incoming.shape} and {result.shape} do not match {shape}")
        around, actual = x, None
        if plan.padded:
            around = _padded(xp, x, padding, axes, _lowest(xp, x.dtype))
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
        plan = _plan(x.shape, size, stride, padding, (1,) * len(axes), axes)
        wide = x.astype("float32") if _halves(x.dtype) else x
        divisor: Any = prod(size)
        y = _reduced(add, _padded(xp, wide, padding, axes, 0) if plan.padded else wide, plan.steps)
        if plan.padded and not count_include_pad:
            actual = xp.full([n if axis in axes else 1 for axis, n in enumerate(x.shape)], 1, wide.dtype)
            divisor = _reduced(add, _padded(xp, actual, padding, axes, 0), plan.steps)
        y /= divisor
        return y if y.dtype is x.dtype else y.astype(x.dtype, copy=False)

    return avg_pool
