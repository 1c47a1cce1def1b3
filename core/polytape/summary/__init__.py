"""Summaries of a program's run, for TensorBoard: scalars, histograms, images, texts and graphs in event files.

`writer` is `FileWriter`, which owns an event file; `recording` holds the functions that write to the default writer;
`protos` makes TensorBoard's messages of tensors, by the package tensorboardX, and `graph_protos` those of graphs.

May import: `dispatch`, `errors`, `foreign_names`, `graph`, `tensors`.
"""

from __future__ import annotations

from .recording import every, graph, histogram, image, scalar, text
from .writer import FileWriter

__all__ = ["FileWriter", "every", "graph", "histogram", "image", "scalar", "text"]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("summary", name)
