"""Regions: parts of a graph that another operation runs, such as the branches of `tf.cond` and the body of a loop.

The function of a region is called once, while the graph is built. Its operations belong to the region: a session never
runs them by themselves. What they use from around it, the captures, are inputs of the operation that runs the region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polytape as pt

from ....tensors.scope import current_scope
from ....tensors.tensor import Tensor
from ..nesting import flattened, mapped
from .graphs import Graph, get_default_graph
from .kinds import Kind, ObjectTensor, added
from .operations import Operation
from .planning import Plan, needed
from .recording import named
from .running import computed
from .tensors import GraphTensor
from .variables import constant

__all__ = ["Region", "RegionOperation", "flow_of", "is_traced", "passed", "region_of"]


class Region:
    """Operations that another operation runs.

    Attributes:
        graph: the graph. parent: the region around it, or None.
        parameters: tensors of the region that get values when it runs.
        structure: what its function returned. results: the tensors in it.
        captures: the tensors from around it.
        controls: operations around it that have to run before it.
        eager: whether an operation in it needs Python at each run.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.parent = graph, graph.region
        self.parameters: list[GraphTensor] = []
        self.structure: Any = None
        self.results: list[GraphTensor] = []
        self.captures: list[GraphTensor] = []
        self.controls: list[Operation] = []
        self.eager = False
        self._plan: Plan | None = None
        self._operations: list[Operation] = []

    def finish(self) -> None:
        """Find out what the results need."""
        inside = [x.op for x in self.results if x.op.region is self]
        self._operations = needed(inside, set(), self)
        used = [x for op in self._operations for x in op.inputs] + self.results
        self.captures = list({id(x): x for x in used if x.op.region is not self}.values())
        self.controls = [op for inner in self._operations for op in inner.control_inputs if op.region is not self]
        self.eager = any(op.eager for op in self._operations)

    @property
    def reads(self) -> list[Any]:
        """The variables that it reads."""
        return [x for op in self._operations for x in op.reads]

    @property
    def writes(self) -> list[Any]:
        """The variables that it assigns."""
        return [x for op in self._operations for x in op.writes]

    def run(self, parameters: Sequence[Any], captured: dict[GraphTensor, Any]) -> list[Any]:
        """The values of the results.

        Args:
            parameters: the values of the parameters.
            captured: the values of tensors from around it, the captures among them.
        """
        if self._plan is None:
            operations = [op for op in self._operations if not isinstance(op, _Parameters)]
            self._plan = Plan(operations, self.results, (), [*self.parameters, *self.captures])
        return computed(self._plan, [*parameters, *[captured[x] for x in self.captures]])


class _Parameters(Operation):
    """Gives the parameters of a region; it never runs."""


class RegionOperation(Operation):
    """An operation that runs regions. Its inputs are its own operands, then what the regions capture.

    Args:
        name, type: of the operation.
        operands: the tensors of the graph that ``compute`` takes.
        regions: what it runs.
        compute: ``(values of operands, {capture: value}) -> values of outputs``.
        results: the kinds of the outputs.
        eager: whether it needs Python at each run, although no operation of its regions does.
        back_prop: whether gradients go through it.
    """

    def __init__(
        self,
        name: str,
        type: str,
        operands: Sequence[GraphTensor],
        regions: Sequence[Region],
        compute: Callable[[list[Any], dict[GraphTensor, Any]], Sequence[Any]],
        results: Sequence[Kind],
        eager: bool = False,
        back_prop: bool = True,
    ) -> None:
        self.back_prop = back_prop
        graph = get_default_graph()
        captures = list({id(x): x for region in regions for x in region.captures}.values())
        count = len(operands)

        def run(values: list[Any]) -> list[Any]:
            found = compute(values[:count], dict(zip(captures, values[count:], strict=True)))
            return list(found) if back_prop else [pt.stop_gradient(y) if isinstance(y, Tensor) else y for y in found]

        super().__init__(
            graph,
            named(graph, name),
            type,
            [*operands, *captures],
            run,
            eager=eager or any(region.eager for region in regions),
        )
        self.control_inputs += [op for region in regions for op in region.controls]
        self.reads = tuple([x for region in regions for x in region.reads])
        self.writes = tuple([x for region in regions for x in region.writes])
        self.outputs = [kind.output(self, index) for index, kind in enumerate(results)]
        graph.add(self)


def region_of(
    function: Callable[..., Any],
    parameters: Sequence[Kind],
    arguments: Callable[[Iterable[GraphTensor]], Sequence[Any]],
    name: str,
    results: Callable[[Any], Any] | None = None,
) -> Region:
    """Call ``function`` and record what it does as a region.

    Args:
        parameters: the kind of each tensor that the region is given.
        arguments: from these tensors to the function's arguments.
        name: of the parameters.
        results: from what the function returned to the results of the region.
    """
    graph = get_default_graph()
    region = Region(graph)
    with inside(region):
        if parameters:
            source = _Parameters(graph, named(graph, name), name, [], _never)
            region.parameters = added(source, [kind.output(source, k) for k, kind in enumerate(parameters)])
        found = function(*arguments(region.parameters))
        region.structure = mapped(_result, found if results is None else results(found))
        region.results = [flow_of(x) for x in flattened(region.structure) if x is not None]
    region.finish()
    return region


def _never(_: list[Any]) -> list[Any]:
    raise AssertionError("the operation that runs a region gives its parameters")


def _result(leaf: Any) -> Any:
    """A result as a tensor; an operation as a tensor that is computed after it."""
    if isinstance(leaf, Operation):
        graph = get_default_graph()
        with graph.control_dependencies([leaf]):
            return constant(True, None, "after")
    if leaf is None or hasattr(leaf, "flow"):
        return leaf
    return constant(leaf, None, "Const")


@contextmanager
def inside(region: Region) -> Iterator[None]:
    """A context manager: operations made inside belong to the region."""
    graph = region.graph
    before = graph.region, graph.controls
    graph.region, graph.controls = region, ()
    try:
        yield
    finally:
        graph.region, graph.controls = before


def is_traced() -> bool:
    """Whether a run is being traced, so that control flow must become part of the trace."""
    return current_scope.get().trace is not None


def flow_of(leaf: Any) -> GraphTensor:
    """A tensor of the graph, or the one that stands for a TensorArray."""
    return getattr(leaf, "flow", leaf)  # type: ignore[no-any-return]  # a tensor


def passed(x: GraphTensor, name: str) -> GraphTensor:
    """The output of an operation of this name, and the type of this name, that gives ``x``."""
    graph = get_default_graph()
    operation = Operation(graph, named(graph, name), name, [x], list, eager=isinstance(x, ObjectTensor))
    output = type(x)(operation, 0, x.tensor_type, x.shape, x.specs)
    return added(operation, [output])[0]  # type: ignore[no-any-return]  # the output
