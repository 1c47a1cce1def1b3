"""Name scopes: the first parts of the names of variables that are created inside."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Final

from ...mode import building
from ..graph.graphs import get_default_graph

__all__ = ["current_name_scope", "name_scope", "scoped_name"]

# With a slash at its end, unless it is empty.
_scope: Final[ContextVar[str]] = ContextVar("polytape.compat.tf1.name_scope", default="")


class name_scope:  # TensorFlow's name
    """A context manager: names of variables that are created inside begin with the scope's name.

    In a graph they are the names of operations, and the scope's is made unique. In eager mode it is not.

    Args:
        name: of the scope; "" or None leaves all scopes. One that ends in "/" is the whole name.
        default_name: the name if ``name`` is None.
        values: accepted for compatibility with TensorFlow, and ignored.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None) -> None:
        self._name = default_name if name is None else name
        self._tokens: list[Any] = []

    @property
    def name(self) -> str | None:
        """As passed, or the default name."""
        return self._name

    def __enter__(self) -> str:
        if building():
            scope = get_default_graph().name_scope(self._name)
            self._tokens.append(scope)
            return scope.__enter__()
        name = self._name or ""
        if name and not name.endswith("/"):
            name = f"{_scope.get()}{name}/"
        self._tokens.append(_scope.set(name))
        return name

    def __exit__(self, *exc_info: object) -> None:
        left = self._tokens.pop()
        if isinstance(left, Token):
            _scope.reset(left)
        else:
            left.__exit__(None, None, None)


def current_name_scope() -> str:
    """The name of the innermost scope, with a slash at its end; "" outside of all."""
    return get_default_graph().scope if building() else _scope.get()


def scoped_name(name: str) -> str:
    """A variable's name inside the current scope, ``scope/name:0``."""
    return f"{_scope.get()}{name}:0"
