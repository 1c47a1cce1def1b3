"""Set operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the sets family on the arrays of ``xp``."""
    return [Kernel("isin", _isin(xp), dtypes=_INTEGERS, fresh=True)]


def _isin(xp: Any) -> Callable[..., Array]:
    xp_isin = xp.isin

    def isin(x1: Array, x2: Array, *, invert: bool = False) -> Array:
        return xp_isin(x1, x2, invert=invert)  # integers in a small range are looked up in a table

    return isin
