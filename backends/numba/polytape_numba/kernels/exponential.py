"""log1p of float32: NumPy's kernel makes seven passes, unless NumPy has a SIMD loop for this processor."""

from __future__ import annotations

import importlib
from typing import Any

from polytape.backend import Kernel

from .universal import numpy_kernels, one_operand

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The kernel ``log1p``: NumPy's own where that is faster; the backend has the same ops on all processors."""
    introspect: Any = importlib.import_module("numpy.lib.introspect")
    loops = introspect.opt_func_info(func_name="^log1p$", signature="^float32$").get("log1p", {})
    of_numpy = numpy_kernels("exponential")["log1p"]
    if any("baseline" in loop["current"] for loop in loops.values()):
        return one_operand("log1p", of_numpy, ("float32",))
    return [Kernel("log1p", of_numpy, dtypes=("float32",), fresh=True)]
