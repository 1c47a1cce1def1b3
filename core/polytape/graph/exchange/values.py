"""Attributes and structures as JSON values, and back. Reading evaluates nothing.

None, bools, integers, strings and finite floats are JSON's own; a tuple is a list; all else is an object with one key::

    {"float": "nan"}  {"complex": [1.0, {"float": "-inf"}]}  {"dtype": "float32"}  {"device": "numpy:cpu:0"}
    {"key": [["slice", null, 2, null], ["int", 3]]}

A structure is an object with one key for each of its nodes::

    {"dict": [["loss", {"tensor": 0}], ["extra", {"tuple": [{"tensor": 1}, {"value": 7}]}]]}
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ... import dtypes
from ...checkpoint.files import quoted
from ...device import Device
from ...errors import DTypeError
from ...ops.keys import Key
from ...registry.tables import find_op
from ...tensors.symbol import describe_object

__all__ = ["Fixed", "Malformed", "Slot", "decode", "decode_tree", "encode", "encode_tree", "one_of"]

# The parts of an index key, with the number of integers or None after each name.
PARTS: Final = {"slice": 3, "int": 1, "newaxis": 0, "ellipsis": 0, "array": 0}
SPECIAL: Final = {"nan": math.nan, "-nan": -math.nan, "inf": math.inf, "-inf": -math.inf}


class Malformed(ValueError):
    """A value in a file is not what its place requires.

    Args:
        place: where it is.
        expected: what is valid there.
        got: the value; or ``text`` that describes it.

    Attributes:
        place, expected, got: as in the error that the user sees.
    """

    def __init__(self, place: str, expected: str, got: object = None, *, text: str = "") -> None:
        text = text or describe_object(got)
        super().__init__(f"{place}: expected {expected}, got {text}")
        self.place = place
        self.expected = expected
        self.got = text


class Slot:
    """The place of a tensor, a variable or an array in a structure."""

    __slots__ = ("kind", "which")

    def __init__(self, kind: str, which: Any) -> None:
        self.kind: Final = kind  # "tensor", "variable" or "array"
        self.which: Final = which

    def __repr__(self) -> str:
        return f"<{self.kind} {self.which}>"


class Fixed:
    """An argument that has no form in a file: it was fixed when the graph was exported, and cannot be passed."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text

    def __repr__(self) -> str:
        return f"<fixed: {self.text}>"


def one_of(kind: type | tuple[type, ...], value: object, place: str, expected: str) -> Any:
    """``value``, if its type is exactly ``kind`` (a bool is no int), or one of several.

    Raises:
        Malformed: it is not.
    """
    if type(value) not in (kind if isinstance(kind, tuple) else (kind,)):
        raise Malformed(place, expected, value)
    return value


# --- attributes -------------------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """An attribute's value as a JSON value.

    Raises:
        TypeError: it has no such form.
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": _special(value)}
    if type(value) is complex:
        return {"complex": [encode(value.real), encode(value.imag)]}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, Device):
        return {"device": str(value)}
    if isinstance(value, Key):
        return {"key": [list(part) for part in value]}
    if type(value) is tuple:
        return [encode(x) for x in value]
    raise TypeError(type(value).__name__)


def _special(value: float) -> str:
    if value != value:
        return "-nan" if math.copysign(1.0, value) < 0.0 else "nan"
    return "inf" if value > 0.0 else "-inf"


def decode(node: Any, place: str) -> Any:
    """The inverse of `encode`.

    Raises:
        Malformed: ``node`` stands for no value.
    """
    if node is None or type(node) in (bool, int, float, str):
        if type(node) is float and not math.isfinite(node):  # 1e999
            raise Malformed(place, "a finite number", node)
        return node
    if type(node) is list:
        return tuple([decode(x, place) for x in node])
    if type(node) is dict and len(node) == 1:
        ((kind, value),) = node.items()
        reader = READERS.get(kind)
        if reader is not None:
            return reader(value, place)
    raise Malformed(place, f"a number, string, null, list, or an object with one of {', '.join(READERS)}", node)


def _float(value: Any, place: str) -> float:
    if type(value) is not str or value not in SPECIAL:
        raise Malformed(place, f"one of {', '.join(SPECIAL)}", value)
    return SPECIAL[value]


def _complex(value: Any, place: str) -> complex:
    parts = decode(value, place)
    if type(parts) is not tuple or len(parts) != 2 or any(type(x) is not float for x in parts):
        raise Malformed(place, "two floats", value)
    return complex(*parts)


def _dtype(value: Any, place: str) -> Any:
    one_of(str, value, place, "the name of a dtype")
    try:
        return dtypes.lookup(value)
    except DTypeError:
        raise Malformed(place, "the name of a dtype", value) from None


def _device(value: Any, place: str) -> Any:
    return Slot("device", one_of(str, value, place, "the name of a device"))


def _key(value: Any, place: str) -> Key:
    parts = []
    for part in one_of(list, value, place, "a list of parts of an index"):
        name = part[0] if type(part) is list and part else None
        count = PARTS.get(name, -1) if type(name) is str else -1
        integers = [x for x in part[1:] if type(x) is int or (x is None and name == "slice")] if count >= 0 else []
        if len(integers) != count or len(part) != count + 1:
            raise Malformed(place, f"a part of an index, one of {', '.join(PARTS)}", part)
        if name == "slice" and part[3] == 0:
            raise Malformed(place, "a slice whose step is not 0", part)
        parts.append(tuple(part))
    return Key(parts)


READERS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "float": _float, "complex": _complex, "dtype": _dtype, "device": _device, "key": _key,
}  # fmt: skip


# --- structures -------------------------------------------------------------------------------------------------------


def encode_tree(x: Any, named: frozenset[str] = frozenset()) -> Any:
    """A structure as a JSON value.

    Args:
        x: nested lists, tuples and dicts, whose leaves are `Slot`, `Fixed`, or values as in attributes.
        named: the ops whose named tuples it may contain.
    Raises:
        TypeError: it contains something else.
    """
    if isinstance(x, Slot):
        return {x.kind: x.which}
    if isinstance(x, Fixed):
        return {"fixed": x.text}
    if type(x) in (list, tuple):
        return {type(x).__name__: [encode_tree(y, named) for y in x]}
    if type(x) is dict and all(type(key) in (str, int) for key in x):
        return {"dict": [[key, encode_tree(y, named)] for key, y in x.items()]}
    for name in named:
        op = find_op(name)
        if op is not None and op.outputs is type(x):
            return {"outputs": [name, [encode_tree(y, named) for y in x]]}
    return {"value": encode(x)}


def decode_tree(node: Any, place: str) -> Any:
    """The inverse of `encode_tree`.

    Raises:
        Malformed: ``node`` stands for no structure.
    """
    if type(node) is not dict or len(node) != 1:
        raise Malformed(place, "an object with one key, such as tensor or dict", node)
    ((kind, value),) = node.items()
    if kind in ("tensor", "variable"):
        return Slot(kind, one_of(int, value, place, "a number"))
    if kind == "array":
        return Slot(kind, one_of(str, value, place, "the name of a tensor"))
    if kind == "fixed":
        return Fixed(one_of(str, value, place, "a text"))
    if kind == "value":
        return decode(value, place)
    if kind in ("list", "tuple"):
        items = [decode_tree(y, place) for y in one_of(list, value, place, "a list of structures")]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return _dict(value, place)
    if kind == "outputs":
        return _outputs(value, place)
    raise Malformed(place, "one of tensor, variable, array, fixed, value, list, tuple, dict, outputs", kind)


def _dict(value: Any, place: str) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for pair in one_of(list, value, place, "a list of pairs"):
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in (str, int) or pair[0] in result:
            raise Malformed(place, "a pair of a key that is used once and a structure", pair)
        result[pair[0]] = decode_tree(pair[1], place)
    return result


def _outputs(value: Any, place: str) -> Any:
    if type(value) is not list or len(value) != 2 or type(value[0]) is not str or type(value[1]) is not list:
        raise Malformed(place, "the name of an op, and its outputs", value)
    op = find_op(value[0])
    if op is None or op.outputs is None or len(op.outputs._fields) != len(value[1]):
        raise Malformed(place, f"an op with {len(value[1])} outputs", text=quoted(value[0]))
    return op.outputs(*[decode_tree(y, place) for y in value[1]])
