"""Convolutions as products of matrices, and the windows that slide along axes.

Half precision (float16, bfloat16) is computed in float32 and rounded once. Arrays inside have their channels last; for
``channels_first`` they are views of arrays that have them first, which the functions below avoid to copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

# From so many channels on, a product per element of the window is faster than one product with all windows copied.
_CHANNELS: Final = 8
_SMALL: Final = 16384  # elements of all windows together, up to which calls take longer than products
_BLOCK: Final = 65536  # elements of the result computed at a time, which stay in a core's second-level cache


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``conv``, ``windows`` and ``fold`` on the arrays of ``xp``."""
    return [
        Kernel("conv", _conv(xp), fresh=True),
        Kernel("windows", _windows(xp)),
        Kernel("fold", _fold(xp), fresh=True),
    ]


def _halves(dtype: Any) -> bool:
    return dtype.itemsize == 2 and dtype.kind not in "iu"


def _cut(starts: Shape, steps: Shape, counts: Shape) -> tuple[slice, ...]:
    """The slices that take ``counts`` elements per axis."""
    return tuple([slice(a, a + (n - 1) * s + 1, s) for a, s, n in zip(starts, steps, counts, strict=True)])


def _taps(window: Shape, dilation: Shape) -> Iterator[Shape]:
    """The first position of each element of the window."""
    return product(*[range(0, k * d, d) for k, d in zip(window, dilation, strict=True)])


# --- windows ----------------------------------------------------------------------------------------------------------


def _windows_shape(shape: Shape, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Shape:
    counts = list(shape)
    for axis, k, step, distance in zip(axes, size, stride, dilation, strict=True):
        room = shape[axis] - (k - 1) * distance - 1
        if room < 0:
            raise ValueError(f"windows of {size} elements do not fit into the shape {shape}")
        counts[axis] = room // step + 1
    return (*counts, *size)


def _windows(xp: Any) -> Callable[..., Array]:
    def windows(x: Array, *, size: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Array:
        shape = _windows_shape(x.shape, size, stride, dilation, axes)
        strides = list(x.strides)
        inside = [x.strides[axis] * distance for axis, distance in zip(axes, dilation, strict=True)]
        for axis, step in zip(axes, stride, strict=True):
            strides[axis] *= step
        return xp.lib.stride_tricks.as_strided(x, shape, (*strides, *inside))

    return windows


def _fold(xp: Any) -> Callable[..., Array]:
    zeros = xp.zeros

    def fold(x: Array, *, sizes: Shape, stride: Shape, dilation: Shape, axes: Shape) -> Array:
        rank = x.ndim - len(axes)
        shape = list(x.shape[:rank])
        for axis, size in zip(axes, sizes, strict=True):
            shape[axis] = size
        if x.shape != _windows_shape(tuple(shape), x.shape[rank:], stride, dilation, axes):
            raise ValueError(f"windows of shape {x.shape} do not fit into the shape {shape}")
        y = zeros(shape, "float32" if _halves(x.dtype) else x.dtype)
        cut = [slice(None)] * rank
        for inside in product(*[range(k) for k in x.shape[rank:]]):
            for axis, k, step, distance in zip(axes, inside, stride, dilation, strict=True):
                cut[axis] = slice(k * distance, k * distance + (x.shape[axis] - 1) * step + 1, step)
            y[tuple(cut)] += x[(..., *inside)]
        return y.astype(x.dtype, copy=False)

    return fold


# --- convolution ------------------------------------------------------------------------------------------------------


def _channels_last(data_format: str) -> bool:
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"there is no data format {data_format!r}")
    return data_format == "channels_last"


@lru_cache(maxsize=256)  # a small convolution takes less time
def _output_sizes(
    x: Shape, w: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape, rhs_dilation: Shape, groups: int
) -> Shape:
    """The sizes of the result, for shapes with the channels last."""
    rank = len(x) - 2
    if rank < 1 or len(w) != len(x) or w[-2] * groups != x[-1] or w[-1] % groups or not prod(w[:-2]):
        raise ValueError(f"weights of shape {w} do not fit the shape {x} in {groups} groups")
    sizes = []
    for n, k, s, pair, d, r in zip(x[1:-1], w[:-2], stride, padding, lhs_dilation, rhs_dilation, strict=True):
        total = ((n - 1) * d + 1 if n else 0) + sum(pair)
        sizes.append(max((total - (k - 1) * r - 1) // s + 1, 0))
    return tuple(sizes)


def _conv(xp: Any) -> Callable[..., Array]:
    def conv(
        x: Array,
        w: Array,
        *,
        stride: Shape,
        padding: Pairs,
        lhs_dilation: Shape,
        rhs_dilation: Shape,
        groups: int,
        data_format: str,
    ) -> Array:
        last, dtype = _channels_last(data_format), x.dtype
        if not last:
            x = xp.moveaxis(x, 1, -1)
        sizes = _output_sizes(x.shape, w.shape, stride, padding, lhs_dilation, rhs_dilation, groups)
        if not (x.size and w.size and prod(sizes)):
            y = _blank(xp, (x.shape[0],), sizes, w.shape[-1], dtype, last)
            return y if last else xp.moveaxis(y, -1, 1)
        if _halves(dtype):
            x, w = x.astype("float32"), w.astype("float32")
        if max(lhs_dilation) > 1 and max(stride) == max(rhs_dilation) == 1:
            y = _phases(xp, x, w, padding, lhs_dilation, sizes, groups, last)
        else:
            x = _padded(xp, x, padding, lhs_dilation, last)
            y = _grouped(xp, x, w, stride, rhs_dilation, sizes, groups, last)
        return (y if last else xp.moveaxis(y, -1, 1)).astype(dtype, copy=False)

    return conv


def _blank(xp: Any, start: Shape, sizes: Shape, channels: int, dtype: Any, last: bool) -> Array:
    """Zeros with the channels last, or with a view of their memory that has."""
    y = xp.zeros((*start, *sizes, channels) if last else (*start, channels, *sizes), dtype)
    return y if last else xp.moveaxis(y, 1, -1)


def _padded(xp: Any, x: Array, padding: Pairs, dilation: Shape, last: bool) -> Array:
    sizes, target, source = _placement(x.shape, padding, dilation)
    if not target:
        return x
    y = _blank(xp, (x.shape[0],), sizes, x.shape[-1], x.dtype, last)
    if all([part.stop > part.start for part in source[1:]]):
        y[target] = x[source]
    return y


@lru_cache(maxsize=256)
def _placement(shape: Shape, padding: Pairs, dilation: Shape) -> tuple[Shape, tuple[slice, ...], tuple[slice, ...]]:
    """The sizes of a padded array, where elements go to, and which; both are empty if nothing changes."""
    sizes = [(n - 1) * d + 1 + sum(pair) for n, d, pair in zip(shape[1:-1], dilation, padding, strict=True)]
    if tuple(sizes) == shape[1:-1] and not any(before for before, _ in padding):
        return tuple(sizes), (), ()
    source, target = [slice(None)], [slice(None)]
    for n, size, (before, _), d in zip(shape[1:-1], sizes, padding, dilation, strict=True):
        first = max(0, -(before // d))  # elements before it are cut off
        stop = max(first, min(n, -((before - size) // d)))
        source.append(slice(first, stop))
        target.append(slice(before + first * d, max(before + (stop - 1) * d + 1, 0), d))
    return tuple(sizes), tuple(target), tuple(source)


def _phases(
    xp: Any, x: Array, w: Array, padding: Pairs, dilation: Shape, sizes: Shape, groups: int, last: bool
) -> Array:
    """A transposed convolution with strides: a small convolution per phase, which multiplies no inserted zeros."""
    y = _blank(xp, (x.shape[0],), sizes, w.shape[-1], x.dtype, last)
    ones = (1,) * len(sizes)
    for phase in product(*[range(d) for d in dilation]):
        taps, pairs = [], []
        counts = tuple([len(range(r, n, d)) for r, n, d in zip(phase, sizes, dilation, strict=True)])
        for r, d, (before, _), n, k, count in zip(
            phase, dilation, padding, x.shape[1:-1], w.shape, counts, strict=False
        ):
            first = (before - r) % d
            lead = (before - r - first) // d
            taps.append(slice(first, None, d))
            pairs.append((lead, count - n - lead + len(range(first, k, d)) - 1))
        part = w[tuple(taps)]
        if part.size and all(counts):
            inside = (slice(None), *[slice(r, None, d) for r, d in zip(phase, dilation, strict=True)])
            y[inside] = _grouped(xp, _padded(xp, x, tuple(pairs), ones, last), part, ones, ones, counts, groups, last)
    return y


def _grouped(
    xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, groups: int, last: bool
) -> Array:
    if groups == 1:
        return _single(xp, x, w, stride, dilation, sizes, last)
    rows, columns = w.shape[-2], w.shape[-1] // groups
    if rows == 1:
        return _depthwise(xp, x, w.reshape(*w.shape[:-2], w.shape[-1]), stride, dilation, sizes, columns)
    if x.shape[0] == 1 and columns == 1 and prod(sizes) <= prod(w.shape[:-2]):
        return _depthwise_weights(xp, x, w, stride, dilation, sizes)
    parts = []
    for k in range(groups):
        part, of_w = x[..., k * rows : (k + 1) * rows], w[..., k * columns : (k + 1) * columns]
        parts.append(_single(xp, part, of_w, stride, dilation, sizes, last))
    return xp.concatenate(parts, -1)


def _depthwise(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, columns: int) -> Array:
    """Products of elements, for groups of one channel."""
    if columns > 1:
        x = x.repeat(columns, -1)
    if len(x) * prod(sizes) * w.size <= _SMALL:
        products = _sliding(xp, x, w.shape[:-1], stride, dilation, sizes) * w
        return xp.add.reduce(products, tuple(range(len(sizes) + 1, products.ndim - 1)))
    y = None
    for tap, factors in zip(_taps(w.shape[:-1], dilation), w.reshape(-1, w.shape[-1]), strict=True):
        part = x[(slice(None), *_cut(tap, stride, sizes))] * factors
        y = part if y is None else xp.add(y, part, out=y)
    return y


def _depthwise_weights(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """Sums over the whole window for a batch of one: the gradient of a depthwise convolution's weights."""
    *window, rows, groups = w.shape
    x = x.reshape(*x.shape[1:-1], groups, rows)
    inside = list(range(len(window)))
    row, group = len(window), len(window) + 1
    parts = [
        xp.einsum(x[_cut(start, dilation, tuple(window))], [*inside, group, row], w, [*inside, row, group], [group])
        for start in product(*[range(0, n * s, s) for n, s in zip(sizes, stride, strict=True)])
    ]
    return xp.stack(parts).reshape(1, *sizes, groups)


def _single(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    window = w.shape[:-2]
    if len(x) * prod(sizes) * prod(w.shape[:-1]) <= _SMALL:
        return _by_windows(xp, x, w, stride, dilation, sizes)
    if prod(sizes) < prod(window):
        return _by_position(xp, x, w, stride, dilation, sizes)
    if prod(window) > 1 and w.shape[-2] < _CHANNELS:
        return _by_image(xp, x, w, stride, dilation, sizes, last)
    by_tap = _by_shift if max(stride) == 1 else _by_slice
    return by_tap(xp, x, w, stride, dilation, sizes, last)


def _sliding(xp: Any, x: Array, window: Shape, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """The windows as a view [batch, *sizes, *window, channels]."""
    batch, *steps, channel = x.strides
    starts = [step * distance for step, distance in zip(steps, stride, strict=True)]
    inside = [step * distance for step, distance in zip(steps, dilation, strict=True)]
    shape = (len(x), *sizes, *window, x.shape[-1])
    return xp.lib.stride_tricks.as_strided(x, shape, (batch, *starts, *inside, channel))


def _by_windows(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """One product with all windows, copied into a matrix."""
    matrix = w.reshape(-1, w.shape[-1])
    windows = _sliding(xp, x, w.shape[:-2], stride, dilation, sizes).reshape(-1, len(matrix))
    return windows.dot(matrix).reshape(len(x), *sizes, w.shape[-1])


def _by_position(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """One product per position of the window, which is longer than the result, as in gradients of weights."""
    # The products run over the axes in the order of memory, so that w is not copied, and x in long pieces.
    order = sorted(range(w.ndim - 1), key=lambda axis: -abs(w.strides[axis]))
    matrix = w.transpose(*order, -1).reshape(-1, w.shape[-1])
    inside = [axis + 1 for axis in order]
    batch_inside = abs(x.strides[0]) <= min(abs(step) for step in x.strides)
    parts = []
    for start in product(*[range(0, n * s, s) for n, s in zip(sizes, stride, strict=True)]):
        part = x[(slice(None), *_cut(start, dilation, w.shape[:-2]))]
        if batch_inside:
            parts.append(part.transpose(*inside, 0).reshape(-1, x.shape[0]).T.dot(matrix))
        else:
            parts.append(part.transpose(0, *inside).reshape(x.shape[0], -1).dot(matrix))
    return xp.stack(parts, 1).reshape(x.shape[0], *sizes, w.shape[-1])


def _by_image(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    """One product per image, with all of its windows copied into a matrix."""
    *window, rows, columns = w.shape
    matrix = xp.ascontiguousarray(xp.moveaxis(w, -2, 0).reshape(-1, columns))
    x = xp.moveaxis(x, -1, 1)
    steps = x.strides[2:]
    strides = [x.strides[1], *[a * b for a, b in zip(steps, dilation, strict=True)]]
    strides += [a * b for a, b in zip(steps, stride, strict=True)]
    buffer = xp.empty((rows, *window, *sizes), x.dtype)
    columns_of_windows = buffer.reshape(len(matrix), -1)
    y = xp.empty((len(x), *sizes, columns) if last else (len(x), columns, *sizes), x.dtype)
    for image, result in zip(x, y, strict=True):
        buffer[...] = xp.lib.stride_tricks.as_strided(image, buffer.shape, strides)
        if last:
            xp.dot(columns_of_windows.T, matrix, out=result.reshape(-1, columns))
        else:
            xp.dot(matrix.T, columns_of_windows, out=result.reshape(columns, -1))
    return y if last else xp.moveaxis(y, 1, -1)


def _by_shift(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    """One product per element of the window, with all rows of x, shifted. Nothing is copied.

    The sums are also computed where the window runs over the end of a row; those are left out of the result.
    """
    rows, columns = w.shape[-2:]
    whole = x.shape[1:-1]
    x = xp.ascontiguousarray(x if last else xp.moveaxis(x, -1, 1))
    row_steps = [prod(whole[axis + 1 :]) for axis in range(len(whole))]
    offsets = [sum(a * b for a, b in zip(tap, row_steps, strict=True)) for tap in _taps(w.shape[:-2], dilation)]
    matrices = xp.ascontiguousarray(w.reshape(-1, rows, columns))
    step = max(1, _BLOCK // (prod(whole) * max(rows, columns))) if last else 1
    y = xp.empty((len(x), *sizes, columns) if last else (len(x), columns, *sizes), x.dtype)
    for k in range(0, len(x), step):
        images, result = x[k : k + step], y[k : k + step]
        flat = images.reshape(-1, rows) if last else images.reshape(rows, -1)
        count = flat.shape[0 if last else 1] - offsets[-1]
        total = None
        for offset, matrix in zip(offsets, matrices, strict=True):
            shifted = slice(offset, offset + count)
            part = flat[shifted].dot(matrix) if last else matrix.T.dot(flat[:, shifted])
            total = part if total is None else xp.add(total, part, out=total)
        result[...] = _unflattened(xp, total, result.shape, [prod(whole), *row_steps], last)
    return y if last else xp.moveaxis(y, 1, -1)


def _unflattened(xp: Any, total: Array, shape: Shape, steps: list[int], last: bool) -> Array:
    size = total.itemsize
    if last:
        strides = [*[step * shape[-1] * size for step in steps], size]
    else:
        strides = [0, total.shape[1] * size, *[step * size for step in steps[1:]]]
    return xp.lib.stride_tricks.as_strided(total, shape, strides)


def _by_slice(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    """One product per element of the window, with the elements of x that it meets copied."""
    rows, columns = w.shape[-2:]
    matrices = xp.ascontiguousarray(w.reshape(-1, rows, columns))
    y = xp.empty((len(x), *sizes, columns) if last else (len(x), columns, *sizes), x.dtype)
    step = max(1, _BLOCK // (prod(sizes) * max(rows, columns))) if last else 1
    for k in range(0, len(x), step):
        total: Any = None
        for tap, matrix in zip(_taps(w.shape[:-2], dilation), matrices, strict=True):
            met = x[(slice(k, k + step), *_cut(tap, stride, sizes))]
            if last:
                part = met.reshape(-1, rows).dot(matrix)
            else:
                part = matrix.T.dot(xp.moveaxis(met[0], -1, 0).reshape(rows, -1))
            total = part if total is None else xp.add(total, part, out=total)
        y[k : k + step] = total.reshape(y[k : k + step].shape)
    return y if last else xp.moveaxis(y, 1, -1)
