"""Kernels for any module with NumPy's interface, shared by numpy, cupy, polytape-sim and third parties.

Each module contains the kernels of one op family, has the name of the family, and defines ``kernels(xp)``. A kernel
takes the op's operands by position and its attributes by keyword, keeps the dtype of its operands, and uses only names
that NumPy and CuPy share. Results of rank 0 may be scalars of the module: core lifts them (`Backend.lift`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["FAMILIES", "build", "late"]

FAMILIES: Final = (
    "arithmetic", "bitwise", "complex_parts", "creation", "cumulative", "distributions", "elementwise", "exponential",
    "fft.transforms", "gathering", "indexing", "linalg.factorizations", "linalg.eigen", "linalg.norms",
    "linalg.solving", "logic", "manipulation", "movement", "joining", "likeness", "padding", "nn.activations",
    "nn.attention", "nn.attention_gradients", "nn.convolution", "nn.convolution_gradients", "nn.losses",
    "nn.norm_gradients", "nn.norms", "nn.pooling", "nn.rectifiers", "nn.regularization", "nn.smooth", "numerical",
    "optim", "predicates", "products", "random", "reduction", "representation", "rounding", "scaled_updates", "segment",
    "sets", "sorting", "special.error", "special.gamma", "special.information", "trigonometric",
)  # fmt: skip


def build(xp: Any, families: tuple[str, ...] = FAMILIES) -> list[Kernel]:
    """The kernels on the arrays of ``xp``.

    Args:
        xp: a module with NumPy's names and semantics, such as ``numpy`` or ``cupy``. Arrays are created on its current
            device: a backend with several devices must make the attribute ``device`` current around the creation
            and random kernels.
        families: the families of ops to build kernels for; default: all.
    Returns:
        A new list, one kernel per op, for every dtype and device kind. All are registered as checked, since these
        modules raise errors for invalid shapes; a backend that queues work wraps ``kernel.fn`` in unchecked kernels.
    """
    modules: list[Any] = [importlib.import_module(f"{__name__}.{family}") for family in families]
    return [kernel for module in modules for kernel in module.kernels(xp)]


def late(xp: Any) -> dict[str, Callable[[], list[Kernel]]]:
    """The functions that build the kernels of each family, for the argument ``late_kernels`` of `Backend`."""
    return {family: partial(build, xp, (family,)) for family in FAMILIES}
