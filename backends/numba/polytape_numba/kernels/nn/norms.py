"""Normalizations of contiguous rows, each of which stays in the cache."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, two_vectors

__all__ = ["kernels"]

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
    ]


def _along_rows(scale: Array | None, x: Array) -> bool:
    """Whether there is no weight or bias, or one number per element of a row."""
    return scale is None or (scale.shape == x.shape[-1:] and bool(scale.flags.carray))


def layer_norm_served(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: Axis = -1, epsilon: float = 1e-5
) -> bool:
    """Whether the operand has large contiguous rows, and the weight and the bias are those of a row."""
    return contiguous_rows(x, axis) and _along_rows(weight, x) and _along_rows(bias, x)


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
