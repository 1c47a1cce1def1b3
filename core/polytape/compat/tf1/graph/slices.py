"""Gradients by rows in a graph: what `tf.gradients` gives for a variable from which only rows are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ....autodiff.indexed_slices import IndexedSlices
from ....dtypes import INTEGER, int32, int64
from ....ops.creation import arange
from ....registry.tensor_type import get_tensor_type
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ..convert import tensor
from ..shapes import TensorShape
from .graphs import Graph
from .kinds import Kind, added
from .operations import Operation
from .tensors import GraphTensor
from .variables import graph_variable

__all__ = ["GraphSlices", "IndexedSlicesValue", "in_parts", "lookups", "whole_of"]


class IndexedSlicesValue(NamedTuple):
    """What a session returns for a gradient by rows."""

    values: Any
    indices: Any
    dense_shape: Any


class GraphSlices(IndexedSlices):
    """A gradient by rows. Functions take it as the tensor ``whole``, whose value in a run has rows only.

    Args:
        whole: the gradient.
        ops: the operations that take rows of the variable.
    """

    def __init__(self, whole: GraphTensor, ops: Sequence[Operation]) -> None:
        graph, type = whole.graph, whole.tensor_type
        dtypes = {x.tensor_type.dtype for op in ops for x in op.inputs} or {int32}
        counts = [_count(op.outputs[0].shape, whole.shape) for op in ops]
        count = None if None in counts else sum(counts)  # type: ignore[arg-type]  # none is None
        rows = TensorShape([count]).concatenate(whole.shape[1:])
        indices = get_tensor_type(type.backend, type.device, dtypes.pop() if len(dtypes) == 1 else int64)
        sizes = get_tensor_type(type.backend, type.device, int32)
        scope = f"{whole.op.name.rpartition('/')[0]}/{ops[0].name}_grad/"

        def part(name: str, kind: Kind, read: Callable[[IndexedSlices], Any]) -> GraphTensor:
            return _part(graph, whole, f"{scope}{name}", kind, read)

        self.whole = whole
        self.values = part("Reshape", Kind(type, rows), lambda x: x.values)  # type: ignore[assignment]  # of a graph
        self.indices = part("Reshape_1", Kind(indices, TensorShape([count])), lambda x: x.indices)  # type: ignore[assignment]
        shape = Kind(sizes, TensorShape([whole.shape.ndims]))
        self.dense_shape = part("ToInt32", shape, lambda x: tensor(list(x.dense_shape)))  # type: ignore[assignment]
        self.unique = self.merged = False

    @property
    def op(self) -> Operation:
        """The operation that gives the values."""
        op: Operation = self.values.op  # type: ignore[attr-defined]  # of a graph
        return op

    @property
    def name(self) -> str:
        """The name of the values."""
        return str(self.values.name)  # type: ignore[attr-defined]  # of a graph

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self.whole.graph

    @property
    def device(self) -> str:
        """Empty: a session chooses the device."""
        return self.whole.device

    def to_dense(self) -> Any:
        """The whole gradient."""
        return self.whole

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.IndexedSlices object {self.name!r}>"

    def __str__(self) -> str:
        return f"IndexedSlices(indices={self.indices}, values={self.values}, dense_shape={self.dense_shape})"


def _count(taken: TensorShape, whole: TensorShape) -> int | None:
    """How many rows a result of this shape has."""
    if taken.ndims is None or whole.ndims is None:
        return None
    return taken[: taken.ndims + 1 - whole.ndims].num_elements()  # type: ignore[no-any-return]  # of a slice


def _part(graph: Graph, whole: GraphTensor, name: str, kind: Kind, read: Callable[[IndexedSlices], Any]) -> GraphTensor:
    def compute(values: list[Any]) -> list[Any]:
        return [read(_by_rows(values[0]))]

    operation = Operation(graph, graph.unique(name), name.rpartition("/")[2].removesuffix("_1"), [whole], compute)
    found: GraphTensor = added(operation, [kind.output(operation, 0)])[0]
    return found


def _by_rows(x: Any) -> IndexedSlices:
    """A gradient by rows; one that a part of a run has made whole has all rows."""
    if isinstance(x, IndexedSlices):
        return x
    found: Tensor = x
    return IndexedSlices(found, arange(found.shape[0], dtype=int32, device=found.device), found.shape, unique=True)


def whole_of(x: Any) -> Any:
    """The tensor that functions take."""
    return x.whole if isinstance(x, GraphSlices) else x


def in_parts(x: Any) -> Any:
    """What a session fetches."""
    return IndexedSlicesValue(x.values, x.indices, x.dense_shape) if isinstance(x, GraphSlices) else x


def lookups(graph: Graph, variable: Variable, reached: set[int]) -> list[Operation]:
    """The operations through which tensors depend on a variable, if all of them only take rows of it; else none."""
    known = graph_variable(variable)
    assert known is not None
    users = [
        op
        for op in graph.operations
        if any(id(x) in reached for x in op.outputs)
        and (any(x is variable for x in op.reads) or any(x is known.snapshot for x in op.inputs))
    ]
    whole = any(op.type != "Gather" or any(x.tensor_type.category > INTEGER for x in op.inputs) for op in users)
    return [] if whole else users
