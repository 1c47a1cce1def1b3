"""Steps between elements and batches: batch, padded_batch, unbatch, window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DTypeError, SettingError, ShapeError
from .specs import TensorSpec, batched, unbatched
from .streams import END, INFINITE, Node, Opening, Rows, Stream
from .structures import host, length, map_leaves, row, stack, zip_leaves

__all__ = ["Batch", "PaddedBatch", "Unbatch", "Window"]


class Batch(Node):
    """So many elements each as one."""

    def __init__(self, source: Node, size: int, drop_remainder: bool) -> None:
        super().__init__(source)
        self.size, self.drop_remainder = size, drop_remainder

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"{type(self).__name__.lower()}({self.size}, {self.drop_remainder})"

    def whole(self, n: int) -> int:
        """The number of batches of ``n`` elements."""
        return n // self.size if self.drop_remainder else -(-n // self.size)

    def count(self) -> int | float | None:
        """As `Node.count`."""
        n = self.inputs[0].count()
        return n if n is None or n == INFINITE else self.whole(int(n))

    def full(self) -> bool:
        """Whether all batches have the same size."""
        n = self.inputs[0].count()
        return self.drop_remainder or n == INFINITE or (n is not None and n % self.size == 0)

    def spec(self) -> Any:
        """As `Node.spec`."""
        return batched(self.inputs[0].spec(), self.size if self.full() else None)

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        rows = self.inputs[0].random_access(opening.input())
        return None if rows is None else _BatchRows(self, rows)

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _BatchStream(self, self.inputs[0].open(opening.input()))


class _BatchRows(Rows):
    def __init__(self, node: Batch, rows: Rows) -> None:
        super().__init__(node.whole(rows.length))
        self._size, self._rows = node.size, rows

    def get(self, position: int) -> Any:
        start = position * self._size
        return self._rows.gather(np.arange(start, min(start + self._size, self._rows.length)))


class _BatchStream(Stream):
    def __init__(self, node: Batch, source: Stream) -> None:
        self._node, self._source = node, source

    def next(self) -> Any:
        count, batch = self._source.rows(self._node.size)
        return batch if count and (count == self._node.size or not self._node.drop_remainder) else END

    def skip(self, n: int) -> int:
        return self._node.whole(self._source.skip(n * self._node.size))

    def close(self) -> None:
        self._source.close()


class PaddedBatch(Batch):
    """So many elements each as one, padded at the ends of their axes to one shape.

    Args:
        shapes: a structure of shapes, as leaves lists or tuples of int or None, or None for the largest sizes.
        value: the padding, a number or a structure of numbers.
    """

    def __init__(self, source: Node, size: int, shapes: Any, value: Any, drop_remainder: bool) -> None:
        super().__init__(source, size, drop_remainder)
        self._shapes, self._value = shapes, value

    def spec(self) -> Any:
        """As `Node.spec`."""
        size = self.size if self.full() else None
        given = iter(_by_leaf(self._shapes, self.inputs[0].spec(), _is_shape))

        def padded(leaf: Any) -> Any:
            shape = next(given)
            if not isinstance(leaf, TensorSpec):
                return list
            return TensorSpec((size, *(shape or (None,) * len(leaf.shape))), leaf.dtype)

        return map_leaves(padded, self.inputs[0].spec())

    def random_access(self, opening: Opening) -> None:
        """As `Node.random_access`."""
        return

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _PaddedStream(self, self.inputs[0].open(opening.input()))

    def pad(self, elements: list[Any]) -> Any:
        """The batch of these elements."""
        shapes = iter(_by_leaf(self._shapes, elements[0], _is_shape))
        values = iter(_by_leaf(self._value, elements[0], lambda value: not isinstance(value, (tuple, dict))))
        return zip_leaves(lambda column: _pad(column, next(shapes), next(values)), elements)


def _is_size(n: Any) -> bool:
    return n is None or isinstance(n, int)


def _is_shape(shapes: Any) -> bool:
    return shapes is None or (isinstance(shapes, (tuple, list)) and all(map(_is_size, shapes)))


def _by_leaf(given: Any, element: Any, single: Callable[[Any], bool]) -> list[Any]:
    """What is given for each leaf of an element: one value for all, or a structure like the element's."""
    if isinstance(element, dict):
        keys: list[Any] = list(element)
        alike = isinstance(given, dict) and given.keys() == element.keys()
    elif isinstance(element, tuple):
        keys = list(range(len(element)))
        alike = isinstance(given, (tuple, list)) and len(given) == len(element) and not single(given)
    else:
        return [given]
    if alike:
        return [x for key in keys for x in _by_leaf(given[key], element[key], single)]
    if single(given):
        return [x for key in keys for x in _by_leaf(given, element[key], single)]
    raise SettingError(
        "padded_batch cannot match padded_shapes or padding_value to the elements.",
        expected="one value, or a structure like an element's",
        got=f"{given!r} for {len(keys)} parts",
        fix="give one value for each part",
    )


def _pad(column: list[Any], shape: Any, value: Any) -> Any:
    if isinstance(column[0], (str, bytes)) or not hasattr(column[0], "shape"):
        return column
    arrays = [host(leaf) for leaf in column]
    ndim = arrays[0].ndim
    if any(array.ndim != ndim for array in arrays) or (shape is not None and len(shape) != ndim):
        raise ShapeError(
            "padded_batch cannot pad elements to another number of axes.",
            expected=f"{ndim if shape is None else len(shape)} axes in every element",
            got=", ".join(sorted({str(array.shape) for array in arrays})),
            fix="give the elements the same number of axes",
        )
    if any(array.dtype != arrays[0].dtype for array in arrays):
        raise DTypeError(
            "padded_batch cannot combine elements of different dtypes.",
            expected=f"{arrays[0].dtype} in every element",
            got=", ".join(sorted({str(array.dtype) for array in arrays})),
            fix="cast the elements to one dtype in map",
        )
    largest = [max(array.shape[axis] for array in arrays) for axis in range(ndim)]
    target = largest if shape is None else [m if n is None else n for m, n in zip(largest, shape, strict=True)]
    if any(m > n for m, n in zip(largest, target, strict=True)):
        raise ShapeError(
            "padded_batch got an element that is larger than padded_shapes.",
            expected=f"at most {tuple(target)}",
            got=f"sizes up to {tuple(largest)}",
            fix="use larger padded_shapes, None, or cut the elements in map",
        )
    batch: Any = np.empty((len(arrays), *target), arrays[0].dtype)
    batch[...] = value
    for position, array in enumerate(arrays):
        batch[(position, *map(slice, array.shape))] = array
    return batch


class _PaddedStream(Stream):
    def __init__(self, node: PaddedBatch, source: Stream) -> None:
        self._node, self._source = node, source

    def next(self) -> Any:
        elements: list[Any] = []
        while len(elements) < self._node.size and (element := self._source.next()) is not END:
            elements.append(element)
        if not elements or (self._node.drop_remainder and len(elements) < self._node.size):
            return END
        return self._node.pad(elements)

    def skip(self, n: int) -> int:
        return self._node.whole(self._source.skip(n * self._node.size))

    def close(self) -> None:
        self._source.close()


class Unbatch(Node):
    """The rows of each element."""

    def count(self) -> int | float | None:
        """As `Node.count`."""
        source = self.inputs[0]
        if type(source) is Batch and source.full():
            n = source.count()
            return n if n is None else n * source.size
        return None

    def spec(self) -> Any:
        """As `Node.spec`."""
        return unbatched(self.inputs[0].spec())

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _UnbatchedStream(self.inputs[0].open(opening.input()))


class _UnbatchedStream(Stream):
    def __init__(self, source: Stream) -> None:
        self._source = source
        self._batch: Any = None
        self._position = self._length = 0

    def _has_row(self) -> bool:
        while self._position >= self._length:
            batch = self._source.next()
            if batch is END:
                return False
            self._batch, self._position, self._length = batch, 0, length(batch)
        return True

    def next(self) -> Any:
        if not self._has_row():
            return END
        self._position += 1
        return row(self._batch, self._position - 1)

    def skip(self, n: int) -> int:
        done = 0
        while done < n and self._has_row():
            step = min(n - done, self._length - self._position)
            self._position += step
            done += step
        return done

    def close(self) -> None:
        self._source.close()


class Window(Node):
    """Batches that overlap, or leave elements out."""

    def __init__(self, source: Node, size: int, shift: int, stride: int, drop_remainder: bool) -> None:
        super().__init__(source)
        self._size, self._shift, self._stride, self._drop = size, shift, stride, drop_remainder

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"window({self._size}, {self._shift}, {self._stride}, {self._drop})"

    @property
    def span(self) -> int:
        """From the first element of a window to behind its last."""
        return (self._size - 1) * self._stride + 1

    def whole(self, n: int) -> int:
        """The number of windows of ``n`` elements."""
        last = n - self.span if self._drop else n - 1
        return 0 if last < 0 else last // self._shift + 1

    def count(self) -> int | float | None:
        """As `Node.count`."""
        n = self.inputs[0].count()
        return n if n is None or n == INFINITE else self.whole(int(n))

    def spec(self) -> Any:
        """As `Node.spec`."""
        return batched(self.inputs[0].spec(), self._size if self._drop else None)

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        rows = self.inputs[0].random_access(opening.input())
        return None if rows is None else _WindowRows(self, rows)

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return _WindowStream(self, self.inputs[0].open(opening.input()))


class _WindowRows(Rows):
    def __init__(self, node: Window, rows: Rows) -> None:
        super().__init__(node.whole(rows.length))
        self._node, self._rows = node, rows

    def get(self, position: int) -> Any:
        start = position * self._node._shift
        return self._rows.gather(np.arange(start, min(start + self._node.span, self._rows.length), self._node._stride))


class _WindowStream(Stream):
    def __init__(self, node: Window, source: Stream) -> None:
        self._node, self._source = node, source
        self._buffer: deque[Any] = deque()
        self._gap = 0  # elements between two windows

    def next(self) -> Any:
        node, buffer = self._node, self._buffer
        if self._gap and self._source.skip(self._gap) < self._gap:
            return END
        self._gap = 0
        while len(buffer) < node.span and (element := self._source.next()) is not END:
            buffer.append(element)
        if not buffer or (node._drop and len(buffer) < node.span):
            return END
        window = stack(list(buffer)[:: node._stride])
        self._gap = max(0, node._shift - len(buffer))
        for _ in range(min(node._shift, len(buffer))):
            buffer.popleft()
        return window

    def skip(self, n: int) -> int:
        if self._buffer or self._gap or self._node._shift < self._node.span:
            return super().skip(n)
        return self._node.whole(self._source.skip(n * self._node._shift))

    def close(self) -> None:
        self._source.close()
