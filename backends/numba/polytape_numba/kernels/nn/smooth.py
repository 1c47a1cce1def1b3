"""The smooth rectifiers and their gradients; each element is read from memory once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import loops, one_vector, two_vectors

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the smooth rectifiers."""
    return [
        Kernel("softplus", softplus, dtypes=_REAL, when=one_vector, fresh=True),
        Kernel("silu", silu, dtypes=_REAL, when=one_vector, fresh=True),
        Kernel("silu_gradient", silu_gradient, dtypes=_REAL, when=two_vectors, fresh=True),
        Kernel("gelu", gelu, dtypes=_REAL, when=gelu_served, fresh=True),
        Kernel("gelu_gradient", gelu_gradient, dtypes=_REAL, when=gelu_gradient_served, fresh=True),
    ]


def gelu_served(x: Array, *, approximate: bool = False) -> bool:
    """Whether the operand is a large vector, in float32 for the exact form, whose polynomial has that precision."""
    return one_vector(x) and (approximate or bool(x.itemsize == 4))


def gelu_gradient_served(incoming: Array, x: Array, *, approximate: bool = False) -> bool:
    """As `gelu_served`, for two operands of one shape."""
    return two_vectors(incoming, x) and (approximate or bool(x.itemsize == 4))


def softplus(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().softplus(x.reshape(-1), y.reshape(-1))
    return y


def silu(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().silu(x.reshape(-1), y.reshape(-1))
    return y


def silu_gradient(incoming: Array, x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().silu_gradient(incoming.reshape(-1), x.reshape(-1), y.reshape(-1))
    return y


def gelu(x: Array, *, approximate: bool = False) -> Array:
    y = np.empty(x.shape, x.dtype)
    loop = loops().gelu_by_tanh if approximate else loops().gelu
    loop(x.reshape(-1), y.reshape(-1))
    return y


def gelu_gradient(incoming: Array, x: Array, *, approximate: bool = False) -> Array:
    y = np.empty(x.shape, x.dtype)
    loop = loops().gelu_gradient_by_tanh if approximate else loops().gelu_gradient
    loop(incoming.reshape(-1), x.reshape(-1), y.reshape(-1))
    return y
