"""`tf.train.write_graph`: a graph as a file for TensorBoard and other readers of ``GraphDef``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .graphs import Graph
from .summaries import graph_def

__all__ = ["write_graph"]


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Write a graph to a file.

    Args:
        graph_or_graph_def: a `tf.Graph`, or what its ``as_graph_def`` returned.
        logdir: the folder, which is made if it does not exist.
        name: of the file.
        as_text: whether to write text, and not bytes.
    Returns:
        The path of the file.
    """
    given = graph_or_graph_def
    message = graph_def(given) if isinstance(given, Graph) else given
    os.makedirs(logdir, exist_ok=True)
    path = Path(logdir) / name
    path.write_bytes(str(message).encode() if as_text else message.SerializeToString())
    return str(path)
