"""Questions about elements: the functions of the module itself."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the predicates family on the arrays of ``xp``."""
    return ufuncs(xp, "isnan isinf logical_xor")
