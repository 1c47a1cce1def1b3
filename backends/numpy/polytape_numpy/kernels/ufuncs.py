"""Kernels that are functions of the module itself, which broadcast, check shapes and keep dtypes."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

__all__ = ["ufuncs"]


def ufuncs(xp: Any, names: str) -> list[Kernel]:
    """One kernel per op name: the function of ``xp`` with that name.

    They are registered without a wrapper, since a Python function around a call on ten elements would add 50 ns to
    its 270 ns.
    """
    return [Kernel(name, getattr(xp, name), out=True) for name in names.split()]
