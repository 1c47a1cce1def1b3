"""TensorFlow 1.7's ``tf.summary``: summaries as values, and a writer that takes them.

In a graph, a summary is an operation; in eager mode, a message. `tf.contrib.summary` records summaries in eager mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...summary import protos, writer
from .graph.graphs import Graph
from .graph.summaries import definition, message
from .tables import switched
from .variables.names import current_name_scope

__all__ = ["FileWriter", "histogram", "image", "merge", "merge_all", "scalar", "text"]


class FileWriter:
    """Writes summaries to an event file in a folder.

    Args:
        logdir: the folder.
        graph: a graph, which is written at once for TensorBoard to draw.
        flush_secs: how long a summary may stay in the process, in seconds.
        max_queue, graph_def, filename_suffix: accepted for compatibility with TensorFlow, and ignored.
    """

    def __init__(
        self,
        logdir: str,
        graph: object = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: object = None,
        filename_suffix: str | None = None,
    ) -> None:
        self._writer = writer.FileWriter(logdir, flush_seconds=flush_secs)
        if graph is not None:
            self.add_graph(graph)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The folder."""
        return self._writer.logdir

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write what `scalar`, `histogram`, `image`, `text` or `merge` returned, or what a session gave for it.

        Args:
            summary: the summary.
            global_step: an integer, or an integer tensor of shape (); default: 0.
        """
        step = 0 if global_step is None else writer.step_of(global_step, None)
        found = message(summary) if isinstance(summary, bytes) else summary
        self._writer.add(step, *(found if isinstance(found, list) else [found]))

    def add_graph(self, graph: Any, global_step: Any = None) -> None:
        """Write a graph, for TensorBoard to draw.

        Args:
            graph: a `tf.Graph`. `polytape.summary.graph` writes that of a traced function.
            global_step: accepted for compatibility, and ignored.
        Raises:
            TypeError: it is no graph.
        """
        if not isinstance(graph, Graph):
            raise TypeError("The argument `graph` must be a `Graph`, such as tf.get_default_graph() or session.graph.")
        self._writer.add(0, graph_def=definition(graph))

    def add_run_metadata(self, run_metadata: object, tag: str, global_step: Any = None) -> None:
        """Nothing: `tf.RunMetadata` is empty here; `polytape.debug.profile` measures."""

    def flush(self) -> None:
        """Give everything written so far to the operating system."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()


def _tag(name: str, family: str | None) -> str:
    prefix = current_name_scope()
    return f"{family}/{prefix}{family}/{name}" if family else f"{prefix}{name}"


@switched("summaries")
def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Any:
    """The summary of a number, for `FileWriter.add_summary`."""
    return protos.scalar(_tag(name, family), tensor)


@switched("summaries")
def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Any:
    """The summary of the distribution of values."""
    return protos.histogram(_tag(name, family), values, "auto")


@switched("summaries")
def image(name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None) -> Any:
    """The summary of images [batch, height, width, channels]."""
    return protos.image(_tag(name, family), tensor, max_outputs)


@switched("summaries")
def text(name: str, tensor: str, collections: Any = None) -> Any:
    """The summary of a text."""
    return protos.text(_tag(name, None), tensor)


@switched("summaries")
def merge(inputs: Sequence[Any], collections: Any = None, name: str | None = None) -> list[Any]:
    """Several summaries as one."""
    return [part for each in inputs for part in (each if isinstance(each, list) else [each])]


@switched("summaries")
def merge_all(key: str = "summaries", scope: str | None = None) -> Any:
    """All summaries of a graph as one; None if there are none.

    Raises:
        RuntimeError: eager execution is enabled, where no graph collects summaries.
    """
    raise RuntimeError(
        "Merging tf.summary.* ops is not compatible with eager execution. Use tf.contrib.summary instead."
    )
