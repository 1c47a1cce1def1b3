"""Operations of a graph: which function runs on which inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .defaults import evaluate
from .graphs import Graph

if TYPE_CHECKING:
    from .tensors import GraphTensor

__all__ = ["Operation"]


class Operation:
    """One call, recorded in a graph.

    Attributes:
        graph, name, type: the graph; the unique name; TensorFlow's name of the op, such as ``MatMul``.
        inputs: the tensors of the graph among the arguments.
        control_inputs: operations that run before this one.
        outputs: the tensors among the results.
        compute: ``values of inputs -> values of outputs``.
        reads, writes: the variables that the call reads and assigns.
        eager: whether it needs Python at each run, so that a run with it is not traced.
        prepare: called before each run with this operation.
        index: its place in the graph.
        region: the region that it belongs to, which another operation runs; None: a session runs it.
        variable: the variable, of an operation that is one.
    """

    element_kind = "Operation"
    back_prop = True  # whether gradients go through it

    def __init__(
        self,
        graph: Graph,
        name: str,
        type: str,
        inputs: Sequence[GraphTensor],
        compute: Callable[[list[Any]], list[Any]],
        *,
        eager: bool = False,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self.graph, self.name, self.type = graph, name, type
        self.inputs = list(inputs)
        self.control_inputs: list[Operation] = list(graph.controls)
        self.outputs: list[GraphTensor] = []
        self.compute = compute
        self.eager, self.prepare = eager, prepare
        self.reads: tuple[Any, ...] = ()
        self.writes: tuple[Any, ...] = ()
        self.index = len(graph.operations)
        self.region = graph.region
        for x in self.inputs:
            _check_region(self, x)
        self.device = ""
        self.variable: Any = None

    @property
    def op(self) -> Operation:
        """The operation itself."""
        return self

    @property
    def values(self) -> Callable[[], list[GraphTensor]]:
        """``values()`` are the outputs."""
        return lambda: list(self.outputs)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in a session, by default the innermost one."""
        evaluate("execute operation", self, feed_dict, session, self.graph)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"

    def __str__(self) -> str:
        lines = [f'name: "{self.name}"', f'op: "{self.type}"']
        lines += [f'input: "{x.name.removesuffix(":0")}"' for x in self.inputs]
        lines += [f'input: "^{x.name}"' for x in self.control_inputs]
        return "\n".join(lines) + "\n"


def _check_region(operation: Operation, x: GraphTensor) -> None:
    """Raise ValueError for an input from a branch or a loop's body that the operation is not in."""
    region = operation.region
    while region is not None and region is not x.op.region:
        region = region.parent
    if x.op.region is not region:
        raise ValueError(
            f"Cannot use {x.op.name!r} as input to {operation.name!r} because {x.op.name!r} is in a while loop or in a "
            "branch of tf.cond: return it from the function that makes it, and use the result."
        )
