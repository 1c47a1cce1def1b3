"""Kernels for any module that follows NumPy: written once, for numpy, cupy, polytape-sim and strangers.

A module here holds one family of ops and offers ``kernels(xp)``. Every kernel takes its op's operands by position and
its attributes by keyword, keeps the dtype it is given, and uses only what NumPy and CuPy share by name. Results of
rank 0 may be the module's scalars: core lifts them (`Backend.lift`).
"""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from . import creation, elementwise, indexing, linalg, manipulation, nn, optim, random, reduction

__all__ = ["build"]

_FAMILIES = (creation, elementwise, reduction, linalg, manipulation, indexing, nn, random, optim)


def build(xp: Any) -> list[Kernel]:
    """Kernels on the arrays of ``xp``.

    Args:
        xp: a module with NumPy's names and semantics, such as ``numpy`` or ``cupy``. Arrays are made on its current
            device: a backend with several devices makes the one in the attribute ``device`` current around a
            creation or random kernel.
    Returns:
        A new list, one kernel per op, for every dtype and device kind. All are registered as checked, since these
        modules raise on shapes that do not fit; a backend that queues work wraps ``kernel.fn`` in unchecked ones.
    """
    return [kernel for family in _FAMILIES for kernel in family.kernels(xp)]
