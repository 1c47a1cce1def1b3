"""TensorFlow 1.7's ``tf.contrib.summary``: summaries for TensorBoard, over `polytape.summary`.

As in TensorFlow, nothing is recorded outside of `always_record_summaries` and `record_summaries_every_n_global_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from .... import summary
from ....summary.writer import FileWriter, default_writer
from ...mode import need_eager
from ..train.steps import get_or_create_global_step
from ..variables.names import current_name_scope

__all__ = [
    "SummaryWriter",
    "always_record_summaries",
    "audio",
    "create_file_writer",
    "create_summary_file_writer",
    "flush",
    "generic",
    "graph",
    "histogram",
    "image",
    "initialize",
    "never_record_summaries",
    "record_summaries_every_n_global_steps",
    "scalar",
    "should_record_summaries",
]

_records: Final[ContextVar[Any]] = ContextVar("polytape.compat.tf1.summaries", default=False)


class SummaryWriter:
    """Writes summaries to a folder. `create_file_writer` makes one.

    Args:
        writer: None writes nothing.
    """

    def __init__(self, writer: FileWriter | None) -> None:
        self._writer = writer

    def set_as_default(self) -> None:
        """Let summaries go here, in all threads, outside of any other scope."""
        if self._writer is not None:
            self._writer.set_as_default()

    @contextmanager
    def as_default(self) -> Iterator[SummaryWriter]:
        """A context manager: inside, summaries go here. At its end, they are in the file."""
        if self._writer is None:
            yield self
            return
        with self._writer.as_default():
            yield self
        self._writer.flush()

    def flush(self) -> None:
        """Give everything written so far to the operating system."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        if self._writer is not None:
            self._writer.close()


def create_file_writer(
    logdir: str | None,
    max_queue: int | None = None,
    flush_millis: int | None = None,
    filename_suffix: str | None = None,
    name: str | None = None,
) -> SummaryWriter:
    """A writer of an event file in a folder.

    Args:
        logdir: the folder; None makes a writer that writes nothing.
        flush_millis: how long a summary may stay in the process, in milliseconds; default: 120000.
        max_queue, filename_suffix, name: accepted for compatibility with TensorFlow, and ignored.
    """
    need_eager("contrib.summary.create_file_writer")
    if logdir is None:
        return SummaryWriter(None)
    seconds = 120.0 if flush_millis is None else flush_millis / 1000.0
    return SummaryWriter(FileWriter(logdir, flush_seconds=seconds))


create_summary_file_writer = create_file_writer  # the older name, which TensorFlow 1.7's own examples use


def should_record_summaries() -> bool:
    """Whether summaries are recorded here."""
    records = _records.get()
    return bool(records() if callable(records) else records)


@contextmanager
def _recording(records: Any) -> Iterator[None]:
    token = _records.set(records)
    try:
        yield
    finally:
        _records.reset(token)


def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Any:
    """A context manager: inside, summaries are recorded if the global step is a multiple of ``n``."""
    step = get_or_create_global_step() if global_step is None else global_step
    return _recording(lambda: int(step) % n == 0)


def always_record_summaries() -> Any:
    """A context manager: inside, all summaries are recorded."""
    return _recording(True)


def never_record_summaries() -> Any:
    """A context manager: inside, no summary is recorded."""
    return _recording(False)


def _target(name: str, family: str | None, step: Any) -> dict[str, Any] | None:
    """The name and the step of a summary; None if it is not recorded."""
    need_eager("contrib.summary")
    if default_writer() is None or not should_record_summaries():
        return None
    prefix = current_name_scope()
    tag = f"{family}/{prefix}{family}/{name}" if family else f"{prefix}{name}"
    return {"name": tag, "step": get_or_create_global_step() if step is None else step}


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> None:
    """Record a number.

    Args:
        name: its name, behind the current name scope's.
        tensor: a number, or a real tensor of one element.
        family: the first part of the name.
        step: default: the global step.
    """
    target = _target(name, family, step)
    if target:
        summary.scalar(target["name"], tensor, step=target["step"])


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> None:
    """Record the distribution of values; arguments as for `scalar`."""
    target = _target(name, family, step)
    if target:
        summary.histogram(target["name"], tensor, step=target["step"])


def image(
    name: str,
    tensor: Any,
    bad_color: Any = None,
    max_images: int = 3,
    family: str | None = None,
    step: Any = None,
) -> None:
    """Record images [batch, height, width, channels]; ``bad_color`` is ignored, other arguments as for `scalar`."""
    target = _target(name, family, step)
    if target:
        summary.image(target["name"], tensor, step=target["step"], max_images=max_images)


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int, family: str | None = None, step: Any = None
) -> None:
    """Raise NotImplementedError if it is recorded: event files of polytape have no sound."""
    if _target(name, family, step):
        raise NotImplementedError("polytape.summary records no sound: write the samples to a file of their own")


def generic(name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None) -> None:
    """Record a tensor as text, since TensorBoard draws none without a plugin; arguments as for `scalar`."""
    target = _target(name, family, step)
    if target:
        summary.text(target["name"], str(tensor), step=target["step"])


def graph(param: Any, step: Any = None, name: str | None = None) -> None:
    """Write the graph of a traced function, ``f.graph(*args)`` of a `tfe.defun`."""
    if default_writer() is not None:
        summary.graph(param)


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """Give everything that a writer, by default the default one, has written to the operating system."""
    target: Any = default_writer() if writer is None else writer
    if target is not None:
        target.flush()


def initialize(graph: Any = None, session: object = None) -> None:
    """Nothing: in eager mode a writer is ready when it is created."""
