"""Graphs: operations in the order of their creation, with unique names, name scopes and collections."""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from ...mode import mode, recording

__all__ = ["Graph", "get_default_graph", "reset"]

Operation: TypeAlias = Any  # `operations.Operation`, which is made for a graph

_OP_NAME: Final = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\\-/]*$")
_SCOPE_NAME: Final = re.compile(r"^[A-Za-z0-9_.\\\-/]*$")


class Graph:
    """A graph of operations. ``with graph.as_default():`` makes it the one that calls are recorded in.

    Attributes:
        operations: in the order of their creation.
        variables: those of the graph, also such as have no operation of their own.
        collections: lists of objects by key.
        states: objects of the facade that belong to the graph, such as its variable scopes, by a name.
        seed: of `tf.set_random_seed`.
        finalized: whether no operation can be added any more.
        lock: held while a session runs a part of the graph, because variables have the session's values then.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.by_name: dict[str, Operation] = {}
        self.variables: list[Any] = []
        self.collections: dict[str, list[Any]] = {}
        self.states: dict[str, Any] = {}
        self.seed: int | None = None
        self.finalized = False
        self.lock = threading.RLock()
        self._names: dict[str, int] = {}
        self.scope = ""  # with a slash at its end, unless it is empty
        self.controls: tuple[Operation, ...] = ()
        self.region: Any = None  # the region that is being recorded; see `regions`

    # --- names ------------------------------------------------------------------------------------------------------

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """``name`` inside the current name scope, with a number if it is used already."""
        return self.unique(self.scope + name, mark_as_used)

    def unique(self, full: str, mark_as_used: bool = True) -> str:
        """A whole name, with a number if it is used already."""
        number = self._names.get(full, 0)
        if mark_as_used:
            self._names[full] = number + 1
        if not number:
            return full
        while f"{full}_{number}" in self._names:
            number += 1
        if mark_as_used:
            self._names[f"{full}_{number}"] = 1
        return f"{full}_{number}"

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """A context manager: names inside begin with that of the scope, which is made unique.

        Args:
            name: of the scope; "" or None leaves all scopes; one that ends in "/" is the whole name as it is.
        Returns:
            The scope's name, with a slash at its end.
        """
        before = self.scope
        self.scope = self.entered(name)
        try:
            yield self.scope
        finally:
            self.scope = before

    def entered(self, name: str | None) -> str:
        """The name of a scope that is opened now, with a slash at its end; see `name_scope`."""
        if not name:
            return ""
        pattern = _SCOPE_NAME if self.scope else _OP_NAME
        if not pattern.match(name):
            raise ValueError(f"'{name}' is not a valid scope name")
        return name if name.endswith("/") else self.unique_name(name) + "/"

    # --- parts ------------------------------------------------------------------------------------------------------

    def add(self, operation: Operation) -> None:
        """Append an operation.

        Raises:
            RuntimeError: the graph is finalized.
        """
        if self.finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        self.operations.append(operation)
        self.by_name[operation.name] = operation

    def get_operations(self) -> list[Operation]:
        """The operations, in the order of their creation."""
        return list(self.operations)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of this name.

        Raises:
            KeyError: there is none.
        """
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        found = self.as_graph_element(name, allow_tensor=False)
        return found

    def get_tensor_by_name(self, name: str) -> Any:
        """The tensor of this name, such as ``MatMul:0``.

        Raises:
            KeyError: there is none. ValueError: the name has no output's number.
        """
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_operation=False)

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The tensor or operation that ``obj``, an object of this graph or a name, stands for.

        Raises:
            KeyError: there is none of this name. ValueError: it is of another graph, or the name is of another form.
            TypeError: it is something else.
        """
        wanted = " or ".join(
            kind for kind, allowed in (("Tensor", allow_tensor), ("Operation", allow_operation)) if allowed
        )
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, str):
            return self._named(obj, wanted, allow_tensor, allow_operation)
        kind = getattr(obj, "element_kind", None)
        if (kind == "Tensor" and allow_tensor) or (kind == "Operation" and allow_operation):
            if obj.graph is not self:
                raise ValueError(f"{kind} {obj} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _named(self, name: str, wanted: str, allow_tensor: bool, allow_operation: bool) -> Any:
        if ":" in name and allow_tensor:
            op_name, _, index = name.partition(":")
            if not index.isdigit():
                raise ValueError(
                    f"The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor names must be of "
                    'the form "<op_name>:<output_index>".'
                )
            operation = self.by_name.get(op_name)
            if operation is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, does not "
                    "exist in the graph."
                )
            if int(index) >= len(operation.outputs):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, exists "
                    f"but only has {len(operation.outputs)} outputs."
                )
            return operation.outputs[int(index)]
        if ":" in name:
            raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {wanted}.")
        if not allow_operation:
            if name in self.by_name:
                raise ValueError(
                    f"The name {name!r} refers to an Operation, not a {wanted}. Tensor names must be of the form "
                    '"<op_name>:<output_index>".'
                )
            raise ValueError(
                f"The name {name!r} looks like an (invalid) Operation name, not a {wanted}. Tensor names must be of "
                'the form "<op_name>:<output_index>".'
            )
        if name not in self.by_name:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return self.by_name[name]

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a message ``GraphDef``, with names, types, inputs and shapes of the operations."""
        summaries: Any = importlib.import_module("polytape.compat.tf1.graph.summaries")
        return summaries.graph_def(self)

    def finalize(self) -> None:
        """Make the graph read-only."""
        self.finalized = True

    # --- scopes -----------------------------------------------------------------------------------------------------

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """A context manager: calls inside are recorded in this graph, also if eager execution is enabled."""
        token = _current.set((*_current.get(), self))
        try:
            with recording():
                yield self
        finally:
            _current.reset(token)

    @contextmanager
    def control_dependencies(self, control_inputs: Any) -> Iterator[None]:
        """A context manager: operations made inside run after ``control_inputs``; None forgets the outer ones."""
        before = self.controls
        if control_inputs is None:
            self.controls = ()
        else:
            elements = [self.as_graph_element(x) for x in control_inputs]
            self.controls = (*before, *[getattr(x, "op", x) for x in elements])
        try:
            yield
        finally:
            self.controls = before

    # --- collections ------------------------------------------------------------------------------------------------

    def add_to_collection(self, name: str, value: Any) -> None:
        """Append an object to a collection."""
        self.collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Append an object to several collections, each once."""
        for name in dict.fromkeys([names] if isinstance(names, str) else names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name: str) -> list[Any]:
        """The collection itself; changes of the list change the collection."""
        return self.collections.setdefault(name, [])

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """A copy of a collection.

        Args:
            name: of the collection.
            scope: a regular expression; only objects whose attribute ``name`` begins with it are returned.
        """
        values = list(self.collections.get(name, ()))
        if scope is None:
            return values
        begins = re.compile(scope).match
        return [value for value in values if begins(getattr(value, "name", "") or "")]

    def get_all_collection_keys(self) -> list[str]:
        """The names of the collections."""
        return [name for name in self.collections if isinstance(name, str)]

    def clear_collection(self, name: str) -> None:
        """Empty a collection."""
        self.collections.pop(name, None)


_current: Final[ContextVar[tuple[Graph, ...]]] = ContextVar("polytape.compat.tf1.graphs", default=())
_default: Final[list[Graph]] = []


def get_default_graph() -> Graph:
    """The graph that calls are recorded in: that of the innermost scope, or the process's."""
    inside = _current.get()
    if inside:
        return inside[-1]
    if not _default:
        _default.append(Graph())
        mode.graphs = True
    return _default[0]


def reset() -> None:
    """Replace the process's graph by an empty one.

    Raises:
        AssertionError: a graph's scope is open.
    """
    if _current.get():
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the "
            "nesting and create a new graph."
        )
    _default.clear()
