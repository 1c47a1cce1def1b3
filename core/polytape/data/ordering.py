"""Steps that choose, order and combine elements: shuffle, take, skip, shard, concatenate, zip."""

from __future__ import annotations

from typing import Any, Final

from .. import dtypes
from ..errors import DataError, SettingError
from ..placement import selection
from ..random import integers, permutation
from ..random.generator import Generator
from .streams import END, INFINITE, Node, Opening, Rows, Stream
from .structures import leaves, map_leaves, stack

__all__ = ["Concatenate", "Shuffle", "Strided", "Zip"]

_DRAWS: Final = 1024  # random numbers per call of the op: one call costs about as much as 300 numbers


class _Ordered(Rows):
    """Rows of other rows: those at ``order``, or at ``start``, ``start + step``, ..."""

    def __init__(self, rows: Rows, length: int, order: Any = None, start: int = 0, step: int = 1) -> None:
        super().__init__(length)
        self._rows, self._order, self._start, self._step = rows, order, start, step

    def get(self, position: int) -> Any:
        return self._rows.get(
            self._start + self._step * position if self._order is None else int(self._order[position])
        )

    def gather(self, positions: Any) -> Any:
        return self._rows.gather(
            self._start + self._step * positions if self._order is None else self._order[positions]
        )

    def get_many(self, positions: Any) -> list[Any]:
        return self._rows.get_many(
            self._start + self._step * positions if self._order is None else self._order[positions]
        )


class Shuffle(Node):
    """The elements in random order."""

    def __init__(self, source: Node, buffer_size: int | None, seed: int | None, reshuffle: bool) -> None:
        super().__init__(source)
        self.unseeded = seed is None
        self._buffer_size, self._seed, self._reshuffle = buffer_size, seed, reshuffle

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"shuffle({self._buffer_size}, {self._seed}, {self._reshuffle})"

    def _generator(self, opening: Opening) -> Generator:
        if not self._reshuffle:
            opening = Opening(opening.session, (), opening.place, opening.fixed)
        return Generator(opening.key(self._seed))

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        rows = self.inputs[0].random_access(opening.input())
        if rows is None:
            return None
        order = permutation(rows.length, generator=self._generator(opening), device=selection.host_device())
        return _Ordered(rows, rows.length, order.numpy())

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        count = self.inputs[0].count()
        size = self._buffer_size or (count if isinstance(count, int) else None)
        if size is None:
            raise SettingError(
                "shuffle needs a buffer_size here.",
                expected="buffer_size=, because the number of elements is not known, or is infinite",
                got="buffer_size=None",
                fix="pass the number of elements to hold in memory, for example buffer_size=10_000",
            )
        return _BufferedShuffle(self.inputs[0].open(opening.input()), size, self._generator(opening))


class _BufferedShuffle(Stream):
    """Draws each element from a buffer, which the next elements of the source refill."""

    def __init__(self, source: Stream, size: int, generator: Generator) -> None:
        self._source, self._size, self._generator = source, size, generator
        self._buffer: list[Any] = []
        self._numbers: list[int] = []
        self._ended = False

    def next(self) -> Any:
        while not self._ended and len(self._buffer) < self._size:
            element = self._source.next()
            if element is END:
                self._ended = True
            else:
                self._buffer.append(element)
        if not self._buffer:
            return END
        position = self._draw() % len(self._buffer)  # the bias is below 2**-30 for a buffer of 2**32 elements
        self._buffer[position], self._buffer[-1] = self._buffer[-1], self._buffer[position]
        return self._buffer.pop()

    def _draw(self) -> int:
        if not self._numbers:
            drawn = integers(
                0,
                2**62,
                shape=(_DRAWS,),
                dtype=dtypes.int64,
                device=selection.host_device(),
                generator=self._generator,
            )
            self._numbers = drawn.tolist()
        return self._numbers.pop()

    def close(self) -> None:
        self._source.close()


class Strided(Node):
    """The elements at ``start``, ``start + step``, ..., at most ``limit`` of them: take, skip and shard."""

    def __init__(self, source: Node, start: int = 0, step: int = 1, limit: int | None = None) -> None:
        super().__init__(source)
        self._start, self._step, self._limit = start, step, limit

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"strided({self._start}, {self._step}, {self._limit})"

    def _chosen(self, n: int) -> int:
        """How many of ``n`` elements are chosen."""
        left = max(0, -(-(n - self._start) // self._step))
        return left if self._limit is None else min(left, self._limit)

    def count(self) -> int | float | None:
        """As `Node.count`."""
        n = self.inputs[0].count()
        if n == INFINITE:
            return INFINITE if self._limit is None else self._limit
        return n if n is None else self._chosen(int(n))

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        rows = self.inputs[0].random_access(opening.input())
        if rows is None:
            return None
        return _Ordered(rows, self._chosen(rows.length), start=self._start, step=self._step)

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _StridedStream(self.inputs[0].open(opening.input()), self._start, self._step, self._limit)


class _StridedStream(Stream):
    def __init__(self, source: Stream, start: int, step: int, limit: int | None) -> None:
        self._source, self._step, self._limit = source, step, limit
        self._gap = start  # elements to pass over before the next one
        self._done = 0

    def _reaches_next(self) -> bool:
        if self._limit is not None and self._done >= self._limit:
            return False
        gap, self._gap = self._gap, 0
        return gap == 0 or self._source.skip(gap) == gap

    def next(self) -> Any:
        if not self._reaches_next():
            return END
        element = self._source.next()
        self._gap = self._step - 1
        self._done += 1
        return element

    def skip(self, n: int) -> int:
        if self._step > 1:
            return super().skip(n)
        n = n if self._limit is None else min(n, self._limit - self._done)
        if n <= 0 or not self._reaches_next():
            return 0
        skipped = self._source.skip(n)
        self._done += skipped
        return skipped

    def rows(self, n: int) -> tuple[int, Any]:
        if self._step > 1:
            return super().rows(n)
        n = n if self._limit is None else min(n, self._limit - self._done)
        if n <= 0 or not self._reaches_next():
            return 0, None
        count, batch = self._source.rows(n)
        self._done += count
        return count, batch

    def close(self) -> None:
        self._source.close()


class Concatenate(Node):
    """The elements of the inputs one after the other."""

    def count(self) -> int | float | None:
        """As `Node.count`."""
        counts = [node.count() for node in self.inputs]
        return None if None in counts else sum(n for n in counts if n is not None)

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        parts = [node.random_access(opening.input(i)) for i, node in enumerate(self.inputs)]
        known = [rows for rows in parts if rows is not None]
        return _Concatenated(known) if len(known) == len(parts) else None

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _ConcatenatedStream(self.inputs, opening)


class _Concatenated(Rows):
    def __init__(self, parts: list[Rows]) -> None:
        super().__init__(sum(rows.length for rows in parts))
        self._parts = parts

    def get(self, position: int) -> Any:
        for rows in self._parts:
            if position < rows.length:
                return rows.get(position)
            position -= rows.length
        raise AssertionError("a position beyond the last row")

    def gather(self, positions: Any) -> Any:
        start = 0
        for rows in self._parts:
            if start <= positions.min() and positions.max() < start + rows.length:
                return rows.gather(positions - start)
            start += rows.length
        return stack(self.get_many(positions))


class _ConcatenatedStream(Stream):
    def __init__(self, nodes: tuple[Node, ...], opening: Opening) -> None:
        self._left = [(node, opening.input(i)) for i, node in enumerate(nodes)]
        self._current: Stream | None = None

    def _stream(self) -> Stream | None:
        if self._current is None and self._left:
            node, opening = self._left.pop(0)
            self._current = node.open(opening)
        return self._current

    def next(self) -> Any:
        while (stream := self._stream()) is not None:
            element = stream.next()
            if element is not END:
                return element
            self.close()
        return END

    def skip(self, n: int) -> int:
        done = 0
        while done < n and (stream := self._stream()) is not None:
            done += stream.skip(n - done)
            if done < n:
                self.close()
        return done

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None


class Zip(Node):
    """The elements of several inputs side by side, as long as each of them has one.

    Args:
        structure: tuples and dicts whose leaves are nodes.
    """

    def __init__(self, structure: Any) -> None:
        nodes: list[Node] = list(leaves(structure))
        if not nodes or not all(isinstance(node, Node) for node in nodes):
            raise DataError(
                "zip needs datasets.", expected="a tuple or dict of datasets", got=repr(structure), fix="pass datasets"
            )
        super().__init__(*nodes)
        self._structure = structure

    def _combine(self, parts: list[Any]) -> Any:
        left = iter(parts)
        return map_leaves(lambda node: next(left), self._structure)

    def count(self) -> int | float | None:
        """As `Node.count`."""
        counts = [node.count() for node in self.inputs]
        return None if None in counts else min(n for n in counts if n is not None)

    def spec(self) -> Any:
        """As `Node.spec`."""
        return self._combine([node.spec() for node in self.inputs])

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        parts = [node.random_access(opening.input(i)) for i, node in enumerate(self.inputs)]
        known = [rows for rows in parts if rows is not None]
        return _Zipped(self, known) if len(known) == len(parts) else None

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _ZippedStream(self, [node.open(opening.input(i)) for i, node in enumerate(self.inputs)])


class _Zipped(Rows):
    def __init__(self, node: Zip, parts: list[Rows]) -> None:
        super().__init__(min(rows.length for rows in parts))
        self._node, self._parts = node, parts

    def get(self, position: int) -> Any:
        return self._node._combine([rows.get(position) for rows in self._parts])

    def gather(self, positions: Any) -> Any:
        return self._node._combine([rows.gather(positions) for rows in self._parts])

    def get_many(self, positions: Any) -> list[Any]:
        columns = [rows.get_many(positions) for rows in self._parts]
        return [self._node._combine(list(parts)) for parts in zip(*columns, strict=True)]


class _ZippedStream(Stream):
    def __init__(self, node: Zip, streams: list[Stream]) -> None:
        self._node, self._streams = node, streams

    def next(self) -> Any:
        parts = []
        for stream in self._streams:
            part = stream.next()
            if part is END:
                return END
            parts.append(part)
        return self._node._combine(parts)

    def skip(self, n: int) -> int:
        return min(stream.skip(n) for stream in self._streams)

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
