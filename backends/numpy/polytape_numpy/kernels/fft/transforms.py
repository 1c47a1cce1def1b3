"""Fourier transforms along one axis, by the module's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any
_DTYPES = ("float32", "float64", "complex64", "complex128")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the transforms family on the arrays of ``xp``."""
    return [
        Kernel(op, _transform(getattr(xp.fft, op)), dtypes=_DTYPES, fresh=True)
        for op in ("fft", "ifft", "rfft", "irfft")
    ]


def _transform(fn: Callable[..., Array]) -> Callable[..., Array]:
    def transform(x: Array, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
        if type(axis) is not int:
            raise ValueError(f"axis {axis} is not an int")
        return fn(x, n, axis, norm)

    return transform
