"""The gradients of normalizations with a weight; half precision is computed in float32 and rounded once.

Rows of a contiguous array are taken in blocks that stay in the cache with all intermediate results.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..quiet import error_state
from ..rows import LONG, column, ones
from ..summing import add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...]
Three = tuple[Array, Array, Array]

_BLOCK: Final = 32768  # elements of a block of rows, 128 KiB of float32


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the gradients on the arrays of ``xp``."""
    layer, batch, state = _layer(xp), _batch(xp), error_state(xp)

    def layer_norm_gradients(
        incoming: Array, x: Array, weight: Array, *, axis: Axis = -1, epsilon: float = 1e-5
    ) -> Three:
        if state(None) is None:
            return layer(incoming, x, weight, axis, epsilon)
        with xp.errstate(under="ignore"):
            return layer(incoming, x, weight, axis, epsilon)

    def batch_norm_gradient(
        incoming: Array, x: Array, weight: Array | None = None, *, axis: int = -1, epsilon: float = 1e-3
    ) -> Three:
        if state(None) is None:
            return batch(incoming, x, weight, axis, epsilon)
        with xp.errstate(under="ignore"):
            return batch(incoming, x, weight, axis, epsilon)

    return [
        Kernel("layer_norm_gradients", layer_norm_gradients, fresh=True),
        Kernel("batch_norm_gradient", batch_norm_gradient, fresh=True),
    ]


def _wide(x: Array) -> Array:
    return x.astype("float32") if x.dtype.itemsize == 2 else x


def _check(incoming: Array, x: Array) -> None:
    if incoming.shape != x.shape:
        raise ValueError(f"a gradient of shape {incoming.shape} does not match operands of shape {x.shape}")


def _rounded(dtype: Any, dx: Array, dw: Array, db: Array) -> Three:
    return dx.astype(dtype, copy=False), dw.astype(dtype, copy=False), db.astype(dtype, copy=False)


def _by_rows(xp: Any) -> Callable[..., Three]:
    """The gradients for rows and one weight per element of a row, a block of rows at a time."""
    sqrt, divide, empty = xp.sqrt, xp.divide, xp.empty

    def by_rows(g: Array, x: Array, weight: Array, epsilon: float) -> Three:
        rows, n = x.shape
        dx, dw, db = empty(x.shape, x.dtype), 0.0, 0.0
        to_mean, step = column(n, x.dtype.char, n), max(1, _BLOCK // n)
        for start in range(0, rows, step):
            part, block = g[start : start + step], x[start : start + step]
            total = ones(len(part), x.dtype.char)
            y = block - block.dot(to_mean)
            spread = sqrt((y * y).dot(to_mean) + epsilon)
            y /= spread
            dw = dw + total.dot(part * y).astype("float64")
            db = db + total.dot(part).astype("float64")
            scaled = part * weight
            y *= (scaled * y).dot(to_mean)
            y += scaled.dot(to_mean)
            scaled -= y
            divide(scaled, spread, out=dx[start : start + step])
        return dx, dw, db

    return by_rows


def _over_axes(xp: Any) -> Callable[..., Three]:
    """The gradients for any axes, and a weight that is broadcast."""
    reduce, sqrt = add_reduce(xp), xp.sqrt

    def over_axes(g: Array, x: Array, weight: Array, axes: tuple[int, ...], epsilon: float) -> Three:
        n = prod([x.shape[k] for k in axes])
        lead = x.ndim - weight.ndim
        repeated = (*range(lead), *[k for k in range(lead, x.ndim) if weight.shape[k - lead] != x.shape[k]])
        y = x - reduce(x, axes, None, None, True) / n
        spread = sqrt(reduce(y * y, axes, None, None, True) / n + epsilon)
        y /= spread
        dw, db = (reduce(terms, repeated) if repeated else terms.copy() for terms in (g * y, g))
        scaled = g * weight
        y *= reduce(scaled * y, axes, None, None, True) / n
        y += reduce(scaled, axes, None, None, True) / n
        return (scaled - y) / spread, dw.reshape(weight.shape), db.reshape(weight.shape)

    return over_axes


def _layer(xp: Any) -> Callable[..., Three]:
    by_rows, over_axes, fast = _by_rows(xp), _over_axes(xp), xp.__name__ == "numpy"

    def layer(incoming: Array, x: Array, weight: Array, axis: Axis, epsilon: float) -> Three:
        _check(incoming, x)
        rank, dtype = x.ndim, x.dtype
        axes = tuple(range(rank)[k] for k in (axis if isinstance(axis, tuple) else (axis,)))
        if len(set(axes)) < len(axes) or np.broadcast_shapes(x.shape, weight.shape) != x.shape:
            raise ValueError(f"axis {axis} and a weight of shape {weight.shape} do not fit the shape {x.shape}")
        if not x.size:
            none = xp.zeros(weight.shape, dtype)
            return incoming.copy(), none, none.copy()
        g, wide, scale = _wide(incoming), _wide(x), _wide(weight)
        n = x.shape[-1] if rank else 0
        is_rows = fast and axes == (rank - 1,) and n <= LONG and scale.shape == (n,)
        if is_rows and g.flags.c_contiguous and wide.flags.c_contiguous:
            dx, dw, db = by_rows(g.reshape(-1, n), wide.reshape(-1, n), scale, epsilon)
            return _rounded(dtype, dx.reshape(x.shape), dw, db)
        return _rounded(dtype, *over_axes(g, wide, scale, axes, epsilon))

    return layer


def _batch(xp: Any) -> Callable[..., Three]:
    reduce, sqrt = add_reduce(xp), xp.sqrt

    def batch(incoming: Array, x: Array, weight: Array | None, axis: int, epsilon: float) -> Three:
        _check(incoming, x)
        rank = x.ndim
        channels = range(rank)[axis]
        if not x.size or (weight is not None and weight.shape != (x.shape[channels],)):
            raise ValueError(f"a batch of shape {x.shape} does not fit the channels of its weight")
        axes = tuple([k for k in range(rank) if k != channels])
        n, per_channel = x.size // x.shape[channels], (-1, *(1,) * (rank - 1 - channels))
        g, wide = _wide(incoming), _wide(x)
        y = wide - reduce(wide, axes, None, None, True) / n
        factor = 1 / sqrt(reduce(y * y, axes, None, None, True) / n + epsilon)
        y *= factor
        total, products = reduce(g, axes, None, None, True), reduce(g * y, axes, None, None, True)
        y *= products / n
        y += total / n
        if weight is not None:
            factor = factor * weight.reshape(per_channel).astype(g.dtype, copy=False)
        dx = g - y
        dx *= factor
        dtype = x.dtype if weight is None else weight.dtype
        sums = [a.reshape(-1).astype(dtype, copy=False) for a in (products, total)]
        return dx.astype(x.dtype, copy=False), sums[0], sums[1]

    return batch
