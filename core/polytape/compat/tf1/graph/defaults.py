"""The session that `Tensor.eval` and `Operation.run` use: that of the innermost ``with`` block."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from .graphs import Graph

__all__ = ["evaluate", "get_default_session", "open_sessions", "session_states"]

open_sessions: Final[ContextVar[tuple[Any, ...]]] = ContextVar("polytape.compat.tf1.sessions", default=())
# What operations keep for the session that runs them, such as an iterator's position.
session_states: Final[ContextVar[dict[Any, Any]]] = ContextVar("polytape.compat.tf1.states")


def get_default_session() -> Any:
    """The session of the innermost ``with session:`` block, or the last `InteractiveSession`; None if there is none."""
    sessions = open_sessions.get()
    return sessions[-1] if sessions else None


def evaluate(what: str, fetch: Any, feed_dict: Any, session: Any, graph: Graph) -> Any:
    """Run ``fetch`` in a session, by default the innermost one.

    Args:
        what: how the error calls it.
        fetch, feed_dict: as for `Session.run`.
        session: the session, or None.
        graph: the graph of ``fetch``.
    Raises:
        ValueError: there is no session, or it is of another graph.
    """
    if session is None:
        session = get_default_session()
        if session is None:
            raise ValueError(
                f"Cannot {what} using `{'eval' if 'tensor' in what else 'run'}()`: No default session is registered. "
                f"Use `with sess.as_default()` or pass an explicit session to `{_call(what)}(session=sess)`"
            )
        if session.graph is not graph:
            raise ValueError(
                f"Cannot use the default session to {what}: the {_noun(what)}'s graph is different from the session's "
                "graph. Pass an explicit session to `" + _call(what) + "(session=sess)`."
            )
    elif session.graph is not graph:
        raise ValueError(
            f"Cannot use the given session to {what}: the {_noun(what)}'s graph is different from the session's graph."
        )
    return session.run(fetch, feed_dict)


def _call(what: str) -> str:
    return "eval" if "tensor" in what else "run"


def _noun(what: str) -> str:
    return "tensor" if "tensor" in what else "operation"
