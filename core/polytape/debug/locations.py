"""The user's line that an op was called from."""

from __future__ import annotations

import os
from functools import lru_cache
from types import FrameType
from typing import Final

__all__ = ["Location", "location_of"]

_GRAPH: Final = "<graph "  # generated code that runs a graph, see polytape.graph.execution


class Location:
    """A line of the user's program.

    Attributes:
        file, line: the file's path and the line's number.
        function: the name of the function that the line is in; for an op of a traced function, that function's name.
    """

    __slots__ = ("file", "function", "line")

    def __init__(self, file: str, line: int, function: str) -> None:
        self.file = file
        self.line = line
        self.function = function

    def __str__(self) -> str:
        inside = "" if self.function == "<module>" else f", in {self.function}"
        return f"{os.path.basename(self.file)}:{self.line}{inside}"

    def __repr__(self) -> str:
        return f"Location({self})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Location):
            return NotImplemented
        return (self.file, self.line, self.function) == (other.file, other.line, other.function)

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.function))


@lru_cache(4096)
def _location(file: str, line: int, function: str) -> Location:
    """A location; the same lines run again and again, and many of them may be kept."""
    return Location(file, line, function)


def location_of(frame: FrameType | None) -> Location | None:
    """The line of the nearest frame that is not polytape's own; None if there is none.

    The ops of a graph run in generated code, so their lines are those that were traced.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_GRAPH):
            equation = frame.f_globals["equation_of_line"].get(frame.f_lineno)
            if equation is not None:
                name = code.co_filename.removeprefix(_GRAPH).rpartition(" ")[0]
                file, line = equation.source
                return _location(file, line, name)
        elif not _is_own(frame):
            return _location(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None


def _is_own(frame: FrameType) -> bool:
    """Whether a frame runs code of polytape or of a backend."""
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package == "polytape" or package.startswith("polytape_")
