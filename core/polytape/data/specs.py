"""What the elements of a dataset are, as specs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors.spec import TensorSpec
from ..tensors.tensor import Tensor
from .structures import map_leaves

__all__ = ["TensorSpec", "batched", "describe", "unbatched"]


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
