"""The initializers of variables, and the lists of a graph's variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...mode import building
from ..variables.collections import GraphKeys, get_collection
from .grouping import group
from .operations import Operation
from .variables import graph_variable

__all__ = [
    "all_variables",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "tables_initializer",
    "trainable_variables",
    "variables_initializer",
]


def _listing(key: str, doc: str) -> Any:
    def variables(scope: str | None = None) -> list[Any]:
        return get_collection(key, scope)

    variables.__doc__ = f"""{doc}; in eager mode none, because objects own them.

    Args:
        scope: a regular expression; only variables whose name begins with it are returned.
    """
    return variables


global_variables = _listing(GraphKeys.GLOBAL_VARIABLES, "The variables of the current graph that are saved")
local_variables = _listing(GraphKeys.LOCAL_VARIABLES, "The variables of the current graph that are not saved")
model_variables = _listing(GraphKeys.MODEL_VARIABLES, "The current graph's variables of models")
trainable_variables = _listing(GraphKeys.TRAINABLE_VARIABLES, "The variables of the current graph that are trained")
moving_average_variables = _listing(
    GraphKeys.MOVING_AVERAGE_VARIABLES, "The variables of the current graph that have moving averages"
)
all_variables = global_variables


def variables_initializer(var_list: Sequence[Any], name: str = "init") -> Operation | None:
    """An operation that gives variables their initial values; in eager mode nothing, because they have them."""
    if not building():
        return None
    known = [graph_variable(variable) for variable in var_list]
    return group(*[found.initializer for found in known if found is not None], name=name)


def global_variables_initializer() -> Operation | None:
    """As `variables_initializer`, for all global variables."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation | None:
    """As `variables_initializer`, for all local variables."""
    return variables_initializer(local_variables())


def tables_initializer(name: str = "init_all_tables") -> Operation | None:
    """An operation that does nothing: there are no tables."""
    return group(name=name) if building() else None


initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
initialize_variables = variables_initializer
