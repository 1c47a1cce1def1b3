"""Rectifiers that are made of pieces, as the larger of two functions, which avoids the branches of where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..constants import number_of
from ..logic import where_of
from ..quiet import error_state

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the rectifiers on the arrays of ``xp``."""
    return [
        Kernel("leaky_relu", _leaky_relu(xp), dtypes=_REAL, when=_slope_served, fresh=True),
        Kernel("leaky_relu_gradient", _leaky_relu_gradient(xp), dtypes=_REAL, fresh=True),
        Kernel("elu", _elu(xp), dtypes=_REAL, when=_alpha_served, fresh=True),
        Kernel("elu_gradient", _elu_gradient(xp), dtypes=_REAL, when=_alpha_of_gradient_served, fresh=True),
    ]


def _slope_served(x: Array, *, negative_slope: float = 0.01) -> bool:
    return 0.0 < negative_slope <= 1.0  # otherwise the function is not the larger of the two lines


def _alpha_served(x: Array, *, alpha: float = 1.0) -> bool:
    return 0.0 < alpha <= 1.0


def _alpha_of_gradient_served(incoming: Array, x: Array, *, alpha: float = 1.0) -> bool:
    return 0.0 < alpha <= 1.0


def _leaky_relu(xp: Any) -> Callable[..., Array]:
    maximum, number = xp.maximum, number_of(xp)

    def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
        y = x * number(negative_slope, x)
        return maximum(x, y, out=y) if x.ndim else maximum(x, y)

    return leaky_relu


def _leaky_relu_gradient(xp: Any) -> Callable[..., Array]:
    where, ones, full, number = where_of(xp), xp.ones, xp.full, number_of(xp)
    if xp.__name__ == "numpy":

        def leaky_relu_gradient_on_host(incoming: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
            return incoming * where(x > number(0.0, x), number(1.0, x), number(negative_slope, x))

        return leaky_relu_gradient_on_host

    def leaky_relu_gradient(incoming: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
        y = where(x > 0, ones((), x.dtype), full((), negative_slope, x.dtype))
        return incoming * y

    return leaky_relu_gradient


def _elu(xp: Any) -> Callable[..., Array]:
    maximum, minimum, tanh, state, number = xp.maximum, xp.minimum, xp.tanh, error_state(xp), number_of(xp)

    def compute(x: Array, alpha: float) -> Array:
        # With t = tanh(x / 2), exp(x) - 1 is 2 t / (1 - t). Many processors have a fast tanh but no fast expm1.
        y = minimum(x, number(0.0, x))
        y *= number(0.5, x)
        y = tanh(y, out=y) if y.ndim else tanh(y)
        below = number(1.0, x) - y
        y *= number(2.0 * alpha, x)
        y /= below
        return maximum(x, y, out=y) if y.ndim else maximum(x, y)

    def elu(x: Array, *, alpha: float = 1.0) -> Array:
        if state(None) is None:
            return compute(x, alpha)
        with xp.errstate(under="ignore"):
            return compute(x, alpha)

    return elu


def _elu_gradient(xp: Any) -> Callable[..., Array]:
    maximum, minimum, exp, state, number = xp.maximum, xp.minimum, xp.exp, error_state(xp), number_of(xp)

    def compute(incoming: Array, x: Array, alpha: float) -> Array:
        y = minimum(x, number(0.0, x))
        y = exp(y, out=y) if y.ndim else exp(y)
        if alpha != 1.0:
            y *= number(alpha, x)
        return maximum(y, x > number(0.0, x)) * incoming

    def elu_gradient(incoming: Array, x: Array, *, alpha: float = 1.0) -> Array:
        if state(None) is None:
            return compute(incoming, x, alpha)
        with xp.errstate(under="ignore"):
            return compute(incoming, x, alpha)

    return elu_gradient
