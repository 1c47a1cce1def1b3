"""``tf.reset_default_graph``: the names of scopes and layers begin again."""

from __future__ import annotations

from ...mode import building
from ..graph import graphs
from ..layers import naming
from ..train import steps
from . import collections
from .stores import default_store

__all__ = ["reset_default_graph"]


def reset_default_graph() -> None:
    """Replace the default graph by an empty one, so that a program can begin again.

    In eager mode there is no graph; what TensorFlow keeps with it is forgotten: the names of scopes and layers, the
    collections and the global step. Variables and layers that exist stay as they are.
    """
    if building():
        graphs.reset()
    default_store().counts.clear()
    for counts in naming.counters:
        counts.clear()
    collections.clear()
    steps.clear()
