"""Calls in the printed text of a graph, such as ``sum(a, axis=(0,))``, as JSON values. It evaluates nothing."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from ...dtypes import lookup
from ...errors import DTypeError
from .values import Malformed, encode

__all__ = ["Call", "Number", "read_call"]

WORD: Final = re.compile(r"[^\W\d]\w*")
NUMBER: Final = re.compile(r"-?(?:inf|nan|\d[\d.]*(?:e[+-]?\d+)?)(?:j\b)?|\([^(),]*j\)")
STRING: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
PLAIN: Final = {"None": None, "True": True, "False": False}


class Number:
    """A number among the operands; ``dtype`` is its name, or empty where it follows from the other operands."""

    def __init__(self, value: Any, dtype: str = "") -> None:
        self.value = value
        self.dtype = dtype


class Call:
    """A call: the op's name, the operands (names, `Number` or None), and the attributes as JSON values."""

    def __init__(self, op: str) -> None:
        self.op = op
        self.operands: list[str | Number | None] = []
        self.attributes: dict[str, Any] = {}


def read_call(text: str, known: Any, place: str) -> Call:
    """Read a call.

    Args:
        text: the call.
        known: names of symbols; any other word among the operands is a number or None.
        place: for errors.
    Raises:
        Malformed: it is not a call.
    """
    reader = _Reader(text, place)
    call = Call(reader.upto("("))
    while not reader.skip(")"):
        name = reader.match(re.compile(r"(\w+)="))
        if name:
            call.attributes[name[:-1]] = reader.value()
        else:
            call.operands.append(reader.operand(known))
        reader.skip(", ")
    if reader.rest():
        raise reader.malformed("the end of the line")
    return call


class _Reader:
    """A position in a text."""

    def __init__(self, text: str, place: str) -> None:
        self.text = text
        self.place = place
        self.position = 0

    def rest(self) -> str:
        """What has not been read."""
        return self.text[self.position :]

    def malformed(self, expected: str) -> Malformed:
        """The error at this position."""
        return Malformed(self.place, expected, text=f"{self.rest()[:40]!r}")

    def skip(self, text: str) -> bool:
        """Read this text if it comes next."""
        found = self.text.startswith(text, self.position)
        self.position += len(text) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> str:
        """Read what the pattern matches; empty if it does not match here."""
        found = pattern.match(self.text, self.position)
        self.position = found.end() if found else self.position
        return found[0] if found else ""

    def upto(self, end: str) -> str:
        """Read up to this text, and this text."""
        position = self.text.find(end, self.position)
        if position < 0:
            raise self.malformed(f"{end} later in the line")
        found = self.text[self.position : position]
        self.position = position + len(end)
        return found

    def operand(self, known: Any) -> str | Number | None:
        """An operand."""
        start = self.position
        word = self.match(WORD)
        if word in known:
            return word
        if word and self.skip("("):
            number = Number(self.number(), word)
            if not self.skip(")"):
                raise self.malformed(")")
            return number
        if word in PLAIN:
            return None if word == "None" else Number(PLAIN[word])
        self.position = start
        return Number(self.number())

    def number(self) -> Any:
        """A number or a bool."""
        word = self.match(re.compile(r"True|False"))
        if word:
            return PLAIN[word]
        text = self.match(NUMBER)
        if not text:
            raise self.malformed("a value that is defined before, or a number")
        try:
            return complex(text) if "j" in text else float(text) if re.search(r"[.en]", text) else int(text)
        except ValueError:
            self.position -= len(text)
            raise self.malformed("a number") from None

    def value(self) -> Any:
        """An attribute's value."""
        if self.skip("["):
            return {"key": [_part(part, self) for part in self.upto("]").split(", ") if part]}
        string = self.match(STRING)
        if string:
            return ast.literal_eval(string)
        if NUMBER.match(self.text, self.position):
            return encode(self.number())
        if self.skip("("):
            items = []
            while not self.skip(")"):
                items.append(self.value())
                if not self.skip(", ") and not self.skip(",") and not self.text.startswith(")", self.position):
                    raise self.malformed(", or )")
            return items
        word = self.match(re.compile(r"[\w:.-]+"))
        if word in PLAIN:
            return PLAIN[word]
        if ":" in word:
            return {"device": word}
        try:
            return {"dtype": lookup(word).name}
        except DTypeError:
            self.position -= len(word)
            raise self.malformed("an attribute's value") from None


def _part(text: str, reader: _Reader) -> list[Any]:
    """A part of an index key."""
    if text in ("None", "...", "array"):
        return [{"None": "newaxis", "...": "ellipsis", "array": "array"}[text]]
    bounds: list[int | None] = []
    for bound in text.split(":"):
        if not re.fullmatch(r"-?\d+|", bound):
            raise reader.malformed("a part of an index")
        bounds.append(int(bound) if bound else None)
    return ["int", *bounds] if len(bounds) == 1 else ["slice", *bounds, *[None] * (3 - len(bounds))]
