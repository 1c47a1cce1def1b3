"""Creation: arrays filled with a value, and ranges."""

from __future__ import annotations

from collections.abc import Callable
from math import copysign
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels ``full`` and ``arange`` on the arrays of ``xp``."""
    return [Kernel("full", _full(xp)), Kernel("arange", _arange(xp))]


def _full(xp: Any) -> Callable[..., Array]:
    empty, zeros = xp.empty, xp.zeros

    def full(*, shape: tuple[int, ...], fill_value: Any, dtype: Any, device: Any) -> Array:
        if fill_value == 0 and type(fill_value) is not complex and copysign(1.0, fill_value) > 0.0:
            # Zeroed pages from the system cost nothing until they are accessed. -0.0 is not all zero bits.
            return zeros(shape, dtype)
        y = empty(shape, dtype)  # empty and fill take 190 ns, xp.full 810 ns
        y.fill(fill_value)
        return y

    return full


def _arange(xp: Any) -> Callable[..., Array]:
    xp_arange = xp.arange

    def arange(*, start: Any, stop: Any, step: Any, dtype: Any, device: Any) -> Array:
        if dtype.kind in "iu":
            return xp_arange(start, stop, step, dtype)
        # NumPy steps by the rounded difference of the first two elements: in float32, the step of
        # 1e6, 1e6 + 0.1, ... would be 0.125.
        return xp_arange(start, stop, step, "complex128" if dtype.kind == "c" else "float64").astype(dtype, copy=False)

    return arange
