"""Sessions: they hold the values of variables and run parts of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import numpy as np

from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ...mode import computing, executing_eagerly
from ..convert import tensor
from ..errors import FailedPreconditionError
from ..nesting import flattened, mapped
from .defaults import open_sessions, session_states
from .graphs import Graph, get_default_graph
from .planning import Plan, plan_for
from .random_states import drawing
from .running import run
from .slices import in_parts
from .tensors import GraphTensor
from .variables import graph_variable

__all__ = ["InteractiveSession", "Session"]

_RUNNING: Final = "running"  # of a graph's state that is the session whose run it is in


class Session:
    """Runs operations of a graph, with variables of its own values.

    Args:
        target, config: accepted for compatibility with TensorFlow, and ignored.
        graph: default: the current one.

    Raises:
        RuntimeError: eager execution is enabled.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        if graph is None and executing_eagerly():
            raise RuntimeError(f"tf.{type(self).__name__}() is not compatible with eager execution.")
        self._graph = get_default_graph() if graph is None else graph
        self._arrays: dict[int, Any] = {}  # by the variable's id: the graph keeps the variables alive
        self._states: dict[Any, Any] = {}
        self._closed = False
        self._depth: list[Any] = []
        self._random: dict[str, Any] = {}

    @property
    def graph(self) -> Graph:
        """The graph that the session runs."""
        return self._graph

    @property
    def sess_str(self) -> str:
        """Empty: there is no server."""
        return ""

    def list_devices(self) -> list[Any]:
        """Empty: polytape's devices are not TensorFlow's."""
        return []

    # --- running ----------------------------------------------------------------------------------------------------

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run what ``fetches`` need, and return their values.

        Args:
            fetches: tensors, variables, operations, names of these, or structures of them.
            feed_dict: by tensor of the graph, or its name, the value that it has in this run.
            options, run_metadata: accepted for compatibility with TensorFlow, and ignored.
        Returns:
            The structure of ``fetches``, with a NumPy array for each tensor and None for each operation.
        Raises:
            RuntimeError: the session is closed. TypeError, ValueError: a fetch or a feed is not of the graph, or a fed
                value does not fit. FailedPreconditionError: a variable has no value.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if not self._graph.operations:
            raise RuntimeError("The Session graph is empty.  Add operations to the graph before calling run().")
        fetches = mapped(in_parts, fetches)
        elements = [self._element(x) for x in flattened(fetches)]
        feeds = self._feeds(feed_dict or {})
        fed = [(variable, feeds.pop(x).array) for x, variable in _variables(feeds)]
        tensors = [x for x in elements if isinstance(x, GraphTensor)]
        variables = [x for x in elements if isinstance(x, Variable)]
        targets = [x for x in elements if not isinstance(x, (GraphTensor, Variable))]
        plan = plan_for(self._graph, targets, tensors, variables, list(feeds))
        with self._graph.lock, self._inside(fed):
            results = run(plan, list(feeds.values()), self._check(plan))
            with computing():
                arrays = [_host(x) for x in results]
            for place, x in enumerate(tensors):
                if x in feeds:  # as it was given: TensorFlow makes no scalar of it
                    arrays[place] = np.asarray(arrays[place])
        values = iter(arrays[: len(tensors)]), iter(arrays[len(tensors) :])
        leaves = iter([_chosen(x, *values) for x in elements])
        return mapped(lambda _: next(leaves), fetches)

    def _element(self, fetch: Any) -> Any:
        found = graph_variable(fetch)
        if found is not None:
            if found.graph is not self._graph:
                raise ValueError(
                    f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. (It is of another graph.)"
                )
            return fetch
        try:
            element = self._graph.as_graph_element(fetch)
        except TypeError as error:
            if fetch is None:
                raise TypeError(f"Fetch argument {fetch!r} has invalid type {type(fetch)!r}") from None
            raise TypeError(
                f"Fetch argument {fetch!r} has invalid type {type(fetch)}, must be a string or Tensor. ({error})"
            ) from None
        except (ValueError, KeyError) as error:
            raise ValueError(f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error})") from None
        if element.op.region is not None:
            raise ValueError(f"Operation {element.op.name!r} has been marked as not fetchable.")
        variable = getattr(element.op, "variable", None)
        return element if variable is None or element is element.op else variable

    def _feeds(self, feed_dict: Any) -> dict[GraphTensor, Any]:
        if not isinstance(feed_dict, dict):
            raise TypeError(f"The value of a feed must be a dict, not {type(feed_dict).__name__}: {feed_dict!r}")
        found: dict[GraphTensor, Any] = {}
        for key, value in feed_dict.items():
            parts = zip(key, value, strict=True) if isinstance(key, (tuple, list)) else [(key, value)]
            for part, given in parts:
                x = self._fed(part)
                found[x] = _feed(x, given)
        return found

    def _fed(self, key: Any) -> GraphTensor:
        try:
            found: GraphTensor = self._graph.as_graph_element(key, allow_operation=False)
        except (TypeError, ValueError, KeyError) as error:
            raise TypeError(
                f"Cannot interpret feed_dict key as Tensor: {error.args[0] if error.args else error}"
            ) from None
        return found

    @contextmanager
    def holding(self, needed: Iterable[Variable] = ()) -> Iterator[None]:
        """A context manager: inside, the variables have this session's values, and calls compute at once.

        Raises:
            RuntimeError: the session is closed. FailedPreconditionError: a variable in ``needed`` has no value.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        self._check_values(needed)
        with self._graph.lock, self._bound(), computing():
            yield

    def _check(self, plan: Plan) -> bool:
        """Whether the run may be traced: it initializes no variable. Raises if it needs one without a value."""
        self._check_values(plan.needed)
        return all(map(self.has_value, plan.written))

    def _check_values(self, variables: Iterable[Variable]) -> None:
        for variable in variables:
            if not self.has_value(variable):
                name = variable.name.removesuffix(":0")
                raise FailedPreconditionError(None, None, f"Attempting to use uninitialized value {name}")

    def has_value(self, variable: Variable) -> bool:
        """Whether a variable has a value; one that is not the graph's, such as a generator's state, always has."""
        known = graph_variable(variable)
        if known is None or id(variable) in self._arrays:
            return True
        return self._graph.states.get(_RUNNING) is self and variable.array is not known.symbol

    @contextmanager
    def _stateful(self) -> Iterator[None]:
        """A context manager: inside, operations find what they keep for this session."""
        token = session_states.set(self._states)
        try:
            yield
        finally:
            session_states.reset(token)

    # --- variables --------------------------------------------------------------------------------------------------

    @contextmanager
    def _inside(self, fed: list[tuple[Variable, Any]]) -> Iterator[None]:
        """A context manager: inside, variables and generators have this session's values, and some those of feeds."""
        states = self._graph.states
        outer = states.get(_RUNNING)
        with ExitStack() as scopes:
            if outer is not self:  # a Python function in the graph may run its own session again
                for scope in (self._bound(), self._stateful(), drawing(self._random, self._graph.seed)):
                    scopes.enter_context(scope)
            states[_RUNNING] = self
            before = [variable.array for variable, _ in fed]
            try:
                for variable, array in fed:
                    variable.array = array
                yield
            finally:
                states[_RUNNING] = outer
                for (variable, array), previous in zip(fed, before, strict=True):
                    if variable.array is array:  # the run did not assign it
                        variable.array = previous

    @contextmanager
    def _bound(self) -> Iterator[None]:
        """A context manager: inside, the graph's variables have this session's values."""
        variables = list(self._graph.variables)
        before = [variable.array for variable in variables]
        arrays = self._arrays
        for variable in variables:
            known = graph_variable(variable)
            assert known is not None
            if id(variable) not in arrays and known.initial is not None:
                arrays[id(variable)] = known.initial
            variable.array = arrays.get(id(variable), known.symbol)
        try:
            yield
        finally:
            for variable, array in zip(variables, before, strict=True):
                known = graph_variable(variable)
                if known is not None and variable.array is not known.symbol:
                    arrays[id(variable)] = variable.array
                variable.array = array

    # --- life -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Forget the values of the variables; the session cannot run any more."""
        self._closed = True
        self._arrays = {}

    @contextmanager
    def as_default(self) -> Iterator[Session]:
        """A context manager: `Tensor.eval` and `Operation.run` inside use this session."""
        token = open_sessions.set((*open_sessions.get(), self))
        try:
            yield self
        finally:
            open_sessions.reset(token)

    def __enter__(self) -> Session:
        scopes = [self._graph.as_default(), self.as_default()]
        for scope in scopes:
            scope.__enter__()
        self._depth.append(scopes)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        for scope in reversed(self._depth.pop()):
            scope.__exit__(None, None, None)
        self.close()


class InteractiveSession(Session):
    """A session that `Tensor.eval` and `Operation.run` use from its creation on, until it is closed."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        open_sessions.set((*open_sessions.get(), self))

    def close(self) -> None:
        """As `Session.close`; the session is not the default one any more."""
        super().close()
        open_sessions.set(tuple(x for x in open_sessions.get() if x is not self))


def _chosen(element: Any, tensors: Iterator[Any], variables: Iterator[Any]) -> Any:
    if isinstance(element, GraphTensor):
        return next(tensors)
    return next(variables) if isinstance(element, Variable) else None


def _variables(feeds: dict[GraphTensor, Any]) -> list[tuple[GraphTensor, Variable]]:
    """The feeds of variables: by their own tensors or by those that read them, which not all their users go through."""
    found = []
    for x in feeds:
        variables = [x.op.variable] if x.op.variable is not None else x.op.reads
        known = graph_variable(variables[0]) if len(variables) == 1 else None
        if known is not None and (x is known.tensor or x is known.snapshot):
            found.append((x, known.variable))
    return found


def _host(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return x.numpy() if hasattr(x, "numpy") else x  # strings are bytes
    host = np.array(Tensor.numpy(x))  # the program may write into what it fetched
    return host[()] if host.ndim == 0 else host


def _feed(x: GraphTensor, value: Any) -> Tensor:
    if isinstance(value, GraphTensor):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, "
            f"lists, numpy ndarrays, or TensorHandles.For reference, the tensor object was {value} which was passed to "
            f"the feed with key {x}."
        )
    if isinstance(value, np.ndarray) and value.dtype == object:  # such as a column of mixed data
        value = value.tolist()
    found = tensor(value, x.tensor_type.dtype)
    shape = tuple(found.array.shape)
    if not x.shape.is_compatible_with(shape):
        raise ValueError(f"Cannot feed value of shape {shape} for Tensor {x.name!r}, which has shape '{x.shape}'")
    return found
