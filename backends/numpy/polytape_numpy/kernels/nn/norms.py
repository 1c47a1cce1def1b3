"""Normalizations and their gradients; half precision is computed in float32 and rounded once.

Along the last axis of a contiguous array, NumPy works in blocks of rows that stay in the cache, and sums by products
with ones, which take a third of the time of a reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

from polytape.backend import Kernel

from ..quiet import error_state
from ..rows import LONG, beside_row, by_rows, column
from ..summing import add_reduce

__all__ = ["kernels"]

Array = Any
Axis = int | tuple[int, ...]
# A function of arrays, one per operand, and of the means of an array along the normalized axes.
Formula = Callable[..., Array]


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the normalizations on the arrays of ``xp``."""
    layer, layer_back = _layer(xp), _layer_back(xp)
    rms, rms_back = _rms(xp), _rms_back(xp)
    applied_layer, applied_rms = _applied(xp, layer), _applied(xp, rms)
    applied_layer_back, applied_rms_back = _applied(xp, layer_back), _applied(xp, rms_back)

    def layer_norm(
        x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-5
    ) -> Array:
        return applied_layer([x], [weight, bias], axis, epsilon)

    def layer_norm_gradient(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-5) -> Array:
        return applied_layer_back([incoming, x], [], axis, epsilon)

    def rms_norm(x: Array, weight: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-6) -> Array:
        return applied_rms([x], [weight], axis, epsilon)

    def rms_norm_gradient(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-6) -> Array:
        return applied_rms_back([incoming, x], [], axis, epsilon)

    return [
        Kernel("layer_norm", layer_norm, fresh=True),
        Kernel("layer_norm_gradient", layer_norm_gradient, fresh=True),
        Kernel("rms_norm", rms_norm, fresh=True),
        Kernel("rms_norm_gradient", rms_norm_gradient, fresh=True),
        Kernel("batch_norm", _batch_norm(xp), fresh=True),
    ]


def _applied(xp: Any, formula: Formula) -> Callable[..., Array]:
    """The kernel of a formula, which takes operands of one shape, the weight and bias, the axes and epsilon."""
    reduce, state, fast = add_reduce(xp), error_state(xp), xp.__name__ == "numpy"

    def write(epsilon: float, *rows: Array) -> None:
        rows[-1][...] = formula(*rows[:-1], _means_of_rows, epsilon)

    def compute(operands: list[Array], axes: tuple[int, ...], epsilon: float) -> Array:
        x = operands[-1]
        if fast and x.ndim == 2 and axes == (1,) and 0 < x.shape[1] <= LONG and x.size <= LONG:
            return formula(*operands, _means_of_rows, epsilon)
        n = prod(x.shape[k] for k in axes)
        last = axes == tuple(range(x.ndim - len(axes), x.ndim))
        if fast and last and 0 < n <= LONG and all(operand.flags.c_contiguous for operand in operands):
            rows = [operand.reshape(-1, n) for operand in operands]
            if x.size <= LONG:
                return formula(*rows, _means_of_rows, epsilon).reshape(x.shape)
            return by_rows(partial(write, epsilon), *rows).reshape(x.shape)

        def means_of(a: Array, b: Array | None = None) -> Array:
            return reduce(a if b is None else a * b, axes, None, None, True) / n

        return formula(*operands, means_of, epsilon)

    def scaled(operands: list[Array], scales: list[Array | None], axis: Axis, epsilon: float) -> Array:
        x = operands[-1]
        axes, dtype = _axes(axis, x.ndim), x.dtype
        if operands[0].shape != x.shape:
            raise ValueError(f"a gradient of shape {operands[0].shape} does not match operands of shape {x.shape}")
        if dtype.itemsize == 2:
            operands = [operand.astype("float32") for operand in operands]
        y = compute(operands, axes, epsilon) if x.size else operands[-1].copy()
        if scales and scales[0] is not None:
            y *= scales[0]  # an operand that would enlarge the result raises an error
        if len(scales) > 1 and scales[1] is not None:
            y += scales[1]
        return y if y.dtype == dtype else y.astype(dtype)

    def kernel(operands: list[Array], scales: list[Array | None], axis: Axis, epsilon: float) -> Array:
        if state(None) is None:
            return scaled(operands, scales, axis, epsilon)
        with xp.errstate(under="ignore"):
            return scaled(operands, scales, axis, epsilon)

    return kernel


def _axes(axis: Axis, rank: int) -> tuple[int, ...]:
    if type(axis) is int and -rank <= axis < rank:
        return (axis % rank,)
    axes = sorted(k + rank if k < 0 else k for k in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(axes)) < len(axes) or (axes and not 0 <= axes[0] <= axes[-1] < rank):
        raise ValueError(f"axis {axis} is not valid for an array of rank {rank}")
    return tuple(axes)


def _means_of_rows(a: Array, b: Array | None = None) -> Array:
    """The mean of each row, or of the products of two rows."""
    products = a if b is None else a * b
    return products.dot(column(a.shape[1], a.dtype.char, a.shape[1]))


def _layer(xp: Any) -> Formula:
    sqrt = xp.sqrt

    def layer(x: Array, means_of: Formula, epsilon: float) -> Array:
        d = x - means_of(x)
        d /= sqrt(means_of(d, d) + epsilon)
        return d

    return layer


def _layer_back(xp: Any) -> Formula:
    sqrt = xp.sqrt

    def layer_back(g: Array, x: Array, means_of: Formula, epsilon: float) -> Array:
        y = x - means_of(x)
        spread = sqrt(means_of(y, y) + epsilon)
        y /= spread
        y *= means_of(g, y)
        y += means_of(g)
        dx = g - y
        dx /= spread
        return dx

    return layer_back


def _rms(xp: Any) -> Formula:
    sqrt = xp.sqrt

    def rms(x: Array, means_of: Formula, epsilon: float) -> Array:
        return x / sqrt(means_of(x, x) + epsilon)

    return rms


def _rms_back(xp: Any) -> Formula:
    sqrt = xp.sqrt

    def rms_back(g: Array, x: Array, means_of: Formula, epsilon: float) -> Array:
        spread = sqrt(means_of(x, x) + epsilon)
        y = x / spread
        y *= means_of(g, y)
        dx = g - y
        dx /= spread
        return dx

    return rms_back


def _batch_norm(xp: Any) -> Callable[..., tuple[Array, Array, Array]]:
    reduce, sqrt, state = add_reduce(xp), xp.sqrt, error_state(xp)

    def compute(
        x: Array,
        mean: Array,
        variance: Array,
        weight: Array | None,
        bias: Array | None,
        momentum: float,
        axis: int,
        epsilon: float,
    ) -> tuple[Array, Array, Array]:
        channels = range(x.ndim)[axis]
        axes = tuple([k for k in range(x.ndim) if k != channels])
        scales = [scale for scale in (mean, variance, weight, bias) if scale is not None]
        if not x.size or any([scale.shape != (x.shape[channels],) for scale in scales]):
            raise ValueError(f"a batch of shape {x.shape} does not fit channels of shape {mean.shape}")
        count, column = x.size // x.shape[channels], (-1, *(1,) * (x.ndim - 1 - channels))
        wide = x.astype("float32") if x.dtype.itemsize == 2 else x
        centre = reduce(wide, axes, None, None, True) / count
        y = beside_row(xp.subtract, wide, centre)
        spread = reduce(y * y, axes, None, None, True) / count
        scale = sqrt(spread + epsilon)
        if weight is None:
            beside_row(xp.divide, y, scale, y)
        else:
            beside_row(xp.multiply, y, weight.reshape(column) / scale, y)
        if bias is not None:
            beside_row(xp.add, y, bias.reshape(column), y)
        unbiased = spread * (count / max(count - 1, 1))
        return y.astype(x.dtype, copy=False), _moved(mean, centre, momentum), _moved(variance, unbiased, momentum)

    def batch_norm(
        x: Array,
        mean: Array,
        variance: Array,
        weight: Array | None = None,
        bias: Array | None = None,
        *,
        momentum: float = 0.99,
        axis: int = -1,
        epsilon: float = 1e-3,
    ) -> tuple[Array, Array, Array]:
        if state(None) is None:
            return compute(x, mean, variance, weight, bias, momentum, axis, epsilon)
        with xp.errstate(under="ignore"):
            return compute(x, mean, variance, weight, bias, momentum, axis, epsilon)

    return batch_norm


def _moved(old: Array, new: Array, momentum: float) -> Array:
    """A moving average with new statistics added."""
    moved = old.astype(new.dtype, copy=False) * momentum
    moved += new.reshape(old.shape) * (1.0 - momentum)
    return moved.astype(old.dtype, copy=False)
