"""A graph from a file as a trace that is ready to be called, and differentiated by calling its ops again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...placement.default_backend import device as device_scope
from ...random.generator import WORDS, Draws
from ...tensors.scope import current_scope
from ...tensors.tensor import Tensor
from ..concrete import Concrete
from ..interpreting import interpret
from ..ir import Graph, Source
from ..signature import Structure
from ..tracing import Trace
from .assembling import State
from .parsing import Description
from .values import Slot

__all__ = ["LoadedConcrete", "results_of"]


class LoadedConcrete(Concrete):
    """A trace whose graph comes from a file.

    Args:
        graph: the graph.
        structure: of the results, with `Slot` for each tensor.
        state: what the graph refers to.
    """

    def __init__(self, graph: Graph, structure: Structure, state: State) -> None:
        self.loaded = graph
        self.structure = structure
        slots = [(leaf.which, position) for position, leaf in enumerate(structure.leaves) if isinstance(leaf, Slot)]
        self.output_positions = [position for _, position in sorted(slots)]
        structure.leaves = [None if isinstance(leaf, Slot) else leaf for leaf in structure.leaves]
        self.state = state
        inputs = [(x.name, x.type, x.symbol.shape) for x in graph.arguments]
        super().__init__(graph.name, inputs, self.interpreted, True)

    def record(self) -> tuple[Graph, tuple[Callable[[], bool], ...]]:
        """The graph, in place of a trace."""
        return self.loaded, ()

    def interpreted(self, tensors: list[Tensor]) -> Any:
        """Call the ops one by one: inside another trace, or under a tape that needs their gradients."""
        graph = self.loaded
        with device_scope(self.state.device):
            values = [value for source in graph.sources for value in _values(source)]
            everything = replace(graph, outputs=graph.results(), writes=())
            results = interpret(everything, [*tensors, *self.variables, *values])
        count = len(graph.outputs)
        for (variable, _), value in zip(graph.writes, results[count:], strict=True):
            variable.assign(value)
        return self.rebuild(results[:count])


def results_of(description: Description, state: State, read: Callable[[str], Any]) -> Structure:
    """The results' structure, with `Slot` for each tensor.

    Args:
        description, state: the graph and what it refers to.
        read: returns the array of a tensor of the file.
    """

    def filled(tree: Any) -> Any:
        if isinstance(tree, Slot) and tree.kind == "variable":
            return state.variables[tree.which]
        if isinstance(tree, Slot) and tree.kind == "array":
            array = read(tree.which)
            array.flags.writeable = False
            return array
        if isinstance(tree, dict):
            return {key: filled(x) for key, x in tree.items()}
        if isinstance(tree, (list, tuple)):
            items = [filled(x) for x in tree]
            return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
        return tree

    return Structure(filled(description.results))


def _values(source: Source) -> list[Tensor]:
    """The values of a source, read at the start of each run of the trace around."""
    owner = source.owner
    if isinstance(source.read, Draws):
        return [owner.take(source.read.blocks * WORDS)]
    trace = current_scope.get().trace
    if isinstance(trace, Trace):
        outer = trace.source(owner, owner.read)
        return [outer.tensor(x.name, x.type, x.symbol.shape) for x in source.inputs]
    return [variable.read_value() for variable in owner.variables]
