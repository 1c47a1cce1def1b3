"""The header of a checkpoint file, which describes each tensor, and its encoding; `parsing` is the inverse.

The layout is described in docs/checkpoint-format.md.

Source: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .. import dtypes
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
    "header_nbytes",
]

METADATA_NAME: Final = "__metadata__"
FORMAT_KEY: Final = "polytape.format"
CHECKSUMS_KEY: Final = "polytape.checksums"
HEADER_KEY: Final = "polytape.header"
COMPLEX128_KEY: Final = "polytape.complex128"
OWN_KEYS: Final = (FORMAT_KEY, CHECKSUMS_KEY, HEADER_KEY, COMPLEX128_KEY)

CODES: Final = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip
_DTYPES: Final = {code: name for name, code in CODES.items()}
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

    def logical_shape(self) -> tuple[int, ...]:
        """The shape of the tensor that was written."""
        return self.shape[:-1] if self.paired else self.shape

    def logical_dtype(self) -> np.dtype[Any]:
        """The dtype of the tensor that was written."""
        return dtypes.complex128 if self.paired else dtypes.lookup(_DTYPES[self.code])


class Header:
    """A checked header: an Entry per tensor, and the metadata without polytape's own keys."""

    __slots__ = ("entries", "has_checksums", "metadata")

    def __init__(self, entries: dict[str, Entry], metadata: dict[str, str], has_checksums: bool) -> None:
        self.entries: Final = entries
        self.metadata: Final = metadata
        self.has_checksums: Final = has_checksums

    def __repr__(self) -> str:
        return f"Header({len(self.entries)} tensors, metadata {sorted(self.metadata)})"


def header_nbytes(entries: Mapping[str, Entry], metadata: Mapping[str, str]) -> int:
    """The length of `encode_header`, which does not depend on the checksums in ``entries``."""
    return len(_encode(entries, _texts(entries, metadata, "0" * 8)))


def encode_header(entries: Mapping[str, Entry], metadata: Mapping[str, str]) -> bytes:
    """The bytes before the data: the header's length and the header, together a multiple of 8 bytes."""
    texts = _texts(entries, metadata, "")
    texts[HEADER_KEY] = header_crc(texts, entries, {})
    return _encode(entries, texts)


def _texts(entries: Mapping[str, Entry], metadata: Mapping[str, str], crc: str) -> dict[str, str]:
    texts = {key: metadata[key] for key in sorted(metadata)}
    texts[FORMAT_KEY] = "1"
    sums = {name: [entry.crc, entry.end - entry.start] for name, entry in entries.items()}
    texts[CHECKSUMS_KEY] = json.dumps(sums, ensure_ascii=False, separators=(",", ":"))
    paired = [name for name, entry in entries.items() if entry.paired]
    if paired:
        texts[COMPLEX128_KEY] = json.dumps(paired, ensure_ascii=False, separators=(",", ":"))
    texts[HEADER_KEY] = crc
    return texts


def _encode(entries: Mapping[str, Entry], texts: dict[str, str]) -> bytes:
    header: dict[str, Any] = {METADATA_NAME: texts}
    for name, entry in entries.items():
        header[name] = {"dtype": entry.code, "shape": entry.shape, "data_offsets": [entry.start, entry.end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def header_crc(texts: Mapping[str, str], entries: Mapping[str, Entry], unusual: Mapping[str, str]) -> str:
    """The CRC-32 of the whole header without the key polytape.header, in the form of `canonical_json`.

    Args:
        texts: the metadata.
        entries: by name.
        unusual: `canonical_json` of the descriptions that have more than an entry's fields.
    """
    crc, separator = zlib.crc32(b"{"), ""
    for name in sorted([METADATA_NAME, *entries]):
        if name == METADATA_NAME:
            value = canonical_json({key: text for key, text in texts.items() if key != HEADER_KEY})
        elif name in unusual:
            value = unusual[name]
        else:
            entry = entries[name]
            shape = ",".join(map(str, entry.shape))
            value = f'{{"data_offsets":[{entry.start},{entry.end}],"dtype":"{entry.code}","shape":[{shape}]}}'
        crc = zlib.crc32(f"{separator}{canonical_json(name)}:{value}".encode(), crc)
        separator = ","
    return f"{zlib.crc32(b'}', crc):08x}"
