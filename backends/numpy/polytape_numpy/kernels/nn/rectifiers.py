"""Rectifiers that are made of pieces, as the larger of two functions, which avoids the branches of where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

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
    maximum = xp.maximum

    def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
        y = x * negative_slope
        return maximum(x, y, out=y) if x.ndim else maximum(x, y)

    return leaky_relu


def _leaky_relu_gradient(xp: Any) -> Callable[..., Array]:
    where, ones, full = where_of(xp), xp.ones, xp.full

    def leaky_relu_gradient(incoming: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
        y = where(x > 0, ones((), x.dtype), full((), negative_slope, x.dtype))
        return incoming * y

    return leaky_relu_gradient


def _elu(xp: Any) -> Callable[..., Array]:
    maximum, minimum, tanh, state = xp.maximum, xp.minimum, xp.tanh, error_state(xp)

    def compute(x: Array, alpha: float) -> Array:
        # With t = tanh(x / 2), exp(x) - 1 is 2 t / (1 - t). Many processors have a fast tanh but no fast expm1.
        y = minimum(x, 0)
        y *= 0.5
        y = tanh(y, out=y) if y.ndim else tanh(y)
        below = 1 - y
        y *= 2.0 * alpha
        y /= below
        return maximum(x, y)

    def elu(x: Array, *, alpha: float = 1.0) -> Array:
        if state(None) is None:
            return compute(x, alpha)
        with xp.errstate(under="ignore"):
            return compute(x, alpha)

    return elu


def _elu_gradient(xp: Any) -> Callable[..., Array]:
    maximum, minimum, exp, state = xp.maximum, xp.minimum, xp.exp, error_state(xp)

    def compute(incoming: Array, x: Array, alpha: float) -> Array:
        y = minimum(x, 0)
        y = exp(y, out=y) if y.ndim else exp(y)
        y *= alpha
        return maximum(y, x > 0) * incoming

    def elu_gradient(incoming: Array, x: Array, *, alpha: float = 1.0) -> Array:
        if state(None) is None:
            return compute(incoming, x, alpha)
        with xp.errstate(under="ignore"):
            return compute(incoming, x, alpha)

    return elu_gradient
