"""What is open around an op: the tapes that record it, and the trace that captures it instead of computing it."""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count
from typing import Any, Final

from .node import Tape

__all__ = ["NO_SCOPE", "Scope", "current_scope"]

_serials: Final = count(1)  # next() on it is atomic, so no two threads get the same number


class Scope:
    """The open tapes, which record ops, and the open trace, which captures ops instead of computing them."""

    __slots__ = ("serial", "tapes", "trace")

    def __init__(self, tapes: tuple[Tape, ...], trace: Any) -> None:
        self.tapes: Final = tapes
        self.trace: Final = trace
        self.serial: Final[int] = next(_serials)

    def __repr__(self) -> str:
        return f"Scope({len(self.tapes)} tapes, trace={self.trace!r})"


NO_SCOPE: Final = Scope((), None)
current_scope: Final[ContextVar[Scope]] = ContextVar("polytape.scope", default=NO_SCOPE)
