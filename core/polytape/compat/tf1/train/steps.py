"""The global step: one counter of training steps per graph, or per process in eager mode."""

from __future__ import annotations

from typing import Any, Final

from .... import dtypes
from ....tensors.variable import Variable
from ...mode import building
from ..graph.graphs import get_default_graph
from ..variables.collections import GraphKeys
from ..variables.creation import create
from ..variables.names import name_scope

__all__ = [
    "assert_global_step",
    "clear",
    "create_global_step",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
]

_global_steps: Final[list[Variable]] = []


def _known(graph: Any) -> list[Any]:
    """The list of the step counter, which is empty before it is created."""
    if not building():
        return _global_steps
    found: list[Any] = (get_default_graph() if graph is None else graph).get_collection_ref(GraphKeys.GLOBAL_STEP)
    return found


def get_global_step(graph: Any = None) -> Variable | None:
    """The step counter of the graph, or of the process; None if it has not been created."""
    known = _known(graph)
    return known[0] if known else None


def create_global_step(graph: Any = None) -> Variable:
    """Create the step counter of the graph, or of the process: an int64 variable that starts at 0.

    Raises:
        ValueError: there is one.
    """
    known = _known(graph)
    if known:
        raise ValueError('"global_step" already exists.')
    keys = [GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP]
    with name_scope(None):
        step = create(0, trainable=False, name="global_step", dtype=dtypes.int64, collections=keys)
    if not building():
        known.append(step)
    return step


def get_or_create_global_step(graph: Any = None) -> Variable:
    """The step counter of the graph, or of the process: an int64 variable that starts at 0."""
    known = get_global_step(graph)
    return create_global_step(graph) if known is None else known


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The counter's value as an int, in a session; in eager mode ``sess`` is ignored."""
    return int(sess.run(global_step_tensor) if building() else global_step_tensor)


def assert_global_step(global_step_tensor: Any) -> None:
    """Raise TypeError unless this can count steps: an integer variable of shape ()."""
    if not isinstance(global_step_tensor, Variable):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if dtypes.category(global_step_tensor.dtype) != dtypes.INTEGER:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    if global_step_tensor.shape != ():
        raise TypeError(f'Existing "global_step" is not scalar: {global_step_tensor.shape}')


def clear() -> None:
    """Forget the step counter; the next `get_or_create_global_step` creates another one."""
    _global_steps.clear()
