"""cache: elements are computed in the first pass, and kept in memory or in a file."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DataError, DTypeError
from .streams import END, Node, Opening, Rows, Session, Stream
from .structures import host, on_host
from .tfrecord import RecordReader, frame

__all__ = ["FileCache", "MemoryCache"]


class MemoryCache(Node):
    """The same elements, kept in host memory, as arrays: a consumer may assign to items of a tensor."""

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        self.elements: list[Any] | None = None  # of a whole pass
        self._by_position: dict[int, Any] = {}

    def random_access(self, opening: Opening) -> Rows | None:
        """As `Node.random_access`."""
        rows = self.inputs[0].random_access(opening.always())
        return None if rows is None else _CachedRows(rows, self._by_position)

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        if self.elements is not None:
            return _KeptStream(self.elements)
        return _KeepingStream(self, self.inputs[0].open(opening.always()))


class _CachedRows(Rows):
    def __init__(self, rows: Rows, elements: dict[int, Any]) -> None:
        super().__init__(rows.length)
        self._rows, self._elements = rows, elements

    def get(self, position: int) -> Any:
        element = self._elements.get(position, END)
        if element is END:
            element = self._elements[position] = on_host(self._rows.get(position))
        return element


class _KeptStream(Stream):
    def __init__(self, elements: list[Any]) -> None:
        self._elements, self._position = elements, 0

    def next(self) -> Any:
        if self._position >= len(self._elements):
            return END
        self._position += 1
        return self._elements[self._position - 1]

    def skip(self, n: int) -> int:
        n = min(n, len(self._elements) - self._position)
        self._position += n
        return n


class _KeepingStream(Stream):
    """Collects the elements of a pass; the node has them after its end."""

    def __init__(self, node: MemoryCache, source: Stream) -> None:
        self._node, self._source = node, source
        self._elements: list[Any] = []

    def next(self) -> Any:
        element = self._source.next()
        if element is END:
            self._node.elements = self._elements
        else:
            element = on_host(element)
            self._elements.append(element)
        return element

    def close(self) -> None:
        self._source.close()


class FileCache(Node):
    """The same elements, kept in a TFRecord file: first a record that describes the pipeline, then one per element."""

    def __init__(self, source: Node, path: Any) -> None:
        super().__init__(source)
        self.path = os.path.abspath(os.fsdecode(path))

    def header(self) -> bytes:
        """The first record of the file."""
        return json.dumps({"polytape.cache": 1, "pipeline": self.inputs[0].fingerprint()}).encode()

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        if os.path.exists(self.path):
            return _FileStream(self, opening.session)
        return _WritingStream(self, self.inputs[0].open(opening.always()), opening.session)


class _FileStream(Stream):
    def __init__(self, node: FileCache, session: Session) -> None:
        self._file = open(node.path, "rb", buffering=2**20)  # noqa: SIM115  # closed by close()
        self._session = session
        session.enter(self._file)
        self._reader = RecordReader(node.path, self._file, seekable=True)
        header = self._reader.next()
        if header != node.header():
            self.close()
            raise DataError(
                f"{node.path} is not the cache of this pipeline.",
                expected=node.header().decode(),
                got="an empty file" if header is END else repr(header[:200]),
                fix="remove the file, or cache in another one",
            )

    def next(self) -> Any:
        record = self._reader.next()
        return record if record is END else decode(record)

    def skip(self, n: int) -> int:
        return self._reader.skip(n)

    def close(self) -> None:
        self._session.leave(self._file)


class _WritingStream(Stream):
    """Writes the elements of a pass to a temporary file, which gets its name when the pass has ended."""

    def __init__(self, node: FileCache, source: Stream, session: Session) -> None:
        self._node, self._source, self._session = node, source, session
        self._temporary = f"{node.path}.{secrets.token_hex(4)}.tmp"
        self._file: Any = open(self._temporary, "xb", buffering=2**20)  # noqa: SIM115  # closed by close()
        session.enter(self)
        self._file.write(frame(node.header()))

    def next(self) -> Any:
        if self._file is None:
            return END
        element = self._source.next()
        if element is not END:
            self._file.write(frame(encode(element)))
            return element
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        os.replace(self._temporary, self._node.path)
        return END

    def close(self) -> None:
        self._session.forget(self)
        self._source.close()
        if self._file is not None:
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                os.remove(self._temporary)


def encode(element: Any) -> bytes:
    """An element as bytes: the length of its description, the description as JSON, and the bytes of its leaves.

    Raises:
        DTypeError: a leaf is neither an array nor text nor bytes.
    """
    parts: list[bytes] = []
    description = json.dumps(_outline(element, parts)).encode()
    return b"".join((len(description).to_bytes(4, "little"), description, *parts))


def _outline(structure: Any, parts: list[bytes]) -> Any:
    if isinstance(structure, tuple):
        return {"tuple": [_outline(part, parts) for part in structure]}
    if isinstance(structure, dict):
        return {"dict": [[key, _outline(part, parts)] for key, part in structure.items()]}
    if isinstance(structure, list):
        return {"list": [_outline(part, parts) for part in structure]}
    if isinstance(structure, str):
        parts.append(structure.encode("utf-8", "surrogatepass"))
        return {"str": len(parts[-1])}
    if isinstance(structure, bytes):
        parts.append(structure)
        return {"bytes": len(structure)}
    array = host(structure)
    if dtypes.category(array.dtype) < 0:
        raise DTypeError(
            "cache cannot write an element to a file.",
            expected="arrays, tensors, str or bytes in tuples, dicts and lists",
            got=f"{type(structure).__name__}",
            fix="cache in memory: cache() without a path",
        )
    parts.append(np.ascontiguousarray(array).tobytes())
    return {"dtype": str(array.dtype), "shape": list(array.shape)}


def decode(record: bytes) -> Any:
    """The element that `encode` has written."""
    start = 4 + int.from_bytes(record[:4], "little")
    element, _ = _parsed(json.loads(record[4:start]), record, start)
    return element


def _parsed(outline: Any, record: bytes, start: int) -> tuple[Any, int]:
    for kind, make in (("tuple", tuple), ("list", list)):
        if kind in outline:
            parts = []
            for part in outline[kind]:
                value, start = _parsed(part, record, start)
                parts.append(value)
            return make(parts), start
    if "dict" in outline:
        result = {}
        for key, part in outline["dict"]:
            result[key], start = _parsed(part, record, start)
        return result, start
    if "str" in outline:
        end = start + outline["str"]
        return record[start:end].decode("utf-8", "surrogatepass"), end
    if "bytes" in outline:
        end = start + outline["bytes"]
        return record[start:end], end
    dtype, shape = dtypes.lookup(outline["dtype"]), tuple(outline["shape"])
    count = 1
    for n in shape:
        count *= n
    array = np.frombuffer(record, dtype, count, start).reshape(shape)
    return array, start + array.nbytes
