"""Recording: which open tapes follow an op's operands, and the node that records the op for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import FLOATING
from ..registry.gradient_rule import GradientPlan
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..tensors.node import Node, Tape, leaf
from ..tensors.scope import Scope
from ..tensors.tensor import Symbol, Tensor

__all__ = ["active_tapes", "outputs_of", "record", "wrap"]

Tapes = tuple[Tape, ...]


def active_tapes(x: Tensor, scope: Scope) -> Tapes:
    """The open tapes of ``scope`` that follow ``x``; they start to watch a trainable variable at its first use."""
    node = x.node
    tapes = scope.tapes
    if node is None or not tapes:
        return ()
    if node.seen == scope.serial or node.tapes is tapes:
        for tape in tapes:
            # The context of a task that was started inside a tape still contains the tape after it has closed.
            if tape.closed:
                break
        else:
            return tapes
    following = [tape for tape in tapes if not tape.closed and (tape in node.tapes or tape.follows(x))]
    if len(following) < len(tapes):
        return tuple(following)
    if node.plan is None and not node.tapes:
        node.seen = scope.serial
    return tapes


def join(a: Tapes, b: Tapes, scope: Scope) -> Tapes:
    """The tapes in ``a`` or ``b``; if these are all open tapes, the tuple that all records of ``scope`` share."""
    if a is b or not b:
        return a
    if not a:
        return b
    union = tuple([tape for tape in scope.tapes if tape in a or tape in b])
    return scope.tapes if len(union) == len(scope.tapes) else union


def follow(inputs: Sequence[Tensor | None], scope: Scope) -> tuple[Tapes, int]:
    """The open tapes of ``scope`` that follow any of these tensors, and a bit mask of the followed tensors."""
    tapes: Tapes = ()
    watched = 0
    if len(scope.tapes) == 1:
        return followed_by_one(inputs, scope)
    for position, x in enumerate(inputs):
        following = () if x is None else active_tapes(x, scope)
        if following:
            watched |= 1 << position
            tapes = join(tapes, following, scope)
    return tapes, watched


def followed_by_one(inputs: Sequence[Tensor | None], scope: Scope) -> tuple[Tapes, int]:
    """As `follow`, for a scope with one tape."""
    tapes, serial = scope.tapes, scope.serial
    tape = tapes[0]
    watched = 0
    if tape.closed:
        return (), 0
    for position, x in enumerate(inputs):
        node = None if x is None else x.node
        if node is None:
            continue
        if node.seen != serial and node.tapes is not tapes:
            if tape not in node.tapes and not tape.follows(x):
                continue
            if node.plan is None and not node.tapes:
                node.seen = serial
        watched |= 1 << position
    return (tapes if watched else ()), watched


def wrap(array: Any, tensor_type: Any, node: Node | None) -> Tensor:
    """A tensor on ``array``. A symbolic tensor always has a node, which keeps it off the fast path."""
    if node is None and isinstance(array, Symbol):
        node = leaf(tensor_type, array.shape)
    return Tensor(array, tensor_type, node)


def record(
    op: Op,
    resolution: Resolution,
    plan: GradientPlan,
    tapes: Tapes,
    nodes: tuple[Node | None, ...],
    arrays: tuple[Any, ...],
    attributes: dict[str, Any] | None,
    result: Any,
) -> Node:
    """The node that records an op with one output, with the arrays and shapes that ``plan`` keeps."""
    shape = result.shape
    count = len(nodes)
    if count == 1:
        kept: tuple[Any, ...] = (arrays[0] if plan.keep[0] else None, result if plan.keep_y else None)
        shapes: tuple[Any, ...] = (
            (shape if op.elementwise and not attributes else arrays[0].shape) if plan.keep_shape[0] else None,
        )
    elif count == 2:
        keep = plan.keep
        keep_shape = plan.keep_shape
        kept = (
            arrays[0] if keep[0] else None,
            arrays[1] if keep[1] else None,
            result if plan.keep_y else None,
        )
        shapes = (arrays[0].shape if keep_shape[0] else None, arrays[1].shape if keep_shape[1] else None)
    else:
        kept = (*kept_arrays(plan, arrays), result if plan.keep_y else None)
        shapes = kept_shapes(plan, arrays)
    return Node(
        tapes, op, attributes, plan, nodes, kept, resolution.operand_types, shapes, resolution.result_type, shape
    )


def kept_arrays(plan: GradientPlan, arrays: tuple[Any, ...]) -> list[Any]:
    """The array of each operand, or None if no rule needs it."""
    keep = plan.keep
    return [array if keep[position] else None for position, array in enumerate(arrays)]


def kept_shapes(plan: GradientPlan, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape of each operand, or None if its array is kept or the shape is not needed."""
    keep = plan.keep_shape
    return tuple([array.shape if keep[position] else None for position, array in enumerate(arrays)])


def record_several(
    op: Op,
    resolution: Resolution,
    plan: GradientPlan,
    tapes: Tapes,
    nodes: tuple[Node | None, ...],
    arrays: tuple[Any, ...],
    attributes: dict[str, Any] | None,
    results: list[Any],
) -> list[Tensor]:
    """The outputs of an op with several, each with a node whose parent is the node of the op."""
    result_types = tuple(resolution.result_types)
    shapes = tuple([result.shape for result in results])
    kept = (*kept_arrays(plan, arrays), tuple(results) if plan.keep_y else None)
    node = Node(
        tapes,
        op,
        attributes,
        plan,
        nodes,
        kept,
        resolution.operand_types,
        kept_shapes(plan, arrays),
        result_types,
        shapes,
    )
    return outputs_of(node, results)


def outputs_of(node: Node, results: list[Any]) -> list[Tensor]:
    """The outputs of the op with several that ``node`` records."""
    return [
        wrap(results[index], tensor_type, output_node(node, index) if tensor_type.category >= FLOATING else None)
        for index, tensor_type in enumerate(node.type)
    ]


def output_node(node: Node, index: int) -> Node:
    """The node of output ``index`` of the op that ``node`` records."""
    return Node(node.tapes, None, None, None, (node,), (), (), (), node.type[index], node.shape[index], index)
