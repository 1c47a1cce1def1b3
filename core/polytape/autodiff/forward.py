"""The forward pass: from tangents of sources to tangents of targets, along the nodes of one tape.

The tangent of an op's result is, in this order of preference: the op itself on the tangents, if it is linear in those
operands (`linearity`); its gradient rule on the tangent, if it is elementwise and real, so that its derivative is a
diagonal matrix, which equals its transpose; the transpose of its gradient rule. The last one works for every op: a
gradient rule is linear in ``g``, and the gradient of a linear function is its transpose
(docs/decisions/0009-forward-and-batched.md).
"""

from __future__ import annotations

from typing import Any

from ..dtypes import COMPLEX, FLOATING
from ..errors import TapeError
from ..registry import tables
from ..registry.op import Op
from ..tensors.node import Node, Tape
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor, operators
from .backward import BackwardPass, explain, operand_shape
from .calling import call_op
from .cotangent import adapted, expanded, unbroadcast
from .linearity import groups
from .ordering import belongs, reach
from .record import wrap
from .tape import GradientTape

__all__ = ["push_forward"]

Tangent = Tensor | None


def push_forward(tape: Tape, targets: list[Tensor], sources: list[Node], tangents: list[Tangent]) -> list[Tangent]:
    """The tangents of ``targets``, which ``tape`` has recorded.

    Args:
        tape: keeps its records, so it can be used again.
        targets: tensors.
        sources: nodes that the tape watches.
        tangents: of the sources, each with its source's shape and type; None for 0.
    Returns:
        Per target, a tensor of its shape and type; None if it does not depend on a source with a tangent.
    """
    starts = [x.node for x in targets if x.node is not None and belongs(tape, x.node)]
    values: dict[Node, Any] = {node: t for node, t in zip(sources, tangents, strict=True) if t is not None}
    given = frozenset(sources)
    scope = current_scope.get()
    push = _Push(tape, scope is not NO_SCOPE and (bool(scope.tapes) or scope.trace is not None))
    for node in reversed(reach(tape, starts)):
        if node in given or tape not in node.tapes:
            continue
        parents: list[Any] = [None if parent is None else values.get(parent) for parent in node.parents]
        if all(part is None for part in parents):
            continue
        if node.index >= 0:
            values[node] = parents[0][node.index]
            continue
        try:
            values[node] = push.through(node, parents)
        except Exception as error:
            explain(error, node)
            raise
    return [None if x.node is None else values.get(x.node) for x in targets]


class _Push:
    """The state of one forward pass: its tape, and what calls the gradient rules of its nodes."""

    def __init__(self, tape: Tape, taped: bool) -> None:
        self.tape = tape
        self.state = BackwardPass(tape, taped, {})

    def through(self, node: Node, tangents: list[Tangent]) -> Any:
        """The tangent of one op's output, or a list with that of each output; None for 0."""
        plan, op = node.plan, node.op
        if plan is None or op is None:
            raise TapeError("the tape's records have been freed", fix="report this: forward mode keeps its tape")
        if plan.body:
            return self.through_body(node, op, tangents)
        if op.outputs is not None:
            return self.transposed(node, op, tangents)
        total: Tangent = None
        left = tangents
        if not (op.elementwise and _is_real(node)):
            total, left = self.linear(node, op, tangents)
        if any(t is not None for t in left):
            diagonal = op.elementwise and _is_real(node)
            rest = self.diagonal(node, left) if diagonal else self.transposed(node, op, left)
            total = _sum(total, rest)
        return None if total is None else expanded(adapted(total, node.type), node.shape)

    # --- linear ops -----------------------------------------------------------------------------------------------

    def linear(self, node: Node, op: Op, tangents: list[Tangent]) -> tuple[Tangent, list[Tangent]]:
        """The part of the tangent that comes from operands in which the op is linear; the other tangents."""
        total: Tangent = None
        left = list(tangents)
        if tables.find_op(op.name) is not op:
            return None, left
        for group in groups(op.name):
            members = [position for position in range(len(tangents)) if op.operand_name(position) in group]
            if all(tangents[position] is None for position in members):
                continue
            operands = [self.operand(node, position) for position in range(len(tangents))]
            for position in members:
                operands[position] = self.tangent_or_zeros(node, position, tangents[position])
            missing = [k for k, x in enumerate(operands) if x is None and node.operand_types[k] is not None]
            if missing:
                continue  # the record keeps only what the gradient rules need
            total = _sum(total, call_op(op, operands, node.attributes or {}))
            for position in members:
                left[position] = None
        return total, left

    def operand(self, node: Node, position: int) -> Tensor | None:
        """An operand, if the record keeps it."""
        array, tensor_type = node.arrays[position], node.operand_types[position]
        if array is None or tensor_type is None:
            return None
        return self.state.handle(array, tensor_type, node.parents[position])

    def tangent_or_zeros(self, node: Node, position: int, tangent: Tangent) -> Tangent:
        """The tangent of an operand, zeros if it has none; None if the record does not keep its shape."""
        if tangent is not None:
            return tangent
        array, shape, tensor_type = node.arrays[position], node.shapes[position], node.operand_types[position]
        if tensor_type is None or (array is None and shape is None):
            return None
        return expanded(wrap(tensor_type.scalar(0.0), tensor_type, None), operand_shape(node, position))

    # --- elementwise ops ------------------------------------------------------------------------------------------

    def diagonal(self, node: Node, tangents: list[Tangent]) -> Tangent:
        """The tangent of a real elementwise op: its gradient rules on the tangents, which broadcast as operands do."""
        plan = node.plan
        total: Tangent = None
        for rule, first in zip(plan.rules if plan else (), plan.positions if plan else (), strict=True):
            served = (first,) if len(rule.operands) == 1 else rule.operands
            for index, position in enumerate(served):
                tangent = tangents[position]
                if tangent is None:
                    continue
                g = expanded(adapted(tangent, node.type), node.shape)
                result = self.state.call(rule, node, g, position)
                part = result if len(rule.operands) == 1 else result[index]
                if part is not None:
                    total = _sum(total, adapted(part, node.type))
        return total

    # --- any op ---------------------------------------------------------------------------------------------------

    def transposed(self, node: Node, op: Op, tangents: list[Tangent]) -> Any:
        """The tangent as the transpose of the gradient rules, computed as the gradient of these with respect to g."""
        several = op.outputs is not None
        tensor_types = node.type if several else (node.type,)
        shapes = node.shape if several else (node.shape,)
        zeros = [
            expanded(wrap(kind.scalar(0.0), kind, None), shape) if kind.category >= FLOATING else None
            for kind, shape in zip(tensor_types, shapes, strict=True)
        ]
        # New handles: an array of shape () is shared, and so its handle may be too.
        seeds = [None if x is None else Tensor(x.array, x.type, None) for x in zeros]
        sources = [x for x in seeds if x is not None]
        with GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(sources)
            g = op.outputs(*seeds) if several else seeds[0]
            pulled = self.pulled(node, op, g, tangents)
        _require_recorded(op, inner, pulled)
        results = [x for x, _ in pulled]
        weights = [t for _, t in pulled]
        gradients: list[Any] = inner.gradient(results, sources, weights) if results else [None] * len(sources)
        if not several:
            return gradients[0]
        left = iter(gradients)
        return [None if x is None else next(left) for x in seeds]

    def pulled(self, node: Node, op: Op, g: Any, tangents: list[Tangent]) -> list[tuple[Tensor, Tensor]]:
        """What the gradient rules return for ``g``, in the shape of each operand, with that operand's tangent."""
        plan = node.plan
        pairs: list[tuple[Tensor, Tensor]] = []
        for rule, first in zip(plan.rules if plan else (), plan.positions if plan else (), strict=True):
            served = (first,) if len(rule.operands) == 1 else rule.operands
            if all(tangents[position] is None for position in served):
                continue
            result = self.state.call(rule, node, g, first)
            parts = (result,) if len(rule.operands) == 1 else result
            for position, part in zip(served, parts, strict=True):
                tangent, kind = tangents[position], node.operand_types[position]
                if part is None or tangent is None or kind is None:
                    continue
                shape = operand_shape(node, position)
                if op.elementwise:
                    full = node.shape if op.outputs is None else node.shape[0]
                    part = unbroadcast(expanded(part, full), shape, full)
                pairs.append((expanded(adapted(part, kind), shape), expanded(adapted(tangent, kind), shape)))
        return pairs

    def through_body(self, node: Node, op: Op, tangents: list[Tangent]) -> Any:
        """The tangent of an op without gradient rules: that of its body, which runs again on a new tape."""
        operands = [self.operand(node, position) for position in range(len(tangents))]
        live = [position for position, t in enumerate(tangents) if t is not None]
        for position in live:
            # A new node for each operand: one tensor may be passed twice, with two tangents.
            operands[position] = operators.identity(operands[position])
        sources = [operands[position] for position in live]
        with GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(sources)
            y = op.run_body(operands, node.attributes or {})
        outputs = [y] if op.outputs is None else list(y)
        nodes = [x.node for x in sources if x is not None and x.node is not None]
        results = push_forward(inner, outputs, nodes, [tangents[position] for position in live])
        return results[0] if op.outputs is None else results


def _is_real(node: Node) -> bool:
    """Whether the result and every operand are real."""
    kinds = node.type if isinstance(node.type, tuple) else (node.type,)
    return all(kind is None or kind.category < COMPLEX for kind in (*kinds, *node.operand_types))


def _sum(a: Tangent, b: Tangent) -> Tangent:
    if a is None or b is None:
        return b if a is None else a
    total: Tensor = operators.add(a, b)
    return total


def _require_recorded(op: Op, tape: Tape, pulled: list[tuple[Tensor, Tensor]]) -> None:
    """Raise TapeError if a hand-written gradient leaves polytape's ops: its derivative would silently be 0."""
    if tables.find_op(op.name) is op:
        return
    for result, _ in pulled:
        if result.node is None or not belongs(tape, result.node):
            raise TapeError(
                f"forward mode cannot use the gradient of {op.name}.",
                expected="a gradient function that computes its result from its argument by polytape's ops",
                got="a result that does not depend on the argument, as far as a tape can tell",
                fix="compute it with polytape's ops; return None for an argument whose gradient is always 0",
            )
