"""The session of Keras, which models use in graph mode without being given one."""

from __future__ import annotations

from typing import Any, Final

from ..variables.collections import GraphKeys, get_collection
from .defaults import get_default_session
from .graphs import get_default_graph
from .initializing import variables_initializer
from .sessions import Session

__all__ = ["close_session", "get_session", "set_session"]

_SESSION: Final = "keras session"  # of a graph's states


def get_session() -> Any:
    """The session of Keras: that of the innermost ``with`` block, or one that the graph keeps.

    All variables of the graph that have no value in it get their initial values.
    """
    graph = get_default_graph()
    session = get_default_session()
    if session is None or session.graph is not graph:
        session = graph.states.get(_SESSION)
        if session is None:
            session = graph.states[_SESSION] = Session(graph=graph)
    missing = [x for x in get_collection(GraphKeys.GLOBAL_VARIABLES) if not session.has_value(x)]
    if missing:
        session.run(variables_initializer(missing))
    return session


def set_session(session: Any) -> None:
    """Let Keras use this session for the current graph."""
    get_default_graph().states[_SESSION] = session


def close_session() -> None:
    """Close the session that the current graph keeps, if there is one."""
    session = get_default_graph().states.pop(_SESSION, None)
    if session is not None:
        session.close()
