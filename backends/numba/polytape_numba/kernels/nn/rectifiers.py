"""The exponential rectifier and its gradient in one pass."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from ..compiled import loops, one_vector, two_vectors

__all__ = ["kernels"]

Array = Any
_REAL: Final = ("float32", "float64")


def kernels() -> list[Kernel]:
    """The kernels of the rectifiers."""
    return [
        Kernel("elu", elu, dtypes=_REAL, when=elu_served, fresh=True),
        Kernel("elu_gradient", elu_gradient, dtypes=_REAL, when=elu_gradient_served, fresh=True),
    ]


def elu_served(x: Array, *, alpha: float = 1.0) -> bool:
    """As `one_vector`."""
    return one_vector(x)


def elu_gradient_served(incoming: Array, x: Array, *, alpha: float = 1.0) -> bool:
    """As `two_vectors`."""
    return two_vectors(incoming, x)


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().elu(x.reshape(-1), float(alpha), y.reshape(-1))
    return y


def elu_gradient(incoming: Array, x: Array, *, alpha: float = 1.0) -> Array:
    y = np.empty(x.shape, x.dtype)
    loops().elu_gradient(incoming.reshape(-1), x.reshape(-1), float(alpha), y.reshape(-1))
    return y
