"""Sizes that a trace does not know: integers that report when Python decides something by their value.

While a function is traced for unknown sizes, each of them has some number, and the shapes contain it as a `Size`. What
is computed from it is a `Size` again. A comparison whose result is the same for every size from 2 on, such as
``n > 0``, is answered; any other is noted, because the trace would be wrong for other numbers.
"""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

__all__ = ["Size", "Watch"]

SMALLEST: Final = 2  # a size of 0 or 1 is never unknown: such axes broadcast, or have nothing to reduce
UNBOUNDED: Final = -(1 << 62)
COMPARING: Final = frozenset({dis.opmap["COMPARE_OP"], dis.opmap["CONTAINS_OP"]})


class Watch:
    """The comparisons of unknown sizes in one trace.

    Args:
        line: returns the user's file and line.

    Attributes:
        found: line and text of each comparison.
    """

    def __init__(self, line: Callable[[], tuple[str, int]]) -> None:
        self.line = line
        self.found: list[tuple[tuple[str, int], str]] = []
        self.paused = 0

    def note(self, text: str) -> None:
        """Note a comparison."""
        if not self.paused:
            self.found.append((self.line(), text))

    @contextmanager
    def pause(self) -> Iterator[None]:
        """A context manager in which nothing is noted: what is compared there is compared again for each size."""
        self.paused += 1
        try:
            yield
        finally:
            self.paused -= 1


class Size(int):
    """An unknown size, or an integer computed from one.

    Attributes:
        low: it is at least so large, whatever the unknown sizes are.
        watch: notes the comparisons.
    """

    low: int
    watch: Watch

    def __new__(cls, value: int, watch: Watch, low: int = SMALLEST) -> Size:
        """Make one with the number that stands for it."""
        self = super().__new__(cls, value)
        self.low = low
        self.watch = watch
        return self

    def __repr__(self) -> str:
        return int.__repr__(self)

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __neg__(self) -> Size:
        return Size(-int(self), self.watch, UNBOUNDED)

    def __bool__(self) -> bool:
        if self.low <= 0 and _by_user(sys._getframe(1), None):
            self.watch.note(f"bool({self})")
        return int(self) != 0

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)  # a copy that leaves the trace is a plain number


def _low(name: str, x: Any, y: Any) -> int:
    """A lower bound of ``x <name> y``."""
    first = x.low if isinstance(x, Size) else x
    second = y.low if isinstance(y, Size) else y
    if name == "add":
        return int(first + second)
    if name == "sub" and not isinstance(y, Size):
        return int(first - second)
    if name == "mul" and first >= 0 and second >= 0:
        return int(first * second)
    if name == "floordiv" and not isinstance(y, Size) and second > 0:
        return int(first // second)
    if name == "mod" and not isinstance(y, Size) and second > 0:
        return 0
    return UNBOUNDED


def _arithmetic(name: str, reflected: bool) -> Any:
    compute = getattr(operator, name)

    def method(self: Size, other: Any) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        x, y = (other, self) if reflected else (self, other)
        value = compute(int(x), int(y))
        return Size(value, self.watch, _low(name, x, y)) if type(value) is int else value

    return method


def _decided(name: str, low: int, other: int) -> bool:
    """Whether a number from ``low`` on always has the same relation to ``other``."""
    return low > other or (low == other and name in ("ge", "lt"))


def _by_user(frame: FrameType, opcodes: frozenset[int] | None) -> bool:
    """Whether a program outside polytape and its backends compares here, by one of these opcodes.

    Polytape often tests whether two shapes are equal, or which algorithm is best for a size. That does not change what
    an op computes; where it would, the numbers in the graph do not follow a formula, and ops' rules run for each size.
    """
    if frame.f_globals.get("__name__", "").startswith("polytape"):
        return False
    return opcodes is None or frame.f_code.co_code[frame.f_lasti] in opcodes


def _comparison(name: str) -> Any:
    compare = getattr(operator, name)
    equality = name in ("eq", "ne")
    sign = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}[name]

    def method(self: Size, other: Any) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        result = compare(int(self), int(other) if isinstance(other, int) else other)
        # Equal numbers have equal formulas, or else another trace of the function has unequal ones here.
        if int(self) == other or (isinstance(other, Size) and equality):
            return result
        # Compiled parts of polytape have no frames: their caller's runs, but does not compare.
        undecided = isinstance(other, Size) or not _decided(name, self.low, int(other))
        if undecided and _by_user(sys._getframe(1), COMPARING if equality else None):
            self.watch.note(f"{int(self)} {sign} {other}")
        return result

    return method


for _name in ("add", "sub", "mul", "floordiv", "mod", "pow", "lshift", "rshift"):
    setattr(Size, f"__{_name}__", _arithmetic(_name, False))
    setattr(Size, f"__r{_name}__", _arithmetic(_name, True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Size, f"__{_name}__", _comparison(_name))
