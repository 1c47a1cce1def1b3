"""Comparisons and logical operations by the module's own functions, and a ``where`` without a branch per element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from .ufuncs import ufuncs

__all__ = ["kernels"]

Array = Any

# From here on a few passes over the bits beat NumPy's branch per element: 54 against 345 us for 100,000 float32 and a
# random condition, 49 against 62 us for one that is nearly always true.
_LARGE: Final = 8192
_CHUNK: Final = 16384  # elements at a time: the mask stays in L1, and no second full-size array is made


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the logic family on the arrays of ``xp``."""
    names = "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not isfinite"
    where = _where(xp) if xp.__name__ == "numpy" else xp.where  # a GPU's own where does not branch
    return [*ufuncs(xp, names), Kernel("where", where, fresh=True)]


def _where(xp: Any) -> Callable[..., Array]:
    branching, empty = xp.where, xp.empty
    negative, differ, both = xp.negative, xp.bitwise_xor, xp.bitwise_and
    integers = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}

    def flat(x: Array, shape: tuple[int, ...], bits: str) -> Array | None:
        """The bits of a number, or of an array of the full shape; None for one that broadcasts otherwise."""
        if x.ndim == 0:
            return x.view(bits)
        return x.reshape(-1).view(bits) if x.shape == shape and x.flags.c_contiguous else None

    def where(condition: Array, x1: Array, x2: Array) -> Array:
        dtype = x1.dtype
        shape = condition.shape
        if condition.size < _LARGE or condition.dtype.kind != "b" or dtype != x2.dtype or dtype.itemsize > 8:
            return branching(condition, x1, x2)
        bits = integers[dtype.itemsize]
        chosen, first, other = flat(condition, shape, "int8"), flat(x1, shape, bits), flat(x2, shape, bits)
        if chosen is None or first is None or other is None:
            return branching(condition, x1, x2)
        y = empty(shape, dtype)
        result = y.reshape(-1).view(bits)
        scratch = empty(_CHUNK, bits)
        for start in range(0, condition.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            out = result[part]
            mask = negative(chosen[part], out=scratch[: out.size], dtype=bits)  # all ones where it holds
            here = other[part] if other.ndim else other
            differ(first[part] if first.ndim else first, here, out=out)
            both(out, mask, out=out)
            differ(out, here, out=out)
        return y

    return where
