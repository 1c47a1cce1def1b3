"""Softmax over contiguous rows, each of which is read from memory once, and sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import contiguous_rows, loops, many_short_rows, two_vectors
from ..universal import numpy_kernels, one_operand, two_operands

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the activations."""
    few = numpy_kernels("nn.activations")
    return [
        Kernel("softmax", softmax, dtypes=_REAL, when=along_long_rows, fresh=True),
        Kernel("softmax_gradient", softmax_gradient, dtypes=_REAL, when=two_along_rows, fresh=True),
        Kernel("log_softmax", log_softmax, dtypes=_REAL, when=along_rows, fresh=True),
        Kernel("log_softmax_gradient", log_softmax_gradient, dtypes=_REAL, when=two_along_rows, fresh=True),
        *one_operand("relu", few["relu"]),
        *two_operands("relu_gradient", few["relu_gradient"]),
        *one_operand("sigmoid", few["sigmoid"]),
        *two_operands("sigmoid_gradient", few["sigmoid_gradient"]),
    ]


def along_rows(x: Array, *, axis: int = -1) -> bool:
    """Whether the operand is in C order and the axis is its last one."""
    return contiguous_rows(x, axis)


def along_long_rows(x: Array, *, axis: int = -1) -> bool:
    """As `along_rows`, unless there are many short rows."""
    return contiguous_rows(x, axis) and not many_short_rows(x, 64, 1024)


def two_along_rows(incoming: Array, y: Array, *, axis: int = -1) -> bool:
    """As `along_rows`, for two operands of one shape."""
    return two_vectors(incoming, y) and (axis == -1 or axis == y.ndim - 1)


def _by_rows(loop: Callable[..., None], x: Array) -> Array:
    """A new array of the operand's shape, whose rows the loop writes."""
    y = np.empty(x.shape, x.dtype)
    if x.ndim == 2:
        loop(x, y)
    else:
        n = x.shape[-1]
        loop(x.reshape(-1, n), y.reshape(-1, n))
    return y


def _two_by_rows(loop: Callable[..., None], incoming: Array, y: Array) -> Array:
    """As `_by_rows`, for two operands."""
    dx = np.empty(y.shape, y.dtype)
    if y.ndim == 2:
        loop(incoming, y, dx)
    else:
        n = y.shape[-1]
        loop(incoming.reshape(-1, n), y.reshape(-1, n), dx.reshape(-1, n))
    return dx


def softmax(x: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().softmax, x)


def softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    return _two_by_rows(loops().softmax_gradient, incoming, y)


def log_softmax(x: Array, *, axis: int = -1) -> Array:
    return _by_rows(loops().log_softmax, x)


def log_softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
    return _two_by_rows(loops().log_softmax_gradient, incoming, y)
