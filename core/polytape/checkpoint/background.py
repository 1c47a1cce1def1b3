"""Saving in the background: a thread writes the file of a snapshot while the program goes on."""

from __future__ import annotations

import atexit
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Final

from ..errors import CheckpointError, PolytapeWarning

__all__ = ["BackgroundSave"]


class BackgroundSave:
    """A save that runs in a thread of its own. The process does not end before it.

    Args:
        path: the file that is written.
        write: writes it.
    """

    __slots__ = ("__weakref__", "_error", "_finished", "_thread", "_write", "path")

    def __init__(self, path: str, write: Callable[[], None]) -> None:
        self.path: Final = path
        self._write: Callable[[], None] | None = write
        self._error: BaseException | None = None
        self._finished = False
        # Not a daemon: at exit, Python waits for it.
        self._thread: Final = threading.Thread(target=self._run, name="polytape-save", daemon=False)
        self._thread.start()

    def __repr__(self) -> str:
        return f"BackgroundSave({self.path!r}, {'finished' if self._finished else 'running'})"

    def _run(self) -> None:
        write, self._write = self._write, None  # the snapshot is released when it is written
        assert write is not None  # it runs once
        try:
            write()
        except BaseException as error:  # `wait` raises it
            self._error = error
            _failed.add(self)
        self._finished = True

    def wait(self) -> None:
        """Return when the file is complete.

        Raises:
            CheckpointError: it could not be written; this is raised once.
        """
        self._thread.join()
        error, self._error = self._error, None
        _failed.discard(self)
        if error is not None:
            raise error
        if not self._finished:
            self._finished = True
            raise CheckpointError(
                f"{self.path!r} was not written by this process.",
                expected="a process that is not forked while it saves in the background",
                got="a child process, in which the thread that writes does not run",
                fix="call wait() before the fork; the parent process finishes the file",
            )


_failed: Final[weakref.WeakSet[BackgroundSave]] = weakref.WeakSet()


@atexit.register
def _report() -> None:
    """Warn of failed saves whose error nobody has seen; when this runs, all of these threads have ended."""
    for save in list(_failed):
        warnings.warn(f"{save.path!r} was not saved: {save._error}", PolytapeWarning, stacklevel=1)
