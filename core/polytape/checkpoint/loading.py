"""Reading tensors from an open checkpoint file: small ones many at once, large ones by two threads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from ..errors import CheckpointError
from .checksums import Shared, chunked, combined, crc32
from .files import damaged, quoted, system_error
from .header import Entry
from .reading import Reader

__all__ = ["Source"]

Array = np.ndarray[Any, np.dtype[Any]]
Named = tuple[str, Entry]

_SMALL_NBYTES: Final = 1 << 16  # smaller tensors that are next to each other in the file are read together
_BLOCK_NBYTES: Final = 1 << 22  # how much of them at once
_MOST: Final = 1000  # how many of them at once; systems allow 1,024


class Source:
    """The bytes of an open file.

    Args:
        path: the path, for errors.
        reader: the open file.
    """

    __slots__ = ("path", "reader", "start")

    def __init__(self, path: str, reader: Reader) -> None:
        self.path: Final = path
        self.reader: Final = reader
        self.start: int = 0  # offset of the first tensor in the file

    def __repr__(self) -> str:
        return f"Source({self.path!r})"

    def error(self, reason: str, expected: str, got: str, fix: str = "") -> CheckpointError:
        """The error for this file, which cannot be read because of ``reason``."""
        return damaged(self.path, reason, expected=expected, got=got, fix=fix)

    def read(self, target: memoryview, offset: int, what: str) -> None:
        """Fill ``target`` with the bytes from ``offset`` on, which are those of ``what``.

        Raises:
            CheckpointError: the file is too short, or cannot be read.
        """
        try:
            count = self.reader.read_into(target, offset)
        except OSError as error:
            summary = f"{self.path!r} cannot be read: reading {what} failed."
            fix = "restore another checkpoint, or a copy of this file"
            raise system_error(error, summary, expected="a readable disk", fix=fix) from error
        if count != len(target):
            raise self.error(f"it ends inside {what}", f"{len(target)} more bytes", f"{count} bytes")

    def arrays(self, named: Sequence[Named], verify: bool) -> list[Array]:
        """Tensors as new arrays that own their memory, in the order of ``named``.

        Args:
            named: name and entry of each.
            verify: whether to compare the checksums.
        Raises:
            CheckpointError: the bytes of one are damaged.
            DTypeError: one is bfloat16, and the package ml_dtypes is missing.
        """
        arrays: list[Any] = [None] * len(named)
        tasks: list[Callable[[], None]] = []
        neighbours: list[int] = []
        large_nbytes = 0
        for position in sorted(range(len(named)), key=lambda position: named[position][1].start):
            name, entry = named[position]
            if entry.end - entry.start >= _SMALL_NBYTES:
                array = arrays[position] = np.empty(entry.logical_shape(), entry.logical_dtype())
                tasks += self._reads(name, entry, array.reshape(-1).view(np.uint8).data, verify)
                large_nbytes += array.nbytes
                continue
            if neighbours:
                first, last = named[neighbours[0]][1], named[neighbours[-1]][1]
                if last.end != entry.start or entry.end - first.start > _BLOCK_NBYTES or len(neighbours) >= _MOST:
                    self._read_together(named, neighbours, arrays, verify)
                    neighbours = []
            neighbours.append(position)
        shared = Shared(tasks, large_nbytes)
        try:
            if neighbours:
                self._read_together(named, neighbours, arrays, verify)
        finally:
            shared.finish()
        for position, (name, entry) in enumerate(named):
            if entry.code == "BOOL":
                self._check_booleans(name, arrays[position])
            elif sys.byteorder == "big":
                array = arrays[position]
                (array.view(np.uint16) if entry.code == "BF16" else array).byteswap(inplace=True)
        return arrays

    def _read_together(self, named: Sequence[Named], positions: list[int], arrays: list[Any], verify: bool) -> None:
        """Read small tensors that are next to each other in the file."""
        targets: list[Array] = []
        for position in positions:
            entry = named[position][1]
            shape = entry.shape[:-1] if entry.paired else entry.shape
            array: Array = np.empty(shape, entry.logical_dtype())
            arrays[position] = array
            targets.append(array.view(np.uint16) if entry.code == "BF16" else array)  # NumPy has no buffers of that
        first = named[positions[0]][1]
        if not self._read_scattered(targets, self.start + first.start):
            for position, target in zip(positions, targets, strict=True):
                name, entry = named[position]
                self.read(target.reshape(-1).view(np.uint8).data, self.start + entry.start, f"tensor {quoted(name)}")
        if verify:
            for position, target in zip(positions, targets, strict=True):
                name, entry = named[position]
                crc = crc32(target, 0)
                if f"{crc:08x}" != entry.crc:
                    self._compare(name, entry, crc)

    def _read_scattered(self, targets: list[Array], offset: int) -> bool:
        """Whether all targets could be filled at once; if not, they are to be read one by one, which tells why."""
        try:
            return self.reader.read_into_all(targets, offset)
        except OSError:
            return False

    def _reads(self, name: str, entry: Entry, target: memoryview, verify: bool) -> list[Callable[[], None]]:
        """Tasks that read the chunks of a tensor into ``target``; the last one to run compares the checksum."""
        chunks = chunked(len(target))
        crcs: dict[int, int] = {}

        def read(begin: int, end: int) -> None:
            chunk = target[begin:end]
            self.read(chunk, self.start + entry.start + begin, f"tensor {quoted(name)}")
            if verify:
                crcs[begin] = crc32(chunk, 0)
                if len(crcs) == len(chunks):
                    self._compare(name, entry, combined([crcs[start] for start, _ in chunks], len(target)))

        return [partial(read, begin, end) for begin, end in chunks]

    def _compare(self, name: str, entry: Entry, crc: int) -> None:
        if f"{crc:08x}" != entry.crc:
            reason = f"the bytes of tensor {quoted(name)} are damaged"
            raise self.error(reason, f"checksum {entry.crc}", f"checksum {crc:08x}")

    def _check_booleans(self, name: str, array: Array) -> None:
        raw = array.reshape(-1).view(np.uint8)
        if raw.size and raw.max() > 1:
            # Some NumPy loops would treat such a byte as True, others as a different number.
            reason = f"tensor {quoted(name)} holds bytes that are not booleans"
            raise self.error(reason, "bytes 0 and 1", f"byte {raw.max()}")
