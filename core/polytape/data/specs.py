"""TensorSpec: the shape and dtype of a tensor in the elements of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DType
from ..tensors.tensor import Tensor
from .structures import map_leaves

__all__ = ["TensorSpec", "batched", "describe", "unbatched"]


class TensorSpec:
    """The shape and dtype that a tensor in each element of a dataset has.

    Args:
        shape: tuple of int or None; None where sizes differ between elements.
        dtype: the dtype.

    Example:
        >>> import polytape as pt
        >>> pt.data.Dataset.range(3).batch(2).element_spec
        TensorSpec(int64[?])
    """

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int | None, ...], dtype: DType) -> None:
        self.shape = tuple(shape)
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"TensorSpec({self.dtype}[{','.join('?' if n is None else str(n) for n in self.shape)}])"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


def describe(element: Any) -> Any:
    """The element with specs in place of arrays, and types in place of other objects."""
    return map_leaves(_describe_leaf, element)


def _describe_leaf(leaf: Any) -> Any:
    if isinstance(leaf, (np.ndarray, np.generic, Tensor)):
        return TensorSpec(tuple(leaf.shape), leaf.dtype)
    return type(leaf)


def batched(spec: Any, size: int | None) -> Any:
    """The spec of a batch of such elements."""
    return map_leaves(
        lambda leaf: TensorSpec((size, *leaf.shape), leaf.dtype) if isinstance(leaf, TensorSpec) else list, spec
    )


def unbatched(spec: Any) -> Any:
    """The spec of a row of such elements."""
    return map_leaves(
        lambda leaf: TensorSpec(leaf.shape[1:], leaf.dtype) if isinstance(leaf, TensorSpec) else object, spec
    )
