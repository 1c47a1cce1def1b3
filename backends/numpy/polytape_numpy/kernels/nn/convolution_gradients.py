"""The gradient of a convolution's weights: products of the convolution's windows with the incoming gradient.

Where the windows would take too much memory, it is a convolution whose windows are the incoming gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from polytape.backend import Kernel

from .convolution import MATRIX, WINDOWS, kernels as convolutions, padded
from .sliding import as_matrix, halves, sliding

__all__ = ["kernels"]

Array = Any
Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``conv_weight_gradient`` on the arrays of ``xp``."""
    conv = {kernel.op: kernel.fn for kernel in convolutions(xp)}["conv"]

    def conv_weight_gradient(
        incoming: Array,
        x: Array,
        *,
        window: Shape,
        stride: Shape,
        padding: Pairs,
        lhs_dilation: Shape,
        rhs_dilation: Shape,
        groups: int,
        data_format: str,
    ) -> Array:
        rank = len(window)
        channel = rank + 1 if data_format == "channels_last" else 1
        _check(incoming, x, window, stride, padding, lhs_dilation, rhs_dilation, groups, data_format)
        g, x = [xp.moveaxis(t, channel, -1) for t in (incoming, x)]
        shape = (*window, x.shape[-1] // groups, g.shape[-1])
        if not (g.size and x.size):
            return xp.zeros(shape, x.dtype)
        if groups == 1 and max(lhs_dilation) == 1 and prod(g.shape[2:-1]) * prod(shape[:-1]) <= MATRIX:
            dtype = "float32" if halves(x.dtype) else x.dtype
            wide_g, wide_x = [t.astype(dtype, copy=False) for t in (g, x)]
            return _by_windows(xp, wide_g, wide_x, window, stride, padding, rhs_dilation).astype(x.dtype, copy=False)
        pairs = tuple(
            [
                (before, (k - 1) * r + (m - 1) * s + 1 - ((n - 1) * d + 1) - before)
                for n, k, m, s, (before, _), d, r in zip(
                    x.shape[1:-1], window, g.shape[1:-1], stride, padding, lhs_dilation, rhs_dilation, strict=True
                )
            ]
        )
        x = x.conj() if x.dtype.kind == "c" else x
        inside = tuple(range(1, rank + 1))
        if groups == 1:
            x = x.transpose(rank + 1, *inside, 0)
        else:
            x = x.reshape(*x.shape[:-1], groups, -1).transpose(rank + 2, *inside, rank + 1, 0)
            x = x.reshape(*x.shape[:-2], -1)
        y = conv(
            x, g.transpose(*inside, 0, rank + 1), stride=rhs_dilation, padding=pairs, lhs_dilation=lhs_dilation,
            rhs_dilation=stride, groups=groups, data_format="channels_last",
        )  # fmt: skip
        return y.transpose(*inside, 0, rank + 1)

    return [Kernel("conv_weight_gradient", conv_weight_gradient, fresh=True)]


def _by_windows(xp: Any, g: Array, x: Array, window: Shape, stride: Shape, padding: Pairs, dilation: Shape) -> Array:
    """The product of all windows with the incoming gradient, for a few images or lines at a time."""
    x = x.conj() if x.dtype.kind == "c" else x
    x = xp.ascontiguousarray(padded(xp, x, padding, (1,) * len(window), True))
    sizes, rows, columns = g.shape[1:-1], prod(window) * x.shape[-1], g.shape[-1]
    windows = sliding(xp, x, window, stride, dilation, sizes)
    total: Any = None
    for block in _blocks(len(x), sizes[0], prod(sizes[1:]) * rows):
        result = as_matrix(windows[block]).T.dot(g[block].reshape(-1, columns))
        total = result if total is None else xp.add(total, result, out=total)
    return total.reshape(*window, x.shape[-1], columns)


def _blocks(images: int, lines: int, per_line: int) -> Iterator[tuple[slice, slice]]:
    """The blocks of the images and their lines whose windows have at most WINDOWS elements, or else one line."""
    step, part = max(1, WINDOWS // (per_line * lines)), max(1, WINDOWS // per_line)
    for image in range(0, images, step):
        for line in range(0, lines, part):
            yield slice(image, image + step), slice(line, line + part)


def _check(
    incoming: Array, x: Array, window: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape, rhs_dilation: Shape,
    groups: int, data_format: str,
) -> None:  # fmt: skip
    """Raise an error unless the incoming gradient is that of such a convolution."""
    last = data_format == "channels_last"
    if not last and data_format != "channels_first":
        raise ValueError(f"there is no data format {data_format!r}")
    channel = -1 if last else 1
    sizes = x.shape[1:-1] if last else x.shape[2:]
    expected = [
        max(((n - 1) * d + 1 if n else 0) + sum(pair) - (k - 1) * r - 1, -s) // s + 1
        for n, k, s, pair, d, r in zip(sizes, window, stride, padding, lhs_dilation, rhs_dilation, strict=True)
    ]
    fits = groups > 0 and not (x.shape[channel] % groups or incoming.shape[channel] % groups) and 0 not in window
    found = incoming.shape[1:-1] if last else incoming.shape[2:]
    if not fits or incoming.shape[0] != x.shape[0] or found != tuple(expected):
        raise ValueError(f"a gradient of shape {incoming.shape} does not fit the shape {x.shape}")
