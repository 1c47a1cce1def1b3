"""What is open around an op: the tapes that record it, and the trace that writes it down instead of computing."""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count
from typing import Any, Final

from .node import Tape

__all__ = ["NO_SCOPE", "Scope", "current_scope"]

_serials: Final = count(1)  # next() on it is one step, so that no two threads share a number


class Scope:
    """What is open around an op: the tapes that record, and the trace that replaces computing."""

    __slots__ = ("serial", "tapes", "trace")

    def __init__(self, tapes: tuple[Tape, ...], trace: Any) -> None:
        self.tapes: Final = tapes
        self.trace: Final = trace
        self.serial: Final[int] = next(_serials)

    def __repr__(self) -> str:
        return f"Scope({len(self.tapes)} tapes, trace={self.trace!r})"


NO_SCOPE: Final = Scope((), None)
current_scope: Final[ContextVar[Scope]] = ContextVar("polytape.scope", default=NO_SCOPE)
