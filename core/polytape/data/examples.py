"""tf.train.Example in records: features by name, each a list of bytes, of float32 or of int64.

Source:
    ``tensorflow/core/example/{example,feature}.proto``, and the Protocol Buffers encoding guide: a field is a varint
    ``number * 8 + wire type``, then a varint (0), 8 bytes (1), a varint length and so many bytes (2), or 4 bytes (5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..errors import DataError, DTypeError
from ..tensors.tensor import Tensor
from .structures import host

__all__ = ["parse_example", "write_example"]

_BYTES_LIST: Final = 1
_FLOAT_LIST: Final = 2
_INT64_LIST: Final = 3
_VARINT: Final = 0
_LENGTH: Final = 2
_FIXED: Final = {1: 8, 5: 4}  # the sizes of wire types


def _bad(reason: str, got: object) -> DataError:
    return DataError(
        f"a record is not a tf.train.Example: {reason}.",
        expected="the bytes of a serialized tf.train.Example",
        got=str(got)[:200],
        fix="read the record with the library that wrote it",
    )


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise _bad("a number is cut off or too long", data[max(0, position - 10) : position])
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field of a message."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value: Any
            value, position = _varint(data, position)
        else:
            if wire == _LENGTH:
                size, position = _varint(data, position)
            elif wire in _FIXED:
                size = _FIXED[wire]
            else:
                raise _bad("unknown wire type", wire)
            value = data[position : position + size]
            position += size
            if position > len(data):
                raise _bad("a field is cut off", f"field {number} of {size} bytes")
        yield number, wire, value


def _message(wire: int, value: Any) -> bytes:
    if wire != _LENGTH:
        raise _bad("a message is expected", f"wire type {wire}")
    return bytes(value)


def parse_example(record: bytes) -> dict[str, Any]:
    """The features of a serialized ``tf.train.Example``.

    Args:
        record: as `Dataset.from_tfrecord` gives it.
    Returns:
        By name: a list of bytes, or a NumPy array float32[n] or int64[n]. A feature without a list is left out.
    Raises:
        DataError: the bytes are not such a message. DTypeError: ``record`` is not bytes.
    Source:
        ``tensorflow/core/example/example.proto``.

    Example:
        >>> import polytape as pt
        >>> pt.data.parse_example(pt.data.write_example({"label": [3], "name": b"cat"}))
        {'label': array([3]), 'name': [b'cat']}
    """
    if not isinstance(record, (bytes, bytearray, memoryview)):
        raise DTypeError("parse_example needs bytes.", expected="bytes", got=type(record).__name__, fix="pass a record")
    result: dict[str, Any] = {}
    for number, wire, features in _fields(bytes(record)):
        if number == 1:
            for inner, inner_wire, entry in _fields(_message(wire, features)):
                if inner == 1:
                    _read_entry(_message(inner_wire, entry), result)
    return result


def _read_entry(entry: bytes, result: dict[str, Any]) -> None:
    """Add the feature of one entry of the map."""
    name, feature = b"", b""
    for number, wire, value in _fields(entry):
        if number == 1:
            name = _message(wire, value)
        elif number == 2:
            feature = _message(wire, value)
    try:
        key = name.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("a name is not UTF-8", name) from None
    result.pop(key, None)  # the last entry with a name counts
    for number, wire, value in _fields(feature):
        if number in _LISTS:
            result[key] = _LISTS[number](_message(wire, value))


def _bytes_list(data: bytes) -> list[bytes]:
    return [_message(wire, value) for number, wire, value in _fields(data) if number == 1]


def _float_list(data: bytes) -> Any:
    # Packed in one field, or one field for each number; a reader must accept both.
    parts = []
    for number, wire, value in _fields(data):
        if number == 1:
            if wire == _VARINT or len(value) % 4:
                raise _bad("a float has 4 bytes", value)
            parts.append(value)
    return np.frombuffer(b"".join(parts), "<f4").astype(dtypes.float32)


def _int64_list(data: bytes) -> Any:
    numbers = []
    for number, wire, value in _fields(data):
        if number == 1 and wire == _VARINT:
            numbers.append(value)
        elif number == 1:
            position, packed = 0, _message(wire, value)
            while position < len(packed):
                item, position = _varint(packed, position)
                numbers.append(item)
    return np.asarray([(n & 2**64 - 1) - (2**64 if n >> 63 & 1 else 0) for n in numbers], dtypes.int64)


_LISTS: Final[dict[int, Any]] = {_BYTES_LIST: _bytes_list, _FLOAT_LIST: _float_list, _INT64_LIST: _int64_list}


def write_example(features: Mapping[str, Any]) -> bytes:
    """A serialized ``tf.train.Example``, for `TFRecordWriter.write`.

    Args:
        features: by name: bytes or str, or a list of these; or real numbers, an array or a tensor, of which integers
            and bools are stored as int64 and floats as float32, flattened.
    Raises:
        DTypeError: a feature is none of these, or a number does not fit int64.
    Source:
        ``tensorflow/core/example/example.proto``.
    """
    entries = []
    for name in sorted(features):  # a map has no order; sorted names give the same bytes for the same features
        entries.append(_field(1, _field(1, name.encode()) + _field(2, _feature(name, features[name]))))
    return _field(1, b"".join(entries))


def _field(number: int, payload: bytes) -> bytes:
    return _number(number << 3 | _LENGTH) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    """A varint."""
    value &= 2**64 - 1
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _feature(name: str, value: Any) -> bytes:
    items = [value] if isinstance(value, (str, bytes)) else value
    if isinstance(items, (list, tuple)) and items and all(isinstance(item, (str, bytes)) for item in items):
        coded = [item.encode() if isinstance(item, str) else item for item in items]
        return _field(_BYTES_LIST, b"".join(_field(1, item) for item in coded))
    array = host(value) if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind == "f":
        return _field(_FLOAT_LIST, _field(1, array.astype("<f4").tobytes()))
    if array.dtype.kind in "biu" and (array.dtype.kind != "u" or array.size == 0 or int(array.max()) < 2**63):
        return _field(_INT64_LIST, _field(1, b"".join(_number(int(n)) for n in array.reshape(-1).tolist())))
    raise DTypeError(
        f"write_example cannot store the feature {name!r}.",
        expected="bytes, str, or real numbers within int64 or float32",
        got=f"{type(value).__name__} of dtype {array.dtype}",
        fix="convert it",
    )
