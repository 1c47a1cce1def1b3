"""Normalizations of contiguous rows, each of which stays in the cache, and of channels."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, many_short_rows, one_vector, two_vectors
from ..universal import Fn, numpy_kernels

__all__ = ["as_channels", "filled", "kernels"]

Array = Any
Axis = int | tuple[int, ...]
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the normalizations."""
    return [
        Kernel("layer_norm", layer_norm, dtypes=_REAL, when=layer_norm_served, fresh=True),
        Kernel("layer_norm_gradient", layer_norm_gradient, dtypes=_REAL, when=layer_norm_gradient_served, fresh=True),
        Kernel("rms_norm", rms_norm, dtypes=_REAL, when=rms_norm_served, fresh=True),
        Kernel("rms_norm_gradient", rms_norm_gradient, dtypes=_REAL, when=rms_norm_gradient_served, fresh=True),
        Kernel("batch_norm", _batch_norm(numpy_kernels("nn.norms")["batch_norm"]), dtypes=_REAL, fresh=True),
    ]


def _along_rows(scale: Array | None, x: Array) -> bool:
    """Whether there is no weight or bias, or one number per element of a row."""
    return scale is None or (scale.shape == x.shape[-1:] and bool(scale.flags.carray))


def layer_norm_served(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-5
) -> bool:
    """Whether the operand has contiguous rows, not many short ones, and weight and bias are those of a row."""
    along = contiguous_rows(x, axis) and not many_short_rows(x, 64, 2048)
    return along and _along_rows(weight, x) and _along_rows(bias, x)


def rms_norm_served(x: Array, weight: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-6) -> bool:
    """As `layer_norm_served`."""
    return contiguous_rows(x, axis) and _along_rows(weight, x)


def layer_norm_gradient_served(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-5) -> bool:
    """Whether the operands have large contiguous rows of one shape."""
    return contiguous_rows(x, axis) and two_vectors(incoming, x)


def rms_norm_gradient_served(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-6) -> bool:
    """As `layer_norm_gradient_served`."""
    return contiguous_rows(x, axis) and two_vectors(incoming, x)


def _scale(given: Array | None, x: Array) -> Array:
    return np.empty(0, x.dtype) if given is None else given


def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-5
) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().layer_norm(x.reshape(-1, n), _scale(weight, x), _scale(bias, x), float(epsilon), y.reshape(-1, n))
    return y


def layer_norm_gradient(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-5) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().layer_norm_gradient(incoming.reshape(-1, n), x.reshape(-1, n), float(epsilon), y.reshape(-1, n))
    return y


def rms_norm(x: Array, weight: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-6) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().rms_norm(x.reshape(-1, n), _scale(weight, x), float(epsilon), y.reshape(-1, n))
    return y


def rms_norm_gradient(incoming: Array, x: Array, *, axis: Axis = -1, epsilon: float = 1e-6) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().rms_norm_gradient(incoming.reshape(-1, n), x.reshape(-1, n), float(epsilon), y.reshape(-1, n))
    return y


# --- Channels ---


def as_channels(x: Array, axis: int, *scales: Array | None) -> tuple[int, int, int] | None:
    """The shape of ``x`` as (elements before the channels, channels, elements behind them).

    None unless it has FEW elements or more, in C order, and not many short rows of channels, and the scales have one
    number of its dtype per channel.
    """
    rank = x.ndim
    if not one_vector(x) or not -rank <= axis < rank:
        return None
    axis %= rank
    shape = x.shape
    if axis == rank - 1 and many_short_rows(x, 64, 8192):
        return None
    count = shape[axis]
    for scale in scales:
        if scale is not None and (scale.shape != (count,) or scale.dtype is not x.dtype or not scale.flags.carray):
            return None
    return prod(shape[:axis]), count, prod(shape[axis + 1 :])


@lru_cache(maxsize=64)
def filled(value: float, n: int, char: str) -> Array:
    """A vector of one number, which must not be written."""
    return np.full(n, value, char)


def _batch_norm(otherwise: Fn) -> Fn:
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
        shape = as_channels(x, axis, mean, variance, weight, bias)
        if shape is None:
            results: tuple[Array, Array, Array] = otherwise(
                x, mean, variance, weight, bias, momentum=momentum, axis=axis, epsilon=epsilon
            )
            return results
        y, new_mean, new_variance = np.empty(x.shape, x.dtype), np.empty_like(mean), np.empty_like(variance)
        loops().batch_norm(
            x.reshape(shape), mean, variance,
            filled(1.0, shape[1], x.dtype.char) if weight is None else weight,
            filled(0.0, shape[1], x.dtype.char) if bias is None else bias,
            float(momentum), float(epsilon), y.reshape(shape), new_mean, new_variance,
        )  # fmt: skip
        return y, new_mean, new_variance

    return batch_norm
