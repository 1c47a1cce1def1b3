"""Bitwise operations: the functions of the module itself, and shifts that are defined for every count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the bitwise family on the arrays of ``xp``."""
    return [
        *ufuncs(xp, "bitwise_and bitwise_or bitwise_xor"),
        Kernel("bitwise_invert", xp.invert, out=True),
        Kernel("bitwise_left_shift", _left_shift(xp), fresh=True),
        Kernel("bitwise_right_shift", _right_shift(xp), fresh=True),
    ]


def _left_shift(xp: Any) -> Callable[..., Array]:
    shift, where = xp.left_shift, xp.where

    def bitwise_left_shift(x1: Array, x2: Array) -> Array:
        # In C a shift by more bits than there are, or by less than 0, is undefined.
        valid = (x2 >= 0) & (x2 < 8 * x1.dtype.itemsize)
        return where(valid, shift(x1, where(valid, x2, 0).astype(x2.dtype)), 0).astype(x1.dtype, copy=False)

    return bitwise_left_shift


def _right_shift(xp: Any) -> Callable[..., Array]:
    shift, where = xp.right_shift, xp.where

    def bitwise_right_shift(x1: Array, x2: Array) -> Array:
        last = 8 * x1.dtype.itemsize - 1
        y = shift(x1, where((x2 >= 0) & (x2 <= last), x2, last).astype(x2.dtype))
        if x1.dtype.kind == "u":
            y = where((x2 >= 0) & (x2 <= last), y, 0).astype(x1.dtype, copy=False)
        return y

    return bitwise_right_shift
