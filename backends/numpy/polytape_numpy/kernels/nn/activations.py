"""Activation functions and their gradients, accurate for large logits.

Half precision (float16, bfloat16) is computed in float32 and rounded once. Results that underflow are intended, so
NumPy's error state for underflow is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from ..quiet import error_state
from ..summing import add_reduce

__all__ = ["kernels", "softmax_rows"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the activations on the arrays of ``xp``."""
    return [
        Kernel("softmax", _softmax(xp), fresh=True),
        Kernel("softmax_gradient", _softmax_gradient(xp), fresh=True),
        Kernel("log_softmax", _log_softmax(xp), fresh=True),
        Kernel("log_softmax_gradient", _log_softmax_gradient(xp), fresh=True),
        Kernel("relu", _relu(xp), fresh=True),
        Kernel("sigmoid", _sigmoid(xp), fresh=True),
        Kernel("sigmoid_gradient", _sigmoid_gradient(xp), fresh=True),
    ]


def softmax_rows(xp: Any) -> Callable[[Array, int], Array]:
    """Softmax without the check of NumPy's error state, as a function of array and axis."""
    exp, reduce = xp.exp, add_reduce(xp)

    def softmax(x: Array, axis: int) -> Array:
        if x.dtype.itemsize == 2:
            return softmax(x.astype("float32"), axis).astype(x.dtype)
        x.shape[axis]  # raises an IndexError for rank 0, which NumPy reduces over axis -1 but the op rejects
        y = exp(x - x.max(axis, None, True)) if x.size else x.copy()
        y /= reduce(y, axis, None, None, True)
        return y

    return softmax


def _softmax(xp: Any) -> Callable[..., Array]:
    rows, state = softmax_rows(xp), error_state(xp)

    def softmax(x: Array, *, axis: int = -1) -> Array:
        if state(None) is None:
            return rows(x, axis)
        with xp.errstate(under="ignore"):
            return rows(x, axis)

    return softmax


def _softmax_gradient(xp: Any) -> Callable[..., Array]:
    reduce, state = add_reduce(xp), error_state(xp)

    def compute(incoming: Array, y: Array, axis: int) -> Array:
        if y.dtype.itemsize == 2:
            return compute(incoming.astype("float32"), y.astype("float32"), axis).astype(y.dtype)
        x = incoming * y
        x = incoming - reduce(x, axis, None, None, True)
        x *= y
        return x

    def softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
        _check_shapes(incoming, y, axis)
        if state(None) is None:
            return compute(incoming, y, axis)
        with xp.errstate(under="ignore"):
            return compute(incoming, y, axis)

    return softmax_gradient


def _log_softmax(xp: Any) -> Callable[..., Array]:
    exp, log, reduce, state = xp.exp, xp.log, add_reduce(xp), error_state(xp)

    def compute(x: Array, axis: int) -> Array:
        if x.dtype.itemsize == 2:
            return compute(x.astype("float32"), axis).astype(x.dtype)
        x.shape[axis]  # as in softmax
        if not x.size:
            return x.copy()
        y = x - x.max(axis, None, True)
        y -= log(reduce(exp(y), axis, None, None, True))
        return y

    def log_softmax(x: Array, *, axis: int = -1) -> Array:
        if state(None) is None:
            return compute(x, axis)
        with xp.errstate(under="ignore"):
            return compute(x, axis)

    return log_softmax


def _log_softmax_gradient(xp: Any) -> Callable[..., Array]:
    exp, reduce, subtract, state = xp.exp, add_reduce(xp), xp.subtract, error_state(xp)

    def compute(incoming: Array, y: Array, axis: int) -> Array:
        if y.dtype.itemsize == 2:
            return compute(incoming.astype("float32"), y.astype("float32"), axis).astype(y.dtype)
        x = exp(y)
        x *= reduce(incoming, axis, None, None, True)
        return subtract(incoming, x, out=x) if x.ndim else incoming - x

    def log_softmax_gradient(incoming: Array, y: Array, *, axis: int = -1) -> Array:
        _check_shapes(incoming, y, axis)
        if state(None) is None:
            return compute(incoming, y, axis)
        with xp.errstate(under="ignore"):
            return compute(incoming, y, axis)

    return log_softmax_gradient


def _check_shapes(incoming: Array, y: Array, axis: int) -> None:
    y.shape[axis]  # as in softmax
    if incoming.shape != y.shape:
        raise ValueError(f"a gradient of shape {incoming.shape} does not match a result of shape {y.shape}")


def _relu(xp: Any) -> Callable[..., Array]:
    maximum = xp.maximum
    # A 0-d array is 200 ns faster than a Python number as operand, but in other modules it belongs to one device.
    names = ("float32", "float64") if xp.__name__ == "numpy" else ()
    zeros = {array.dtype: array for array in (xp.zeros((), name) for name in names)}

    def relu(x: Array) -> Array:
        return maximum(x, zeros.get(x.dtype, 0))

    return relu


def _sigmoid(xp: Any) -> Callable[..., Array]:
    exp, absolute, maximum, state = xp.exp, xp.abs, xp.maximum, error_state(xp)

    def compute(x: Array) -> Array:
        if x.dtype.itemsize == 2:
            return compute(x.astype("float32")).astype(x.dtype)
        # exp(-|x|) cannot overflow. The numerator is 1 for x >= 0 and exp(x) for x < 0; maximum avoids the branches
        # of where, which cost 3 ns per element.
        e = exp(-absolute(x))
        y = maximum(e, x >= 0)
        e += 1
        y /= e
        return y

    def sigmoid(x: Array) -> Array:
        if state(None) is None:
            return compute(x)
        with xp.errstate(under="ignore"):
            return compute(x)

    return sigmoid


def _sigmoid_gradient(xp: Any) -> Callable[..., Array]:
    state = error_state(xp)

    def compute(incoming: Array, y: Array) -> Array:
        return incoming * (y * (1 - y))

    def sigmoid_gradient(incoming: Array, y: Array) -> Array:
        if state(None) is None:
            return compute(incoming, y)
        with xp.errstate(under="ignore"):
            return compute(incoming, y)

    return sigmoid_gradient
