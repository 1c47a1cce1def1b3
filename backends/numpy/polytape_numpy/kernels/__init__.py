"""Kernels for any module that follows NumPy: written once, for numpy, cupy, polytape-sim and third parties.

A module here holds one family of ops, under the family's name, and offers ``kernels(xp)``. Every kernel takes its op's
operands by position and its attributes by keyword, keeps the dtype it is given, and uses only what NumPy and CuPy share
by name. Results of rank 0 may be the module's scalars: core lifts them (`Backend.lift`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["FAMILIES", "build", "late"]

FAMILIES: Final = (
    "arithmetic", "creation", "exponential", "indexing", "linalg", "logic", "manipulation", "nn.activations",
    "nn.losses", "optim", "random", "reduction", "trigonometric",
)  # fmt: skip


def build(xp: Any, families: tuple[str, ...] = FAMILIES) -> list[Kernel]:
    """Kernels on the arrays of ``xp``.

    Args:
        xp: a module with NumPy's names and semantics, such as ``numpy`` or ``cupy``. Arrays are made on its current
            device: a backend with several devices makes the one in the attribute ``device`` current around a
            creation or random kernel.
        families: the families of ops to build kernels for; default all.
    Returns:
        A new list, one kernel per op, for every dtype and device kind. All are registered as checked, since these
        modules raise on shapes that do not fit; a backend that queues work wraps ``kernel.fn`` in unchecked ones.
    """
    modules: list[Any] = [importlib.import_module(f"{__name__}.{family}") for family in families]
    return [kernel for module in modules for kernel in module.kernels(xp)]


def late(xp: Any) -> dict[str, Callable[[], list[Kernel]]]:
    """The kernels by family, as `Backend` takes them for ``late_kernels``."""
    return {family: partial(build, xp, (family,)) for family in FAMILIES}
