"""Softmax over contiguous rows, each of which is read from memory once, and sigmoid."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import LARGE, loops, one_vector, two_vectors

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the activations."""
    return [
        Kernel("softmax", softmax, dtypes=_REAL, when=large_contiguous_rows, fresh=True),
        Kernel("softmax_gradient", softmax_gradient, dtypes=_REAL, when=two_of_large_contiguous_rows, fresh=True),
        Kernel("log_softmax", log_softmax, dtypes=_REAL, when=large_contiguous_rows, fresh=True),
        Kernel(
            "log_softmax_gradient", log_softmax_gradient, dtypes=_REAL, when=two_of_large_contiguous_rows, fresh=True
        ),
        Kernel("sigmoid", sigmoid, dtypes=_REAL, when=one_vector, fresh=True),
    ]


def large_contiguous_rows(x: Array, *, axis: int = -1) -> bool:
    """Whether the operand is large and in C order and the axis is its last one."""
    return bool(x.size >= LARGE and (axis == -1 or axis == x.ndim - 1) and x.flags.carray)


def two_of_large_contiguous_rows(incoming: Array, y: Array, *, axis: int = -1) -> bool:
    """As `large_contiguous_rows`, for two operands of one shape."""
    return two_vectors(incoming, y) and (axis == -1 or axis == y.ndim - 1)


def softmax(x: Array, *, axis: int = -1) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().softmax(x.reshape(-1, n), y.reshape(-1, n))
    return y


def softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    x = np.empty(y.shape, y.dtype)
    n = y.shape[-1]
    loops().softmax_gradient(incoming.reshape(-1, n), y.reshape(-1, n), x.reshape(-1, n))
    return x


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    y = np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    loops().log_softmax(x.reshape(-1, n), y.reshape(-1, n))
    return y


def log_softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    x = np.empty(y.shape, y.dtype)
    n = y.shape[-1]
    loops().log_softmax_gradient(incoming.reshape(-1, n), y.reshape(-1, n), x.reshape(-1, n))
    return x


def sigmoid(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().sigmoid(x.reshape(-1), y.reshape(-1))
    return y
