"""The gradients of a traced call as rows, for the variables from which the function only takes rows.

The backward graph is that of `residuals`, with the rows and their positions in place of the whole; it is made when the
rows are first asked for. Where that graph does not serve, the function runs again, as for the other gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..registry.tensor_type import TensorType
from ..tensors.node import Node
from .calls import Pull
from .residuals import Split

__all__ = ["RowsPull"]

Shape = tuple[int, ...]
# Takes the wanted inputs, then what `Pull.again` takes; returns the gradients, with two for each wanted input.
Again = Callable[[tuple[int, ...], Sequence[Any], Sequence[Any], Sequence[Any]], Any]


class RowsPull:
    """A `polytape.autodiff.sparse_gradients.RowsRule`: the rows that a record of a traced call gives.

    Args:
        halves: the forward and backward graph of the record.
        watched: the positions of the watched inputs.
        outputs: type and shape of each output.
        again: runs the function again.
        other: the graphs for other outputs with a gradient than these are made for; None if there are none.
    """

    def __init__(
        self,
        halves: Split,
        watched: Sequence[int],
        outputs: list[tuple[TensorType, Shape]],
        again: Again,
        other: Callable[[tuple[int, ...]], Split | None],
    ) -> None:
        self.halves: Final = halves
        self.watched: Final = tuple(watched)
        self.outputs: Final = outputs
        self.again: Final = again
        self.other: Final = other
        self.pulls: Final[dict[tuple[int, ...], Pull]] = {}

    def positions(self, outputs: Sequence[int]) -> frozenset[int]:
        """The inputs from which these outputs only take rows."""
        seeded = tuple(sorted(set(outputs)))
        halves = self.halves if seeded == self.halves.seeded else self.other(seeded)
        if halves is None:
            return frozenset()
        return frozenset([x for x, rows in zip(self.watched, halves.rows, strict=True) if rows is not None])

    def __call__(self, g: Any, node: Node, wanted: tuple[int, ...]) -> list[Any]:
        """For each watched input its gradient; of a wanted one the rows and their positions. None if there is none."""
        pull = self.pulls.get(wanted)
        if pull is None:
            pull = self.pulls[wanted] = self.pull(wanted)
        parts = iter(pull(g, node))
        gradients = [(next(parts), next(parts)) if x in wanted else next(parts) for x in self.watched]
        return [
            None if x in wanted and part[0] is None else part for x, part in zip(self.watched, gradients, strict=True)
        ]

    def pull(self, wanted: tuple[int, ...]) -> Pull:
        """What computes these gradients, as a flat list."""
        halves, again = self.halves, self._again(wanted)
        numbers: list[int | None] = []  # of results of the joint graph behind the function's own
        for x, gradient, rows in zip(self.watched, halves.gradients, halves.rows, strict=True):
            if x in wanted and rows is None and gradient is not None:
                # Other outputs than these have a gradient, and only they take rows: the function runs again.
                return Pull(None, None, (), [], self.outputs, (), again)
            numbers += [gradient] if x not in wanted else rows or (None, None)
        program, types, places = halves.pull_of(numbers)
        return Pull(program, lambda: halves.unit(numbers), types, places, self.outputs, halves.seeded, again)

    def _again(self, wanted: tuple[int, ...]) -> Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], Any]:
        return lambda parts, inputs, statics: self.again(wanted, parts, inputs, statics)
