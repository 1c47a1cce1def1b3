"""Collections: lists of objects by key, such as the losses of a program."""

from __future__ import annotations

from typing import Any, Final

from ...mode import building
from ..graph.graphs import Graph, get_default_graph

__all__ = ["GraphKeys", "add_to_collection", "clear", "get_collection", "get_collection_ref"]

# In eager mode the collections are those of a graph without operations.
_eager: Final[list[Graph]] = [Graph()]


def _graph() -> Graph:
    return get_default_graph() if building() else _eager[0]


class GraphKeys:
    """The names of TensorFlow's own collections.

    In a graph, variables are in those of their kind. In eager mode they are in none: objects own them. `get_variable`
    adds the losses of regularizers.
    """

    ACTIVATIONS = "activations"
    EVAL_STEP = "eval_step"
    GLOBAL_STEP = "global_step"
    GLOBAL_VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    LOSSES = "losses"
    METRIC_VARIABLES = "metric_variables"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    MODEL_VARIABLES = "model_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    SUMMARIES = "summaries"
    TRAINABLE_RESOURCE_VARIABLES = "trainable_resource_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    TRAIN_OP = "train_op"
    UPDATE_OPS = "update_ops"


def add_to_collection(name: str, value: Any) -> None:
    """Append an object to a collection."""
    _graph().add_to_collection(name, value)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """A copy of a collection.

    Args:
        key: its name.
        scope: a regular expression; only objects whose attribute ``name`` begins with it are returned.
    """
    return _graph().get_collection(key, scope)


def get_collection_ref(key: str) -> list[Any]:
    """The collection itself; changes of the list change the collection."""
    return _graph().get_collection_ref(key)


def clear() -> None:
    """Empty all collections of eager mode."""
    _eager[0] = Graph()
