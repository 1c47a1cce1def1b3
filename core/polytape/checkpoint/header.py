"""The header of a checkpoint file, which describes each tensor, and its encoding; `parsing` is the inverse.

The layout is described in docs/checkpoint-format.md.

Source: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
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
    "Header",
    "Kind",
    "Layout",
    "header_crc",
    "hexadecimal",
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


class Kind:
    """What the tensors of one dtype and shape have in common.

    Args:
        code: the safetensors name of the stored dtype.
        shape: the stored shape.
        paired: whether the tensors are complex128 of ``shape[:-1]``, stored as pairs of F64.
    """

    __slots__ = ("code", "known_dtype", "logical_shape", "nbytes", "paired", "shape")

    def __init__(self, code: str, shape: tuple[int, ...], paired: bool = False) -> None:
        self.code: Final = code
        self.shape: Final = shape
        self.paired: Final = paired
        self.logical_shape: Final = shape[:-1] if paired else shape
        self.nbytes: Final[int] = SIZES[code] * math.prod(shape)
        # None for bfloat16 until `logical_dtype` looks it up.
        self.known_dtype: np.dtype[Any] | None = dtypes.complex128 if paired else _NUMPY_DTYPES.get(code)

    def __repr__(self) -> str:
        return f"Kind({self.code}, {self.shape}{', paired' if self.paired else ''})"

    def logical_dtype(self) -> np.dtype[Any]:
        """The dtype of the tensors that were written.

        Raises:
            DTypeError: it is bfloat16, and the package ml_dtypes is missing.
        """
        if self.known_dtype is None:
            self.known_dtype = dtypes.lookup(_DTYPES[self.code])
        return self.known_dtype

    def fits(self, shape: object, dtype: object) -> bool:
        """Whether this is the kind of tensors of this shape and dtype."""
        return self.logical_shape == shape and bool(self.logical_dtype() == dtype)

    def text(self) -> str:
        """Its part of the canonical JSON that describes a tensor."""
        return f'"dtype":"{self.code}","shape":[{",".join(map(str, self.shape))}]'


class Header:
    """A checked header. Its dicts have one entry per tensor, by name; a tensor has no object of its own, which would
    take as long to make as its bytes take to read.

    Attributes:
        kinds: of the tensors.
        starts: the offset of each tensor's first byte from the start of the data.
        checksums: the metadata that `own_metadata.checksums` reads; empty in a file without checksums.
        metadata: without polytape's own keys.
        has_checksums: whether polytape wrote the file.
    """

    __slots__ = ("checksums", "has_checksums", "kinds", "metadata", "starts")

    def __init__(self) -> None:
        self.kinds: Final[dict[str, Kind]] = {}
        self.starts: Final[dict[str, int]] = {}
        self.checksums = ""
        self.metadata: dict[str, str] = {}
        self.has_checksums = False

    def __repr__(self) -> str:
        return f"Header({len(self.kinds)} tensors, metadata {sorted(self.metadata)})"


class Layout:
    """Where the tensors of a new file are. All lists have one entry per tensor, sorted by name.

    Args:
        names: sorted.
        kinds: of the same tensors.

    Attributes:
        order: the positions of the tensors in these lists, in the order of their bytes. The widest elements come first,
            after a header of a multiple of 8 bytes, so that every tensor is aligned in a mapped file.
        starts: the offsets of their first bytes from the start of the data.
        crcs: the CRC-32 of their bytes; to be filled in.
    """

    __slots__ = ("crcs", "kinds", "names", "order", "starts")

    def __init__(self, names: Sequence[str], kinds: Sequence[Kind]) -> None:
        self.names: Final = names
        self.kinds: Final = kinds
        self.crcs: Final[list[int]] = [0] * len(names)
        positions = range(len(names))
        widths = {kind: -SIZES[kind.code] for kind in set(kinds)}
        self.order: Sequence[int] = positions
        if len(set(widths.values())) > 1:
            self.order = sorted(positions, key=[widths[kind] for kind in kinds].__getitem__)
        self.starts: Sequence[int] = [0] * len(names)
        start = 0
        for position in self.order:
            self.starts[position] = start
            start += kinds[position].nbytes

    def __repr__(self) -> str:
        return f"Layout({len(self.names)} tensors)"

    def encode(self, metadata: Mapping[str, str], plain: bool = False) -> bytes:
        """The bytes before the data: the header's length and the header, together a multiple of 8 bytes.

        Their count does not depend on the checksums. The header is written in the form that its checksum is computed
        from, see `own_header_crc`.

        Args:
            metadata: strings by key.
            plain: whether to leave out polytape's own metadata.
        """
        quotes, kinds = [*map(quote, self.names)], set(self.kinds)
        tails = {kind: (kind.nbytes, f"],{kind.text()}}}") for kind in kinds}
        members = [
            f'{name}:{{"data_offsets":[{start},{start + nbytes}{tail}'
            for name, start, (nbytes, tail) in zip(quotes, self.starts, map(tails.__getitem__, self.kinds), strict=True)
        ]
        if plain:
            if metadata:
                members.append(f"{quote(METADATA_NAME)}:{canonical_json(dict(metadata))}")
            return _padded(f"{{{','.join(members)}}}".encode())
        texts = {**metadata, FORMAT_KEY: "1", CHECKSUMS_KEY: self._checksums(quotes), HEADER_KEY: ""}
        if any([kind.paired for kind in kinds]):
            paired = [name for name, kind in zip(quotes, self.kinds, strict=True) if kind.paired]
            texts[COMPLEX128_KEY] = f"[{','.join(paired)}]"
        members.insert(bisect_left(self.names, METADATA_NAME), f"{quote(METADATA_NAME)}:{canonical_json(texts)}")
        before, after = f"{{{','.join(members)}}}".encode().split(_OWN_CRC + b'"', 1)
        crc = crc32(after, crc32(before, 0))
        return _padded(b'%s%s%08x"%s' % (before, _OWN_CRC, crc, after))

    def _checksums(self, quotes: list[str]) -> str:
        digits = hexadecimal(self.crcs)
        tails = {kind: f'",{kind.nbytes}]' for kind in set(self.kinds)}
        sums = [
            f'{name}:["{digits[position : position + 8]}{tail}'
            for name, position, tail in zip(
                quotes, range(0, len(digits), 8), map(tails.__getitem__, self.kinds), strict=True
            )
        ]
        return f"{{{','.join(sums)}}}"


def hexadecimal(crcs: Sequence[int]) -> str:
    """Checksums in 8 hexadecimal digits each, one after the other."""
    return struct.pack(f">{len(crcs)}I", *crcs).hex()


def _padded(header: bytes) -> bytes:
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header


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


def header_crc(texts: Mapping[str, str], header: Header, unusual: Mapping[str, str]) -> str:
    """The CRC-32 of the whole header without the key polytape.header, in the form of `canonical_json`.

    Args:
        texts: the metadata.
        header: its tensors.
        unusual: `canonical_json` of the descriptions that have more fields than usual, by name.
    """
    crc, separator = crc32(b"{", 0), ""
    for name in sorted([METADATA_NAME, *header.kinds]):
        if name == METADATA_NAME:
            value = canonical_json({key: text for key, text in texts.items() if key != HEADER_KEY})
        elif name in unusual:
            value = unusual[name]
        else:
            kind, start = header.kinds[name], header.starts[name]
            value = f'{{"data_offsets":[{start},{start + kind.nbytes}],{kind.text()}}}'
        crc = crc32(f"{separator}{canonical_json(name)}:{value}".encode(), crc)
        separator = ","
    return f"{crc32(b'}', crc):08x}"
