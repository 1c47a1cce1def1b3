"""Sums of segments, and one-hot vectors; the other ops of segments are made of these and of the kernel ``scatter``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from polytape.backend import Kernel

from .indexing import FEW, rows_adder

__all__ = ["kernels"]

Array = Any
_CLASSES: Final = 64  # up to here rows are taken from a table of all vectors


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the segment family on the arrays of ``xp``."""
    return [Kernel("one_hot", _one_hot(xp), fresh=True), Kernel("segment_sum", _segment_sum(xp), fresh=True)]


def _segment_sum(xp: Any) -> Callable[..., Array]:
    zeros, add_rows = xp.zeros, rows_adder(xp)
    few = FEW if xp.__name__ == "numpy" else 0  # a loop over so few rows finds those out of bounds itself

    def segment_sum(data: Array, segment_ids: Array, *, num_segments: int) -> Array:
        if not data.ndim or segment_ids.shape != data.shape[:1]:
            raise ValueError(f"segments of shape {segment_ids.shape} do not match data of shape {data.shape}")
        halves = data.dtype.itemsize == 2 and data.dtype.kind not in "iu"  # each addition would be rounded
        values = data.astype("float32") if halves else data
        y = zeros((num_segments, *data.shape[1:]), values.dtype)
        count = segment_ids.size
        if count:
            if (count > few or not y.size) and (segment_ids.min() < -num_segments or segment_ids.max() >= num_segments):
                raise IndexError(f"a segment is out of bounds for {num_segments} segments")
            add_rows(y, segment_ids, values)
        return y.astype(data.dtype, copy=False)

    return segment_sum


@lru_cache(maxsize=64)
def _table(classes: int, dtype: Any) -> Array:
    """The one-hot vectors of all classes, between two vectors of zeros for the indices below and above."""
    table = np.zeros((classes + 2, classes), dtype)
    np.fill_diagonal(table[1:], 1)
    return table


def _one_hot(xp: Any) -> Callable[..., Array]:
    zeros, arange, on_host = xp.zeros, xp.arange, xp.__name__ == "numpy"

    def one_hot(indices: Array, *, num_classes: int, axis: int = -1, dtype: Any) -> Array:
        place = range(indices.ndim + 1)[axis]
        if on_host and num_classes <= _CLASSES:
            # Integers that wrap become indices below 0, or 0 itself.
            y = _table(num_classes, dtype).take(indices + 1, 0, mode="clip")
            return y if place == indices.ndim else moved(y, place)
        flat = indices.reshape(-1).astype("int64")  # uint64 and int64 would give float64
        y = zeros((*indices.shape, num_classes), dtype)
        inside = (flat >= 0) & (flat < num_classes)
        # One flat index array: for 1e5 rows a quarter of the time of a comparison with every class.
        y.reshape(-1)[(arange(flat.size) * num_classes + flat)[inside]] = 1
        return moved(y, place)

    def moved(y: Array, place: int) -> Array:
        order = list(range(y.ndim - 1))
        order.insert(place, y.ndim - 1)
        return y.transpose(order)

    return one_hot
