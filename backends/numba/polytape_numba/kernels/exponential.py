"""log1p of float32, unless NumPy has a SIMD loop for this processor: otherwise it makes seven passes."""

from __future__ import annotations

import importlib
from typing import Any

from polytape.backend import Kernel

from .universal import numpy_kernels, one_operand

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The kernel ``log1p``, or none."""
    introspect: Any = importlib.import_module("numpy.lib.introspect")
    loops = introspect.opt_func_info(func_name="^log1p$", signature="^float32$").get("log1p", {})
    if not any("baseline" in loop["current"] for loop in loops.values()):
        return []
    return one_operand("log1p", numpy_kernels("exponential")["log1p"], ("float32",))
