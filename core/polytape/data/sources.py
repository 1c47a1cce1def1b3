"""Sources in memory: slices of arrays, whole values, ranges, and Python generators."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError
from .specs import describe, unbatched
from .streams import END, INFINITE, Node, Opening, Rows, Session, Stream, first
from .structures import host, length, map_leaves, normalised, rows_of, shared

__all__ = ["Generated", "Range", "Slices"]


class Slices(Node):
    """The rows of the arrays in a structure."""

    def __init__(self, structure: Any) -> None:
        super().__init__()
        self.arrays = map_leaves(_column, structure)
        self.length = length(self.arrays)

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"slices({describe(self.arrays)}, {self.length})"

    def count(self) -> int:
        """As `Node.count`."""
        return self.length

    def spec(self) -> Any:
        """As `Node.spec`."""
        return unbatched(describe(self.arrays))

    def random_access(self, opening: Opening) -> Rows:
        """As `Node.random_access`."""
        return _ArrayRows(self.arrays, self.length)


def _column(leaf: Any) -> Any:
    leaf = shared(leaf)
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "OSU" and leaf.ndim:
        return leaf.tolist()  # strings and other objects
    return leaf if isinstance(leaf, list) else host(leaf)


class _ArrayRows(Rows):
    def __init__(self, arrays: Any, length: int) -> None:
        super().__init__(length)
        self._arrays = arrays

    def get(self, position: int) -> Any:
        # A copy: the array belongs to the user, who may write to it.
        return map_leaves(lambda x: x[position] if isinstance(x, list) else np.array(x[position]), self._arrays)

    def gather(self, positions: Any) -> Any:
        return map_leaves(
            lambda x: [x[i] for i in positions.tolist()] if isinstance(x, list) else x.take(positions, axis=0),
            self._arrays,
        )

    def get_many(self, positions: Any) -> list[Any]:
        return rows_of(self.gather(positions), len(positions))


class Range(Node):
    """The numbers of a Python range, as int64 scalars.

    Args:
        endless: whether the range stands for all numbers since its start.
    """

    def __init__(self, numbers: range, endless: bool = False) -> None:
        super().__init__()
        self.numbers, self._endless = numbers, endless

    def describe(self) -> str:
        """As `Node.describe`."""
        return repr(self.numbers)

    def count(self) -> int | float:
        """As `Node.count`."""
        return INFINITE if self._endless else len(self.numbers)

    def spec(self) -> Any:
        """As `Node.spec`."""
        return describe(np.asarray(0, dtypes.int64))

    def random_access(self, opening: Opening) -> Rows:
        """As `Node.random_access`."""
        return _RangeRows(self.numbers)


class _RangeRows(Rows):
    def __init__(self, numbers: range) -> None:
        super().__init__(len(numbers))
        self._numbers = numbers

    def get(self, position: int) -> Any:
        return np.asarray(self._numbers[position], dtypes.int64)

    def gather(self, positions: Any) -> Any:
        return np.asarray(positions * self._numbers.step + self._numbers.start, dtypes.int64)


class Generated(Node):
    """The items of what a function returns."""

    def __init__(self, function: Callable[[], Iterable[Any]], count: int | None) -> None:
        super().__init__()
        self.function, self._count = function, count

    def describe(self) -> str:
        """As `Node.describe`."""
        return "generator"

    def count(self) -> int | None:
        """As `Node.count`."""
        return self._count

    def spec(self) -> Any:
        """As `Node.spec`."""
        return describe(first(self, "element_spec"))

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _GeneratedStream(self.function, opening.session)


class _GeneratedStream(Stream):
    def __init__(self, function: Callable[[], Iterable[Any]], session: Session) -> None:
        items = function()
        if not isinstance(items, Iterable):
            raise DTypeError(
                "from_generator needs a function that returns an iterable.",
                expected="a generator function, or a function that returns a list or iterator",
                got=f"{type(items).__name__} from {function!r}",
                fix="pass the generator function itself, not what it returns",
            )
        self._items: Iterator[Any] = iter(items)
        self._position = 0
        self._session = session
        session.enter(self)

    def next(self) -> Any:
        try:
            item = next(self._items)
        except StopIteration:
            return END
        except Exception as error:
            error.add_note(f"in the generator of a Dataset, at its item {self._position} (counted from 0)")
            raise
        self._position += 1
        return normalised(item)

    def close(self) -> None:
        close = getattr(self._items, "close", None)
        self._session.forget(self)
        if close is not None:
            # A generator that runs in a prefetch thread cannot be closed here; the thread does it.
            with contextlib.suppress(ValueError):
                close()
