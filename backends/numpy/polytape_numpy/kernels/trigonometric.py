"""Trigonometric and hyperbolic functions: those of the module itself, with the standard's special values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any
# The array API standard's names, and NumPy's.
_INVERSES: Final = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh",
}  # fmt: skip


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the trigonometric family on the arrays of ``xp``."""
    is_numpy = xp.__name__ == "numpy"
    own = [Kernel("tanh", _complex_tanh(xp), dtypes=("complex64", "complex128"), fresh=True)] if is_numpy else []
    real = ("float16", "float32", "float64", "bfloat16") if is_numpy else ("float16", "float32", "float64")
    return [
        *own,
        *ufuncs(xp, "cos cosh sin sinh tan tanh"),
        *(Kernel(op, getattr(xp, name), out=True) for op, name in _INVERSES.items()),
        Kernel("atan2", xp.arctan2, dtypes=real, out=True),
        Kernel("hypot", xp.hypot, dtypes=real, out=True),
    ]


def _complex_tanh(xp: Any) -> Callable[..., Array]:
    asarray, copysign, isinf, tanh = xp.asarray, xp.copysign, xp.isinf, xp.tanh

    def complex_tanh(x: Array) -> Array:
        y = asarray(tanh(x))
        infinite = isinf(x.real)
        if infinite.any():
            # By the standard 1 + 0j. In NumPy the sign of the zero varies with x.imag as in C, and with the C library.
            y.real[infinite] = copysign(1, x.real[infinite])
            y.imag[infinite] = copysign(0, x.imag[infinite])
        return y

    return complex_tanh
