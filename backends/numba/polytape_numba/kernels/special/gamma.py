"""lgamma and digamma of float32, computed in float64."""

from __future__ import annotations

from polytape.backend import Kernel

from ..universal import numpy_kernels, one_operand

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The kernels ``lgamma`` and ``digamma``."""
    few = numpy_kernels("special.gamma")
    return [kernel for op in ("lgamma", "digamma") for kernel in one_operand(op, few[op], ("float32",))]
