"""Operations that only order others."""

from __future__ import annotations

from typing import Any

from .graphs import get_default_graph
from .operations import Operation
from .recording import named, record
from .variables import graph_variable

__all__ = ["group", "no_op", "tuple"]


def group(*inputs: Any, name: str = "group_deps") -> Operation:
    """An operation that runs all ``inputs``: operations, tensors and variables of the current graph.

    Args:
        name: of the operation.
    Raises:
        TypeError: an input is none of these.
    """
    graph = get_default_graph()
    found = Operation(graph, named(graph, name), "NoOp", [], _nothing)
    for x in inputs:
        known = graph_variable(x)
        element = graph.as_graph_element(x if known is None else known.tensor)
        found.control_inputs.append(element.op)
    graph.add(found)
    return found


def tuple(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The tensors, none of which has a value before all of them and ``control_inputs`` have run; None stays None.

    Raises:
        ValueError: all are None.
    """
    graph = get_default_graph()
    known = [graph_variable(x) for x in tensors]
    given = [x if variable is None else variable.snapshot for x, variable in zip(tensors, known, strict=True)]
    if all(x is None for x in given):
        raise ValueError("Must have at least one Tensor: " + repr(tensors))
    with graph.name_scope(name or "tuple"):
        gate = group(*[x for x in given if x is not None], *(control_inputs or ()), name="group_deps")
        with graph.control_dependencies([gate]):
            return [None if x is None else _same(x) for x in given]


def _same(x: Any) -> Any:
    return record(lambda value: value, x, "Identity", "control_dependency")


def no_op(name: str = "NoOp") -> Operation:
    """An operation that does nothing."""
    return group(name=name)


def _nothing(_: list[Any]) -> list[Any]:
    return []
