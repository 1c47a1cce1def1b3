"""Steps that decide where and when elements are computed: prefetch in a thread, and placement on a device."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from ..device import Device
from ..dispatch import convert
from ..tensors.tensor import Tensor
from .streams import END, Node, Opening, Rows, Session, Stream, closed
from .structures import Placing, map_leaves

__all__ = ["Place", "Prefetch", "destination", "placed"]


class Prefetch(Node):
    """The same elements, computed ahead in a thread."""

    def __init__(self, source: Node, size: int) -> None:
        super().__init__(source)
        self._size = size

    def describe(self) -> str:
        """As `Node.describe`."""
        return ""

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _PrefetchStream(self.inputs[0].open(opening.input()), self._size, opening.session)


class Channel:
    """A queue between the producing thread and the consumer, which either side can end.

    Args:
        size: the number of items that it holds.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[tuple[Any, BaseException | None]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Any, error: BaseException | None = None) -> bool:
        """Wait for room and add an item or an error; False if the consumer has closed the channel."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._size)
            if not self._closed:
                self._items.append((item, error))
                self._changed.notify_all()
            return not self._closed

    def get(self) -> Any:
        """Wait for an item; raises an error that was put in its place, and DataError if the channel is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items)
            if self._closed:
                raise closed()  # not END: this is not the end of the data
            item, error = self._items.popleft()
            self._changed.notify_all()
        if error is not None:
            raise error
        return item

    def close(self) -> None:
        """Wake both sides."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()


class _PrefetchStream(Stream):
    """The thread starts with the first element, so a position is reached before it."""

    def __init__(self, source: Stream, size: int, session: Session) -> None:
        self._source, self._session = source, session
        self._channel = Channel(size)
        self._started = False

    def next(self) -> Any:
        if not self._started:
            self._started = True
            self._session.enter(self._channel)
            context = self._session.variables.copy()
            # The thread refers to the source and the channel only: the iterator can be collected, which closes both.
            threading.Thread(
                target=context.run, args=(_produce, self._source, self._channel), name="polytape-data", daemon=True
            ).start()
        return self._channel.get()

    def skip(self, n: int) -> int:
        return super().skip(n) if self._started else self._source.skip(n)

    def close(self) -> None:
        if self._started:
            self._session.leave(self._channel)  # the thread then closes the source, which only it uses
        else:
            self._source.close()


def _produce(source: Stream, channel: Channel) -> None:
    """What the thread runs: it ends with the source, at an error, or when the channel is closed."""
    try:
        item = None
        while item is not END:
            item = source.next()
            if not channel.put(item):
                return
    except BaseException as error:  # handed to the consumer, which raises it
        channel.put(None, error)
    finally:
        source.close()


class Place(Node):
    """The same elements, on a device."""

    def __init__(self, source: Node, device: Device) -> None:
        super().__init__(source)
        self.device = device

    def describe(self) -> str:
        """As `Node.describe`."""
        return ""

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        opening.session.placed = True
        rows = self.inputs[0].random_access(opening.input())
        return None if rows is None else _PlacedRows(rows, Placing(self.device))

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _PlacedStream(self.inputs[0].open(opening.input()), Placing(self.device))


def destination(node: Node, default: Device) -> Device:
    """The device that the last `Place` puts the elements of a pipeline on; ``default`` if there is none."""
    while type(node) is not Place:
        if len(node.inputs) != 1:
            return default
        node = node.inputs[0]
    return node.device


def placed(element: Any, placing: Placing) -> Any:
    """The element with all its arrays and tensors on a device."""
    device = placing.device

    def move(leaf: Any) -> Any:
        return convert.asarray(leaf, None, device) if isinstance(leaf, Tensor) and leaf.device is not device else leaf

    return map_leaves(move, placing.tensors(element))


class _PlacedRows(Rows):
    def __init__(self, rows: Rows, placing: Placing) -> None:
        super().__init__(rows.length)
        self._rows, self._placing = rows, placing

    def get(self, position: int) -> Any:
        return placed(self._rows.get(position), self._placing)

    def gather(self, positions: Any) -> Any:
        return placed(self._rows.gather(positions), self._placing)


class _PlacedStream(Stream):
    def __init__(self, source: Stream, placing: Placing) -> None:
        self._source, self._placing = source, placing

    def next(self) -> Any:
        element = self._source.next()
        return element if element is END else placed(element, self._placing)

    def skip(self, n: int) -> int:
        return self._source.skip(n)

    def rows(self, n: int) -> tuple[int, Any]:
        count, batch = self._source.rows(n)
        return count, placed(batch, self._placing) if count else None

    def close(self) -> None:
        self._source.close()
