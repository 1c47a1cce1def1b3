"""The transpose of indexing, also for dtypes that cupy cannot add atomically."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel
from polytape_numpy.kernels import build

__all__ = ["kernels"]

Array = Any
Key = tuple[tuple[Any, ...], ...]

# cupy.add.at supports these dtypes and raises a TypeError for all others.
_ATOMIC: Final = ("int32", "uint32", "uint64", "float16", "float32", "float64")


def kernels(xp: Any) -> list[Kernel]:
    """The kernel ``scatter_add`` on the arrays of ``xp``."""
    shared = next(kernel.fn for kernel in build(xp) if kernel.op == "scatter_add")
    return [Kernel("scatter_add", _scatter_add(xp, shared))]


def _scatter_add(xp: Any, shared: Callable[..., Array]) -> Callable[..., Array]:
    def scatter_add(values: Array, *indices: Array, key: Key, shape: tuple[int, ...]) -> Array:
        dtype = values.dtype
        if dtype.name in _ATOMIC or not indices:
            return shared(values, *indices, key=key, shape=shape)
        if dtype.kind == "c":
            parts = xp.empty((*shape, 2), values.real.dtype)
            parts[..., 0] = shared(values.real, *indices, key=key, shape=shape)
            parts[..., 1] = shared(values.imag, *indices, key=key, shape=shape)
            return parts.view(dtype).reshape(shape)
        # In two's complement, the low bits of a sum modulo 2**64 are correct for integers of every width.
        wide = values.astype("int64", copy=False).view("uint64")
        return shared(wide, *indices, key=key, shape=shape).view("int64").astype(dtype, copy=False)

    return scatter_add
