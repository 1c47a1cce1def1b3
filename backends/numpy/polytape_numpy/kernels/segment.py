"""One-hot vectors; the ops of segments are made of the kernel ``scatter``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytape.backend import Kernel

__all__ = ["kernels"]

Array = Any


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the segment family on the arrays of ``xp``."""
    return [Kernel("one_hot", _one_hot(xp), fresh=True)]


def _one_hot(xp: Any) -> Callable[..., Array]:
    zeros, arange = xp.zeros, xp.arange

    def one_hot(indices: Array, *, num_classes: int, axis: int = -1, dtype: Any) -> Array:
        place = range(indices.ndim + 1)[axis]
        flat = indices.reshape(-1).astype("int64")  # uint64 and int64 would give float64
        y = zeros((*indices.shape, num_classes), dtype)
        inside = (flat >= 0) & (flat < num_classes)
        # One flat index array: for 1e5 rows a quarter of the time of a comparison with every class.
        y.reshape(-1)[(arange(flat.size) * num_classes + flat)[inside]] = 1
        order = list(range(indices.ndim))
        order.insert(place, indices.ndim)
        return y.transpose(order)

    return one_hot
