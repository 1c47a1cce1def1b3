"""The gradients of selected rows, as of an embedding: rows are added by number."""

from __future__ import annotations

from typing import Any, Final

from polytape.backend import Kernel

from .segment import are_rows, sum_of_rows

__all__ = ["kernels"]

Array = Any
Key = tuple[tuple[Any, ...], ...]

_FULL_SLICE: Final = ("slice", None, None, None)


def kernels() -> list[Kernel]:
    """The kernel ``scatter_add``."""
    return [Kernel("scatter_add", scatter_add, when=served, fresh=True)]


def served(values: Array, *indices: Array, key: Key, shape: tuple[int, ...]) -> bool:
    """Whether one array selects whole rows, and the operands are large and in C order."""
    return (
        len(indices) == 1
        and key[0][0] == "array"
        and all(part == _FULL_SLICE for part in key[1:])
        and len(shape) >= len(key)
        and values.shape == (*indices[0].shape, *shape[1:])
        and are_rows(values, indices[0])
    )


def scatter_add(values: Array, *indices: Array, key: Key, shape: tuple[int, ...]) -> Array:
    return sum_of_rows(values, indices[0], tuple(shape))
