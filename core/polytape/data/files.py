"""Files as sources: their names, compression, and streams that read one file after the other."""

from __future__ import annotations

import glob as _glob
import gzip
import os
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from ..errors import DataError, SettingError
from .specs import describe
from .streams import END, Node, Opening, Session, Stream, first

__all__ = ["FileNode", "FileStream", "Lines", "check_compression", "damaged", "matching", "open_read", "paths_of"]

_BUFFER: Final = 2**20  # bytes per read from the system
_COMPRESSIONS: Final = ("auto", "gzip", None)
#: What reading damaged gzip data raises; BadGzipFile is an OSError.
DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error)


def paths_of(paths: Any) -> list[str]:
    """One path, or several in any iterable, as a list of str."""
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    return [os.fsdecode(path) for path in listed]


def matching(pattern: Any) -> list[str]:
    """The paths that match a pattern with ``*``, ``?``, ``[]`` and ``**``, sorted.

    Raises:
        DataError: none does.
    """
    found = sorted(_glob.glob(os.fsdecode(pattern), recursive=True))
    if not found:
        raise DataError(
            f"no file matches {os.fsdecode(pattern)!r}.",
            expected="at least one file",
            got="none",
            fix=f"check the pattern; relative ones start at {os.getcwd()}",
        )
    return found


def check_compression(what: str, compression: Any) -> None:
    """Raise SettingError unless ``compression`` is one that `open_read` knows."""
    if compression not in _COMPRESSIONS:
        raise SettingError(
            f"{what} cannot use compression={compression!r}.",
            expected="'auto', 'gzip' or None",
            got=repr(compression),
            fix="decompress the file first",
        )


def open_read(path: str, compression: str | None) -> tuple[Any, bool]:
    """A file for reading, and whether it is compressed; "auto" looks at its first bytes."""
    file: Any = open(path, "rb", buffering=_BUFFER)  # noqa: SIM115  # the stream closes it
    try:
        compressed = compression == "gzip" or (compression == "auto" and file.peek(2)[:2] == b"\x1f\x8b")
        if not compressed:
            return file, False
    except BaseException:
        file.close()
        raise
    return _Gzip(file), True


class _Gzip(gzip.GzipFile):
    """A GzipFile that closes the file below it."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._below = file

    def close(self) -> None:
        super().close()
        self._below.close()


def damaged(path: str, number: int, offset: int, reason: str, *, expected: str, got: str, fix: str = "") -> DataError:
    """The error for a bad record.

    Args:
        number: of the record in the file, from 0.
        offset: of its first byte in the (decompressed) file.
    """
    return DataError(
        f"{path}: record {number} at byte {offset} is bad: {reason}.",
        expected=expected,
        got=got,
        fix=fix or "restore the file from its source, or leave it out",
    )


class FileNode(Node):
    """Records of files; a subclass defines `records`."""

    def __init__(self, paths: Any, compression: str | None) -> None:
        super().__init__()
        self.paths = paths_of(paths)
        self.compression = compression

    def describe(self) -> str:
        """As `Node.describe`; the folder may be another one after a restore."""
        return f"{type(self).__name__.lower()}({[os.path.basename(path) for path in self.paths]})"

    def count(self) -> int | None:
        """As `Node.count`."""
        return None if self.paths else 0

    def spec(self) -> Any:
        """As `Node.spec`."""
        return describe(first(self, "element_spec"))

    def records(self, path: str, file: IO[bytes], seekable: bool) -> FileRecords:
        """A reader of one file."""
        raise NotImplementedError

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        return FileStream(self, opening.session)


class FileRecords:
    """Reads the records of one file in order."""

    def next(self) -> Any:
        """The next record, or `END`."""
        raise NotImplementedError

    def skip(self, n: int) -> int:
        """Pass over records; returns how many there were."""
        for done in range(n):
            if self.next() is END:
                return done
        return n


class FileStream(Stream):
    """The records of one file after the other."""

    def __init__(self, node: FileNode, session: Session) -> None:
        self._node, self._session = node, session
        self._file: IO[bytes] | None = None
        self._records: FileRecords | None = None
        self._next = 0  # the position of the next path

    def _opened(self) -> FileRecords | None:
        if self._records is None and self._next < len(self._node.paths):
            path = self._node.paths[self._next]
            self._file, compressed = open_read(path, self._node.compression)
            self._session.enter(self._file)
            self._records = self._node.records(path, self._file, not compressed)
            self._next += 1
        return self._records

    def next(self) -> Any:
        """As `Stream.next`."""
        while (records := self._opened()) is not None:
            record = records.next()
            if record is not END:
                return record
            self.close()
        return END

    def skip(self, n: int) -> int:
        """As `Stream.skip`."""
        done = 0
        while done < n and (records := self._opened()) is not None:
            done += records.skip(n - done)
            if done < n:
                self.close()
        return done

    def close(self) -> None:
        """As `Stream.close`."""
        if self._file is not None:
            self._session.leave(self._file)
        self._file = self._records = None


class LineReader:
    """Lines of text, and where the last one began.

    Attributes:
        path: of the file.
        number: of the next line, from 0.
        offset: of its first byte in the decompressed file.
    """

    def __init__(self, path: str, file: IO[bytes], encoding: str) -> None:
        self.path, self._file, self._encoding = path, file, encoding
        self.number = self.offset = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            data = self._file.readline()
        except DAMAGED as error:
            raise damaged(
                self.path, self.number, self.offset, "the compressed data is damaged", expected="gzip", got=str(error)
            ) from None
        if not data:
            raise StopIteration
        try:
            line = data.decode(self._encoding)
        except UnicodeDecodeError as error:
            raise damaged(
                self.path,
                self.number,
                self.offset,
                "it is not text",
                expected=f"text in {self._encoding}",
                got=f"{error.object[error.start : error.end]!r} at byte {error.start} of the line",
                fix="pass the file's encoding=",
            ) from None
        self.number += 1
        self.offset += len(data)
        return line


class Lines(FileNode):
    """Lines of text files, without their line ends."""

    def __init__(self, paths: Any, compression: str | None, encoding: str) -> None:
        super().__init__(paths, compression)
        self._encoding = encoding

    def records(self, path: str, file: IO[bytes], seekable: bool) -> FileRecords:
        """As `FileNode.records`."""
        return _LineRecords(LineReader(path, file, self._encoding))


class _LineRecords(FileRecords):
    def __init__(self, reader: LineReader) -> None:
        self._reader = reader

    def next(self) -> Any:
        line = next(self._reader, END)
        return line.removesuffix("\n").removesuffix("\r") if isinstance(line, str) else END
