"""Whole powers of large operands by products, in one pass: NumPy calls a function for each element."""

from __future__ import annotations

from typing import Any, Final

from polytape.backend import Kernel

from .universal import Fn, numpy_kernels, universal

__all__ = ["kernels"]

Array = Any

_LARGE: Final = 256  # elements: of fewer, NumPy's powers take less time than a look at the exponent
_PASSES: Final = 16384  # elements: fewer stay in the first-level cache between the two passes of NumPy's third power
_MOST: Final = 63  # the largest exponent of `whole_power`


def kernels() -> list[Kernel]:
    """The kernels ``power``."""
    few = numpy_kernels("arithmetic")["power"]
    whole = universal("whole_power", "float32")
    return [
        Kernel("power", _power(universal("cube", "float32"), whole, few), dtypes=("float32",), fresh=True),
        Kernel("power", _power(universal("cube", "float64"), None, few), dtypes=("float64",), fresh=True),
    ]


def _power(cube: Fn, whole: Fn | None, otherwise: Fn) -> Fn:
    def power(x1: Array, x2: Array) -> Array:
        if x1.size < _LARGE or x2.ndim:
            return otherwise(x1, x2)
        exponent = x2.item()
        if exponent == 3.0 and x1.size >= _PASSES:
            return cube(x1)
        if whole is not None and (3.0 < exponent <= _MOST or -_MOST <= exponent < -1.0) and exponent == exponent // 1:
            return whole(x1, x2)
        return otherwise(x1, x2)

    return power
