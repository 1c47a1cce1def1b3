"""Tracebacks that show the user's frames: polytape's own are left out of errors that pass through user functions.

Imported when an error is raised.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, TypeVar

from .settings import settings

__all__ = ["shortened"]

E = TypeVar("E", bound=BaseException)

# The files of this package, as Python names them and as compiled code does; and generated code, see graph.execution.
_OWN: Final = (os.path.dirname(os.path.abspath(__file__)) + os.sep, "polytape/", "<graph ")


def shortened(error: E) -> E:
    """``error`` without the frames of polytape itself, except the innermost one; all of them if
    POLYTAPE_TRACEBACK=full."""
    if settings().full_traceback:
        return error
    entries = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    kept = [
        entry
        for entry in entries
        if not entry.tb_frame.f_code.co_filename.startswith(_OWN)
        or (entry is entries[-1] and not entry.tb_frame.f_code.co_filename.startswith(_OWN[-1]))
    ]
    chain: TracebackType | None = None
    for entry in reversed(kept):
        chain = TracebackType(chain, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return error.with_traceback(chain)
