"""Reading tensors from an open checkpoint file: small ones many at once, large ones by two threads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final

import numpy as np

from ..errors import CheckpointError
from .checksums import Shared, chunked, combined, crc32
from .files import damaged, quoted, system_error
from .header import Kind, hexadecimal
from .reading import Reader

__all__ = ["Source"]

Array = np.ndarray[Any, np.dtype[Any]]

_SMALL_NBYTES: Final = 1 << 16  # smaller tensors that are next to each other in the file are read together
_BLOCK_NBYTES: Final = 1 << 22  # how much of them at once
_MOST: Final = 1000  # how many of them at once; systems allow 1,024


class _Wanted:
    """The tensors that one call reads, as `Source.arrays` describes them, and their arrays so far."""

    __slots__ = ("arrays", "crcs", "kinds", "names", "starts")

    def __init__(
        self, names: Sequence[str], kinds: Sequence[Kind], starts: Sequence[int], crcs: Sequence[str] | None
    ) -> None:
        self.names: Final = names
        self.kinds: Final = kinds
        self.starts: Final = starts
        self.crcs: Final = crcs
        self.arrays: Final[list[Any]] = [None] * len(names)

    def part(self, positions: list[int]) -> _Wanted:
        """The tensors at these positions, for another array of each."""
        columns: list[Any] = [self.names, self.kinds, self.starts, self.crcs]
        return _Wanted(*[column and [*map(column.__getitem__, positions)] for column in columns])


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

    def arrays(
        self, names: Sequence[str], kinds: Sequence[Kind], starts: Sequence[int], crcs: Sequence[str] | None
    ) -> list[Array]:
        """Tensors as new arrays that own their memory, in the order of ``names``.

        Args:
            names: of the tensors, for errors.
            kinds: of the same tensors.
            starts: the offsets of their first bytes from the start of the data.
            crcs: their checksums; None does not compare them.
        Raises:
            CheckpointError: the bytes of one are damaged.
            DTypeError: one is bfloat16, and the package ml_dtypes is missing.
        """
        wanted = _Wanted(names, kinds, starts, crcs)
        sizes = [kind.nbytes for kind in kinds]
        # Usually the tensors are wanted in the order of their bytes.
        if (
            0 < sum(sizes) <= _BLOCK_NBYTES
            and max(sizes) < _SMALL_NBYTES
            and len(sizes) <= _MOST
            and ([*accumulate(sizes[:-1], initial=starts[0])] == starts)
        ):
            self._read_together(wanted, sizes)
        else:
            self._read_all(wanted, sizes)
        arrays = wanted.arrays
        if any([kind.code == "BOOL" for kind in {*kinds}]):
            for name, kind, array in zip(names, kinds, arrays, strict=True):
                if kind.code == "BOOL":
                    self._check_booleans(name, array)
        if sys.byteorder == "big":
            for kind, array in zip(kinds, arrays, strict=True):
                (array.view(np.uint16) if kind.code == "BF16" else array).byteswap(inplace=True)
        return arrays

    def _read_all(self, wanted: _Wanted, sizes: list[int]) -> None:
        """Read tensors of any sizes, anywhere in the file."""
        tasks: list[Callable[[], None]] = []
        neighbours: list[int] = []
        begin = end = 0  # of the neighbours, in the file
        large_nbytes = 0
        for position in sorted(range(len(sizes)), key=wanted.starts.__getitem__):
            start, size = wanted.starts[position], sizes[position]
            if size >= _SMALL_NBYTES:
                kind = wanted.kinds[position]
                array = wanted.arrays[position] = np.empty(kind.logical_shape, kind.logical_dtype())
                tasks += self._reads(wanted, position, array.reshape(-1).view(np.uint8).data)
                large_nbytes += size
                continue
            if end != start or end - begin > _BLOCK_NBYTES or len(neighbours) >= _MOST:
                self._read_some(wanted, neighbours, sizes)
                neighbours, begin = [], start
            neighbours.append(position)
            end = start + size
        shared = Shared(tasks, large_nbytes)
        try:
            self._read_some(wanted, neighbours, sizes)
        finally:
            shared.finish()

    def _read_some(self, wanted: _Wanted, positions: list[int], sizes: list[int]) -> None:
        """Read the small tensors at these positions, which are next to each other in the file."""
        if positions:
            part = wanted.part(positions)
            self._read_together(part, [*map(sizes.__getitem__, positions)])
            for position, array in zip(positions, part.arrays, strict=True):
                wanted.arrays[position] = array

    def _read_together(self, wanted: _Wanted, sizes: list[int]) -> None:
        """Read small tensors that are next to each other in the file, in this order."""
        kinds = wanted.kinds
        dtypes = {kind: kind.logical_dtype() for kind in {*kinds}}
        targets: list[Array] = [*map(np.empty, [kind.logical_shape for kind in kinds], map(dtypes.__getitem__, kinds))]
        wanted.arrays[:] = targets
        if any([kind.code == "BF16" for kind in dtypes]):  # NumPy has no buffers of that
            targets = [target.view(np.uint16) if target.itemsize == 2 else target for target in targets]
        if not self._read_scattered(targets, self.start + wanted.starts[0], sum(sizes)):
            for position, target in enumerate(targets):
                offset = self.start + wanted.starts[position]
                self.read(target.reshape(-1).view(np.uint8).data, offset, f"tensor {quoted(wanted.names[position])}")
        if wanted.crcs is None:
            return
        found = [*map(crc32, targets)]
        if hexadecimal(found) != "".join(wanted.crcs):
            for position, crc in enumerate(found):
                self._compare(wanted, position, crc)

    def _read_scattered(self, targets: list[Array], offset: int, nbytes: int) -> bool:
        """Whether all targets could be filled at once; if not, they are to be read one by one, which tells why."""
        try:
            return self.reader.read_into_all(targets, offset, nbytes)
        except OSError:
            return False

    def _reads(self, wanted: _Wanted, position: int, target: memoryview) -> list[Callable[[], None]]:
        """Tasks that read the chunks of a tensor into ``target``; the last one to run compares the checksum."""
        chunks = chunked(len(target))
        crcs: dict[int, int] = {}
        offset = self.start + wanted.starts[position]
        what = f"tensor {quoted(wanted.names[position])}"

        def read(begin: int, end: int) -> None:
            chunk = target[begin:end]
            self.read(chunk, offset + begin, what)
            if wanted.crcs is not None:
                crcs[begin] = crc32(chunk, 0)
                if len(crcs) == len(chunks):
                    self._compare(wanted, position, combined([crcs[start] for start, _ in chunks], len(target)))

        return [partial(read, begin, end) for begin, end in chunks]

    def _compare(self, wanted: _Wanted, position: int, crc: int) -> None:
        assert wanted.crcs is not None
        if f"{crc:08x}" != wanted.crcs[position]:
            reason = f"the bytes of tensor {quoted(wanted.names[position])} are damaged"
            raise self.error(reason, f"checksum {wanted.crcs[position]}", f"checksum {crc:08x}")

    def _check_booleans(self, name: str, array: Array) -> None:
        raw = array.reshape(-1).view(np.uint8)
        if raw.size and raw.max() > 1:
            # Some NumPy loops would treat such a byte as True, others as a different number.
            reason = f"tensor {quoted(name)} holds bytes that are not booleans"
            raise self.error(reason, "bytes 0 and 1", f"byte {raw.max()}")
