"""Kernels that are the module's own functions: these broadcast, check shapes and keep dtypes themselves."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

__all__ = ["ufuncs"]


def ufuncs(xp: Any, names: str) -> list[Kernel]:
    """A kernel per name, of the function of ``xp`` with the op's name.

    Registered bare: a Python function around one of these would add 50 ns to the 270 of a ten-element call.
    """
    return [Kernel(name, getattr(xp, name), out=True) for name in names.split()]
