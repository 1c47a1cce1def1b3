"""What the gradients of control flow share: the gradient of a region, and which form of control flow runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff.arguments import independent
from ..autodiff.batching.interpreter import Batching
from ..autodiff.cotangent import expanded, zeros_like
from ..autodiff.tape import GradientTape
from ..dtypes import FLOATING
from ..graph.interpreting import interpret
from ..graph.ir import Graph
from ..graph.tracing import Trace
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor

__all__ = ["batch", "batch_in_graph", "floating", "is_traced", "pull"]


def _around(trace: Any) -> Any:
    """The trace that decides what an op does: `polytape.recompute` passes ops on to the trace around it."""
    while trace is not None and not isinstance(trace, (Trace, Batching)):
        trace = trace.outer
    return trace


def is_traced() -> bool:
    """Whether control flow becomes an equation now."""
    return isinstance(_around(current_scope.get().trace), Trace)


def batch() -> Batching | None:
    """The batch that control flow runs in, if it runs in one."""
    trace = _around(current_scope.get().trace)
    return trace if isinstance(trace, Batching) else None


def batch_in_graph() -> Batching | None:
    """The batch, if it is in a traced function and nothing inside it records: then its loops can be equations."""
    scope = current_scope.get()
    trace = scope.trace
    if not isinstance(trace, Batching) or scope.tapes:
        return None
    return trace if isinstance(_around(trace.outer.trace), Trace) else None


def floating(tensors: Sequence[Any]) -> list[int]:
    """The positions of the floating tensors."""
    return [k for k, x in enumerate(tensors) if x.type.category >= FLOATING]


def pull(
    graph: Graph, inputs: Sequence[Tensor], sources: Sequence[int], cotangents: Sequence[Tensor | None]
) -> list[Tensor]:
    """The gradients of a region's results with respect to some of its inputs: zeros where nothing is connected.

    Args:
        graph: the region; it runs again.
        inputs: all of them.
        sources: positions of floating inputs.
        cotangents: of each result, None where there is none.
    """
    # A tape that is open around this one follows an operand through `independent`; a leaf costs no equation.
    scope = current_scope.get()
    taped = bool(scope.tapes)
    if scope.trace is not None:
        inputs = [scope.trace.read(x) for x in inputs]  # captured as they are, before a leaf replaces their node
    handles = list(inputs)
    for k in sources:
        handles[k] = independent(inputs[k]) if taped else Tensor(inputs[k].array, inputs[k].type, None)
    with GradientTape(watch_accessed_variables=False) as tape:
        watched = [handles[k] for k in sources]
        for k, x in zip(sources, tape.watch_arguments(watched), strict=True):
            handles[k] = x
        results = interpret(graph, handles)
    pairs = [(y, expanded(g, y.shape)) for y, g in zip(results, cotangents, strict=True) if g is not None]
    found: list[Any] = [None] * len(watched)
    if pairs:
        found = tape.gradient([y for y, _ in pairs], watched, [g for _, g in pairs])
    return [zeros_like(x) if g is None else expanded(g, x.shape) for x, g in zip(watched, found, strict=True)]
