"""`tf.gradients`: an operation that differentiates what a run computes between two sets of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ....dtypes import FLOATING
from ....tensors.variable import Variable
from ..convert import tensor
from .graphs import Graph, get_default_graph
from .operations import Operation
from .recording import named
from .slices import GraphSlices, lookups, whole_of
from .tensors import GraphTensor
from .variables import constant, graph_variable

__all__ = ["GradientOperation", "gradients"]

# Ops without a gradient in TensorFlow 1.7.0 although their results are floating.
NOT_DIFFERENTIABLE: Final = frozenset(
    (
        "StopGradient", "ZerosLike", "OnesLike", "Shape", "Size", "Rank", "Floor", "Ceil", "Rint", "Round", "PyFunc",
        "Const", "Placeholder", "Fill", "Assign", "AssignAdd", "AssignSub",
    )
)  # fmt: skip


class GradientOperation(Operation):
    """Computes the gradients of ``targets`` by ``sources``, from a tape that a run opens for it.

    Attributes:
        targets: tensors of the graph. weights: the gradient of each target, or None.
        sources: tensors and variables of the graph, each of which a target depends on.
    """

    def __init__(self, graph: Graph, name: str, targets: Any, weights: Any, sources: Sequence[Any]) -> None:
        self.targets, self.weights, self.sources = list(targets), list(weights), list(sources)
        given = [x for x in weights if x is not None]
        tensors = [x for x in sources if isinstance(x, GraphTensor)]
        super().__init__(graph, name, "Gradients", [*targets, *given, *tensors], _by_a_tape)
        self.reads = tuple(x for x in sources if isinstance(x, Variable))
        for index, source in enumerate(sources):
            known = source if isinstance(source, GraphTensor) else graph_variable(source).tensor  # type: ignore[union-attr]  # it is one
            self.outputs.append(GraphTensor(self, index, known.tensor_type, known.shape, ()))

    def differentiate(self, tape: Any, values: dict[Any, Any]) -> list[Any]:
        """The gradients, from the tape and the values of the run so far."""
        targets = [tensor(values[x]) for x in self.targets]
        weights = None
        if any(x is not None for x in self.weights):
            weights = [
                None if x is None else tensor(values[x], values[y].type.dtype)
                for x, y in zip(self.weights, self.targets, strict=True)
            ]
        sources = [values[x] if isinstance(x, GraphTensor) else x for x in self.sources]
        found = tape.gradient(targets, sources, weights, sparse=True)
        return [
            _zeros(source) if gradient is None else gradient for gradient, source in zip(found, sources, strict=True)
        ]


def _zeros(source: Any) -> Any:
    from ....ops.creation import zeros

    return zeros(tuple(source.array.shape), dtype=source.type.dtype)


def _by_a_tape(values: list[Any]) -> list[Any]:
    raise AssertionError("a run differentiates with its tape")


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: object = None,
    stop_gradients: Any = None,
) -> list[Any]:
    """The gradients of the sum of ``ys`` by each of ``xs``; None for one that no ``y`` depends on.

    Args:
        ys, xs: a tensor, or a list of tensors; ``xs`` may be variables.
        grad_ys: the gradient of each of ``ys``; ones by default.
        name: the name scope of the gradients.
        stop_gradients: tensors that count as constants.
        colocate_gradients_with_ops, gate_gradients, aggregation_method: accepted for compatibility, and ignored.
    """
    targets, sources = _listed(ys), _listed(xs)
    weights = _listed(grad_ys) if grad_ys is not None else [None] * len(targets)
    if len(weights) != len(targets):
        raise ValueError(f"Passed {len(weights)} grad_ys for {len(targets)} ys")
    graph = get_default_graph()
    targets = [as_tensor(y) for y in targets]
    weights = [None if x is None else constant(x, None, "grad_ys") for x in weights]
    stops = {id(as_tensor(x)) for x in _listed(stop_gradients or [])}
    floating = [y for y in targets if y.tensor_type.category >= FLOATING]
    reached = upstream(floating, stops)
    connected = [x for x in sources if _key(x) in reached]
    if not connected:
        return [None] * len(sources)
    if graph.region is not None:
        _check_inside(graph.region, floating, connected, stops)
    with graph.name_scope(name):
        operation = GradientOperation(graph, named(graph, "grad"), targets, weights, connected)
    graph.add(operation)
    remaining = iter(operation.outputs)
    return [_by_rows(next(remaining), x, reached) if _key(x) in reached else None for x in sources]


def _check_inside(region: Any, targets: Sequence[GraphTensor], sources: Sequence[Any], stops: set[int]) -> None:
    """Raise if a target depends on a source by an operation around the region, whose result is a number in there."""
    seen: set[int] = set()
    left = [x for x in targets]
    while left:
        x = left.pop()
        if id(x) in seen or id(x) in stops or x.op.type in NOT_DIFFERENTIABLE:
            continue
        seen.add(id(x))
        if x.op.region is region:
            left += x.op.inputs
        elif not any(_key(y) == id(x) for y in sources) and upstream([x], stops) & {_key(y) for y in sources}:
            raise NotImplementedError(
                f"tf.gradients in a branch or a loop cannot follow {x.name}, which is computed around it and depends "
                "on one of xs. Compute it in the function of the branch or the loop, or call tf.gradients outside."
            )


def _by_rows(gradient: GraphTensor, source: Any, reached: set[int]) -> Any:
    """The gradient, as `GraphSlices` if it is of a variable from which only rows are taken."""
    if not isinstance(source, Variable):
        return gradient
    ops = lookups(gradient.graph, source, reached)
    return GraphSlices(gradient, ops) if ops else gradient


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_tensor(x: Any) -> Any:
    """A variable as the tensor that reads it."""
    x = whole_of(x)
    found = graph_variable(x)
    return x if found is None else found.snapshot


def _key(x: Any) -> int:
    """What identifies a source: a variable, whether it is given as itself or as a tensor that reads it."""
    return id(x)


def upstream(targets: Sequence[GraphTensor], stops: set[int]) -> set[int]:
    """The ids of the tensors and variables that the targets depend on differentiably, the targets included."""
    found: set[int] = set()
    left = [x for x in targets]
    while left:
        x = left.pop()
        if id(x) in found or x.tensor_type.category < FLOATING:
            continue
        found.add(id(x))
        if id(x) in stops or x.op.type in NOT_DIFFERENTIABLE or not x.op.back_prop:
            continue
        found.update(id(variable) for variable in x.op.reads)
        left += x.op.inputs
    return found
