"""The writer of an event file, and the writer that is the default."""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final

from ..errors import SettingError
from ..tensors.tensor import Tensor
from .protos import library

__all__ = ["FileWriter", "default_writer"]

_numbers: Final = itertools.count()
_scoped: ContextVar[FileWriter | None] = ContextVar("polytape.summary.writer", default=None)


class _Process:
    """The default writer outside of any scope."""

    writer: FileWriter | None = None


class FileWriter:
    """Writes summaries to an event file, which TensorBoard shows: ``tensorboard --logdir logs``.

    A writer is a context manager: inside, it is the default writer; at the end it is closed. Each writer has a file of
    its own, so that several may write to one folder; TensorBoard joins them by their names. Threads may share a writer.

    Args:
        logdir: the folder, which is made if it does not exist. TensorBoard shows each folder below its own as a run.
        step: the step of summaries that are written without one: a `Variable`, such as ``optimizer.step``, or a
            function without arguments.
        flush_seconds: how long a summary may stay in the process before the file has it. What was written before a
            ``flush`` is in the file also if the process is killed.

    Raises:
        PluginError: tensorboardX is not installed; it comes with the extra ``tensorboard``.
        OSError: the folder cannot be made or written.

    Example:
        >>> import polytape as pt, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> with pt.summary.FileWriter(folder.name):
        ...     for step in range(3):
        ...         _ = pt.summary.scalar("loss", 1.0 / (step + 1), step=step)
        >>> folder.cleanup()
    """

    def __init__(self, logdir: str | os.PathLike[str], *, step: Any = None, flush_seconds: float = 10.0) -> None:
        files, records = library("event_file_writer"), library("proto.event_pb2")
        self.logdir: Final = os.fspath(logdir)
        self.step = step
        self._flush_seconds = flush_seconds
        self._event: Any = records.Event
        self._lock = threading.Lock()
        self._token: list[Any] = []
        os.makedirs(self.logdir, exist_ok=True)
        # tensorboardX's name has the second and the host: two writers of one second would overwrite each other's file.
        suffix = f".{os.getpid()}.{next(_numbers)}"
        self._file: Any = files.EventsWriter(os.path.join(self.logdir, "events"), suffix)
        self._process = os.getpid()
        self._flushed = time.monotonic()
        # Closed when the writer is collected and when the process ends, so that nothing is lost without ``close``.
        self._finalizer = weakref.finalize(self, _close, self._file, self._process)

    def __repr__(self) -> str:
        return f"FileWriter({self.logdir!r}{'' if self._finalizer.alive else ', closed'})"

    def __enter__(self) -> FileWriter:
        self._token.append(_scoped.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _scoped.reset(self._token.pop())
        if not self._token:
            self.close()

    def as_default(self) -> _Default:
        """A context manager: inside, the functions of `polytape.summary` write here. It does not close the writer."""
        return _Default(self)

    def set_as_default(self) -> None:
        """Let the functions of `polytape.summary` write here, in all threads, outside of any other scope."""
        _Process.writer = self

    def add(self, step: int, *messages: Any, **fields: Any) -> None:
        """Write messages of TensorBoard's protocol (``Summary``), or other fields of an event.

        Raises:
            SettingError: the writer is closed, or belongs to the process that this one was forked from.
        """
        if not self._finalizer.alive or os.getpid() != self._process:
            closed = not self._finalizer.alive
            raise SettingError(
                f"the writer of {self.logdir!r} cannot be used.",
                expected="an open writer of this process",
                got="it is closed"
                if closed
                else f"it belongs to process {self._process}, from which this one was forked",
                fix="make a new FileWriter; it may write to the same folder",
            )
        events = [self._event(wall_time=time.time(), step=step, summary=message) for message in messages]
        if fields:
            events.append(self._event(wall_time=time.time(), step=step, **fields))
        with self._lock:
            for event in events:
                self._file.write_event(event)
        if time.monotonic() - self._flushed > self._flush_seconds:
            self.flush()

    def flush(self) -> None:
        """Give everything written so far to the operating system."""
        if self._finalizer.alive and os.getpid() == self._process:
            self._flushed = time.monotonic()
            self._file.flush()

    def close(self) -> None:
        """Flush and close the file. Closing again does nothing."""
        self._finalizer()


class _Default:
    """The scope of `FileWriter.as_default`."""

    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer
        self._tokens: list[Any] = []

    def __enter__(self) -> FileWriter:
        self._tokens.append(_scoped.set(self._writer))
        return self._writer

    def __exit__(self, *exception: object) -> None:
        _scoped.reset(self._tokens.pop())


def default_writer() -> FileWriter | None:
    """The writer of the innermost scope, or that of the process; None if there is none."""
    return _scoped.get() or _Process.writer


def step_of(step: Any, writer: FileWriter | None) -> int:
    """The step of a summary as an int: the given one, or the writer's.

    Raises:
        SettingError: there is none, or it is not an integer.
    """
    given = step
    if step is None and writer is not None:
        step = writer.step
    if callable(step):
        step = step()
    if isinstance(step, Tensor) and step.shape == ():
        step = step.numpy().item()
    if hasattr(step, "__index__") and not isinstance(step, bool):
        return int(step.__index__())
    raise SettingError(
        "a summary needs a step.",
        expected="step=, an integer; or FileWriter(..., step=optimizer.step)",
        got=repr(given),
        fix="pass step= to the summary or to the writer",
    )


def _close(file: Any, process: int) -> None:
    if os.getpid() == process:  # in a forked child, closing would write the parent's buffer a second time
        file.close()
