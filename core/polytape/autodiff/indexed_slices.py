"""IndexedSlices: a tensor that is zero except in some rows, such as the gradient of an embedding."""

from __future__ import annotations

import importlib
from typing import Any

from ..dtypes import INTEGER
from ..errors import DTypeError, ShapeError
from ..registry import tables
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators

__all__ = ["IndexedSlices"]

Shape = tuple[int, ...]


class IndexedSlices:
    """The tensor of shape ``dense_shape`` whose row ``i`` is the sum of the ``values[k]`` with ``indices[k] == i``.

    ``tape.gradient(..., sparse=True)`` returns it for a variable from which only rows are taken, and optimizers change
    only these rows.

    Args:
        values: dtype[n, ...]: the rows.
        indices: integer[n]: their positions, negative ones counted from the end; a position may occur several times.
        dense_shape: the shape of the whole tensor.
        unique: whether no position occurs twice.
    Raises:
        ShapeError, DTypeError: arguments that do not fit together.

    Example:
        >>> import polytape as pt
        >>> slices = pt.IndexedSlices(pt.asarray([[1.0], [2.0], [4.0]]), pt.asarray([0, 2, 0]), (3, 1))
        >>> slices.to_dense().tolist()
        [[5.0], [0.0], [2.0]]
    """

    __slots__ = ("dense_shape", "indices", "merged", "unique", "values")

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Any, unique: bool = False) -> None:
        self.values: Tensor = operators.asarray(values, None, None)
        self.indices: Tensor = operators.asarray(indices, None, self.values.device)
        self.dense_shape: Shape = tuple(dense_shape)
        self.unique = unique
        self.merged = unique  # whether `coalesce` has nothing to do
        if self.indices.type.category != INTEGER:
            raise DTypeError(
                f"IndexedSlices cannot use {describe(self.indices)} as indices.",
                expected="integers",
                got=str(self.indices.dtype),
                fix="cast them to 'int64'",
            )
        expected = (*self.indices.shape, *self.dense_shape[1:])
        if len(self.indices.shape) != 1 or not self.dense_shape or self.values.shape != expected:
            raise ShapeError(
                "the parts of IndexedSlices do not fit together.",
                expected="values[n, ...], indices[n] and dense_shape (rows, ...) with the same axes after the first",
                got=f"values {self.values.shape}, indices {self.indices.shape}, dense_shape {self.dense_shape}",
                fix="reshape them",
            )

    def __repr__(self) -> str:
        parts = f"{describe(self.values)}, indices={describe(self.indices)}, dense_shape={self.dense_shape}"
        return f"IndexedSlices({parts})"

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype

    @property
    def shape(self) -> Shape:
        """``dense_shape``."""
        return self.dense_shape

    @property
    def device(self) -> Any:
        """The device of the values."""
        return self.values.device

    def to_device(self, device: Any) -> IndexedSlices:
        """The same rows on another device."""
        if self.device is device:
            return self
        values, indices = operators.to_device(self.values, device), operators.to_device(self.indices, device)
        return IndexedSlices(values, indices, self.dense_shape, self.unique)

    def to_dense(self) -> Tensor:
        """The whole tensor."""
        zeros, scatter = tables.get_op("zeros"), tables.get_op("scatter")
        whole = zeros(self.dense_shape, dtype=self.dtype, device=self.device)
        result: Tensor = scatter(whole, self.indices, self.values, axis=0)
        return result

    def coalesce(self) -> IndexedSlices:
        """The same tensor with each position once, in increasing order, and its rows summed.

        In a traced function, where the number of positions must not depend on values, a position that occurs several
        times stays so: its first row is the sum, the others are zeros.
        """
        if self.merged:
            return self
        rows = self.dense_shape[0]
        where, segment_sum = tables.get_op("where"), tables.get_op("segment_sum")
        indices = where(self.indices < 0, self.indices + rows, self.indices)
        if current_scope.get().trace is not None:
            # What is still negative does not exist. It must not count from the end again.
            positions = tables.get_op("sort")(where(indices < 0, rows, indices))
            first = tables.get_op("searchsorted")(positions, indices)
            values = segment_sum(self.values, first, num_segments=positions.shape[0])
            summed = IndexedSlices(values, positions, self.dense_shape)
            summed.merged = True
            return summed
        # A function of ops that no op names; this room is below the ops.
        unique_inverse = importlib.import_module("polytape.ops.sets").unique_inverse
        positions, inverse = unique_inverse(indices)
        values = segment_sum(self.values, inverse, num_segments=positions.shape[0])
        return IndexedSlices(values, positions, self.dense_shape, unique=True)
