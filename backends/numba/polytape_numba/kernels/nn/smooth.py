"""The smooth rectifiers and their gradients."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from ..compiled import FEW
from ..universal import Fn, numpy_kernels, one_operand, two_operands, universal

__all__ = ["kernels"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernels of the smooth rectifiers."""
    few = numpy_kernels("nn.smooth")
    found = [
        *one_operand("softplus", few["softplus"]),
        *one_operand("silu", few["silu"]),
        *two_operands("silu_gradient", few["silu_gradient"]),
    ]
    conditions: dict[str, Any] = {"float32": None, "float64": approximate_gelu}
    for dtype, when in conditions.items():
        gelu = _gelu(universal("gelu", dtype), universal("gelu_by_tanh", dtype), few["gelu"])
        found.append(Kernel("gelu", gelu, dtypes=(dtype,), when=when, fresh=True))
    conditions = {"float32": None, "float64": approximate_gelu_gradient}
    for dtype, when in conditions.items():
        exact, by_tanh = universal("gelu_gradient", dtype), universal("gelu_gradient_by_tanh", dtype)
        gradient = _gelu_gradient(exact, by_tanh, few["gelu_gradient"])
        found.append(Kernel("gelu_gradient", gradient, dtypes=(dtype,), when=when, fresh=True))
    return found


def approximate_gelu(x: Array, *, approximate: bool = False) -> bool:
    """Whether it is the approximate form: the polynomial of the exact one has the precision of float32."""
    return approximate


def approximate_gelu_gradient(incoming: Array, x: Array, *, approximate: bool = False) -> bool:
    """As `approximate_gelu`."""
    return approximate


def _gelu(exact: Fn, by_tanh: Fn, few: Fn) -> Fn:
    def gelu(x: Array, *, approximate: bool = False) -> Array:
        if x.size < FEW:
            return few(x, approximate=approximate)
        return by_tanh(x) if approximate else exact(x)

    return gelu


def _gelu_gradient(exact: Fn, by_tanh: Fn, few: Fn) -> Fn:
    def gelu_gradient(incoming: Array, x: Array, *, approximate: bool = False) -> Array:
        if x.size < FEW:
            return few(incoming, x, approximate=approximate)
        return by_tanh(incoming, x) if approximate else exact(incoming, x)

    return gelu_gradient
