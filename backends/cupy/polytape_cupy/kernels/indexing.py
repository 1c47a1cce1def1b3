"""The transposes of indexing and of take, also for dtypes that cupy cannot add atomically."""

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
    """The kernels ``scatter_add`` and ``scatter`` on the arrays of ``xp``."""
    shared = {kernel.op: kernel.fn for kernel in build(xp, ("indexing", "movement"))}
    return [
        Kernel("scatter_add", _scatter_add(xp, shared["scatter_add"])),
        Kernel("scatter", _scatter(xp, shared["scatter"]), fresh=True),
    ]


def _scatter(xp: Any, shared: Callable[..., Array]) -> Callable[..., Array]:
    def scatter(x: Array, indices: Array, values: Array, *, axis: int = 0, mode: str = "add") -> Array:
        dtype = x.dtype
        if mode == "set" or (dtype.name in _ATOMIC and (mode == "add" or dtype.name != "float16")):
            return shared(x, indices, values, axis=axis, mode=mode)
        if dtype.kind == "c":
            real = shared(x.real, indices, values.real, axis=axis, mode=mode)
            y = xp.empty(real.shape, dtype)
            y.real = real
            y.imag = shared(x.imag, indices, values.imag, axis=axis, mode=mode)
            return y
        if mode == "max":
            if dtype.kind == "f":
                wide = x.astype("float32"), values.astype("float32")
                return shared(wide[0], indices, wide[1], axis=axis, mode=mode).astype(dtype)
            # Signed numbers are ordered as unsigned ones once their sign bit is flipped.
            flip = xp.asarray(-(2**63) if dtype.kind == "i" else 0, "int64")
            ordered = [(array.astype("int64", copy=False) ^ flip).view("uint64") for array in (x, values)]
            y = shared(ordered[0], indices, ordered[1], axis=axis, mode=mode)
            return (y.view("int64") ^ flip).astype(dtype, copy=False)
        bits = [array.astype("int64", copy=False).view("uint64") for array in (x, values)]
        return shared(bits[0], indices, bits[1], axis=axis, mode=mode).view("int64").astype(dtype, copy=False)

    return scatter


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
