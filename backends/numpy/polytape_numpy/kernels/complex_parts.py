"""Complex numbers and their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the complex_parts family on the arrays of ``xp``."""
    return [
        Kernel("complex", _complex(xp), fresh=True),
        Kernel("real", lambda x: x.real if x.dtype.kind == "c" else x),
        Kernel("imag", lambda x: x.imag if x.dtype.kind == "c" else xp.zeros(x.shape, x.dtype)),
        Kernel("conj", lambda x: x.conj() if x.dtype.kind == "c" else x),
    ]


def _complex(xp: Any) -> Callable[..., Array]:
    empty = xp.empty

    def complex(real: Array, imag: Array) -> Array:
        shape = real.shape if real.shape == imag.shape else (real[..., None] + imag[..., None]).shape[:-1]
        y = empty(shape, "complex64" if real.dtype.itemsize == 4 else "complex128")
        y.real = real  # real + 1j * imag would make NaN of an infinite part
        y.imag = imag
        return y

    return complex
