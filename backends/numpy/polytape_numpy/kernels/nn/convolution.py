"""Convolutions as products of matrices, and the windows that slide along axes.

Half precision (float16, bfloat16) is computed in float32 and rounded once. Arrays inside have their channels last; for
``channels_first`` they are views of arrays that have them first, which the functions below avoid to copy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final

from polytape.backend import Kernel

from .depthwise import depthwise, depthwise_weights
from .sliding import CHANNELS, as_matrix, cut, fold_of, halves, sliding, taps, to_first, to_last, windows_of

__all__ = ["MATRIX", "WINDOWS", "kernels", "padded"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

# Elements of all windows of a few images, which stay in the cache: one product with them is faster than one per tap.
WINDOWS: Final = 1 << 18
# With channels first, that product is always faster, but its matrix has this many elements at most.
MATRIX: Final = 4_194_304
_SMALL: Final = 16384  # elements of all windows together, up to which calls take longer than products
_BLOCK: Final = 65536  # elements of the result computed at a time, which stay in a core's second-level cache


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``conv``, ``windows`` and ``fold`` on the arrays of ``xp``."""
    return [
        Kernel("conv", _conv(xp), fresh=True),
        Kernel("windows", windows_of(xp)),
        Kernel("fold", fold_of(xp), fresh=True),
    ]


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
            x = to_last(x)
        sizes = _output_sizes(x.shape, w.shape, stride, padding, lhs_dilation, rhs_dilation, groups)
        if not (x.size and w.size and prod(sizes)):
            y = _blank(xp, (x.shape[0],), sizes, w.shape[-1], dtype, last)
            return y if last else to_first(y)
        if halves(dtype):
            x, w = x.astype("float32"), w.astype("float32")
        if max(lhs_dilation) > 1 and max(stride) == max(rhs_dilation) == 1:
            y = _phases(xp, x, w, padding, lhs_dilation, sizes, groups, last)
        else:
            x = padded(xp, x, padding, lhs_dilation, last)
            y = _grouped(xp, x, w, stride, rhs_dilation, sizes, groups, last)
        return (y if last else to_first(y)).astype(dtype, copy=False)

    return conv


def _blank(xp: Any, start: Shape, sizes: Shape, channels: int, dtype: Any, last: bool) -> Array:
    """Zeros with the channels last, or with a view of their memory that has."""
    y = xp.zeros((*start, *sizes, channels) if last else (*start, channels, *sizes), dtype)
    return y if last else to_last(y)


def padded(xp: Any, x: Array, padding: Pairs, dilation: Shape, last: bool) -> Array:
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
            y[inside] = _grouped(xp, padded(xp, x, tuple(pairs), ones, last), part, ones, ones, counts, groups, last)
    return y


def _grouped(
    xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, groups: int, last: bool
) -> Array:
    if groups == 1:
        return _single(xp, x, w, stride, dilation, sizes, last)
    rows, columns = w.shape[-2], w.shape[-1] // groups
    if rows == 1:
        return depthwise(xp, x, w.reshape(*w.shape[:-2], w.shape[-1]), stride, dilation, sizes, columns, last)
    if x.shape[0] == 1 and columns == 1 and prod(sizes) <= prod(w.shape[:-2]):
        return depthwise_weights(xp, x, w, stride, dilation, sizes)
    parts = []
    for k in range(groups):
        part, of_w = x[..., k * rows : (k + 1) * rows], w[..., k * columns : (k + 1) * columns]
        parts.append(_single(xp, part, of_w, stride, dilation, sizes, last))
    return xp.concatenate(parts, -1)


def _single(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    window = w.shape[:-2]
    per_image = prod(sizes) * prod(w.shape[:-1])  # elements of all windows
    many = w.shape[-2] >= CHANNELS
    if len(x) * per_image <= (_SMALL if many or not last else _BLOCK):
        return _by_windows(xp, x, w, stride, dilation, sizes)
    if prod(sizes) < prod(window):
        return _by_position(xp, x, w, stride, dilation, sizes)
    if many and per_image <= WINDOWS and (last or prod(window) > 1):
        return _by_windows(xp, x, w, stride, dilation, sizes)
    if prod(window) > 1 and (not many or (not last and per_image <= MATRIX)):
        return _by_image(xp, x, w, stride, dilation, sizes, last)
    by_tap = _by_shift if max(stride) == 1 else _by_slice
    return by_tap(xp, x, w, stride, dilation, sizes, last)


def _by_windows(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """One product with all windows, or with those of a few images, copied into a matrix."""
    matrix = w.reshape(-1, w.shape[-1])
    x = xp.ascontiguousarray(x)  # NumPy copies windows whose channels are far apart one element at a time
    windows = sliding(xp, x, w.shape[:-2], stride, dilation, sizes)
    step = max(1, WINDOWS // (prod(sizes) * len(matrix)))
    if len(x) <= step:
        return as_matrix(windows).dot(matrix).reshape(len(x), *sizes, w.shape[-1])
    y = xp.empty((len(x), *sizes, w.shape[-1]), x.dtype)
    for start in range(0, len(x), step):
        part = y[start : start + step]
        part[...] = as_matrix(windows[start : start + step]).dot(matrix).reshape(part.shape)
    return y


def _by_position(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape) -> Array:
    """One product per position of the window, which is longer than the result, as in gradients of weights."""
    # The products run over the axes in the order of memory, so that w is not copied, and x in long pieces.
    order = sorted(range(w.ndim - 1), key=lambda axis: -abs(w.strides[axis]))
    matrix = w.transpose(*order, -1).reshape(-1, w.shape[-1])
    inside = [axis + 1 for axis in order]
    batch_inside = abs(x.strides[0]) <= min(abs(step) for step in x.strides)
    parts = []
    for start in product(*[range(0, n * s, s) for n, s in zip(sizes, stride, strict=True)]):
        part = x[(slice(None), *cut(start, dilation, w.shape[:-2]))]
        if batch_inside:
            parts.append(part.transpose(*inside, 0).reshape(-1, x.shape[0]).T.dot(matrix))
        else:
            parts.append(part.transpose(0, *inside).reshape(x.shape[0], -1).dot(matrix))
    return xp.stack(parts, 1).reshape(x.shape[0], *sizes, w.shape[-1])


def _by_image(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    """One product per image, or per few small ones, with all of their windows copied into a matrix."""
    *window, rows, columns = w.shape
    matrix = xp.ascontiguousarray(xp.moveaxis(w, -2, 0).reshape(-1, columns))
    x = to_first(x)
    strides = [x.strides[1], *[a * b for a, b in zip(x.strides[2:], dilation, strict=True)]]
    strides += [x.strides[0], *[a * b for a, b in zip(x.strides[2:], stride, strict=True)]]
    largest = prod(sizes) * (len(matrix) if last else 2 * max(len(matrix), columns))
    step = min(len(x), max(1, _BLOCK // largest))
    buffer = xp.empty((rows, *window, step, *sizes), x.dtype)
    y = xp.empty((len(x), *sizes, columns) if last else (len(x), columns, *sizes), x.dtype)
    for start in range(0, len(x), step):
        images, result = x[start : start + step], y[start : start + step]
        count = len(images)
        windows = buffer if count == step else xp.empty((rows, *window, count, *sizes), x.dtype)
        windows[...] = xp.lib.stride_tricks.as_strided(images, windows.shape, strides)
        matrix_of_windows = windows.reshape(len(matrix), -1)
        if last:
            xp.dot(matrix_of_windows.T, matrix, out=result.reshape(-1, columns))
        elif count == 1:
            xp.dot(matrix.T, matrix_of_windows, out=result.reshape(columns, -1))
        else:
            result[...] = xp.moveaxis(matrix.T.dot(matrix_of_windows).reshape(columns, count, *sizes), 0, 1)
    return y if last else to_last(y)


def _by_shift(xp: Any, x: Array, w: Array, stride: Shape, dilation: Shape, sizes: Shape, last: bool) -> Array:
    """One product per element of the window, with all rows of x, shifted. Nothing is copied.

    The sums are also computed where the window runs over the end of a row; those are left out of the result.
    """
    rows, columns = w.shape[-2:]
    whole = x.shape[1:-1]
    x = xp.ascontiguousarray(x if last else to_first(x))
    row_steps = [prod(whole[axis + 1 :]) for axis in range(len(whole))]
    offsets = [sum(a * b for a, b in zip(tap, row_steps, strict=True)) for tap in taps(w.shape[:-2], dilation)]
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
    return y if last else to_last(y)


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
        for tap, matrix in zip(taps(w.shape[:-2], dilation), matrices, strict=True):
            met = x[(slice(k, k + step), *cut(tap, stride, sizes))]
            if last:
                part = met.reshape(-1, rows).dot(matrix)
            else:
                part = matrix.T.dot(xp.moveaxis(met[0], -1, 0).reshape(rows, -1))
            total = part if total is None else xp.add(total, part, out=total)
        y[k : k + step] = total.reshape(y[k : k + step].shape)
    return y if last else to_last(y)
