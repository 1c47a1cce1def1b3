"""``tfe.Iterator``: one pass over a dataset."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import PolytapeError
from ...state.trackable import Trackable
from ..mode import building, need_eager
from ..op_errors import translated
from .data_strings import with_strings
from .errors import OutOfRangeError

__all__ = ["Iterator"]


class Iterator(Trackable):
    """One pass over a dataset; a checkpoint saves the position.

    Args:
        dataset: a `tf.data.Dataset`.
    """

    _untracked = ("_dataset",)

    def __init__(self, dataset: Any) -> None:
        need_eager("Iterator")
        self._dataset = dataset
        self._iterator = dataset._inner.iterator()
        self._ended_at: Any = None  # the state of the iterator at the end of its pass

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> Any:
        """In graph mode an iterator for any dataset with such elements: `make_initializer` chooses one.

        Raises:
            RuntimeError: eager execution is enabled, where an iterator belongs to its dataset.
        """
        if not building():
            raise RuntimeError("Iterator.from_structure needs graph mode; in eager mode use tfe.Iterator(dataset).")
        in_graph = importlib.import_module("polytape.compat.tf1.graph.iterators")
        return in_graph.GraphIterator.from_structure(output_types, output_shapes, shared_name, output_classes)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if self._ended_at is not None and self._ended_at is self._iterator.state.array:
            raise StopIteration
        try:
            return with_strings(next(self._iterator))
        except StopIteration:
            self._ended_at = self._iterator.state.array
            raise
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None

    def next(self) -> Any:
        """The next element; StopIteration at the end."""
        return self.__next__()

    def get_next(self, name: str | None = None) -> Any:
        """The next element.

        Raises:
            OutOfRangeError: there is none.
        """
        try:
            return self.__next__()
        except StopIteration:
            raise OutOfRangeError(None, None, "End of sequence") from None

    @property
    def output_types(self) -> Any:
        """The dtype of each part of an element."""
        return self._dataset.output_types

    @property
    def output_shapes(self) -> Any:
        """The shape of each part of an element."""
        return self._dataset.output_shapes

    @property
    def output_classes(self) -> Any:
        """The class of each part of an element."""
        return self._dataset.output_classes
