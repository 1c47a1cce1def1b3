"""Kernels of elementwise ops: universal functions, which are compiled or loaded when they first run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel
from polytape_numpy.kernels import build

from .compiled import FEW, loops

__all__ = ["REAL", "numpy_kernels", "one_operand", "two_operands", "universal"]

Array = Any
Fn = Callable[..., Array]

REAL: Final = ("float32", "float64")


def numpy_kernels(family: str) -> dict[str, Fn]:
    """The NumPy kernels of a family for float32 and float64, by op."""
    served = ("any", "floating", "float32")
    found: dict[str, Fn] = {}
    for kernel in build(np, (family,)):
        if any(entry in served or "float32" in entry for entry in kernel.dtypes):
            found.setdefault(kernel.op, kernel.fn)
    return found


def universal(name: str, dtype: str) -> Fn:
    """The universal function `polytape_numba.loops.ufunc`, which is made by the first call."""
    made: list[Fn] = []

    def function(*operands: Any) -> Array:
        if not made:
            made.append(loops().ufunc(name, dtype))
        return made[0](*operands)

    return function


def one_operand(op: str, few: Fn, dtypes: Sequence[str] = REAL) -> list[Kernel]:
    """The kernels of an op with one operand and no attributes, one per dtype.

    Args:
        op: the name of the op and of the universal function.
        few: serves fewer than FEW elements, so that numbers alone do not import numba. The choice depends on the size
            only: the same call always gives the same bits.
        dtypes: those that are served.
    """
    return [Kernel(op, _of_one(op, dtype, few), dtypes=(dtype,), fresh=True) for dtype in dtypes]


def _of_one(op: str, dtype: str, few: Fn) -> Fn:
    function: Fn | None = None

    def kernel(x: Array) -> Array:
        nonlocal function
        if x.size < FEW:
            return few(x)
        if function is None:
            function = loops().ufunc(op, dtype)
        return function(x)

    return _named(kernel, op)


def two_operands(op: str, few: Fn, dtypes: Sequence[str] = REAL) -> list[Kernel]:
    """As `one_operand`, for an op with two operands, which may broadcast."""
    return [Kernel(op, _of_two(op, dtype, few), dtypes=(dtype,), fresh=True) for dtype in dtypes]


def _of_two(op: str, dtype: str, few: Fn) -> Fn:
    function: Fn | None = None

    def kernel(x1: Array, x2: Array) -> Array:
        nonlocal function
        if x2.size < FEW:
            return few(x1, x2)
        if function is None:
            function = loops().ufunc(op, dtype)
        return function(x1, x2)

    return _named(kernel, op)


def _named(kernel: Fn, op: str) -> Fn:
    kernel.__name__ = kernel.__qualname__ = op  # `polytape.explain` shows it
    kernel.universal = op  # type: ignore[attr-defined]  # of many elements; a compiled cluster calls its inner loop
    return kernel
