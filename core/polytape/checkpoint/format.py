"""One checkpoint file: a safetensors file with additional checksums of its header and of each tensor.

Any safetensors reader can open it, and `open_tensors` opens any safetensors file whose dtypes polytape supports. The
layout is described in docs/checkpoint-format.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from ..errors import CheckpointError, DTypeError
from .checksums import Shared, chunked, combined, crc32
from .files import Replacement, damaged, is_text, quoted
from .header import (
    CODES,
    MAX_HEADER_NBYTES,
    METADATA_NAME,
    OWN_KEYS,
    Header,
    Kind,
    Layout,
)
from .loading import Source
from .own_metadata import checksums
from .parsing import parse_header
from .reading import Reader, open_regular

__all__ = ["TensorFile", "open_tensors", "write_into", "write_tensors"]

Array = np.ndarray[Any, np.dtype[Any]]

_SMALL_NBYTES: Final = 1 << 16  # smaller tensors are copied, and written together


def write_tensors(path: str, tensors: Mapping[str, Array], metadata: Mapping[str, str], *, plain: bool = False) -> None:
    """Write ``tensors`` to the safetensors file ``path``, replacing it completely or not at all.

    Equal tensors and metadata give equal bytes, whatever their order.

    Args:
        path: the file; its directory must exist.
        tensors: name -> array of any layout and byte order, of a dtype that polytape supports.
        metadata: additional strings to store in the header. The keys polytape.format, polytape.checksums,
            polytape.header and polytape.complex128 are reserved.
        plain: whether to leave out polytape's own metadata, and so the checksums.

    Raises:
        CheckpointError: a name or metadata string cannot be stored, or the operating system rejects the write; an
            existing file at ``path`` is unchanged then.
        DTypeError: the dtype of an array is not supported; complex128 is not in a plain file.
    """
    with Replacement(os.fspath(path)) as new:
        write_into(new, tensors, metadata, plain)


def write_into(
    new: Replacement, tensors: Mapping[str, Array], metadata: Mapping[str, str], plain: bool = False
) -> None:
    """Write the contents of a safetensors file; see `write_tensors`."""
    path = new.path
    _check_texts(path, tensors, metadata)
    names = sorted(tensors)
    arrays = [*map(tensors.__getitem__, names)]
    layout = Layout(names, _kinds(names, arrays))
    if plain and (paired := [position for position, kind in enumerate(layout.kinds) if kind.paired]):
        raise _unsupported(names[paired[0]], arrays[paired[0]])
    blocks, checksums = _blocks(layout, arrays)
    header = layout.encode(metadata, plain)
    size = len(header)
    if size - 8 > MAX_HEADER_NBYTES:
        raise CheckpointError(
            f"{path!r} cannot be written: its header is too large.",
            expected=f"names, shapes and metadata of at most {MAX_HEADER_NBYTES} bytes",
            got=f"{size - 8} bytes for {len(names)} tensors",
            fix="use shorter names and less metadata, or several files",
        )
    nbytes = sum(map(len, blocks))
    new.allocate(size + nbytes)
    shared = Shared(checksums, nbytes)
    new.write(header)
    for block in blocks:
        new.write(block)
    if checksums:
        new.flush()  # the disk writes while the other thread computes
    shared.finish()
    if checksums:
        new.seek(0)
        new.write(layout.encode(metadata, plain))


def _check_texts(path: str, tensors: Mapping[Any, Array], metadata: Mapping[Any, Any]) -> None:
    for name in () if _all_text(tensors) else tensors:
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


def _all_text(names: Mapping[Any, Array]) -> bool:
    """Whether all names are valid, tested at once."""
    try:
        return is_text("".join(names)) and METADATA_NAME not in names
    except TypeError:  # one is no string
        return False


def _kinds(names: Sequence[str], arrays: Sequence[Array]) -> list[Kind]:
    """The kinds of arrays; many share one."""
    if not all([issubclass(cls, np.ndarray) for cls in {*map(type, arrays)}]):
        name, array = next(pair for pair in zip(names, arrays, strict=True) if not isinstance(pair[1], np.ndarray))
        raise _unsupported(name, array)
    dtypes, shapes = [array.dtype for array in arrays], [array.shape for array in arrays]
    known: dict[Any, Kind] = {}
    for key in {*zip(dtypes, shapes, strict=True)}:
        dtype, shape = key
        paired = dtype.name == "complex128"
        if not paired and dtype.name not in CODES:
            position = dtypes.index(dtype)
            raise _unsupported(names[position], arrays[position])
        known[key] = Kind("F64", (*shape, 2), True) if paired else Kind(CODES[dtype.name], shape)
    return [*map(known.__getitem__, zip(dtypes, shapes, strict=True))]


def _unsupported(name: str, array: object) -> DTypeError:
    cls = type(array)
    return DTypeError(
        f"tensor {quoted(name)} cannot be stored in a checkpoint.",
        expected=f"a NumPy array of one of {', '.join(CODES)}, and in polytape's own files complex128",
        got=array.dtype.name if isinstance(array, np.ndarray) else f"{cls.__module__}.{cls.__qualname__}",
        fix="convert it first",
    )


def _blocks(layout: Layout, arrays: Sequence[Array]) -> tuple[list[bytes | memoryview], list[Callable[[], None]]]:
    """The data in the order of their bytes, small tensors joined; and what computes the checksums of the others."""
    blocks: list[bytes | memoryview] = []
    small: list[int] = []
    tasks: list[Callable[[], None]] = []
    for position in layout.order:
        array = arrays[position]
        if layout.kinds[position].nbytes < _SMALL_NBYTES and array.dtype.isnative and sys.byteorder == "little":
            small.append(position)
            continue
        if small:
            blocks.append(_joined(layout, arrays, small))
            small = []
        view = _little_endian_bytes(array)
        blocks.append(view)
        tasks += _checksums(layout.crcs, position, view)
    if small:
        blocks.append(_joined(layout, arrays, small))
    return blocks, tasks


def _joined(layout: Layout, arrays: Sequence[Array], positions: Sequence[int]) -> bytes:
    """The bytes of small arrays; their checksums are computed here, while the processor's cache holds them."""
    pieces = [arrays[position].tobytes() for position in positions]
    for position, crc in zip(positions, map(crc32, pieces), strict=True):
        layout.crcs[position] = crc
    return b"".join(pieces)


def _checksums(found: list[int], position: int, data: memoryview) -> list[Callable[[], None]]:
    """Tasks that compute the checksum of ``data``, and enter it in ``found``."""
    chunks = chunked(len(data))
    crcs: dict[int, int] = {}

    def add(begin: int, end: int) -> None:
        crcs[begin] = crc32(data[begin:end], 0)
        if len(crcs) == len(chunks):
            found[position] = combined([crcs[start] for start, _ in chunks], len(data))

    return [partial(add, begin, end) for begin, end in chunks]


def _little_endian_bytes(array: Array) -> memoryview:
    # bfloat16 is not one of NumPy's own dtypes: it is stored as integers of the same bits, which have a byte order.
    bits = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    ordered = np.ascontiguousarray(bits, dtype=bits.dtype.newbyteorder("<"))
    return ordered.reshape(-1).view(np.uint8).data


def open_tensors(path: str) -> TensorFile:
    """Open the safetensors file ``path``: read and check its header, but no tensor yet.

    Raises:
        CheckpointError: it is missing, damaged, or not a safetensors file.
    """
    path = os.fspath(path)
    file = TensorFile(path, open_regular(path))
    if file.has_checksums:
        file._checksums()  # they are checked now; a restoration without verification does not need them
    return file


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

    __slots__ = ("__weakref__", "_crcs", "_header", "_source", "has_checksums", "metadata", "names", "path")

    def __init__(self, path: str, reader: Reader) -> None:
        self.path: Final = path
        source = Source(path, reader)
        header = self._read_header(source)
        self._source: Source | None = source
        self._header: Final = header
        self._crcs: dict[str, str] | None = None  # read when they are first needed
        self.names: Final[tuple[str, ...]] = tuple(sorted(header.kinds))
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
        self._source = None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of tensor ``name``.

        Raises:
            CheckpointError: there is no such tensor.
        """
        return self.kinds([name])[0].logical_shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """The dtype of tensor ``name``, in the machine's byte order.

        Raises:
            CheckpointError: there is no such tensor.
            DTypeError: it is bfloat16, and the package ml_dtypes is missing.
        """
        return self.kinds([name])[0].logical_dtype()

    def read(self, name: str) -> Array:
        """Tensor ``name`` as a new, writable array, after its checksum is verified if the file has one.

        Raises:
            CheckpointError: there is no such tensor, or its bytes are damaged.
            DTypeError: it is bfloat16, and the package ml_dtypes is missing.
        """
        return self.read_all([name])[0]

    def read_all(self, names: Sequence[str], verify: bool = True) -> list[Array]:
        """These tensors as new, writable arrays that own their memory, after their checksums are verified.

        Args:
            names: of the tensors.
            verify: whether to compare the checksums, if the file has any.
        Raises:
            CheckpointError: there is no such tensor, or the bytes of one are damaged.
            DTypeError: one is bfloat16, and the package ml_dtypes is missing.
        """
        source = self._source
        if source is None:
            raise self._error("it was closed", "an open file", "a read after close()", "open it again")
        kinds, header = self.kinds(names), self._header
        starts = [*map(header.starts.__getitem__, names)]
        crcs = [*map(self._checksums().__getitem__, names)] if verify and self.has_checksums else None
        return source.arrays(names, kinds, starts, crcs)

    def _checksums(self) -> dict[str, str]:
        if self._crcs is None:
            self._crcs = checksums(self.path, self._header.checksums, self._header.kinds)
        return self._crcs

    def verify(self) -> None:
        """Read everything once and compare the checksums.

        Raises:
            CheckpointError: a tensor is damaged, or the file has no checksums to compare with.
        """
        if not self.has_checksums:
            raise self._error(
                "it has no checksums, so its bytes cannot be verified",
                f"the metadata {', '.join(OWN_KEYS[:3])}, which polytape writes",
                "a safetensors file that polytape did not write",
                "read the tensors without verification, or write them again with write_tensors",
            )
        for name in self.names:  # one by one: a checkpoint may be larger than the memory
            self.read(name)

    def _error(self, reason: str, expected: str, got: str, fix: str = "") -> CheckpointError:
        return damaged(self.path, reason, expected=expected, got=got, fix=fix)

    def kinds(self, names: Sequence[str]) -> list[Kind]:
        """The kinds of these tensors.

        Raises:
            CheckpointError: one of them does not exist.
        """
        kinds = self._header.kinds
        try:
            return [*map(kinds.__getitem__, names)]
        except KeyError:
            missing = next(name for name in names if name not in kinds)
        listing = ", ".join(quoted(known) for known in self.names[:10])
        raise self._error(
            f"it has no tensor {quoted(missing)}",
            "the name of a tensor in it",
            f"{len(self.names)} tensors: {listing}{', ...' if len(self.names) > 10 else ''}",
            "use one of these names",
        )

    def _read_header(self, source: Source) -> Header:
        size = source.reader.status().st_size
        if size < 8:
            raise source.error("it is too short for a safetensors file", "at least 8 bytes", f"{size} bytes")
        prefix = bytearray(8)
        source.read(memoryview(prefix), 0, "the header's length")
        length = int.from_bytes(prefix, "little")
        if length > MAX_HEADER_NBYTES:
            raise source.error(
                "its header is too large, or it is not a safetensors file",
                f"a header of at most {MAX_HEADER_NBYTES} bytes",
                f"{length} bytes",
            )
        if length > size - 8:
            raise source.error("its header is cut off", f"a header of {length} bytes", f"{size - 8} bytes")
        raw = bytearray(length)
        source.read(memoryview(raw), 8, "the header")
        source.start = 8 + length
        return parse_header(self.path, raw, size - source.start)
