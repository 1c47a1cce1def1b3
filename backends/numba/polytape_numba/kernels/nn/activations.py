"""Softmax over contiguous rows, each of which is read from memory once, and sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, one_vector, two_vectors

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the activations."""
    return [
        Kernel("softmax", softmax, dtypes=_REAL, when=along_rows, fresh=True),
        Kernel("softmax_gradient", softmax_gradient, dtypes=_REAL, when=two_along_rows, fresh=True),
        Kernel("log_softmax", log_softmax, dtypes=_REAL, when=along_rows, fresh=True),
        Kernel("log_softmax_gradient", log_softmax_gradient, dtypes=_REAL, when=two_along_rows, fresh=True),
        Kernel("sigmoid", sigmoid, dtypes=_REAL, when=one_vector, fresh=True),
    ]


def along_rows(x: Array, *, axis: int = -1) -> bool:
    """Whether the operand is in C order and the axis is its last one."""
    return contiguous_rows(x, axis)


def two_along_rows(incoming: Array, y: Array, *, axis: int = -1) -> bool:
    """As `along_rows`, for two operands of one shape."""
    return two_vectors(incoming, y) and (axis == -1 or axis == y.ndim - 1)


def _by_rows(loop: Callable[..., None], *operands: Array) -> Array:
    """A new array of the operands' shape, whose rows the loop writes."""
    x = operands[0]
    n, y = x.shape[-1], np.empty(x.shape, x.dtype)
    loop(*[operand.reshape(-1, n) for operand in operands], y.reshape(-1, n))
    return y


def softmax(x: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().softmax, x)


def softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().softmax_gradient, incoming, y)


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().log_softmax, x)


def log_softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().log_softmax_gradient, incoming, y)


def sigmoid(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().sigmoid(x.reshape(-1), y.reshape(-1))
    return y
