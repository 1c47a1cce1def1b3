"""Kernels as expressions, for operands whose shapes and dtypes are known: the branch that the kernel would take.

For a vector of 1,000 numbers, `sum` and `mean` take 1.3 us, of which the kernel's own tests take 0.2 us. Where the
branch depends on how an operand lies in memory, the expression tests that, and may call the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

from polytape.backend import Expression, Value

from .rows import column, ones
from .summing import LONG, SMALL

__all__ = ["of_matmul", "of_reduction", "of_vdot"]

Array = Any
Specialise = Callable[[tuple[Value | None, ...], dict[str, Any]], Expression | None]


def of_reduction(xp: Any, kernel: Callable[..., Array]) -> Specialise | None:
    """The expressions of ``kernel``, which is `sum` or `mean` of `polytape_numpy.kernels.reduction`."""
    if xp.__name__ != "numpy":
        return None
    reduce, mean = xp.add.reduce, kernel.__name__ == "mean"

    def specialise(operands: tuple[Value | None, ...], attributes: dict[str, Any]) -> Expression | None:
        x, axis, keepdims = operands[0], attributes.get("axis"), attributes.get("keepdims", False)
        assert x is not None
        size, rank = prod(x.shape), len(x.shape)
        dtype = attributes.get("dtype", x.dtype)
        if not 0 < size <= SMALL or x.dtype.char not in "fd" or dtype != x.dtype or (axis is not None and not rank):
            return None
        count = size if axis is None else prod([x.shape[k] for k in (axis if isinstance(axis, tuple) else (axis,))])
        divided = f" / {count}" if mean else ""
        added = "{reduce}({0}, {axis}, None, None, {keepdims})" + divided
        values = {"reduce": reduce, "axis": axis, "keepdims": keepdims}
        is_last = axis == -1 or axis == rank - 1
        if x.dtype.char == "d" or (not is_last if rank != 1 else size > LONG):
            return Expression(added, values)
        # BLAS sums float32 if the elements lie one after another.
        n = x.shape[-1]
        if n > LONG or (rank == 1 and (keepdims or not (axis is None or is_last))):
            return None
        factor = column(n, "f") if keepdims else ones(n, "f")
        other = partial(kernel, **attributes)
        text = "{0}.dot({factor})" + divided + " if {0}.flags.c_contiguous else {other}({0})"
        return Expression(text, {"factor": factor, "other": other})

    return specialise


def of_matmul(operands: tuple[Value | None, ...], attributes: dict[str, Any]) -> Expression | None:
    """The product of two matrices or vectors, by a method of the arrays."""
    ranks = [len(x.shape) for x in operands if x is not None]
    return Expression("{0}.dot({1})") if all(1 <= rank <= 2 for rank in ranks) else None


def of_vdot(operands: tuple[Value | None, ...], attributes: dict[str, Any]) -> Expression | None:
    """The product of two vectors."""
    ranks = [len(x.shape) for x in operands if x is not None]
    return Expression("{0}.dot({1})") if ranks == [1, 1] else None
