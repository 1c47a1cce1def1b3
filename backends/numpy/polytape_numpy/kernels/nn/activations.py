"""Activation functions, accurate for large logits.

Half precision (float16, bfloat16) is computed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels", "softmax_kernel"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the activations on the arrays of ``xp``."""
    return [
        Kernel("softmax", softmax_kernel(xp), fresh=True),
        Kernel("log_softmax", _log_softmax(xp), fresh=True),
        Kernel("relu", _relu(xp), fresh=True),
        Kernel("sigmoid", _sigmoid(xp), fresh=True),
    ]


def softmax_kernel(xp: Any) -> Callable[..., Array]:
    exp, reduce = xp.exp, xp.add.reduce

    def softmax(x: Array, *, axis: int = -1) -> Array:
        if x.dtype.itemsize == 2:
            return softmax(x.astype("float32"), axis=axis).astype(x.dtype)
        x.shape[axis]  # raises an IndexError for rank 0, which NumPy reduces over axis -1 but the op rejects
        y = exp(x - x.max(axis, None, True))
        y /= reduce(y, axis, None, None, True)
        return y

    return softmax


def _log_softmax(xp: Any) -> Callable[..., Array]:
    exp, log, reduce = xp.exp, xp.log, xp.add.reduce

    def log_softmax(x: Array, *, axis: int = -1) -> Array:
        if x.dtype.itemsize == 2:
            return log_softmax(x.astype("float32"), axis=axis).astype(x.dtype)
        x.shape[axis]  # as in softmax
        y = x - x.max(axis, None, True)
        y -= log(reduce(exp(y), axis, None, None, True))
        return y

    return log_softmax


def _relu(xp: Any) -> Callable[..., Array]:
    maximum = xp.maximum
    # A 0-d array is 200 ns faster than a Python number as operand, but in other modules it belongs to one device.
    names = ("float32", "float64") if xp.__name__ == "numpy" else ()
    zeros = {array.dtype: array for array in (xp.zeros((), name) for name in names)}

    def relu(x: Array) -> Array:
        return maximum(x, zeros.get(x.dtype, 0))

    return relu


def _sigmoid(xp: Any) -> Callable[..., Array]:
    exp, absolute, maximum = xp.exp, xp.abs, xp.maximum

    def sigmoid(x: Array) -> Array:
        if x.dtype.itemsize == 2:
            return sigmoid(x.astype("float32")).astype(x.dtype)
        # exp(-|x|) cannot overflow. The numerator is 1 for x >= 0 and exp(x) for x < 0; maximum avoids the branches
        # of where, which cost 3 ns per element.
        e = exp(-absolute(x))
        y = maximum(e, x >= 0)
        e += 1
        y /= e
        return y

    return sigmoid
