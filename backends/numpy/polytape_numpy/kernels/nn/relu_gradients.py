"""The gradient of relu."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from ..logic import where_of
from .masking import kept_bits

__all__ = ["relu_gradient"]

Array = Any

_MANY: Final = 2048  # elements, from which on selecting bits, three calls of NumPy, takes less time than where()


def relu_gradient(xp: Any) -> Callable[..., Array]:
    """The kernel ``relu_gradient`` on the arrays of ``xp``."""
    where, zeros, on_host = where_of(xp), xp.zeros, xp.__name__ == "numpy"

    if on_host:
        zeros = lru_cache(maxsize=16)(zeros)

    def kernel(incoming: Array, result: Array) -> Array:
        if on_host and result.size >= _MANY and incoming.shape == result.shape:
            bits = kept_bits(xp, result > 0, incoming.itemsize)
            return xp.bitwise_and(incoming.view(bits.dtype), bits, out=bits).view(incoming.dtype)
        return where(result > 0, incoming, zeros((), result.dtype))

    return kernel
