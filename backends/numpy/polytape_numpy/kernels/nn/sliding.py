"""The windows that slide along axes of an array: their views, and the sums that undo them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any, Final

__all__ = ["CHANNELS", "as_matrix", "cut", "fold_of", "halves", "sliding", "taps", "to_first", "to_last", "windows_of"]

Array = Any
Shape = tuple[int, ...]

CHANNELS: Final = 8  # with fewer of them, the runs of memory are too short to be copied window by window


def halves(dtype: Any) -> bool:
    return dtype.itemsize == 2 and dtype.kind not in "iu"


def cut(starts: Shape, steps: Shape, counts: Shape) -> tuple[slice, ...]:
    """The slices that take ``counts`` elements per axis."""
    return tuple([slice(a, a + (n - 1) * s + 1, s) for a, s, n in zip(starts, steps, counts, strict=True)])


def taps(window: Shape, dilation: Shape) -> Iterator[Shape]:
    """The first position of each element of the window."""
    return product(*[range(0, k * d, d) for k, d in zip(window, dilation, strict=True)])


def to_last(x: Array) -> Array:
    """The view with axis 1 as the last one; moveaxis takes 2 us longer."""
    return x.transpose(0, *range(2, x.ndim), 1)


def to_first(x: Array) -> Array:
    """The view with the last axis as axis 1."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def sliding(xp: Any, x: Array, window: Shape, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """The windows as a view [batch, *sizes, *window, channels]."""
    batch, *steps, channel = x.strides
    starts = [step * distance for step, distance in zip(steps, stride, strict=True)]
    inside = [step * distance for step, distance in zip(steps, dilation, strict=True)]
    shape = (len(x), *sizes, *window, x.shape[-1])
    strides = (batch, *starts, *inside, channel)
    if xp.__name__ == "numpy" and x.flags.c_contiguous:
        return xp.ndarray(shape, x.dtype, x, 0, strides)  # as_strided takes 2 us longer
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


def as_matrix(windows: Array) -> Array:
    """A copy of the windows [batch, *sizes, *window, channels] as the rows of a matrix."""
    axes = windows.ndim // 2  # the batch and the sizes
    elements = prod(windows.shape[axes:])
    if windows.shape[-1] >= CHANNELS:
        return windows.reshape(-1, elements)
    return windows.transpose(*range(axes, windows.ndim), *range(axes)).reshape(elements, -1).T


def _windows_shape(shape: Shape, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Shape:
    counts = list(shape)
    for axis, k, step, distance in zip(axes, size, stride, dilation, strict=True):
        room = shape[axis] - (k - 1) * distance - 1
        if room < 0:
            raise ValueError(f"windows of {size} elements do not fit into the shape {shape}")
        counts[axis] = room // step + 1
    return (*counts, *size)


def windows_of(xp: Any) -> Callable[..., Array]:
    def windows(x: Array, *, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Array:
        shape = _windows_shape(x.shape, size, stride, dilation, axes)
        strides = list(x.strides)
        inside = [x.strides[axis] * distance for axis, distance in zip(axes, dilation, strict=True)]
        for axis, step in zip(axes, stride, strict=True):
            strides[axis] *= step
        return xp.lib.stride_tricks.as_strided(x, shape, (*strides, *inside))

    return windows


def fold_of(xp: Any) -> Callable[..., Array]:
    zeros = xp.zeros

    def fold(x: Array, *, sizes: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Array:
        rank = x.ndim - len(axes)
        shape = list(x.shape[:rank])
        for axis, size in zip(axes, sizes, strict=True):
            shape[axis] = size
        if x.shape != _windows_shape(tuple(shape), x.shape[rank:], stride, dilation, axes):
            raise ValueError(f"windows of shape {x.shape} do not fit into the shape {shape}")
        y = zeros(shape, "float32" if halves(x.dtype) else x.dtype)
        cut = [slice(None)] * rank
        for inside in product(*[range(k) for k in x.shape[rank:]]):
            for axis, k, step, distance in zip(axes, inside, stride, dilation, strict=True):
                cut[axis] = slice(k * distance, k * distance + (x.shape[axis] - 1) * step + 1, step)
            y[tuple(cut)] += x[(..., *inside)]
        return y.astype(x.dtype, copy=False)

    return fold
