"""The losses of a graph in its collections; part of ``tf.losses``."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, TypeVar

from ...dispatch.convert import asarray
from ...tensors.tensor import Tensor
from ..mode import building
from .graph.recording import record
from .tables import recorded
from .variables.collections import GraphKeys, add_to_collection, get_collection

__all__ = [
    "add_loss",
    "collected",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
]

F = TypeVar("F", bound=Callable[..., Any])


def collected(function: F) -> F:
    """A decorator: in a graph, the function's calls are operations, and their results are in a collection."""
    signature, call = inspect.signature(function), recorded("losses")(function)

    @functools.wraps(function)
    def loss(*args: Any, **kwargs: Any) -> Any:
        found = call(*args, **kwargs)
        if building():
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            add_loss(found, bound.arguments["loss_collection"])
        return found

    return loss  # type: ignore[return-value]  # the same signature


def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Add a loss to a graph's collection; nothing in eager mode, where no loss is kept."""
    if building() and loss_collection:
        add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """The losses in a collection; in eager mode only those that the program has added itself."""
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The losses of the regularizers of `tf.get_variable`, as they were when the variables were created."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Any:
    """The sum of `get_regularization_losses`; 0.0 if there are none."""
    return _total(get_regularization_losses(scope), name)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    """The sum of `get_losses` and, unless it is left out, of `get_regularization_losses`."""
    return _total([*get_losses(), *(get_regularization_losses() if add_regularization_losses else ())], name)


def _total(parts: list[Any], name: str) -> Any:
    if building() and parts:
        return record(lambda given: functools.reduce(operator.add, given), parts, "AddN", name)
    total: Tensor = asarray(0.0)
    for part in parts:
        total = total + part
    return total
