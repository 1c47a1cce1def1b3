"""The rectifiers made of pieces and their gradients, as universal functions whose last operand is the attribute."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from ..compiled import FEW
from ..universal import REAL, Fn, numpy_kernels, universal

__all__ = ["kernels"]

Array = Any

# NumPy's kernels of elu, its gradient and leaky_relu serve only attributes above 0 and up to 1.


def kernels() -> list[Kernel]:
    """The kernels of the rectifiers."""
    few = numpy_kernels("nn.rectifiers")
    makers = {
        "elu": _elu, "elu_gradient": _elu_gradient, "leaky_relu": _leaky_relu,
        "leaky_relu_gradient": _leaky_relu_gradient,
    }  # fmt: skip
    return [
        Kernel(op, make(universal(op, dtype), few[op]), dtypes=(dtype,), fresh=True)
        for op, make in makers.items()
        for dtype in REAL
    ]


def _elu(function: Fn, few: Fn) -> Fn:
    def elu(x: Array, *, alpha: float = 1.0) -> Array:
        return few(x, alpha=alpha) if x.size < FEW and 0.0 < alpha <= 1.0 else function(x, float(alpha))

    return elu


def _elu_gradient(function: Fn, few: Fn) -> Fn:
    def elu_gradient(incoming: Array, x: Array, *, alpha: float = 1.0) -> Array:
        if x.size < FEW and 0.0 < alpha <= 1.0:
            return few(incoming, x, alpha=alpha)
        return function(incoming, x, float(alpha))

    return elu_gradient


def _leaky_relu(function: Fn, few: Fn) -> Fn:
    def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
        if x.size < FEW and 0.0 < negative_slope <= 1.0:
            return few(x, negative_slope=negative_slope)
        return function(x, float(negative_slope))

    return leaky_relu


def _leaky_relu_gradient(function: Fn, few: Fn) -> Fn:
    def leaky_relu_gradient(incoming: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
        if x.size < FEW:
            return few(incoming, x, negative_slope=negative_slope)
        return function(incoming, x, float(negative_slope))

    return leaky_relu_gradient
