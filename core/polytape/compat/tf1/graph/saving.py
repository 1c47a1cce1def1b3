"""Sessions as the owners of what `tf.train.Saver` and `tfe.Checkpoint` save and restore."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ....tensors.variable import Variable
from ..variables.collections import GraphKeys
from .defaults import get_default_session
from .graphs import get_default_graph
from .sessions import Session
from .tensors import GraphTensor
from .variables import graph_variable

__all__ = ["initialize_missing", "number_of", "saveable_variables", "session_for", "with_values"]


def saveable_variables() -> list[Variable]:
    """The variables that a `Saver` without a list saves: the global ones of the current graph."""
    graph = get_default_graph()
    keys = (GraphKeys.GLOBAL_VARIABLES, "saveable_objects")
    return list({id(x): x for key in keys for x in graph.get_collection(key)}.values())


def session_for(session: Any) -> Session:
    """The session that a call names, by default the innermost one.

    Raises:
        TypeError: there is none.
    """
    found = get_default_session() if session is None else session
    if not isinstance(found, Session):
        raise TypeError(f"Expected a tf.Session, whose variables have values; got {found!r}.")
    return found


def with_values(session: Session, call: Callable[[], Any], needed: Iterable[Variable] = ()) -> Any:
    """What ``call()`` returns while the variables have the session's values; what it assigns are these values then.

    Raises:
        FailedPreconditionError: one of the variables ``needed`` has no value.
    """
    with session.holding(needed):
        return call()


def number_of(session: Session, step: Any) -> int:
    """A global step, which may be a variable or a tensor of the graph, as a number."""
    return int(session.run(step) if isinstance(step, (Variable, GraphTensor)) else step)


def initialize_missing(session: Session, variables: Iterable[Variable]) -> None:
    """Run the initializers of the variables that have no value."""
    known = [graph_variable(x) for x in variables if not session.has_value(x)]
    session.run([each.initializer for each in known if each is not None and each.initializer is not None])
