"""Steps with streams inside: repeat, flat_map and interleave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .specs import describe
from .streams import END, INFINITE, Node, Opening, Stream, first
from .structures import join

__all__ = ["Interleave", "InterleavedStream", "Repeat"]


class Repeat(Node):
    """The elements several times; each pass shuffles anew."""

    def __init__(self, source: Node, times: int | None) -> None:
        super().__init__(source)
        self._times = times

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"repeat({self._times})"

    def count(self) -> int | float | None:
        """As `Node.count`."""
        n = self.inputs[0].count()
        if n is None or n == 0 or self._times == 0:
            return None if n is None and self._times != 0 else 0
        return INFINITE if self._times is None else n * self._times

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _RepeatStream(self.inputs[0], self._times, opening)


class _RepeatStream(Stream):
    def __init__(self, node: Node, times: int | None, opening: Opening) -> None:
        self._node, self._times, self._opening = node, times, opening
        self._pass = 0
        self._empty = False  # whether a whole pass had no element, so that no later one has
        self._fresh = True  # whether the pass has given no element yet
        self._current: Stream | None = None

    def _stream(self) -> Stream | None:
        if self._current is None and not self._empty and (self._times is None or self._pass < self._times):
            self._current, self._fresh = self._node.open(self._opening.again(self._pass)), True
        return self._current

    def _end_pass(self) -> None:
        self._empty = self._fresh
        self._pass += 1
        self.close()

    def next(self) -> Any:
        while (stream := self._stream()) is not None:
            element = stream.next()
            if element is not END:
                self._fresh = False
                return element
            self._end_pass()
        return END

    def skip(self, n: int) -> int:
        done = 0
        count = self._node.count()
        if isinstance(count, int) and count and self._current is None:
            passes = n // count if self._times is None else min(n // count, self._times - self._pass)
            self._pass += passes
            done = passes * count
        while done < n and (stream := self._stream()) is not None:
            skipped = stream.skip(n - done)
            self._fresh = self._fresh and not skipped
            done += skipped
            if done < n:
                self._end_pass()
        return done

    def rows(self, n: int) -> tuple[int, Any]:
        done, batches = 0, []
        while done < n and (stream := self._stream()) is not None:
            count, batch = stream.rows(n - done)
            if count:
                self._fresh = False
                batches.append(batch)
                done += count
            if done < n:
                self._end_pass()
        return done, batches[0] if len(batches) == 1 else join(batches) if batches else None

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None


class Interleave(Node):
    """The elements of the datasets that a function returns, from ``cycle`` of them by turns; 1 is flat_map.

    Args:
        function: a node for an element, and the position of this element in the input.
    """

    def __init__(self, source: Node, function: Callable[[Opening, Any, int], Node], cycle: int, block: int) -> None:
        super().__init__(source)
        self._function, self._cycle, self._block = function, cycle, block

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"interleave({self._cycle}, {self._block})"

    def draws(self) -> bool:
        """As `Node.draws`: the datasets that the function will return may shuffle."""
        return True

    def count(self) -> None:
        """As `Node.count`."""
        return None

    def spec(self) -> Any:
        """As `Node.spec`."""
        return describe(first(self, "element_spec"))

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        source = self.inputs[0].open(opening.input())
        return InterleavedStream(source, self._function, self._cycle, self._block, opening)


class InterleavedStream(Stream):
    """The elements of several streams by turns."""

    def __init__(
        self, source: Stream, function: Callable[[Opening, Any, int], Node], cycle: int, block: int, opening: Opening
    ) -> None:
        self._source, self._function, self._block, self._opening = source, function, block, opening
        self._slots: list[Stream | None] = [None] * cycle
        self._slot = 0  # whose turn it is
        self._left = block  # elements until the turn passes on
        self._position = 0  # of the next element of the source
        self._ended = False

    def _current(self) -> Stream | None:
        """The stream whose turn it is; None when all are at their end."""
        for _ in range(len(self._slots)):
            stream = self._slots[self._slot]
            if stream is None and not self._ended:
                stream = self._slots[self._slot] = self._open_next()
            if stream is not None:
                return stream
            self._pass_on()
        return None

    def _open_next(self) -> Stream | None:
        element = self._source.next()
        if element is END:
            self._ended = True
            return None
        node = self._function(self._opening, element, self._position)
        self._position += 1
        return node.open(self._opening.again(self._position - 1))

    def _pass_on(self) -> None:
        self._slot = (self._slot + 1) % len(self._slots)
        self._left = self._block

    def _end(self, stream: Stream) -> None:
        """Close a stream that is at its end; the next one takes its place, and its turn begins anew."""
        stream.close()
        self._slots[self._slot] = None
        self._left = self._block

    def next(self) -> Any:
        """As `Stream.next`."""
        while (stream := self._current()) is not None:
            element = stream.next()
            if element is END:
                self._end(stream)
                continue
            self._left -= 1
            if not self._left:
                self._pass_on()
            return element
        return END

    def skip(self, n: int) -> int:
        """As `Stream.skip`."""
        done = 0
        while done < n and (stream := self._current()) is not None:
            wanted = min(n - done, self._left) if len(self._slots) > 1 else n - done
            skipped = stream.skip(wanted)
            done += skipped
            if skipped < wanted:
                self._end(stream)
            elif len(self._slots) > 1:
                self._left -= skipped
                if not self._left:
                    self._pass_on()
        return done

    def close(self) -> None:
        """As `Stream.close`."""
        for stream in [self._source, *self._slots]:
            if stream is not None:
                stream.close()
