"""Weights added up by bin: the counts behind confusion matrices and curves."""

from __future__ import annotations

from typing import Final

from ..dispatch import convert
from ..dtypes import int64
from ..registry import tables
from ..tensors.tensor import Symbol, Tensor

__all__ = ["Bins"]


class Bins:
    """The bin of each sample.

    A metric looks at its operands before it counts them, and names what is wrong with them. In a traced function there
    is nothing to look at; it passes to `keep` which samples have a bin.

    Args:
        positions: integers from 0 to ``count - 1``, of any numeric dtype: NaN has no integer, so `sums` casts them once
            the samples without a bin have another position.
        count: the number of bins.
    """

    def __init__(self, positions: Tensor, count: int) -> None:
        self.positions = positions
        self.count: Final = count
        self.kept: Tensor | None = None

    @property
    def traced(self) -> bool:
        """Whether the positions have no values yet."""
        return isinstance(self.positions.array, Symbol)

    def keep(self, valid: Tensor) -> None:
        """Give samples that are not ``valid``, bool[...], a position behind the last bin and a weight of NaN.

        On the host, the position raises an OutOfRangeError. A GPU does not check it; there, NaN shows in the sums.
        """
        self.positions = tables.get_op("where")(valid, self.positions, self.count)
        self.kept = valid

    def sums(self, weights: Tensor) -> Tensor:
        """floating[count]: the sum of the weights in each bin; ``weights`` broadcasts to the positions."""
        reshape, scatter, where = (tables.get_op(name) for name in ("reshape", "scatter", "where"))
        if self.kept is not None:
            weights = where(self.kept, weights, float("nan"))
        empty = tables.get_op("zeros")((self.count,), dtype=weights.dtype, device=weights.device)
        weights = tables.get_op("broadcast_to")(weights, self.positions.shape)
        size, positions = self.positions.size, convert.cast(self.positions, int64)
        result: Tensor = scatter(empty, reshape(positions, (size,)), reshape(weights, (size,)), axis=0)
        return result
