"""The functions that write summaries to the default writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from ..errors import SettingError
from . import protos
from .writer import FileWriter, default_writer, step_of

__all__ = ["every", "graph", "histogram", "image", "scalar", "text"]

_every: Final[ContextVar[int]] = ContextVar("polytape.summary.every", default=1)


@contextmanager
def every(steps: int) -> Iterator[None]:
    """A context manager: inside, a summary is written only if its step is a multiple of ``steps``; never with 0.

    What is not written costs no more than a test of its step, if it is given as it is:
    ``summary.histogram("w", layer.w)`` reads no value then, but ``summary.scalar("loss", float(loss))`` does.

    Raises:
        SettingError: ``steps`` is not an integer, or is negative.

    Example:
        >>> import polytape as pt
        >>> with pt.summary.every(10):
        ...     pt.summary.scalar("loss", 0.5, step=3)
        False
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise SettingError(
            f"polytape.summary.every({steps!r}): not a number of steps.",
            expected="an integer that is not negative",
            got=repr(steps),
            fix="pass for example 10; 0 writes nothing",
        )
    token = _every.set(steps)
    try:
        yield
    finally:
        _every.reset(token)


def _chosen(name: str, step: Any, writer: FileWriter | None) -> tuple[FileWriter, int] | None:
    """The writer and the step of a summary; None if it is not written."""
    protos.check_name(name)
    writer = writer or default_writer()
    steps = _every.get()
    if writer is None or steps == 0:
        return None
    number = step_of(step, writer)
    return None if number % steps else (writer, number)


def scalar(name: str, value: Any, *, step: Any = None, writer: FileWriter | None = None) -> bool:
    """Write a number, such as a loss, which TensorBoard draws over the steps.

    Args:
        name: its name; those with the same part before the first ``/`` are shown together.
        value: a number, or a real tensor with one element.
        step: an integer; default: the writer's.
        writer: default: the default writer. Without any, nothing is written.
    Returns:
        Whether it was written.
    Raises:
        ShapeError, DTypeError: it is not a number. SettingError: there is no name or no step.
    Source:
        TensorFlow 2, ``tf.summary.scalar``.
    """
    chosen = _chosen(name, step, writer)
    if chosen:
        chosen[0].add(chosen[1], protos.scalar(name, value))
    return chosen is not None


def histogram(
    name: str,
    values: Any,
    *,
    step: Any = None,
    bins: str | int | Sequence[float] = "auto",
    writer: FileWriter | None = None,
) -> bool:
    """Write the distribution of values, such as a layer's weights, which TensorBoard draws over the steps.

    Args:
        name, step, writer: as for `scalar`.
        values: real[...], all finite.
        bins: as for ``numpy.histogram``.
    Returns:
        Whether it was written.
    Raises:
        ShapeError: there are no values. SettingError: a value is NaN or infinite.
    Source:
        TensorFlow 2, ``tf.summary.histogram``.
    """
    chosen = _chosen(name, step, writer)
    if chosen:
        chosen[0].add(chosen[1], protos.histogram(name, values, bins))
    return chosen is not None


def image(name: str, images: Any, *, step: Any = None, max_images: int = 3, writer: FileWriter | None = None) -> bool:
    """Write images.

    Args:
        name, step, writer: as for `scalar`; several images are named ``name/0``, ``name/1``, ...
        images: uint8 or floating[height, width, channels] or [batch, height, width, channels], with 1 (grey), 3 (RGB)
            or 4 (RGBA) channels; floating-point numbers from 0 to 1, others are clipped.
        max_images: of a batch, the first so many.
    Returns:
        Whether it was written.
    Raises:
        ShapeError, DTypeError: these are not images.
    Source:
        TensorFlow 2, ``tf.summary.image``.
    """
    chosen = _chosen(name, step, writer)
    if chosen:
        chosen[0].add(chosen[1], *protos.image(name, images, max_images))
    return chosen is not None


def text(name: str, value: str, *, step: Any = None, writer: FileWriter | None = None) -> bool:
    """Write a text, which TensorBoard shows as Markdown.

    Args:
        name, step, writer: as for `scalar`.
        value: the text.
    Returns:
        Whether it was written.
    Raises:
        DTypeError: ``value`` is not a str.
    Source:
        TensorFlow 2, ``tf.summary.text``.
    """
    chosen = _chosen(name, step, writer)
    if chosen:
        chosen[0].add(chosen[1], protos.text(name, value))
    return chosen is not None


def graph(value: Any, *, writer: FileWriter | None = None) -> bool:
    """Write a traced function's graph.

    Args:
        value: the graph, ``f.graph(*args)`` of a `polytape.function`.
        writer: as for `scalar`.
    Returns:
        Whether it was written.
    Raises:
        DTypeError: ``value`` is not a graph.
    Source:
        TensorFlow 2, ``tf.summary.graph``.
    """
    from .graph_protos import definition

    writer = writer or default_writer()
    if writer is not None:
        writer.add(0, graph_def=definition(value))
    return writer is not None
