"""The header of a checkpoint file, which describes each tensor, and its encoding; `parsing` is the inverse.

The layout is described in docs/checkpoint-format.md.

Source: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from json.encoder import encode_basestring as quote
from typing import Any, Final

import numpy as np

from .. import dtypes
from .checksums import crc32
from .files import canonical_json

__all__ = [
    "CHECKSUMS_KEY",
    "CODES",
    "COMPLEX128_KEY",
    "FORMAT_KEY",
    "HEADER_KEY",
    "MAX_HEADER_NBYTES",
    "METADATA_NAME",
    "OWN_KEYS",
    "SIZES",
    "Entry",
    "Header",
    "encode_header",
    "header_crc",
    "own_header_crc",
]

METADATA_NAME: Final = "__metadata__"
FORMAT_KEY: Final = "polytape.format"
CHECKSUMS_KEY: Final = "polytape.checksums"
HEADER_KEY: Final = "polytape.header"
COMPLEX128_KEY: Final = "polytape.complex128"
_OWN_CRC: Final = f',"{HEADER_KEY}":"'.encode()  # another key of polytape's precedes it
OWN_KEYS: Final = (FORMAT_KEY, CHECKSUMS_KEY, HEADER_KEY, COMPLEX128_KEY)

CODES: Final = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip
_DTYPES: Final = {code: name for name, code in CODES.items()}
_NUMPY_DTYPES: Final = {code: dtypes.lookup(name) for code, name in _DTYPES.items() if name != "bfloat16"}
SIZES: Final = {  # bytes per element
    "BOOL": 1, "I8": 1, "U8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4,
    "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
MAX_HEADER_NBYTES: Final = 100_000_000  # the limit of the safetensors library


class Entry:
    """The location and meaning of one tensor's bytes.

    Args:
        code: the safetensors name of the stored dtype.
        shape: the stored shape.
        start: offset of the first byte from the start of the data.
        end: offset one past the last byte.
        paired: whether the tensor is complex128 of ``shape[:-1]``, stored as pairs of F64.
    """

    __slots__ = ("code", "crc", "end", "paired", "shape", "start")

    def __init__(self, code: str, shape: tuple[int, ...], start: int, end: int, paired: bool = False) -> None:
        self.code: Final = code
        self.shape: Final = shape
        self.start: Final = start
        self.end: Final = end
        self.paired: bool = paired
        self.crc: str = "0" * 8  # CRC-32 of the bytes, in hexadecimal

    def __repr__(self) -> str:
        return f"Entry({self.code}, {self.shape}, bytes {self.start} to {self.end}, crc32 {self.crc})"

    @property
    def nbytes(self) -> int:
        """How many bytes it has."""
        return self.end - self.start

    def logical_shape(self) -> tuple[int, ...]:
        """The shape of the tensor that was written."""
        return self.shape[:-1] if self.paired else self.shape

    def logical_dtype(self) -> np.dtype[Any]:
        """The dtype of the tensor that was written."""
        if self.paired:
            return dtypes.complex128
        return _NUMPY_DTYPES.get(self.code) or dtypes.lookup(_DTYPES[self.code])


class Header:
    """A checked header: an Entry per tensor, and the metadata without polytape's own keys."""

    __slots__ = ("entries", "has_checksums", "metadata")

    def __init__(self, entries: dict[str, Entry], metadata: dict[str, str], has_checksums: bool) -> None:
        self.entries: Final = entries
        self.metadata: Final = metadata
        self.has_checksums: Final = has_checksums

    def __repr__(self) -> str:
        return f"Header({len(self.entries)} tensors, metadata {sorted(self.metadata)})"


def encode_header(entries: Mapping[str, Entry], metadata: Mapping[str, str], plain: bool = False) -> bytes:
    """The bytes before the data: the header's length and the header, together a multiple of 8 bytes.

    Their count does not depend on the checksums in ``entries``. The header is written in the form that its checksum is
    computed from, see `own_header_crc`.

    Args:
        entries: the tensors by name.
        metadata: strings by key.
        plain: whether to leave out polytape's own metadata.
    """
    quotes = {name: quote(name) for name in sorted(entries)}
    shapes = {shape: ",".join(map(str, shape)) for shape in {entry.shape for entry in entries.values()}}
    members = [f"{text}:{_description(entries[name], shapes)}" for name, text in quotes.items()]
    if plain:
        if metadata:
            members.append(f"{quote(METADATA_NAME)}:{canonical_json(dict(metadata))}")
        return _padded(f"{{{','.join(members)}}}".encode())
    sums = ",".join(
        [f'{text}:["{entries[name].crc}",{entries[name].end - entries[name].start}]' for name, text in quotes.items()]
    )
    texts = {**metadata, FORMAT_KEY: "1", CHECKSUMS_KEY: f"{{{sums}}}", HEADER_KEY: ""}
    paired = [text for name, text in quotes.items() if entries[name].paired]
    if paired:
        texts[COMPLEX128_KEY] = f"[{','.join(paired)}]"
    members.insert(bisect_left([*quotes], METADATA_NAME), f"{quote(METADATA_NAME)}:{canonical_json(texts)}")
    before, after = f"{{{','.join(members)}}}".encode().split(_OWN_CRC + b'"', 1)
    crc = crc32(after, crc32(before, 0))
    return _padded(b'%s%s%08x"%s' % (before, _OWN_CRC, crc, after))


def _padded(header: bytes) -> bytes:
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header


def _description(entry: Entry, shapes: Mapping[tuple[int, ...], str]) -> str:
    """The canonical JSON that describes a tensor; ``shapes`` has the texts of shapes, which many tensors share."""
    return f'{{"data_offsets":[{entry.start},{entry.end}],"dtype":"{entry.code}","shape":[{shapes[entry.shape]}]}}'


def own_header_crc(raw: bytes | bytearray) -> str | None:
    """The checksum that a header in canonical form says it has, if that is right; otherwise None.

    A header as polytape writes it is the text that `header_crc` describes, with one more key. Its quotes cannot appear
    in a string unescaped, and no tensor is described by a string, so the key is found without parsing.
    """
    position = raw.find(_OWN_CRC)
    begin = position + len(_OWN_CRC)
    stored = bytes(raw[begin : begin + 8])
    if position < 0 or raw[begin + 8 : begin + 9] != b'"':
        return None
    view = memoryview(raw)
    crc = crc32(view[begin + 9 : len(raw.rstrip(b" "))], crc32(view[:position], 0))
    return stored.decode() if stored == b"%08x" % crc else None


def header_crc(texts: Mapping[str, str], entries: Mapping[str, Entry], unusual: Mapping[str, str]) -> str:
    """The CRC-32 of the whole header without the key polytape.header, in the form of `canonical_json`.

    Args:
        texts: the metadata.
        entries: by name.
        unusual: `canonical_json` of the descriptions that have more than an entry's fields.
    """
    crc, separator = crc32(b"{", 0), ""
    for name in sorted([METADATA_NAME, *entries]):
        if name == METADATA_NAME:
            value = canonical_json({key: text for key, text in texts.items() if key != HEADER_KEY})
        elif name in unusual:
            value = unusual[name]
        else:
            shape = entries[name].shape
            value = _description(entries[name], {shape: ",".join(map(str, shape))})
        crc = crc32(f"{separator}{canonical_json(name)}:{value}".encode(), crc)
        separator = ","
    return f"{crc32(b'}', crc):08x}"
