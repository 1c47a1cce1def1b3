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

from ..rows import number
from .masking import kept_bits

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
    """What a pool does to an operand of one shape.

    Attributes:
        around: the shape with the padding, or None without padding. block: where the operand lies in it.
        steps: per axis, what to take from the array for each place in a window.
        counts: of the windows, per axis. copies: whether no step makes a new array.
    """

    around: Shape | None
    block: tuple[slice, ...]
    steps: tuple[tuple[tuple[slice, ...], ...], ...]
    counts: Shape
    copies: bool


@lru_cache(maxsize=256)
def _plan(shape: Shape, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> _Plan:
    around, block = list(shape), [slice(None)] * len(shape)
    steps, counts = [], []
    for axis, k, step, (before, after), distance in zip(axes, size, stride, padding, dilation, strict=True):
        room = shape[axis] + before + after - (k - 1) * distance - 1
        if room < 0:
            raise ValueError(f"windows of {size} elements do not fit into the shape {shape}")
        count = room // step + 1
        around[axis] += before + after
        block[axis] = slice(before, before + shape[axis])
        steps.append(tuple([_along(axis, place * distance, count, step) for place in range(k)]))
        counts.append(count)
    padded = tuple(around) if any(pair != (0, 0) for pair in padding) else None
    copies = max(size, default=1) == 1
    return _Plan(padded, tuple(block), tuple(steps), tuple(counts), copies)


def _halves(dtype: Any) -> bool:
    return dtype.itemsize == 2 and dtype.kind not in "iu"


def _padded(xp: Any, x: Array, plan: _Plan, fill: Any) -> Array:
    if plan.around is None:
        return x
    y = xp.full(plan.around, fill, x.dtype)
    y[plan.block] = x
    return y


def _lowest(xp: Any, dtype: Any) -> Any:
    return xp.iinfo(dtype).min if dtype.kind in "iu" else -float("inf")


def _along(axis: int, first: int, count: int, step: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(first, first + (count - 1) * step + 1, step))


def _reduced(combine: Any, x: Array, plan: _Plan) -> Array:
    """The windows combined by a function of two arrays, along one axis after the other; a new array."""
    for first, *others in plan.steps:
        y = x[first]
        if others:
            y = combine(y, x[others[0]])
        for place in others[1:]:
            combine(y, x[place], out=y)
        x = y
    return x.copy() if plan.copies else x


def _max_pool(xp: Any) -> Callable[..., Array]:
    maximum = xp.maximum

    def max_pool(x: Array, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Array:
        plan = _plan(x.shape, size, stride, padding, dilation, axes)
        return _reduced(maximum, _padded(xp, x, plan, _lowest(xp, x.dtype)), plan)

    return max_pool


@lru_cache(maxsize=256)
def _places(
    size: Shape, stride: Shape, dilation: Shape, axes: Shape, counts: Shape, rank: int
) -> tuple[tuple[slice, ...], ...]:
    """The slices of an array that meet each element of the windows, in order."""
    places, cut = [], [slice(None)] * rank
    for inside in product(*[range(k) for k in size]):
        for axis, k, step, distance, count in zip(axes, inside, stride, dilation, counts, strict=True):
            cut[axis] = slice(k * distance, k * distance + (count - 1) * step + 1, step)
        places.append(tuple(cut))
    return tuple(places)


def _along_axes(shape: Shape, axes: Shape) -> Shape:
    """The shape of an array that broadcasts along all other axes."""
    return tuple([n if axis in axes else 1 for axis, n in enumerate(shape)])


def _apart(size: Shape, stride: Shape, dilation: Shape) -> bool:
    """Whether windows neither overlap nor are interleaved."""
    return all([step > (k - 1) * distance for k, step, distance in zip(size, stride, dilation, strict=True)])


def _summed(dtype: Any) -> Any:
    return "float32" if _halves(dtype) else dtype


def _first_largest(
    xp: Any, around: Array, result: Array, actual: Array | None, places: tuple[Any, ...], ordered: bool
) -> Iterator[tuple[Any, Array]]:
    """Each place in a window, and in which windows the first largest element, or NaN, is there.

    Args:
        around, result: the padded operand of a pool, and its result.
        actual: where the operand is not padding; None without padding.
        places: the slices of the operand that meet each place. ordered: whether there is no NaN in the result.
    """
    left = xp.full(result.shape, True, "bool")  # windows whose first largest element is not found yet
    for place in places:
        if ordered and actual is None and place is places[-1]:
            yield place, left
            return
        part = around[place]
        found = part == result
        if not ordered:
            found |= part != part
        found &= left
        if actual is not None:
            found &= actual[place]
        left ^= found
        yield place, found


def _max_pool_gradient(xp: Any) -> Callable[..., Array]:
    on_host = xp.__name__ == "numpy"

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
        shape = list(x.shape)
        for axis, count in zip(axes, plan.counts, strict=True):
            shape[axis] = count
        if not incoming.shape == result.shape == tuple(shape):
            raise ValueError(f"shapes {incoming.shape} and {result.shape} do not match {shape}")
        around = _padded(xp, x, plan, _lowest(xp, x.dtype))
        actual = None
        if plan.around is not None:
            ones = xp.full(_along_axes(x.shape, axes), True, "bool")
            actual = _padded(xp, ones, _plan(ones.shape, size, stride, padding, dilation, axes), False)
        places = _places(size, stride, dilation, axes, plan.counts, x.ndim)
        ordered = on_host and not (result != result).any()  # on a device, reading it would wait
        # Windows that cover each element once write their gradients; others add them.
        tiled = actual is None and prod(size) * result.size == x.size and _apart(size, stride, dilation)
        y = xp.empty(x.shape, x.dtype) if tiled else xp.zeros(around.shape, _summed(x.dtype))
        g = incoming if tiled else incoming.astype(y.dtype, copy=False)
        bits = g.view(f"i{g.itemsize}")
        for place, found in _first_largest(xp, around, result, actual, places, ordered):
            ones = kept_bits(xp, found, g.itemsize)
            if tiled:
                xp.bitwise_and(bits, ones, out=y.view(bits.dtype)[place])
            else:
                y[place] += xp.bitwise_and(bits, ones, out=ones).view(g.dtype)
        if plan.around is not None:
            y = y[plan.block]
        return y.astype(x.dtype, copy=False)

    return max_pool_gradient


def _avg_pool(xp: Any) -> Callable[..., Array]:
    add, on_host = xp.add, xp.__name__ == "numpy"

    def lengths(dtype: Any, shape: Shape, size: Shape, stride: Shape, padding: Pairs, axes: Shape) -> Array:
        """The number of elements of each window that do not lie in the padding."""
        plan = _plan(shape, size, stride, padding, (1,) * len(axes), axes)
        return _reduced(add, _padded(xp, xp.full(shape, 1, dtype), plan, 0), plan)

    if on_host:  # elsewhere, an array belongs to one device
        lengths = lru_cache(maxsize=64)(lengths)

    def avg_pool(
        x: Array, *, size: Shape, stride: Shape, padding: Pairs, axes: Shape, count_include_pad: bool
    ) -> Array:
        plan = _plan(x.shape, size, stride, padding, (1,) * len(axes), axes)
        wide = x.astype("float32") if _halves(x.dtype) else x
        y = _reduced(add, _padded(xp, wide, plan, 0), plan)
        if plan.around is not None and not count_include_pad:
            y /= lengths(y.dtype, _along_axes(x.shape, axes), size, stride, padding, axes)
        else:
            y /= number(prod(size), y.dtype.char) if on_host else prod(size)
        return y.astype(x.dtype, copy=False)

    return avg_pool
