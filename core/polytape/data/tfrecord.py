"""TFRecord files: records of bytes, each with its length and two checksums.

A record is ``uint64 length``, ``uint32 masked_crc32c(length)``, ``length`` bytes, ``uint32 masked_crc32c(bytes)``,
all little-endian; a file may be compressed as a whole by gzip.

Source:
    TensorFlow's guide "TFRecord and tf.train.Example", and ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

import gzip
import struct
from typing import IO, Any, Final

from ..errors import DTypeError
from .checksums import masked_crc32c
from .files import DAMAGED, FileNode, FileRecords, check_compression, damaged
from .streams import END

__all__ = ["TFRecordWriter", "TFRecords", "frame"]

_HEADER: Final = struct.Struct("<QI")
_CRC: Final = struct.Struct("<I")
_PIECE: Final = 2**26  # bytes: a damaged length must not make one read allocate more than the file has


def frame(data: bytes) -> bytes:
    """The record for ``data``."""
    length = len(data).to_bytes(8, "little")
    return b"".join((length, _CRC.pack(masked_crc32c(length)), data, _CRC.pack(masked_crc32c(data))))


class TFRecordWriter:
    """Writes a TFRecord file, which TensorFlow, and readers of its format, read.

    Args:
        path: of the file, which is replaced.
        compression: None or "gzip".
    Raises:
        SettingError: another compression. OSError: the file cannot be written.

    Example:
        >>> import polytape as pt, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "numbers.tfrecord")
        >>> with pt.data.TFRecordWriter(path) as writer:
        ...     writer.write(b"one")
        ...     writer.write(b"two")
        >>> list(pt.data.Dataset.from_tfrecord(path))
        [b'one', b'two']
    """

    def __init__(self, path: Any, compression: str | None = None) -> None:
        check_compression("TFRecordWriter", compression)
        self._file: Any = gzip.open(path, "wb") if compression == "gzip" else open(path, "wb")  # noqa: SIM115  # closed by close()

    def write(self, record: bytes) -> None:
        """Add a record.

        Raises:
            DTypeError: ``record`` is not bytes.
        """
        if not isinstance(record, (bytes, bytearray, memoryview)):
            raise DTypeError(
                "TFRecordWriter.write needs bytes.",
                expected="bytes",
                got=type(record).__name__,
                fix="encode it, for example by polytape.data.write_example",
            )
        self._file.write(frame(bytes(record)))

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Write what is buffered and close the file."""
        self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class TFRecords(FileNode):
    """The records of TFRecord files."""

    def __init__(self, paths: Any, compression: str | None = "auto", verify: bool = True) -> None:
        super().__init__(paths, compression)
        self._verify = verify

    def records(self, path: str, file: IO[bytes], seekable: bool) -> FileRecords:
        """As `FileNode.records`."""
        return RecordReader(path, file, seekable, self._verify)


class RecordReader(FileRecords):
    """Reads records, and checks them.

    Attributes:
        number: of the next record, from 0.
        offset: of its first byte in the decompressed file.
    """

    def __init__(self, path: str, file: IO[bytes], seekable: bool, verify: bool = True) -> None:
        self.number = self.offset = 0
        self._path, self._file, self._seekable, self._verify = path, file, seekable, verify

    def next(self) -> Any:
        """As `FileRecords.next`."""
        length = self._length()
        if length is None:
            return END
        data = self._read(length)
        stored = self._read(4)
        if len(data) < length or len(stored) < 4:
            raise self._bad(
                "the file ends within it", f"{length} bytes and a checksum", f"{len(data) + len(stored)} bytes"
            )
        if self._verify and _CRC.unpack(stored)[0] != masked_crc32c(data):
            raise self._bad(
                "its checksum differs", f"0x{_CRC.unpack(stored)[0]:08x} as stored", f"0x{masked_crc32c(data):08x}"
            )
        self.number += 1
        self.offset += 16 + length
        return data

    def skip(self, n: int) -> int:
        """As `FileRecords.skip`."""
        if not self._seekable:
            return super().skip(n)
        for done in range(n):
            length = self._length()
            if length is None:
                return done
            self._file.seek(length + 3, 1)
            if not self._read(1):
                raise self._bad("the file ends within it", f"{length} bytes and a checksum", "fewer")
            self.number += 1
            self.offset += 16 + length
        return n

    def _length(self) -> int | None:
        """The length of the next record; None at the end of the file."""
        header = self._read(12)
        if not header:
            return None
        if len(header) < 12:
            raise self._bad("the file ends within its header", "12 bytes", f"{len(header)} bytes")
        length, stored = _HEADER.unpack(header)
        computed = masked_crc32c(header[:8])
        if stored != computed:  # always checked: a wrong length would make all later records wrong
            raise self._bad("the checksum of its length differs", f"0x{stored:08x} as stored", f"0x{computed:08x}")
        return int(length)

    def _read(self, n: int) -> bytes:
        try:
            if n <= _PIECE:
                return self._file.read(n)
            pieces = []
            while n and (piece := self._file.read(min(n, _PIECE))):
                pieces.append(piece)
                n -= len(piece)
            return b"".join(pieces)
        except DAMAGED as error:
            raise self._bad("the compressed data is damaged", "gzip", str(error)) from None

    def _bad(self, reason: str, expected: str, got: str) -> Exception:
        return damaged(self._path, self.number, self.offset, reason, expected=expected, got=got)
