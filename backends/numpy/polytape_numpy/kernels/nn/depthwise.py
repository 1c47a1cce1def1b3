"""Convolutions in groups of one channel, as products of elements."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, Final

from .sliding import cut, sliding, taps, to_last

__all__ = ["depthwise", "depthwise_weights"]

Array = Any
Shape = tuple[int, ...]

_SMALL: Final = 16384  # elements of all windows together, up to which calls take longer than products
_BLOCK: Final = 65536  # elements of the result computed at a time, which stay in a core's second-level cache


def depthwise(
    xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, columns: int, last: bool
) -> Array:
    """Products of the elements of each channel with ``columns`` windows, which w has in its last axis."""
    if columns > 1:
        x, last = x.repeat(columns, -1), True
    if len(x) * prod(sizes) * w.size <= _SMALL:
        products = sliding(xp, x, w.shape[:-1], stride, dilation, sizes) * w
        return xp.add.reduce(products, tuple(range(len(sizes) + 1, products.ndim - 1)))
    # Where pixels are adjacent in memory, a row of them is multiplied at once: their channels alone are a short loop.
    joined = last and stride[-1] == 1 and x.flags.c_contiguous
    factors = w.reshape(-1, w.shape[-1])
    if joined:
        factors = xp.tile(factors, sizes[-1])
    width = prod(sizes[1:]) * w.shape[-1]
    height = min(sizes[0], max(1, _BLOCK // width)) if last else sizes[0]
    count = min(len(x), max(1, _BLOCK // (sizes[0] * width)))
    y = _empty(xp, len(x), sizes, w.shape[-1], x.dtype, last)
    scratch = _empty(xp, count, (height, *sizes[1:]), w.shape[-1], x.dtype, last)
    places = list(taps(w.shape[:-1], dilation))
    for k in range(0, len(x), count):
        for row in range(0, sizes[0], height):
            total = y[k : k + count, row : row + height]
            part = scratch[: total.shape[0], : total.shape[1]]
            starts = [(first + row * stride[0], *others) for first, *others in places]
            blocks = [x[(slice(k, k + count), *cut(start, stride, total.shape[1:-1]))] for start in starts]
            if joined:
                total, part, *blocks = (a.reshape(*a.shape[:-2], -1) for a in (total, part, *blocks))
            _sum_of_products(xp, blocks, factors, total, part)
    return y


def _empty(xp: Any, count: int, sizes: Shape, channels: int, dtype: Any, last: bool) -> Array:
    return xp.empty((count, *sizes, channels), dtype) if last else to_last(xp.empty((count, channels, *sizes), dtype))


def _sum_of_products(xp: Any, blocks: list[Array], factors: Array, total: Array, scratch: Array) -> None:
    xp.multiply(blocks[0], factors[0], out=total)
    for block, factor in zip(blocks[1:], factors[1:], strict=True):
        xp.multiply(block, factor, out=scratch)
        xp.add(total, scratch, out=total)


def depthwise_weights(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """Sums over the whole window for a batch of one: the gradient of a depthwise convolution's weights."""
    *window, rows, groups = w.shape
    x = x.reshape(*x.shape[1:-1], groups, rows)
    inside = list(range(len(window)))
    row, group = len(window), len(window) + 1
    parts = [
        xp.einsum(x[cut(start, dilation, tuple(window))], [*inside, group, row], w, [*inside, row, group], [group])
        for start in product(*[range(0, n * s, s) for n, s in zip(sizes, stride, strict=True)])
    ]
    return xp.stack(parts).reshape(1, *sizes, groups)
