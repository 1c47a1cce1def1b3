"""Kernels that are functions of the module itself, which broadcast, check shapes and keep dtypes."""

from __future__ import annotations

from typing import Any, Final

from polytape.backend import Kernel

__all__ = ["ufuncs"]

# Not "/": a reduction may return a Python float, which raises for a divisor of 0.
OPERATORS: Final = {"add": "+", "subtract": "-", "multiply": "*"}


def ufuncs(xp: Any, names: str) -> list[Kernel]:
    """One kernel per op name: the function of ``xp`` with that name.

    They are registered without a wrapper, since a Python function around a call on ten elements would add 50 ns to
    its 270 ns.
    """
    operators = OPERATORS if xp.__name__ == "numpy" else {}
    return [Kernel(name, getattr(xp, name), out=True, operator=operators.get(name, "")) for name in names.split()]
