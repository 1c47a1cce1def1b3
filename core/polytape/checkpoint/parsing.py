"""Parsing the header of a checkpoint file, which may be damaged or made by an attacker.

It is parsed tensor by tensor, without Python objects for the whole text, so a malformed header of 100 MB takes little
more memory and time than reading it.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from ..errors import CheckpointError
from .files import canonical_json, damaged, is_text, next_json, quoted, strict_json
from .header import (
    CHECKSUMS_KEY,
    COMPLEX128_KEY,
    FORMAT_KEY,
    HEADER_KEY,
    METADATA_NAME,
    OWN_KEYS,
    SIZES,
    Entry,
    Header,
    header_crc,
    own_header_crc,
)

__all__ = ["parse_header"]

_MAX_TENSOR_NBYTES: Final = 2**63 - 1
_MAX_AXES: Final = 64  # NumPy's limit
_MAX_DESCRIPTION: Final = 10_000  # characters; 64 sizes and two offsets of 19 digits need a seventh of them

_S: Final = r"[ \t\n\r]*"
_COUNT: Final = r"(?:0|[1-9][0-9]{0,18})"
_space: Final = re.compile(_S).match
# A tensor as polytape writes it, in canonical JSON, unless it is the last member.
_own: Final = re.compile(
    rf'"([^"\\\x00-\x1f]*)":{{"data_offsets":\[({_COUNT}),({_COUNT})\],'
    rf'"dtype":"([A-Z0-9_]+)","shape":\[((?:(?:{_COUNT},){{0,{_MAX_AXES - 1}}}{_COUNT})?)\]}},'
).match
# A tensor as nearly every other program writes it. Any other form takes the slower path of `_Parser._unusual_member`.
_common: Final = re.compile(
    rf'{_S}"([^"\\\x00-\x1f]*)"{_S}:{_S}'
    rf'{{{_S}"dtype"{_S}:{_S}"([A-Z0-9_]+)"{_S},'
    rf'{_S}"shape"{_S}:{_S}\[{_S}((?:{_COUNT}{_S},{_S}){{0,{_MAX_AXES - 1}}}{_COUNT}{_S})?\]{_S},'
    rf'{_S}"data_offsets"{_S}:{_S}\[{_S}({_COUNT}){_S},{_S}({_COUNT}){_S}\]{_S}}}{_S}([,}}])'
).match


def parse_header(path: str, raw: bytes | bytearray, available: int) -> Header:
    """Parse and check the header ``raw`` of the file ``path``, in which ``available`` bytes of data follow.

    Raises:
        CheckpointError: it is damaged, does not match the data, or is not a safetensors header.
    """
    parser = _Parser(path)
    try:
        text = raw.decode("utf-8")
        if text and text[0] != "{":
            raise damaged(path, "its header is not a JSON object", expected="a JSON object", got=repr(text[:40]))
        parser.parse(text)
    except CheckpointError:  # also a ValueError, but already complete
        raise
    except ValueError as error:
        raise damaged(path, "its header is not valid JSON", expected="a JSON object", got=str(error)) from error
    entries, texts = parser.entries, parser.texts or {}
    _check_offsets(path, entries, available)
    own = any(key in texts for key in OWN_KEYS)
    if own:
        _check_version(path, texts)
        crc = own_header_crc(raw)
        if crc is None or crc != texts.get(HEADER_KEY):
            _check_header(path, texts, entries, parser.unusual)
        _check_own(path, texts, entries)
    return Header(entries, {key: text for key, text in texts.items() if key not in OWN_KEYS}, own)


class _Parser:
    """Reads the text of a header. What is not JSON raises ValueError, what is not a header CheckpointError.

    Attributes:
        entries: the tensors.
        texts: the metadata, if there is any.
        unusual: `canonical_json` of the descriptions that do not have the common form.
    """

    def __init__(self, path: str) -> None:
        self.path: Final = path
        self.entries: dict[str, Entry] = {}
        self.texts: dict[str, str] | None = None
        self.unusual: dict[str, str] = {}

    def parse(self, text: str) -> None:
        """Read ``text``, a whole JSON object."""
        position = _expect(text, 0, "{")
        if text[position : position + 1] == "}":
            position += 1
        else:
            position = self._members(text, position)
        if _skip(text, position) != len(text):
            raise ValueError(f"there is more text after the object, at character {position}")

    def _members(self, text: str, position: int) -> int:
        """Read the object's members, the first at ``position``; returns the end of the object."""
        while True:
            position = self._own_members(text, position)
            match = _common(text, position)
            if match is not None and match[1] != METADATA_NAME:
                name, code, sizes, start, end, separator = match.groups()
                self._add(name, code, _shape(sizes), (int(start), int(end)))
                position = match.end()
            else:
                position = self._unusual_member(text, position)
                separator = text[position - 1]
            if separator == "}":
                return position

    def _own_members(self, text: str, position: int) -> int:
        """Read the members from ``position`` on that have polytape's form; returns where the next one begins."""
        entries = self.entries
        kinds: dict[tuple[str, str], tuple[tuple[int, ...], int]] = {}  # shape and byte count, by the text of both
        while (match := _own(text, position)) is not None:
            name, first, last, code, sizes = match.groups()
            kind = kinds.get((code, sizes))
            if kind is None:
                shape = _shape(sizes)
                kind = kinds[code, sizes] = shape, SIZES.get(code, 0) * math.prod(shape)
            start, end = int(first), int(last)
            if end - start != kind[1] or not kind[1] or name in entries or name == METADATA_NAME:
                if name == METADATA_NAME:
                    break
                self._add(name, code, kind[0], (start, end))
            else:
                entries[name] = Entry(code, kind[0], start, end)
            position = match.end()
        return position

    def _unusual_member(self, text: str, position: int) -> int:
        """Read a member that is metadata, or in another form; returns the position after its separator."""
        name, position = _string(text, _skip(text, position))
        position = _expect(text, position, ":")
        if name == METADATA_NAME:
            position = self._metadata(text, position)
        else:
            value, position = self._description(name, text, position)
            self._describe(name, value)
            self.unusual[name] = canonical_json(value)
        return _separator(text, position)

    def _description(self, name: str, text: str, position: int) -> tuple[object, int]:
        window = text[position : position + _MAX_DESCRIPTION]
        try:
            value, length = next_json(window, 0)
        except ValueError as error:
            if len(window) < _MAX_DESCRIPTION:
                raise
            got = f"more than {_MAX_DESCRIPTION} characters, or {error}"
            raise self._malformed(name, got) from error
        return value, position + length

    def _metadata(self, text: str, position: int) -> int:
        if self.texts is not None:
            raise ValueError(f"the key {METADATA_NAME!r} appears twice")
        texts = self.texts = {}
        if text[position : position + 1] != "{":
            raise self._bad_metadata(text, position)
        position = _skip(text, position + 1)
        if text[position : position + 1] == "}":
            return position + 1
        while True:
            key, position = _string(text, _skip(text, position))
            position = _expect(text, position, ":")
            if text[position : position + 1] != '"':
                raise self._bad_metadata(text, position)
            if key in texts:
                raise ValueError(f"the key {quoted(key)} appears twice")
            texts[key], position = _string(text, position)
            position = _separator(text, position)
            if text[position - 1] == "}":
                return position

    def _bad_metadata(self, text: str, position: int) -> CheckpointError:
        got = repr(text[position : position + 80])
        return damaged(self.path, f"its {METADATA_NAME} is malformed", expected="a JSON object of strings", got=got)

    def _describe(self, name: str, value: object) -> None:
        if not isinstance(value, dict):
            reason = f"tensor {quoted(name)} has no description"
            raise damaged(self.path, reason, expected="a JSON object", got=repr(value)[:80])
        shape = _counts(value.get("shape"), _MAX_AXES)
        offsets = _counts(value.get("data_offsets"), 2)
        code: object = value.get("dtype")
        if not isinstance(code, str):
            raise self._unknown_dtype(name, code)
        if shape is None or offsets is None or len(offsets) != 2:
            raise self._malformed(name, repr(value)[:200])
        self._add(name, code, shape, offsets)

    def _add(self, name: str, code: str, shape: tuple[int, ...], offsets: tuple[int, ...]) -> None:
        if name in self.entries:
            raise ValueError(f"the key {quoted(name)} appears twice")
        size = SIZES.get(code)
        if size is None:
            raise self._unknown_dtype(name, code)
        start, end = offsets
        if start > end:
            raise self._malformed(name, f"data_offsets [{start}, {end}]")
        nbytes = size * math.prod(shape)
        # Sizes of 0 are left out, as in NumPy, which has no array of shape (2**62, 2**62, 0).
        if (nbytes or size * math.prod([extent for extent in shape if extent])) > _MAX_TENSOR_NBYTES:
            reason = f"tensor {quoted(name)} is too large"
            expected = f"at most {_MAX_TENSOR_NBYTES} bytes"
            raise damaged(self.path, reason, expected=expected, got=f"shape {shape}"[:200])
        if nbytes != end - start:
            reason = f"tensor {quoted(name)} does not match its shape"
            expected = f"{nbytes} bytes for {code} of shape {shape}"
            raise damaged(self.path, reason, expected=expected, got=f"{end - start} bytes")
        self.entries[name] = Entry(code, shape, start, end)

    def _unknown_dtype(self, name: str, code: object) -> CheckpointError:
        return damaged(
            self.path,
            f"tensor {quoted(name)} has an unknown dtype",
            expected=f"one of {', '.join(SIZES)}",
            got=repr(code)[:80],
            fix="store the tensor as one of these dtypes",
        )

    def _malformed(self, name: str, got: str) -> CheckpointError:
        return damaged(
            self.path,
            f"tensor {quoted(name)} has a malformed description",
            expected=f"at most {_MAX_AXES} sizes in shape, two ascending data_offsets, all of them integers >= 0",
            got=got,
        )


def _shape(sizes: str | None) -> tuple[int, ...]:
    return tuple(map(int, sizes.split(","))) if sizes else ()


def _skip(text: str, position: int) -> int:
    match = _space(text, position)
    assert match is not None  # it matches the empty string
    return match.end()


def _expect(text: str, position: int, character: str) -> int:
    """The position after ``character`` and the whitespace around it."""
    position = _skip(text, position)
    if text[position : position + 1] != character:
        raise ValueError(f"{character!r} is missing at character {position}")
    return _skip(text, position + 1)


def _separator(text: str, position: int) -> int:
    position = _skip(text, position)
    if text[position : position + 1] not in (",", "}"):
        raise ValueError(f"',' or '}}' is missing at character {position}")
    return position + 1


def _string(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] != '"':
        raise ValueError(f"a string is missing at character {position}")
    value, end = next_json(text, position)
    if not is_text(value):
        raise ValueError(f"{quoted(value)} is not valid Unicode")
    return str(value), end


def _counts(value: object, most: int) -> tuple[int, ...] | None:
    # type() rather than isinstance(): JSON's true becomes a bool, which is an int in Python.
    if isinstance(value, list) and len(value) <= most and all(type(count) is int and count >= 0 for count in value):
        return tuple(value)
    return None


def _check_offsets(path: str, entries: dict[str, Entry], available: int) -> None:
    spans = sorted([(entry.start, entry.end) for entry in entries.values()])
    starts, ends = [span[0] for span in spans], [span[1] for span in spans]
    if [*starts, available] == [0, *ends]:
        return
    offset = 0
    for start, end, name in sorted([(entry.start, entry.end, name) for name, entry in entries.items()]):
        if start != offset:
            reason = f"tensor {quoted(name)} {'overlaps another' if start < offset else 'leaves a gap before it'}"
            raise damaged(path, reason, expected=f"data from byte {offset}", got=f"data from byte {start}")
        offset = end
    if offset != available:
        reason = "its data is cut off" if offset > available else "it has bytes that belong to no tensor"
        raise damaged(path, reason, expected=f"{offset} bytes of data", got=f"{available} bytes")


def _check_version(path: str, texts: dict[str, str]) -> None:
    version = texts.get(FORMAT_KEY, "none")
    if version != "1":
        fix = "read it with the version of polytape that wrote it" if version.isdecimal() else ""
        raise damaged(path, "its polytape format is unknown", expected="format 1", got=version[:20], fix=fix)


def _check_header(path: str, texts: dict[str, str], entries: dict[str, Entry], unusual: dict[str, str]) -> None:
    """Check a header that is not in the form that polytape writes: of an earlier version, or written by a program."""
    stored = texts.get(HEADER_KEY, "none")[:20]
    crc = header_crc(texts, entries, unusual)
    if crc != stored:
        raise damaged(path, "its header is damaged", expected=f"checksum {stored}", got=f"checksum {crc}")


def _check_own(path: str, texts: dict[str, str], entries: dict[str, Entry]) -> None:
    # Only a forged file can be wrong here; it is checked just as carefully.
    try:
        sums = _bounded_json(texts.get(CHECKSUMS_KEY, ""), entries)
        paired = _bounded_json(texts.get(COMPLEX128_KEY, "[]"), entries)
    except ValueError as error:
        raise damaged(path, "its checksums are malformed", expected="JSON", got=str(error)) from error
    if not isinstance(sums, dict) or sums.keys() != entries.keys():
        raise damaged(path, "its checksums are malformed", expected="one for each tensor", got=repr(sums)[:80])
    for name, entry in entries.items():
        pair: object = sums[name]
        if type(pair) is not list or len(pair) != 2 or pair[1] != entry.end - entry.start:
            reason = f"the checksum of {quoted(name)} is malformed"
            expected = f"[CRC-32, {entry.nbytes}]"
            raise damaged(path, reason, expected=expected, got=repr(pair)[:80])
        entry.crc = str(pair[0])
    _check_paired(path, paired, entries)


def _bounded_json(text: str, entries: dict[str, Entry]) -> object:
    """The value of ``text``, which holds names and at most one list per entry."""
    limit = 1 + len(entries) + sum([name.count("[") + name.count("{") for name in entries])
    if text.count("[") + text.count("{") > limit:
        raise ValueError(f"more than {limit} lists and objects")
    return strict_json(text.encode())


def _check_paired(path: str, paired: object, entries: dict[str, Entry]) -> None:
    names: list[Any] = paired if isinstance(paired, list) else [paired]
    for name in names:
        entry = entries.get(name) if isinstance(name, str) else None
        if entry is None or entry.code != "F64" or entry.shape[-1:] != (2,):
            expected = "names of F64 tensors [..., 2]"
            raise damaged(path, f"its {COMPLEX128_KEY} is malformed", expected=expected, got=repr(name)[:80])
        entry.paired = True
