"""The header of a checkpoint file, which describes each tensor: encoding, parsing and validation.

The layout is described in docs/checkpoint-format.md.

Source: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .. import dtypes
from .files import canonical_crc, damaged, strict_json

__all__ = ["CODES", "MAX_HEADER_NBYTES", "OWN_KEYS", "SIZES", "Entry", "Header", "encode_header", "parse_header"]

_METADATA: Final = "__metadata__"
_FORMAT: Final = "polytape.format"
_CHECKSUMS: Final = "polytape.checksums"
_HEADER: Final = "polytape.header"
_COMPLEX128: Final = "polytape.complex128"
OWN_KEYS: Final = (_FORMAT, _CHECKSUMS, _HEADER, _COMPLEX128)

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
_MAX_TENSOR_NBYTES: Final = 2**63 - 1
_MAX_AXES: Final = 64  # NumPy's limit


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


def encode_header(entries: Mapping[str, Entry], metadata: Mapping[str, str]) -> bytes:
    """The bytes before the data: the header's length and the header, together a multiple of 8 bytes.

    Their length does not depend on the checksums in ``entries``.
    """
    import json

    texts = {key: metadata[key] for key in sorted(metadata)}
    texts[_FORMAT] = "1"
    sums = {name: [entry.crc, entry.end - entry.start] for name, entry in entries.items()}
    texts[_CHECKSUMS] = json.dumps(sums, ensure_ascii=False, separators=(",", ":"))
    paired = [name for name, entry in entries.items() if entry.paired]
    if paired:
        texts[_COMPLEX128] = json.dumps(paired, ensure_ascii=False, separators=(",", ":"))
    header: dict[str, Any] = {_METADATA: texts}
    for name, entry in entries.items():
        header[name] = {"dtype": entry.code, "shape": entry.shape, "data_offsets": [entry.start, entry.end]}
    texts[_HEADER] = canonical_crc(header)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def parse_header(path: str, raw: bytes, available: int) -> Header:
    """Parse and check the header ``raw`` of the file ``path``, in which ``available`` bytes of data follow.

    Raises:
        CheckpointError: it is damaged, does not match the data, or is not a safetensors header.
    """
    try:
        content = strict_json(raw)
        canonical_crc(content)  # rejects invalid Unicode
    except ValueError as error:
        raise damaged(path, "its header is not valid JSON", expected="a JSON object", got=str(error)) from error
    if not isinstance(content, dict) or raw[:1] != b"{":
        raise damaged(path, "its header is not a JSON object", expected="a JSON object", got=repr(raw[:40]))
    texts: object = content.get(_METADATA, {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        got = repr(texts)[:80]
        raise damaged(path, f"its {_METADATA} is malformed", expected="a JSON object of strings", got=got)
    entries = {name: _parse_entry(path, name, value) for name, value in content.items() if name != _METADATA}
    _check_offsets(path, entries, available)
    own = any(key in texts for key in OWN_KEYS)
    if own:
        _check_own(path, content, texts, entries)
    return Header(entries, {key: text for key, text in texts.items() if key not in OWN_KEYS}, own)


def _parse_entry(path: str, name: str, value: object) -> Entry:
    if not isinstance(value, dict):
        got = repr(value)[:80]
        raise damaged(path, f"tensor {name!r} has no description", expected="a JSON object", got=got)
    code: object = value.get("dtype")
    if not isinstance(code, str) or code not in SIZES:
        raise damaged(
            path,
            f"tensor {name!r} has an unknown dtype",
            expected=f"one of {', '.join(SIZES)}",
            got=repr(code)[:80],
            fix="store the tensor as one of these dtypes",
        )
    shape = _counts(value.get("shape"), _MAX_AXES)
    offsets = _counts(value.get("data_offsets"), 2)
    if shape is None or offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise damaged(
            path,
            f"tensor {name!r} has a malformed description",
            expected=f"at most {_MAX_AXES} sizes in shape, two ascending data_offsets, all of them integers >= 0",
            got=repr(value)[:200],
        )
    # Sizes of 0 are left out, as in NumPy, which has no array of shape (2**62, 2**62, 0).
    if SIZES[code] * math.prod([size for size in shape if size]) > _MAX_TENSOR_NBYTES:
        expected = f"at most {_MAX_TENSOR_NBYTES} bytes"
        raise damaged(path, f"tensor {name!r} is too large", expected=expected, got=f"shape {shape}"[:200])
    nbytes, stored = SIZES[code] * math.prod(shape), offsets[1] - offsets[0]
    if nbytes != stored:
        reason = f"tensor {name!r} does not match its shape"
        raise damaged(path, reason, expected=f"{nbytes} bytes for {code} of shape {shape}", got=f"{stored} bytes")
    return Entry(code, shape, offsets[0], offsets[1])


def _counts(value: object, most: int) -> tuple[int, ...] | None:
    # type() rather than isinstance(): JSON's true becomes a bool, which is an int in Python.
    if isinstance(value, list) and len(value) <= most and all(type(count) is int and count >= 0 for count in value):
        return tuple(value)
    return None


def _check_offsets(path: str, entries: dict[str, Entry], available: int) -> None:
    offset = 0
    for start, end, name in sorted([(entry.start, entry.end, name) for name, entry in entries.items()]):
        if start != offset:
            reason = f"tensor {name!r} {'overlaps another' if start < offset else 'leaves a gap before it'}"
            raise damaged(path, reason, expected=f"data from byte {offset}", got=f"data from byte {start}")
        offset = end
    if offset != available:
        reason = "its data is cut off" if offset > available else "it has bytes that belong to no tensor"
        raise damaged(path, reason, expected=f"{offset} bytes of data", got=f"{available} bytes")


def _check_own(path: str, content: dict[str, Any], texts: dict[str, str], entries: dict[str, Entry]) -> None:
    version = texts.get(_FORMAT, "none")
    if version != "1":
        fix = "read it with the version of polytape that wrote it" if version.isdecimal() else ""
        raise damaged(path, "its polytape format is unknown", expected="format 1", got=version[:20], fix=fix)
    stored = texts.get(_HEADER, "none")[:20]
    crc = canonical_crc({**content, _METADATA: {key: text for key, text in texts.items() if key != _HEADER}})
    if crc != stored:
        raise damaged(path, "its header is damaged", expected=f"checksum {stored}", got=f"checksum {crc}")
    # From here on only a forged file can be wrong; it is checked just as carefully.
    try:
        sums = strict_json(texts.get(_CHECKSUMS, "").encode())
        paired = strict_json(texts.get(_COMPLEX128, "[]").encode())
    except ValueError as error:
        raise damaged(path, "its checksums are malformed", expected="JSON", got=str(error)) from error
    if not isinstance(sums, dict) or sums.keys() != entries.keys():
        raise damaged(path, "its checksums are malformed", expected="one for each tensor", got=repr(sums)[:80])
    for name, entry in entries.items():
        pair: object = sums[name]
        if not isinstance(pair, list) or len(pair) != 2 or pair[1] != entry.end - entry.start:
            expected = f"[CRC-32, {entry.end - entry.start}]"
            raise damaged(path, f"the checksum of {name!r} is malformed", expected=expected, got=repr(pair)[:80])
        entry.crc = str(pair[0])
    _check_paired(path, paired, entries)


def _check_paired(path: str, paired: object, entries: dict[str, Entry]) -> None:
    names: list[Any] = paired if isinstance(paired, list) else [paired]
    for name in names:
        entry = entries.get(name) if isinstance(name, str) else None
        if entry is None or entry.code != "F64" or entry.shape[-1:] != (2,):
            expected = "names of F64 tensors [..., 2]"
            raise damaged(path, f"its {_COMPLEX128} is malformed", expected=expected, got=repr(name)[:80])
        entry.paired = True
