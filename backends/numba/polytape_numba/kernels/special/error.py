"""The error function; in float64, the body of the op takes no longer than a compiled loop."""

from __future__ import annotations

from polytape.backend import Kernel

from ..universal import numpy_kernels, one_operand

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The kernel ``erf``."""
    return one_operand("erf", numpy_kernels("special.error")["erf"], ("float32",))
