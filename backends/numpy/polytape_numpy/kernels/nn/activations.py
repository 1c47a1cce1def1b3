"""Activation functions and their gradients, accurate for large logits.

Half precision (float16, bfloat16) is computed in float32 and rounded once. Results that underflow are intended, so
NumPy's error state for underflow is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..clipping import LIMITS, clip_of
from ..constants import numbers
from ..extremes import extreme_reduce
from ..quiet import error_state
from ..rows import LONG, beside_row, by_rows, column, is_rows
from ..summing import add_reduce
from .relu_gradients import relu_gradient

__all__ = ["NEAR", "growth_of", "kernels", "logistic_of", "softmax_rows"]

Array = Any

NEAR: Final = 60.0  # exp of larger numbers, or sums of them, could overflow


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the activations on the arrays of ``xp``."""
    return [
        Kernel("softmax", _softmax(xp), fresh=True),
        Kernel("softmax_gradient", _softmax_gradient(xp), fresh=True),
        Kernel("log_softmax", _log_softmax(xp), fresh=True),
        Kernel("log_softmax_gradient", _log_softmax_gradient(xp), fresh=True),
        Kernel("relu", _relu(xp), fresh=True),
        Kernel("relu_gradient", relu_gradient(xp), fresh=True),
        Kernel("sigmoid", _sigmoid(xp), fresh=True),
        Kernel("sigmoid_gradient", _sigmoid_gradient(xp), fresh=True),
    ]


def softmax_rows(xp: Any) -> Callable[[Array, int], Array]:
    """Softmax without the check of NumPy's error state, as a function of array and axis."""
    exp, reduce, on_host = xp.exp, add_reduce(xp), xp.__name__ == "numpy"
    largest = extreme_reduce(xp, "maximum")

    def powers(x: Array, y: Array | None) -> Array:
        # Where no exponential overflows, the largest element of each row is not needed. Both functions find NaN.
        if x.item(x.argmax()) < NEAR and x.item(x.argmin()) > -NEAR:
            return exp(x, out=y)
        return exp(xp.subtract(x, largest(x, -1, True), out=y), out=y)

    def fill(x: Array, y: Array) -> None:
        powers(x, y)
        y /= y.dot(column(y.shape[1], y.dtype.char))

    def softmax(x: Array, axis: int) -> Array:
        if on_host and is_rows(x, axis):
            if x.size > LONG:
                return by_rows(fill, x)
            y = powers(x, None)
            y /= y.dot(column(y.shape[-1], y.dtype.char))
            return y
        if x.dtype.itemsize == 2:
            return softmax(x.astype("float32"), axis).astype(x.dtype)
        x.shape[axis]  # raises an IndexError for rank 0, which NumPy reduces over axis -1 but the op rejects
        if not x.size:
            return x.copy()
        y = beside_row(xp.subtract, x, largest(x, axis, True))
        exp(y, out=y)
        return beside_row(xp.divide, y, reduce(y, axis, None, None, True), y)

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
    reduce, state, on_host = add_reduce(xp), error_state(xp), xp.__name__ == "numpy"

    def fill(incoming: Array, y: Array, x: Array) -> None:
        xp.multiply(incoming, y, out=x)
        xp.subtract(incoming, x.dot(column(x.shape[1], x.dtype.char)), out=x)
        x *= y

    def compute(incoming: Array, y: Array, axis: int) -> Array:
        if on_host and is_rows(y, axis) and is_rows(incoming, axis):
            if y.size > LONG:
                return by_rows(fill, incoming, y)
            x = incoming * y
            x = incoming - x.dot(column(x.shape[-1], x.dtype.char))
            x *= y
            return x
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
    exp, log, reduce, state, on_host = xp.exp, xp.log, add_reduce(xp), error_state(xp), xp.__name__ == "numpy"
    largest = extreme_reduce(xp, "maximum")

    def fill(x: Array, y: Array) -> None:
        xp.subtract(x, largest(x, -1, True), out=y)
        y -= log(exp(y).dot(column(y.shape[1], y.dtype.char)))

    def compute(x: Array, axis: int) -> Array:
        if on_host and is_rows(x, axis):
            if x.size > LONG:
                return by_rows(fill, x)
            y = x - largest(x, -1, True)
            y -= log(exp(y).dot(column(y.shape[-1], y.dtype.char)))
            return y
        if x.dtype.itemsize == 2:
            return compute(x.astype("float32"), axis).astype(x.dtype)
        x.shape[axis]  # as in softmax
        if not x.size:
            return x.copy()
        y = beside_row(xp.subtract, x, largest(x, axis, True))
        return beside_row(xp.subtract, y, log(reduce(exp(y), axis, None, None, True)), y)

    def log_softmax(x: Array, *, axis: int = -1) -> Array:
        if state(None) is None:
            return compute(x, axis)
        with xp.errstate(under="ignore"):
            return compute(x, axis)

    return log_softmax


def _log_softmax_gradient(xp: Any) -> Callable[..., Array]:
    exp, reduce, subtract, state, on_host = xp.exp, add_reduce(xp), xp.subtract, error_state(xp), xp.__name__ == "numpy"

    def fill(incoming: Array, y: Array, x: Array) -> None:
        exp(y, out=x)
        x *= incoming.dot(column(x.shape[1], x.dtype.char))
        subtract(incoming, x, out=x)

    def compute(incoming: Array, y: Array, axis: int) -> Array:
        if on_host and is_rows(y, axis) and is_rows(incoming, axis):
            return by_rows(fill, incoming, y)
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
    maximum, between = xp.maximum, clip_of(xp)
    # By dtype, 0 and infinity. Beside a Python number, a ufunc takes 200 ns longer.
    bounds = {} if between is None else {dtype: (np.zeros((), dtype), limits[1]) for dtype, limits in LIMITS.items()}

    def relu(x: Array) -> Array:
        served = bounds.get(x.dtype)
        return maximum(x, 0) if served is None else between(x, served[0], served[1])

    return relu


def _sigmoid(xp: Any) -> Callable[..., Array]:
    state, logistic = error_state(xp), logistic_of(xp)

    def compute(x: Array) -> Array:
        if x.dtype.itemsize == 2:
            return logistic(x.astype("float32")).astype(x.dtype)
        return logistic(x)

    def sigmoid(x: Array) -> Array:
        if state(None) is None:
            return compute(x)
        with xp.errstate(under="ignore"):
            return compute(x)

    return sigmoid


def logistic_of(xp: Any) -> Callable[[Array], Array]:
    """``1 / (1 + exp(-x))`` of float32 or float64, without the check of NumPy's error state."""
    exp, absolute, maximum, one = xp.exp, xp.abs, xp.maximum, numbers(xp, 1)
    growth = growth_of(xp) if xp.__name__ == "numpy" else lambda x: None

    def logistic(x: Array) -> Array:
        y = growth(x)
        if y is not None:
            return xp.divide(one[y.dtype.char], y, out=y)
        # exp(-|x|) cannot overflow. The numerator is 1 for x >= 0 and exp(x) for x < 0; maximum avoids the branches
        # of where, which cost 3 ns per element.
        e = exp(-absolute(x))
        y = maximum(e, x >= 0)
        e += 1
        y /= e
        return y

    return logistic


def growth_of(xp: Any) -> Callable[[Array], Array | None]:
    """``1 + exp(-x)`` as a new array; None for a number for which it overflows, for NaN, and for rank 0."""
    exp, negative, add, one = xp.exp, xp.negative, xp.add, numbers(xp, 1)
    lowest = {"f": -87.0, "d": -708.0}

    def growth(x: Array) -> Array | None:
        # argmin finds NaN, and takes a third of the time of min. Some processors have no fast expm1.
        if not x.ndim or not x.size or not x.item(x.argmin()) > lowest[x.dtype.char]:
            return None
        y = negative(x)
        exp(y, out=y)
        return add(y, one[y.dtype.char], out=y)

    return growth


def _sigmoid_gradient(xp: Any) -> Callable[..., Array]:
    state, one = error_state(xp), numbers(xp, 1)

    def compute(incoming: Array, y: Array) -> Array:
        return incoming * (y * (one.get(y.dtype.char, 1) - y))

    def sigmoid_gradient(incoming: Array, y: Array) -> Array:
        if state(None) is None:
            return compute(incoming, y)
        with xp.errstate(under="ignore"):
            return compute(incoming, y)

    return sigmoid_gradient
