"""Kernels that numba compiles. Each serves only operands of a size at which it is faster than the NumPy kernel.

docs/backends/numba.md has the measurements. NumPy kernels serve all other operands.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels", "late"]

_FAMILIES: Final = (
    "arithmetic", "cumulative", "exponential", "gathering", "indexing", "linalg.factorizations",
    "linalg.norms", "movement", "nn.activations", "nn.convolution", "nn.convolution_gradients", "nn.losses",
    "nn.norm_gradients", "nn.norms", "nn.pooling", "nn.rectifiers", "nn.regularization", "nn.smooth", "optim",
    "random", "reduction", "scaled_updates", "segment", "sorting", "special.error", "special.gamma",
    "special.information",
)  # fmt: skip


def kernels(families: tuple[str, ...] = _FAMILIES) -> list[Kernel]:
    """The kernels of these op families, in a new list; each is compiled when it first runs."""
    modules: list[Any] = [importlib.import_module(f"{__name__}.{family}") for family in families]
    return [kernel for module in modules for kernel in module.kernels()]


def late() -> dict[str, Callable[[], list[Kernel]]]:
    """The functions that build the kernels of each family, for the argument ``late_kernels`` of `Backend`."""
    return {family: partial(kernels, (family,)) for family in _FAMILIES}
