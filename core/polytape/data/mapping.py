"""Steps that call a user's function: map and filter."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..errors import DTypeError, ShapeError
from ..random.generator import Generator
from .specs import describe
from .streams import END, Node, Opening, Rows, Stream, first
from .structures import host, length, row, rows_of
from .workers import Pool, Task

__all__ = ["Filter", "Map"]


class Map(Node):
    """What a function returns for each element.

    Args:
        function: of an element, or of a batch of elements.
        batched: whether the function takes batches.
        random: whether it takes a generator.
        workers: threads or processes that call it; 0 for none.
        processes: whether the workers are processes.
    """

    def __init__(
        self,
        source: Node,
        function: Callable[..., Any],
        batched: bool = False,
        random: bool = False,
        workers: int = 0,
        processes: bool = False,
    ) -> None:
        super().__init__(source)
        self.unseeded = random
        self.function, self.batched, self.random = function, batched, random
        self._workers, self._processes = workers, processes

    def spec(self) -> Any:
        """As `Node.spec`."""
        return describe(first(Map(self.inputs[0], self.function, self.batched, self.random), "element_spec"))

    def apply(self, opening: Opening, element: Any, position: int) -> Any:
        """The function of the element at a position of the input."""
        keywords = {"generator": Generator(opening.key(None, position))} if self.random else {}
        return opening.call(self.function, element, "map", position, **keywords)

    def apply_to_rows(self, opening: Opening, rows: Any, position: int) -> Any:
        """The function of a batch of elements, of which the first is at a position."""
        n = length(rows)
        result = opening.call(self.function, rows, "map(batched=True)", position)
        if length(result) != n:
            raise ShapeError(
                "the function of map(batched=True) returned another number of rows.",
                expected=f"{n} rows, one for each element",
                got=f"{length(result)} rows",
                fix="keep the first axis of the batch",
            )
        return result

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        if self._workers:
            return None  # the workers take the elements in their order
        rows = self.inputs[0].random_access(opening.input())
        return None if rows is None else _MappedRows(self, rows, opening)

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        source = self.inputs[0].open(opening.input())
        if not self._workers:
            return _MappedStream(self, source, opening)
        pools = opening.session.pools
        if id(self) not in pools:
            pools[id(self)] = Pool(self.function, self._workers, self._processes, opening.session)
            opening.session.enter(pools[id(self)])
        return _ParallelStream(self, source, opening, pools[id(self)], 2 * self._workers)


class _MappedRows(Rows):
    def __init__(self, node: Map, rows: Rows, opening: Opening) -> None:
        super().__init__(rows.length)
        self._node, self._rows, self._opening = node, rows, opening

    def get(self, position: int) -> Any:
        if self._node.batched:
            return super().get(position)
        return self._node.apply(self._opening, self._rows.get(position), position)

    def gather(self, positions: Any) -> Any:
        if not self._node.batched:
            return super().gather(positions)
        return self._node.apply_to_rows(self._opening, self._rows.gather(positions), int(positions[0]))

    def get_many(self, positions: Any) -> list[Any]:
        if self._node.batched:
            return rows_of(self.gather(positions), len(positions))
        apply, opening = self._node.apply, self._opening
        elements = self._rows.get_many(positions)
        return [apply(opening, x, i) for x, i in zip(elements, positions.tolist(), strict=True)]


class _MappedStream(Stream):
    def __init__(self, node: Map, source: Stream, opening: Opening) -> None:
        self._node, self._source, self._opening = node, source, opening
        self._position = 0

    def next(self) -> Any:
        if self._node.batched:
            count, batch = self.rows(1)
            return row(batch, 0) if count else END
        element = self._source.next()
        if element is END:
            return END
        self._position += 1
        return self._node.apply(self._opening, element, self._position - 1)

    def skip(self, n: int) -> int:
        skipped = self._source.skip(n)
        self._position += skipped
        return skipped

    def rows(self, n: int) -> tuple[int, Any]:
        if not self._node.batched:
            return super().rows(n)
        count, batch = self._source.rows(n)
        if count:
            batch = self._node.apply_to_rows(self._opening, batch, self._position)
            self._position += count
        return count, batch

    def close(self) -> None:
        self._source.close()


class _ParallelStream(Stream):
    """Hands elements to workers, and returns the results in the order of the elements."""

    def __init__(self, node: Map, source: Stream, opening: Opening, pool: Pool, ahead: int) -> None:
        self._node, self._source, self._opening, self._pool, self._ahead = node, source, opening, pool, ahead
        self._tasks: deque[Task] = deque()
        self._position = 0
        self._ended = False

    def _fill(self) -> None:
        while not self._ended and len(self._tasks) < self._ahead:
            task = Task(None, self._position, None)
            try:
                element = self._source.next()
            except BaseException as error:
                # Raised when it is this element's turn: those before it are good.
                self._ended = True
                task.finish(error=error)
                self._tasks.append(task)
                return
            if element is END:
                self._ended = True
                return
            key = self._opening.key(None, self._position) if self._node.random else None
            self._tasks.append(self._pool.submit(Task(element, self._position, key)))
            self._position += 1

    def next(self) -> Any:
        self._fill()
        if not self._tasks:
            return END
        result = self._tasks.popleft().wait()
        self._fill()  # so that the workers are busy while the consumer is
        return result

    def skip(self, n: int) -> int:
        done = 0
        while done < n and self._tasks:
            self._tasks.popleft().wait()
            done += 1
        if done < n and not self._ended:
            skipped = self._source.skip(n - done)
            self._position += skipped
            done += skipped
        return done

    def close(self) -> None:
        self._source.close()


class Filter(Node):
    """The elements for which a function is true."""

    def __init__(self, source: Node, function: Callable[..., Any]) -> None:
        super().__init__(source)
        self._function = function

    def count(self) -> int | None:
        """As `Node.count`."""
        return 0 if self.inputs[0].count() == 0 else None

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _FilteredStream(self._function, self.inputs[0].open(opening.input()), opening)


class _FilteredStream(Stream):
    def __init__(self, function: Callable[..., Any], source: Stream, opening: Opening) -> None:
        self._function, self._source, self._opening = function, source, opening
        self._position = 0

    def next(self) -> Any:
        while (element := self._source.next()) is not END:
            keep = self._opening.call(self._function, element, "filter", self._position)
            self._position += 1
            if _truth(keep):
                return element
        return END

    def close(self) -> None:
        self._source.close()


def _truth(value: Any) -> bool:
    if isinstance(value, (tuple, dict, list, str)) or value is None or host(value).shape != ():
        raise DTypeError(
            "the function of filter must return one truth value.",
            expected="a bool, or a tensor of shape ()",
            got=f"{value!r}",
            fix="reduce it, for example by polytape.all",
        )
    return bool(value)
