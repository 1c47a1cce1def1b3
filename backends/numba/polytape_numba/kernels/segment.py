"""Sums of segments: rows are added by number."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polytape.backend import Kernel

from .compiled import FEW, loops

__all__ = ["are_rows", "kernels", "sum_of_rows"]

Array = Any


def kernels() -> list[Kernel]:
    """The kernel ``segment_sum``, for float32, float64 and signed indices."""
    return [Kernel("segment_sum", segment_sum, when=served, fresh=True)]


def are_rows(values: Array, numbers: Array) -> bool:
    """Whether values and numbers are in C order and of dtypes that the loop takes, and the values not few."""
    return bool(
        values.size >= FEW
        and values.dtype.char in "fd"
        and numbers.dtype.kind == "i"
        and numbers.itemsize >= 4
        and values.flags.carray
        and numbers.flags.carray
    )


def served(data: Array, segment_ids: Array, *, num_segments: int) -> bool:
    """As `are_rows`."""
    return segment_ids.ndim == 1 and segment_ids.shape == data.shape[:1] and are_rows(data, segment_ids)


def sum_of_rows(values: Array, numbers: Array, shape: tuple[int, ...]) -> Array:
    """A new array of ``shape``, whose rows are the sums of the rows of ``values`` with their numbers."""
    y = np.zeros(shape, values.dtype)
    width = prod(shape[1:])
    if not loops().add_rows(numbers.reshape(-1), values.reshape(-1, width), y.reshape(-1, width)):
        raise IndexError(f"an index is out of bounds for axis 0 with size {shape[0]}")
    return y


def segment_sum(data: Array, segment_ids: Array, *, num_segments: int) -> Array:
    return sum_of_rows(data, segment_ids, (num_segments, *data.shape[1:]))
