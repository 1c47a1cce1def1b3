"""Iterators of a graph: each session has a position of its own in a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator as AnyIterator
from typing import Any

from ..errors import FailedPreconditionError, OutOfRangeError
from .defaults import session_states
from .elements import Described, leaves, rebuilt, spec_of
from .graphs import get_default_graph
from .kinds import added
from .operations import Operation
from .recording import named
from .tensors import GraphTensor

__all__ = ["GraphIterator", "placeholders"]

NOT_READY = (
    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer "
    "operation for this iterator before getting the next element."
)


class GraphIterator(Described):
    """Gives the elements of a dataset, one in each run.

    Args:
        spec: a structure of tuples and dicts with the `Kind` of each part of an element.
        dataset: the dataset that each session begins by itself; None if an operation has to do it.
    """

    def __init__(self, spec: Any, dataset: Any = None) -> None:
        self.spec, self._dataset = spec, dataset
        self._initializer: Any = None

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> GraphIterator:
        """An iterator for any dataset with such elements; the operations of `make_initializer` choose one."""
        return GraphIterator(spec_of(output_types, output_shapes))

    @property
    def initializer(self) -> Operation:
        """The operation that begins at the first element.

        Raises:
            ValueError: the iterator has none.
        """
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer  # type: ignore[no-any-return]  # an operation

    def initialize_with(self, dataset: Any) -> None:
        """Make the operation `initializer`."""
        self._initializer = self.make_initializer(dataset)

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """An operation that begins at the first element of a dataset.

        Raises:
            TypeError: the elements are of other dtypes.
        """
        mine, other = ([kind.dtype for kind in leaves(spec)] for spec in (self.spec, dataset.spec))
        if mine != other:
            raise TypeError(f"Expected output types {mine!r} but got dataset with output types {other!r}.")
        graph = get_default_graph()

        def begin(values: list[Any]) -> list[Any]:
            session_states.get()[self] = iter(dataset.make(dict(zip(dataset.inputs, values, strict=True))))
            return []

        operation = Operation(
            graph, named(graph, name or "MakeIterator"), "MakeIterator", dataset.inputs, begin, eager=True
        )
        graph.add(operation)
        return operation

    def get_next(self, name: str | None = None) -> Any:
        """The tensors of the next element: each run that needs them takes one.

        Raises in a run:
            OutOfRangeError: there is none. FailedPreconditionError: no initializer has run.
        """
        graph = get_default_graph()
        inputs = [] if self._dataset is None else self._dataset.inputs
        operation = Operation(
            graph, named(graph, name or "IteratorGetNext"), "IteratorGetNext", inputs, self._next, eager=True
        )
        outputs = added(operation, [kind.output(operation, k) for k, kind in enumerate(leaves(self.spec))])
        return rebuilt(self.spec, iter(outputs))

    def _next(self, values: list[Any]) -> list[Any]:
        positions = session_states.get()
        if self not in positions:
            if self._dataset is None:
                raise FailedPreconditionError(None, None, NOT_READY)
            made = self._dataset.make(dict(zip(self._dataset.inputs, values, strict=True)))
            positions[self] = iter(made)
        try:
            return leaves(next(positions[self]))
        except StopIteration:
            raise OutOfRangeError(None, None, "End of sequence") from None


def placeholders(tensors: Iterable[GraphTensor]) -> AnyIterator[GraphTensor]:
    """The placeholders that tensors depend on."""
    seen: set[int] = set()
    left = list(tensors)
    while left:
        x = left.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if x.op.type == "Placeholder":
            yield x
        left += x.op.inputs
