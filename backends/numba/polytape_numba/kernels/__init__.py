"""Kernels that numba compiles; each serves operands of a size from which it was measured faster than numpy's.

docs/backends/numba.md has the measurements. numpy's kernels serve all other operands.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["kernels", "late"]

_FAMILIES: Final = ("nn.activations", "nn.losses", "optim")


def kernels(families: tuple[str, ...] = _FAMILIES) -> list[Kernel]:
    """The compiled kernels of these families of ops, in a new list; nothing is compiled yet."""
    modules: list[Any] = [importlib.import_module(f"{__name__}.{family}") for family in families]
    return [kernel for module in modules for kernel in module.kernels()]


def late() -> dict[str, Callable[[], list[Kernel]]]:
    """The kernels by family, as `Backend` takes them for ``late_kernels``."""
    return {family: partial(kernels, (family,)) for family in _FAMILIES}
