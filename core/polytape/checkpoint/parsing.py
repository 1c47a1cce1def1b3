"""Parsing the header of a checkpoint file, which may be damaged or made by an attacker.

It is parsed tensor by tensor, without Python objects for the whole text, so a malformed header of 100 MB takes little
more memory and time than reading it.
"""

from __future__ import annotations

import math
import re
from collections import deque
from itertools import accumulate
from operator import add
from typing import Any, Final, TypeAlias

from ..errors import CheckpointError
from .files import canonical_json, damaged, is_text, next_json, quoted
from .header import (
    CHECKSUMS_KEY,
    HEADER_KEY,
    METADATA_NAME,
    OWN_KEYS,
    SIZES,
    Header,
    Kind,
    own_header_crc,
)
from .own_metadata import check_header, check_paired, check_version

__all__ = ["parse_header"]

_MAX_TENSOR_NBYTES: Final = 2**63 - 1
_MAX_AXES: Final = 64  # NumPy's limit
_MAX_DESCRIPTION: Final = 10_000  # characters; 64 sizes and two offsets of 19 digits need a seventh of them

_S: Final = r"[ \t\n\r]*"
_COUNT: Final = r"(?:0|[1-9][0-9]{0,18})"
_space: Final = re.compile(_S).match
# Tensors as polytape writes them, in canonical JSON, except the last member. The groups are the name, the offsets, and
# the dtype and sizes in one piece, which `_sizes` takes apart; the rest of a member always has the same length.
_split_own: Final = re.compile(
    r'"([^"\\\x00-\x1f]*+)":\{"data_offsets":\[([1-9][0-9]{0,18}+|0),([1-9][0-9]{0,18}+|0)\],'
    r'"dtype":"([^"]*+","shape":\[[0-9,]*+)\]\},'
).split
_REST: Final = len('"":{"data_offsets":[,],"dtype":"]},')
_sizes: Final = re.compile(rf'([A-Z0-9_]+)","shape":\[((?:(?:{_COUNT},){{0,{_MAX_AXES - 1}}}{_COUNT})?)').fullmatch
_WINDOW: Final = 1 << 10  # characters in which they are searched for at first; more each time that all fit
_MAX_WINDOW: Final = 1 << 16
_MIN_RUN: Final = 1 << 12  # characters of members that are remembered
_MAX_RUN: Final = 1 << 19
_Members: TypeAlias = tuple[list[Any], list[Any], list[Any], list[Any]]  # names, kinds, starts, ends
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
    header, texts = parser.header, parser.texts or {}
    _check_offsets(path, header, available)
    header.metadata = {key: text for key, text in texts.items() if key not in OWN_KEYS}
    header.has_checksums = len(header.metadata) < len(texts)
    if header.has_checksums:
        check_version(path, texts)
        crc = own_header_crc(raw)
        if crc is None or crc != texts.get(HEADER_KEY):
            check_header(path, texts, header, parser.unusual)
        header.checksums = texts.get(CHECKSUMS_KEY, "")
        check_paired(path, texts, header)
    return header


class _Run:
    """Members that were read: their text, and what `_Parser._add_all` takes.

    The checkpoints of one training differ in their checksums only, so the text of the tensors is the same.
    """

    __slots__ = ("members", "text")

    def __init__(self, text: str, members: _Members) -> None:
        self.text: Final = text
        self.members: Final = members

    def __repr__(self) -> str:
        return f"_Run({len(self.text)} characters)"


remembered: Final[deque[_Run]] = deque(maxlen=4)  # two files, each with tensors before and after its metadata


class _Parser:
    """Reads the text of a header. What is not JSON raises ValueError, what is not a header CheckpointError.

    Attributes:
        header: the tensors.
        texts: the metadata, if there is any.
        unusual: `canonical_json` of the descriptions that do not have the common form.
    """

    def __init__(self, path: str) -> None:
        self.path: Final = path
        self.header: Final = Header()
        self.texts: dict[str, str] | None = None
        self.unusual: dict[str, str] = {}
        self._kinds: Final[dict[str, Kind | None]] = {}  # by their text in canonical form; None if it is not

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
        for run in [*remembered]:  # a copy: another thread may add one
            if text.startswith(run.text, position):
                self._add_all(*run.members)
                return position + len(run.text)
        members: _Members = ([], [], [], [])
        end = self._new_members(text, position, members)
        if _MIN_RUN <= end - position <= _MAX_RUN:
            remembered.appendleft(_Run(text[position:end], members))
        return end

    def _new_members(self, text: str, position: int, members: _Members) -> int:
        """Read what `_own_members` does, and append it to ``members`` too, if it is not very long."""
        begin = position
        known, window = self._kinds, _WINDOW
        while True:
            piece = text[position : position + window]
            parts = _split_own(piece)
            names, texts = parts[1::5], parts[4::5]
            for kind in {*texts} - known.keys():
                known[kind] = _kind(kind)
            # Only members one after the other from here on, canonical, and no metadata.
            count = len(names)
            if any(parts[:-1:5]):
                count = [not gap for gap in parts[:-1:5]].index(False)
            if METADATA_NAME in names:
                count = min(count, names.index(METADATA_NAME))
            kinds = [*map(known.__getitem__, texts[:count])]
            if None in kinds:
                count = kinds.index(None)
            if not count:
                return position
            is_cut = count < len(names)
            position += sum(map(len, parts[: 5 * count])) + _REST * count if is_cut else len(piece) - len(parts[-1])
            parts = parts[: 5 * count]
            starts, ends = parts[2::5], parts[3::5]
            # Most tensors begin where the last one ended, so its number is known.
            numbers = [*map(int, starts)]
            known_ends = numbers[1:] if starts[1:] == ends[:-1] else []
            columns: _Members = names[:count], kinds[:count], numbers, [*known_ends, *map(int, ends[len(known_ends) :])]
            self._add_all(*columns)
            if position - begin <= _MAX_RUN:
                for column, values in zip(members, columns, strict=True):
                    column.extend(values)
            if is_cut:
                return position
            window = min(8 * window, _MAX_WINDOW)

    def _add_all(self, names: list[str], kinds: list[Any], starts: list[int], ends: list[int]) -> None:
        found = self.header.kinds
        before = len(found)
        sizes = [kind.nbytes for kind in kinds]
        if 0 in sizes or ends != [*map(add, starts, sizes)] or not found.keys().isdisjoint(names):
            for name, kind, start, end in zip(names, kinds, starts, ends, strict=True):
                self._add(name, kind.code, kind.shape, (start, end))
            return
        found.update(zip(names, kinds, strict=True))
        self.header.starts.update(zip(names, starts, strict=True))
        if len(found) < before + len(names):
            twice = next(name for position, name in enumerate(names) if name in names[:position])
            raise ValueError(f"the key {quoted(twice)} appears twice")

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
        if name in self.header.kinds:
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
        self.header.kinds[name] = Kind(code, shape)
        self.header.starts[name] = start

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


def _kind(text: str) -> Kind | None:
    """The dtype and shape of tensors; None if the text is not canonical."""
    match = _sizes(text)
    return Kind(match[1], _shape(match[2])) if match is not None and match[1] in SIZES else None


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


def _check_offsets(path: str, header: Header, available: int) -> None:
    sizes = [kind.nbytes for kind in header.kinds.values()]
    starts = [*header.starts.values()]
    if [0, *accumulate(sizes)] == [*starts, available]:
        return  # they are in the order of their bytes
    if 0 not in sizes and [*sorted(starts), available] == [0, *sorted(map(add, starts, sizes))]:
        return  # at every byte, one tensor more has begun than ended
    offset = 0
    for start, size, name in sorted(zip(starts, sizes, header.kinds, strict=True)):
        if start != offset:
            reason = f"tensor {quoted(name)} {'overlaps another' if start < offset else 'leaves a gap before it'}"
            raise damaged(path, reason, expected=f"data from byte {offset}", got=f"data from byte {start}")
        offset = start + size
    if offset != available:
        reason = "its data is cut off" if offset > available else "it has bytes that belong to no tensor"
        raise damaged(path, reason, expected=f"{offset} bytes of data", got=f"{available} bytes")
