"""Rounding and integer division; integers are rounded already, and their division by 0 is defined."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from .quiet import silent

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the rounding family on the arrays of ``xp``."""
    rounded = {"floor": xp.floor, "ceil": xp.ceil, "trunc": xp.trunc, "round": xp.rint}
    floating = ("real floating",)
    return [
        *(Kernel(op, fn, dtypes=("floating",) if op == "round" else floating, out=True) for op, fn in rounded.items()),
        *(Kernel(op, _same, dtypes=("integral",)) for op in rounded),
        Kernel("fmod", xp.fmod, dtypes=floating, out=True),
        Kernel("floor_divide", xp.floor_divide, dtypes=floating, out=True),
        Kernel("remainder", xp.remainder, dtypes=floating, out=True),
        Kernel("fmod", silent(xp, xp.fmod), dtypes=("integral",), fresh=True),
        Kernel("floor_divide", silent(xp, xp.floor_divide), dtypes=("integral",), fresh=True),
        Kernel("remainder", silent(xp, xp.remainder), dtypes=("integral",), fresh=True),
    ]


def _same(x: Array) -> Array:
    return x
