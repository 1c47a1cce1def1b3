"""Eigenvalues and eigenvectors by the module's own linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .rejections import reporting

__all__ = ["kernels"]

Array = Any
_DTYPES: Final = ("float32", "float64", "complex64", "complex128")


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the eigen family on the arrays of ``xp``."""
    linalg = xp.linalg

    def eigh(x: Array) -> tuple[Array, Array]:
        values, vectors = linalg.eigh(x)
        return values, vectors

    def eig(x: Array) -> tuple[Array, Array]:
        values, vectors = linalg.eig(x)
        dtype = {"float32": "complex64", "float64": "complex128"}.get(x.dtype.name, x.dtype)
        return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)

    functions: dict[str, Callable[..., Any]] = {"eigh": eigh, "eig": eig}
    return [Kernel(op, reporting(xp, op, fn), dtypes=_DTYPES, fresh=True) for op, fn in functions.items()]
