"""Indexing by a key, made of slices, rows and positions: the bodies of the ops in `polytape.ops.indexing`.

The static parts of a key are one strided slice. If there are index tensors, the axes that they index are moved to the
front and joined, so that ``x[key]`` takes rows of a table; several index tensors become one tensor of row numbers.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensors.tensor import Tensor
from . import shape_rules
from .arithmetic import maximum
from .creation import arange_, full, zeros
from .logic import less, logical_and, where
from .manipulation import astype_, broadcast_to, permute_dims, reshape
from .movement import ascending, scatter, slice_, slice_sizes, slice_update, take

__all__ = ["Lowered"]

Shape = tuple[int, ...]


class Lowered:
    """A key on an operand of known shape, as a slice and a table of rows.

    Attributes:
        start, stop, step: the slice, per axis. region: its shape.
        indexed: the axes that index tensors, or integers beside them, index. kept: the others, in order.
        leading: how many kept axes come before the common shape of the index tensors in the result.
        common: that shape. result: the shape of ``x[key]``.
    """

    def __init__(self, shape: Shape, parts: list[tuple[Any, ...]], layout: tuple[Shape, Shape, Shape, Shape]) -> None:
        before, self.common, after, _ = layout
        self.result: Shape = (*before, *self.common, *after)
        with_tensors = any(part[0] == "array" for part in parts)
        ranges: list[range] = []
        self.indexed: list[tuple[int, Any]] = []  # the axis, and its integer or None for a tensor
        self.kept: list[int] = []
        runs: list[int] = []
        for part in parts:
            axis = len(ranges)
            if part[0] == "ellipsis" or part[0] == "newaxis":
                runs.append(-1)  # it separates two index tensors
                continue
            size = shape[axis]
            if part[0] == "slice":
                ranges.append(range(*slice(part[1], part[2], part[3]).indices(size)) or range(0))
                self.kept.append(axis)
                runs.append(-1)
            elif with_tensors:
                ranges.append(range(size))
                self.indexed.append((axis, part[1] % size if part[0] == "int" else None))
                runs.append(axis)
            else:
                ranges.append(range(part[1] % size, part[1] % size + 1))
                self.kept.append(axis)
        self.start: Shape = tuple(positions.start for positions in ranges)
        self.stop: Shape = tuple(positions.stop for positions in ranges)
        self.step: Shape = tuple(positions.step for positions in ranges)
        self.region: Shape = slice_sizes(self.start, self.stop, self.step)
        self.shape = shape
        found = [place for place, axis in enumerate(runs) if axis >= 0]
        adjacent = bool(found) and found[-1] - found[0] + 1 == len(found)
        self.leading = len([axis for axis in self.kept if axis < self.indexed[0][0]]) if adjacent else 0

    def taken(self, x: Tensor) -> Tensor:
        """The slice of ``x``."""
        if self.region == self.shape and all(k > 0 for k in self.step):
            return x
        return slice_(x, start=self.start, stop=self.stop, step=self.step)

    def put(self, x: Tensor | None, region: Tensor) -> Tensor:
        """``x``, or zeros, with the slice replaced."""
        if self.region == self.shape and all(k > 0 for k in self.step):
            return region
        base = zeros(self.shape, dtype=region.dtype, device=region.device) if x is None else x
        region, start, step = ascending(region, self.start, self.step)
        return slice_update(base, region, start=start, step=step)

    def sizes(self, axes: list[int]) -> Shape:
        """The sizes of axes of the slice."""
        return tuple(self.region[axis] for axis in axes)

    def order(self) -> list[int]:
        """The axes of the slice, indexed ones first."""
        return [*(axis for axis, _ in self.indexed), *self.kept]

    def table(self, region: Tensor) -> Tensor:
        """The slice as rows: the indexed axes joined, the others joined."""
        rows = shape_rules.count(self.sizes([axis for axis, _ in self.indexed]))
        return reshape(permute_dims(region, tuple(self.order())), (rows, shape_rules.count(self.sizes(self.kept))))

    def from_table(self, rows: Tensor) -> Tensor:
        """The inverse of `table`."""
        order = self.order()
        inverse = tuple(order.index(axis) for axis in range(len(order)))
        return permute_dims(reshape(rows, self.sizes(order)), inverse)

    def row_numbers(self, indices: tuple[Tensor, ...]) -> Tensor:
        """The row that each element of the index tensors selects: int64[n].

        An index out of range gives a row that does not exist, so that taking it fails instead of taking another one.
        """
        count = shape_rules.count(self.common)
        if len(self.indexed) == 1:
            return reshape(indices[0], count)
        tensors = iter(indices)
        rows: Any = 0
        valid: Any = None
        for axis, number in self.indexed:
            size = self.region[axis]
            if number is not None:
                rows = rows * size + number
                continue
            index = astype_(next(tensors), dtypes.int64)
            index = where(index < 0, index + size, index)
            inside = logical_and(less(-1, index), less(index, size))
            valid = inside if valid is None else logical_and(valid, inside)
            rows = rows * size + index
        last = shape_rules.count(self.sizes([axis for axis, _ in self.indexed]))
        return reshape(broadcast_to(where(valid, rows, last), self.common), count)

    def select(self, x: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
        """``x[key]``."""
        region = self.taken(x)
        if not self.indexed:
            return reshape(region, self.result)
        taken = take(self.table(region), self.row_numbers(indices), axis=0)
        kept = self.sizes(self.kept)
        taken = reshape(taken, (*self.common, *kept))
        first = len(self.common)
        if self.leading:
            middle = range(first, first + self.leading)
            taken = permute_dims(taken, (*middle, *range(first), *range(first + self.leading, first + len(kept))))
        return reshape(taken, self.result)

    def as_rows(self, values: Tensor) -> Tensor:
        """Values of the shape of ``x[key]`` as rows of the table."""
        kept = self.sizes(self.kept)
        values = reshape(values, (*kept[: self.leading], *self.common, *kept[self.leading :]))
        if self.leading:
            first = len(self.common)
            middle = range(self.leading, self.leading + first)
            values = permute_dims(values, (*middle, *range(self.leading), *range(self.leading + first, values.ndim)))
        return reshape(values, (shape_rules.count(self.common), shape_rules.count(kept)))

    def add(self, values: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
        """Zeros with ``values`` added at the elements that the key selects."""
        if not self.indexed:
            return self.put(None, reshape(values, self.region))
        rows = zeros(self.table_shape(), dtype=values.dtype, device=values.device)
        return self.put(None, self.from_table(scatter(rows, self.row_numbers(indices), self.as_rows(values), axis=0)))

    def table_shape(self) -> Shape:
        """The shape of `table`."""
        rows = shape_rules.count(self.sizes([axis for axis, _ in self.indexed]))
        return rows, shape_rules.count(self.sizes(self.kept))

    def replace(self, x: Tensor, value: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
        """``x`` with the elements that the key selects replaced; where indices are repeated, the last value counts."""
        values = broadcast_to(value, self.result)
        if not self.indexed:
            return self.put(x, reshape(values, self.region))
        count = shape_rules.count(self.common)
        rows, width = self.table_shape()
        if not count or not rows or not width:
            return x
        numbers = arange_(0, count, 1, dtype=dtypes.int64, device=x.device)
        nothing = full(rows, -1, dtype=dtypes.int64, device=x.device)
        latest = scatter(nothing, self.row_numbers(indices), numbers, axis=0, mode="max")
        new = take(self.as_rows(values), maximum(latest, 0), axis=0)
        replaced = where(reshape(less(latest, 0), (rows, 1)), self.table(self.taken(x)), new)
        return self.put(x, self.from_table(replaced))
