"""One checkpoint file: a safetensors file with additional checksums of its header and of each tensor.

Any safetensors reader can open it, and `open_tensors` opens any safetensors file whose dtypes polytape supports. The
layout is described in docs/checkpoint-format.md.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..errors import CheckpointError, DTypeError
from .files import Replacement, damaged, is_text, quoted, system_error
from .header import (
    CODES,
    MAX_HEADER_NBYTES,
    METADATA_NAME,
    OWN_KEYS,
    SIZES,
    Entry,
    Header,
    encode_header,
    header_nbytes,
)
from .parsing import parse_header
from .reading import Reader, open_regular

__all__ = ["TensorFile", "open_tensors", "write_into", "write_tensors"]

Array = np.ndarray[Any, np.dtype[Any]]

_CHUNK_NBYTES: Final = 1 << 20  # small enough that a chunk is still in the cache when it is written after its checksum


def write_tensors(path: str, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write ``tensors`` to the safetensors file ``path``, replacing it completely or not at all.

    Equal tensors and metadata give equal bytes, whatever their order.

    Args:
        path: the file; its directory must exist.
        tensors: name -> array of any layout and byte order, of a dtype that polytape supports.
        metadata: additional strings to store in the header. The keys polytape.format, polytape.checksums,
            polytape.header and polytape.complex128 are reserved.

    Raises:
        CheckpointError: a name or metadata string cannot be stored, or the operating system rejects the write; an
            existing file at ``path`` is unchanged then.
        DTypeError: the dtype of an array is not supported.
    """
    with Replacement(os.fspath(path)) as new:
        write_into(new, tensors, metadata)


def write_into(new: Replacement, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write the contents of a safetensors file; see `write_tensors`."""
    path = new.path
    _check_texts(path, tensors, metadata)
    entries = _lay_out(tensors)
    size = header_nbytes(entries, metadata)
    if size - 8 > MAX_HEADER_NBYTES:
        raise CheckpointError(
            f"{path!r} cannot be written: its header is too large.",
            expected=f"names, shapes and metadata of at most {MAX_HEADER_NBYTES} bytes",
            got=f"{size - 8} bytes for {len(entries)} tensors",
            fix="use shorter names and less metadata, or several files",
        )
    new.seek(size)
    for name, entry in entries.items():
        entry.crc = _write_data(new, _little_endian_bytes(tensors[name]))
    new.seek(0)
    new.write(encode_header(entries, metadata))


def _check_texts(path: str, tensors: Mapping[Any, Array], metadata: Mapping[Any, Any]) -> None:
    for name in tensors:
        if not is_text(name) or name == METADATA_NAME:
            raise CheckpointError(
                f"{path!r} cannot hold a tensor named {quoted(name)}.",
                expected=f"a str of valid Unicode, other than {METADATA_NAME!r}",
                got=f"{quoted(name)} of type {type(name).__name__}",
                fix="rename the tensor",
            )
    for key, value in metadata.items():
        if not is_text(key) or not is_text(value) or key in OWN_KEYS:
            raise CheckpointError(
                f"{path!r} cannot hold the metadata {quoted(key)}.",
                expected=f"valid Unicode strings, with a key other than {', '.join(OWN_KEYS)}",
                got=f"{quoted(key)} with a {type(value).__name__}",
                fix="encode the value as a str, for example as JSON, or choose another key",
            )


@lru_cache(maxsize=100)  # NumPy takes a microsecond or two to make the name
def _name_of(dtype: np.dtype[Any]) -> str:
    return dtype.name


def _stored_as(name: str, array: object) -> str:
    cls = type(array)
    dtype = _name_of(array.dtype) if isinstance(array, np.ndarray) else f"{cls.__module__}.{cls.__qualname__}"
    code = "F64" if dtype == "complex128" else CODES.get(dtype)
    if code is None:
        raise DTypeError(
            f"tensor {quoted(name)} cannot be stored in a checkpoint.",
            expected=f"a NumPy array of one of {', '.join(CODES)}, complex128",
            got=dtype,
            fix="convert it first",
        )
    return code


def _lay_out(tensors: Mapping[str, Array]) -> dict[str, Entry]:
    codes = {name: _stored_as(name, array) for name, array in tensors.items()}
    entries: dict[str, Entry] = {}
    start = 0
    # The widest first, after a header of a multiple of 8 bytes, so that every tensor is aligned in a mapped file.
    for _, name in sorted([(-SIZES[code], name) for name, code in codes.items()]):
        array, code = tensors[name], codes[name]
        paired = _name_of(array.dtype) == "complex128"
        shape: tuple[int, ...] = (*array.shape, 2) if paired else array.shape
        end = start + SIZES[code] * math.prod(shape)
        entries[name] = Entry(code, shape, start, end, paired)
        start = end
    return entries


def _little_endian_bytes(array: Array) -> memoryview:
    # bfloat16 is not one of NumPy's own dtypes: it is stored as integers of the same bits, which have a byte order.
    bits = array.view(np.uint16) if _name_of(array.dtype) == "bfloat16" else array
    ordered = np.ascontiguousarray(bits, dtype=bits.dtype.newbyteorder("<"))
    return ordered.reshape(-1).view(np.uint8).data


def _write_data(new: Replacement, data: memoryview) -> str:
    crc = 0
    for begin in range(0, len(data), _CHUNK_NBYTES):
        chunk = data[begin : begin + _CHUNK_NBYTES]
        crc = zlib.crc32(chunk, crc)
        new.write(chunk)
    return f"{crc:08x}"


def open_tensors(path: str) -> TensorFile:
    """Open the safetensors file ``path``: read and check its header, but no tensor yet.

    Raises:
        CheckpointError: it is missing, damaged, or not a safetensors file.
    """
    path = os.fspath(path)
    return TensorFile(path, open_regular(path))


class TensorFile:
    """An open safetensors file, whose tensors are read one by one; as a context manager, it closes the file.

    It keeps reading the file that it opened, even after another file has replaced it. Threads and forked processes may
    share it.

    Args:
        path: the path, for errors.
        reader: the open file.

    Attributes:
        path: the path as passed.
        names: the names of the tensors, sorted.
        metadata: the metadata in the header, without polytape's own keys.
        has_checksums: whether tensors are verified when read; False for a file that polytape did not write.

    Raises:
        CheckpointError: it is damaged, or not a safetensors file.
    """

    __slots__ = ("__weakref__", "_entries", "_reader", "_start", "has_checksums", "metadata", "names", "path")

    def __init__(self, path: str, reader: Reader) -> None:
        self.path: Final = path
        self._reader: Reader | None = reader
        self._start: int = 0
        header = self._read_header(reader)
        self._entries: dict[str, Entry] = header.entries
        self.names: Final[tuple[str, ...]] = tuple(sorted(header.entries))
        self.metadata: Final[dict[str, str]] = header.metadata
        self.has_checksums: Final[bool] = header.has_checksums

    def __repr__(self) -> str:
        preposition = "with" if self.has_checksums else "without"
        return f"TensorFile({self.path!r}, {len(self.names)} tensors, {preposition} checksums)"

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, exception_type: object, error: object, traceback: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; arrays that were read from it stay valid."""
        self._reader = None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of tensor ``name``.

        Raises:
            CheckpointError: there is no such tensor.
        """
        return self._entry(name).logical_shape()

    def dtype(self, name: str) -> np.dtype[Any]:
        """The dtype of tensor ``name``, in the machine's byte order.

        Raises:
            CheckpointError: there is no such tensor.
            DTypeError: it is bfloat16, and the package ml_dtypes is missing.
        """
        return self._entry(name).logical_dtype()

    def read(self, name: str) -> Array:
        """Tensor ``name`` as a new, writable array, after its checksum is verified if the file has one.

        Raises:
            CheckpointError: there is no such tensor, or its bytes are damaged.
            DTypeError: it is bfloat16, and the package ml_dtypes is missing.
        """
        entry = self._entry(name)
        dtype = entry.logical_dtype()
        carrier = dtypes.uint16 if entry.code == "BF16" else dtype
        array: Array = np.empty(entry.logical_shape(), carrier.newbyteorder("<"))
        raw = array.reshape(-1).view(np.uint8)
        crc = self._fill(name, entry, raw.data)
        if self.has_checksums and crc != entry.crc:
            reason = f"the bytes of tensor {quoted(name)} are damaged"
            raise self._bad(reason, f"checksum {entry.crc}", f"checksum {crc}")
        if entry.code == "BOOL" and raw.size and raw.max() > 1:
            # Some NumPy loops would treat such a byte as True, others as a different number.
            reason = f"tensor {quoted(name)} holds bytes that are not booleans"
            raise self._bad(reason, "bytes 0 and 1", f"byte {raw.max()}")
        array = array.astype(carrier, copy=False)
        return array if carrier is dtype else array.view(dtype)

    def verify(self) -> None:
        """Read everything once and compare the checksums.

        Raises:
            CheckpointError: a tensor is damaged, or the file has no checksums to compare with.
        """
        if not self.has_checksums:
            raise self._bad(
                "it has no checksums, so its bytes cannot be verified",
                f"the metadata {', '.join(OWN_KEYS[:3])}, which polytape writes",
                "a safetensors file that polytape did not write",
                "read the tensors without verification, or write them again with write_tensors",
            )
        for name in self.names:
            self.read(name)

    def _bad(self, reason: str, expected: str, got: str, fix: str = "") -> CheckpointError:
        return damaged(self.path, reason, expected=expected, got=got, fix=fix)

    def _entry(self, name: str) -> Entry:
        entry = self._entries.get(name)
        if entry is None:
            listing = ", ".join(quoted(known) for known in self.names[:10])
            raise self._bad(
                f"it has no tensor {quoted(name)}",
                "the name of a tensor in it",
                f"{len(self.names)} tensors: {listing}{', ...' if len(self.names) > 10 else ''}",
                "use one of these names",
            )
        return entry

    def _fill(self, name: str, entry: Entry, target: memoryview) -> str:
        reader = self._reader
        if reader is None:
            raise self._bad("it was closed", "an open file", "a read after close()", "open it again")
        crc = 0
        for begin in range(0, len(target), _CHUNK_NBYTES):
            chunk = target[begin : begin + _CHUNK_NBYTES]
            self._read_exactly(reader, chunk, self._start + entry.start + begin, f"tensor {quoted(name)}")
            crc = zlib.crc32(chunk, crc)
        return f"{crc:08x}"

    def _read_exactly(self, reader: Reader, target: memoryview, offset: int, what: str) -> None:
        try:
            count = reader.read_into(target, offset)
        except OSError as error:
            summary = f"{self.path!r} cannot be read: reading {what} failed."
            fix = "restore another checkpoint, or a copy of this file"
            raise system_error(error, summary, expected="a readable disk", fix=fix) from error
        if count != len(target):
            raise self._bad(f"it ends inside {what}", f"{len(target)} more bytes", f"{count} bytes")

    def _read_header(self, reader: Reader) -> Header:
        size = reader.status().st_size
        if size < 8:
            raise self._bad("it is too short for a safetensors file", "at least 8 bytes", f"{size} bytes")
        prefix = bytearray(8)
        self._read_exactly(reader, memoryview(prefix), 0, "the header's length")
        length = int.from_bytes(prefix, "little")
        if length > MAX_HEADER_NBYTES:
            raise self._bad(
                "its header is too large, or it is not a safetensors file",
                f"a header of at most {MAX_HEADER_NBYTES} bytes",
                f"{length} bytes",
            )
        if length > size - 8:
            raise self._bad("its header is cut off", f"a header of {length} bytes", f"{size - 8} bytes")
        raw = bytearray(length)
        self._read_exactly(reader, memoryview(raw), 8, "the header")
        self._start = 8 + length
        return parse_header(self.path, raw, size - self._start)
