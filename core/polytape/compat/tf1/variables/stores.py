"""Variable stores: they count the scopes of a program and, if asked to, keep its variables by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from ....tensors.variable import Variable
from ...mode import building, need_eager
from ..graph.graphs import get_default_graph
from .creation import create
from .members import shared_name

__all__ = [
    "AUTO_REUSE",
    "EagerVariableStore",
    "VariableStore",
    "current_store",
    "default_store",
    "graph_store",
    "with_store",
]


class _AutoReuse:
    """The type of `AUTO_REUSE`."""

    def __repr__(self) -> str:
        return "AUTO_REUSE"


AUTO_REUSE: Final = _AutoReuse()


class VariableStore:
    """Counts of the scopes that were opened, so that default names are unique; and variables by name.

    Args:
        keeps: whether it keeps variables. Otherwise a variable exists as long as the program refers to it, as any
            object does in eager mode.
    """

    def __init__(self, keeps: bool = False) -> None:
        self.keeps = keeps
        self.variables: dict[str, Variable] = {}
        self.counts: dict[str, int] = {}

    def open_scope(self, name: str) -> None:
        """Count one more scope of this name."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def close_subscopes(self, name: str) -> None:
        """Forget the scopes below ``name``: the next scope of this name numbers its own from 0 again."""
        for known in self.counts:
            if not name or known.startswith(f"{name}/"):
                self.counts[known] = 0

    def unique_name(self, prefix: str, name: str) -> str:
        """``name``, or ``name_1`` and so on if there was a scope of this name below ``prefix``."""
        path = f"{prefix}/{name}" if prefix else name
        if not self.counts.get(path, 0):
            return name
        number = 1
        while self.counts.get(f"{path}_{number}", 0):
            number += 1
        return f"{name}_{number}"


_default: Final = VariableStore()
_current: Final[ContextVar[VariableStore]] = ContextVar("polytape.compat.tf1.store", default=_default)


def default_store() -> VariableStore:
    """The store outside of any other."""
    return _default


def current_store() -> VariableStore:
    """The store that `get_variable` uses here."""
    found = _current.get()
    return graph_store() if found is _default and building() else found


def graph_store() -> VariableStore:
    """The store of the current graph."""
    states = get_default_graph().states
    store: VariableStore = states.setdefault("variable_store", None) or VariableStore(keeps=True)
    states["variable_store"] = store
    return store


@contextmanager
def with_store(store: VariableStore) -> Iterator[None]:
    """A context manager: inside, `get_variable` uses ``store``."""
    token = _current.set(store)
    try:
        yield
    finally:
        _current.reset(token)


class EagerVariableStore:
    """Keeps the variables of functional layers by name, so that the next call of a layer of that name finds them.

    Args:
        store: for TensorFlow's own use; leave it out.

    Example:
        >>> from polytape.compat import tf1 as tf, tfe
        >>> tf.enable_eager_execution()  # doctest: +SKIP
        >>> store = tfe.EagerVariableStore()  # doctest: +SKIP
        >>> with store.as_default():  # doctest: +SKIP
        ...     y = tf.layers.dense(x, 10, name="l1")
    """

    def __init__(self, store: VariableStore | None = None) -> None:
        need_eager("EagerVariableStore")
        if store is not None and not store.keeps:
            raise ValueError(
                "Cannot construct EagerVariableStore from a VariableStore object that does not hold eager variables."
            )
        self._store = VariableStore(keeps=True) if store is None else store

    def as_default(self) -> object:
        """A context manager: inside, `get_variable` and the functions of ``tf.layers`` keep their variables here."""
        return with_store(self._store)

    def variables(self) -> list[Variable]:
        """The variables, sorted by name."""
        return sorted(self._store.variables.values(), key=lambda variable: variable.name)

    def trainable_variables(self) -> list[Variable]:
        """Those of `variables` that are trained."""
        return [variable for variable in self.variables() if variable.trainable]

    def non_trainable_variables(self) -> list[Variable]:
        """Those of `variables` that are not trained."""
        return [variable for variable in self.variables() if not variable.trainable]

    def copy(self) -> EagerVariableStore:
        """A store with new variables of the same names and values."""
        result = EagerVariableStore()
        for key, variable in self._store.variables.items():
            result._store.variables[key] = create(
                variable.read_value(), trainable=variable.trainable, name=shared_name(variable)
            )
        return result
