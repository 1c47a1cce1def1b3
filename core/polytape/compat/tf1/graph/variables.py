"""Variables of a graph: polytape's own, whose values belong to sessions.

Outside of a session's run such a variable has a symbol in the place of its array, so that a computation with it raises
an error and never takes a stale value. A session puts its arrays into the variables while it runs.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import ref

from ....graph.tracing import user_line
from ....nn.building import outside
from ....ops.creation import zeros
from ....tensors.tensor import Symbol, Tensor
from ....tensors.variable import Variable
from ..convert import tensor
from .graphs import Graph, get_default_graph
from .recording import record
from .tensors import GraphTensor

__all__ = ["GraphVariable", "adopt", "assigned_value", "connect_made", "constant", "create", "graph_variable"]


class GraphVariable:
    """What a graph knows of one of its variables.

    Attributes:
        graph, variable, name: the graph; the variable; its name without ``:0``.
        symbol: takes the array's place outside of runs.
        initial: the array that a new session begins with; None if the variable has to be initialized.
        initial_value: a tensor of the graph. initializer: the operation that assigns it.
        tensor: the variable's own tensor, ``name:0``. snapshot: the one that reads it, ``name/read:0``.
        line: file and line where the program made it.
    """

    def __init__(self, graph: Graph, variable: Variable, name: str, initial: Any = None) -> None:
        self.graph, self.reference, self.name = graph, ref(variable), name
        self.symbol = Symbol(self, None, 0, tuple(variable.array.shape), variable.type.dtype)
        self.initial = initial
        self.initial_value: Any = None
        self.initializer: Any = None
        self.tensor: Any = None
        self.snapshot: Any = None
        self.line = user_line()

    @property
    def variable(self) -> Variable:
        """The variable."""
        found = self.reference()
        assert found is not None  # the graph keeps it alive
        return found


_known: Final[dict[int, GraphVariable]] = {}  # by id, as in `variables.members`


def graph_variable(x: Any) -> GraphVariable | None:
    """What a graph knows of a variable; None if it is not one of a graph."""
    found = _known.get(id(x))
    return found if found is not None and found.reference() is x else None


def adopt(graph: Graph, variable: Variable, name: str, keep_value: bool = False) -> GraphVariable:
    """Make a variable one of the graph.

    Args:
        keep_value: whether each new session begins with its present value.
    """
    found = GraphVariable(graph, variable, name, variable.array if keep_value else None)
    key = id(variable)
    found.reference = ref(variable, lambda _: _known.pop(key, None))
    _known[key] = found
    graph.variables.append(variable)
    variable.array = found.symbol
    return found


def create(
    initial_value: Any, trainable: bool, name: str | None, dtype: Any = None, default: str = "Variable"
) -> Variable:
    """A variable of the current graph, with its operations.

    Args:
        initial_value: a value, a tensor of the graph, or a function that returns one of these.
        trainable, dtype: of the variable.
        name: inside the current name scope, made unique.
    Raises:
        ValueError: there is no initial value, or its shape is not known.
    """
    graph = get_default_graph()
    full = graph.unique_name(name or default)
    before = graph.controls, graph.region
    graph.controls, graph.region = (), None  # no loop and no branch owns a variable
    try:
        with graph.name_scope(f"{full}/"):
            value = initial_value() if callable(initial_value) else initial_value
            if value is None:
                raise ValueError("initial_value must be specified.")
            initial = constant(value, dtype, "initial_value")
            if not initial.shape.is_fully_defined():
                raise ValueError(f"initial_value must have a shape specified: {initial}")
            return _made(graph, initial, trainable, full)
    finally:
        graph.controls, graph.region = before


def constant(value: Any, dtype: Any, name: str) -> Any:
    """``value`` as a tensor of the current graph."""
    if isinstance(value, GraphTensor) and (dtype is None or value.dtype == dtype):
        return value
    if isinstance(value, Variable) and graph_variable(value) is not None and dtype is None:
        return record(lambda x: x.read_value(), value, "Identity", name)
    return record(lambda x: tensor(x, dtype), value, "Const", name)


def _made(graph: Graph, initial: GraphTensor, trainable: bool, full: str) -> Variable:
    sizes = tuple([int(size) for size in initial.shape])
    with outside():
        variable = Variable(zeros(sizes, dtype=initial.tensor_type.dtype), None, f"{full}:0")
    if not trainable:
        variable.trainable = False
    connect(graph, variable, full, initial)
    return variable


def connect(graph: Graph, variable: Variable, full: str, initial: GraphTensor) -> None:
    """Make a variable one of the graph, with the operations that initialize and read it.

    Args:
        full: its whole name, which is the current name scope too.
        initial: its initial value.
    """
    found = adopt(graph, variable, full)
    found.initial_value = initial
    found.tensor = reading(variable, "VariableV2", f"{full}/")
    found.tensor.is_ref = True
    found.tensor.op.variable = variable
    assigned = record(lambda given: assigned_value(*given), [variable, initial], "Assign", "Assign")
    assigned.is_ref = True
    found.initializer = assigned.op
    found.snapshot = reading(variable, "Identity", "read")


def connect_made(variable: Variable, name: str) -> None:
    """Make a variable that polytape created, such as an optimizer's, one of the current graph.

    Args:
        name: its whole name. Its present value is the initial one.
    """
    graph = get_default_graph()
    full = graph.unique(name)
    variable.name = f"{full}:0"
    with outside():
        value = Tensor(variable.array, variable.type, None)
    controls, graph.controls = graph.controls, ()
    try:
        with graph.name_scope(f"{full}/"):
            connect(graph, variable, full, record(lambda x: tensor(x), value, "Const", "Initializer/zeros"))
    finally:
        graph.controls = controls


def reading(variable: Variable, type: str, name: str) -> GraphTensor:
    """An operation that reads a variable."""
    found: GraphTensor = record(lambda x: x.read_value(), variable, type, name)
    return found


def assigned_value(variable: Variable, value: Any) -> Any:
    """The variable's value after the assignment."""
    found = tensor(value, variable.type.dtype)
    variable.assign(found)
    return found  # reading the variable would count as needing a value
