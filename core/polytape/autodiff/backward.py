"""The backward pass: from targets to sources along the nodes of one tape, calling gradient rules."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from ..registry.gradient_rule import ATTRIBUTE, INDEX, SEQUENCE, SHAPE_OF, SHAPES, G, GradientPlan, GradientRule, Y
from ..registry.op import Op
from ..tensors.node import Node, Tape
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor, operators
from .cotangent import adapted, expanded, unbroadcast
from .record import wrap

__all__ = ["backward"]

Shape = tuple[int, ...]
INSERTION: Final = 32


class BackwardPass:
    """One backward pass: whether handles get their nodes back, and the cotangents so far.

    A cotangent may be smaller than its node's shape; the node has the full one, which un-broadcasting needs.
    """

    __slots__ = ("cotangents", "tape", "taped")

    def __init__(self, tape: Tape, taped: bool) -> None:
        self.tape: Final = tape
        self.taped: Final = taped
        self.cotangents: dict[Node, Any] = {}

    def handle(self, array: Any, tensor_type: Any, node: Node | None) -> Tensor:
        """A tensor on a kept array; with its node only where an outer tape records."""
        if self.taped:
            return wrap(array, tensor_type, node)
        return Tensor(array, tensor_type, None)

    def add(self, node: Node, g: Tensor) -> None:
        """Add a cotangent to those of ``node``."""
        before = self.cotangents.get(node)
        self.cotangents[node] = g if before is None else operators.add.operate(before, g)

    def collect(self, node: Node, g: Tensor) -> None:
        """Put the cotangent of one output among those of the op that has several."""
        parent = node.parents[0]
        if parent is None:
            return
        parts = self.cotangents.get(parent)
        if parts is None:
            parts = self.cotangents[parent] = [None] * len(parent.type)
        parts[node.index] = g

    def pass_back(self, node: Node, g: Any) -> None:
        """Call the rules of one op's record and hand the results to its operands."""
        plan = node.plan
        op = node.op
        if node.index >= 0:
            self.collect(node, g)
            return
        if plan is None or op is None:
            return
        if op.outputs is not None:
            parts = [None if part is None else expanded(part, shape) for part, shape in zip(g, node.shape, strict=True)]
            g = op.outputs(*parts)
        if plan.body:
            self.through_body(node, g)
            return
        if op.elementwise:
            self.pass_elementwise(op, plan, node, g)
            return
        if op.outputs is None and g.array.shape != node.shape and not (op.partial and not g.array.shape):
            g = expanded(g, node.shape)
        for place in range(len(plan.rules)):
            rule = plan.rules[place]
            position = plan.positions[place]
            if len(rule.operands) == 1:
                self.give(node, position, self.call(rule, node, g, position))
            else:
                for operand, result in zip(rule.operands, self.call(rule, node, g, position), strict=True):
                    self.give(node, operand, result)

    def pass_elementwise(self, op: Op, plan: GradientPlan, node: Node, g: Any) -> None:
        """As `pass_back`, summing each result down to its operand's shape."""
        full: Shape = node.shape if op.outputs is None else node.shape[0]
        for place in range(len(plan.rules)):
            rule = plan.rules[place]
            position = plan.positions[place]
            shape = operand_shape(node, position) if len(node.parents) > 1 or node.attributes else full
            short = plan.contractions[place]
            if short is not None and not shape and full and self.is_full(short, node, g, full):
                self.give(node, position, self.call(short, node, g, position))
            elif len(rule.operands) == 1:
                result = self.call(rule, node, g, position)
                self.give(node, position, result if shape == full else unbroadcast(result, shape, full))
            else:
                for operand, result in zip(rule.operands, self.call(rule, node, g, position), strict=True):
                    if result is not None and node.parents[operand] is not None:
                        self.give(node, operand, unbroadcast(result, operand_shape(node, operand), full))

    def is_full(self, rule: GradientRule, node: Node, g: Any, full: Shape) -> bool:
        """Whether ``g`` and the operands that a contraction asks for have the output's shape."""
        if g.array.shape != full:
            return False
        for need in rule.needs:
            if need >= 0 and node.arrays[need].shape != full:
                return False
        return True

    def give(self, node: Node, position: int, result: Tensor | None) -> None:
        """Hand one rule's result to the operand at ``position``, in its dtype and on its device."""
        parent = node.parents[position]
        if parent is None or result is None:
            return
        tensor_type = node.operand_types[position]
        if tensor_type is not None and result.type is not tensor_type:
            result = adapted(result, tensor_type)
        self.add(parent, result)

    def call(self, rule: GradientRule, node: Node, g: Any, position: int) -> Any:
        """One rule, with what its parameters ask for."""
        needs = rule.needs
        count = len(needs)
        if rule.keywords:
            found = [self.argument(need, node, g, position) for need in needs]
            return rule.fn(*found, **{name: attribute(node, name) for name in rule.keywords})
        if count == 1:
            return rule.fn(self.argument(needs[0], node, g, position))
        first = self.argument(needs[0], node, g, position)
        second = self.argument(needs[1], node, g, position)
        if count == 2:
            return rule.fn(first, second)
        third = self.argument(needs[2], node, g, position)
        if count == 3:
            return rule.fn(first, second, third)
        fourth = self.argument(needs[3], node, g, position)
        if count == 4:
            return rule.fn(first, second, third, fourth)
        return rule.fn(*[self.argument(need, node, g, position) for need in needs])

    def argument(self, need: int, node: Node, g: Any, position: int) -> Any:
        """What one parameter of a rule asks for."""
        if need == G:
            return g
        op = node.op
        if need >= SHAPE_OF:
            if need < ATTRIBUTE:
                return operand_shape(node, need - SHAPE_OF)
            return None if op is None else attribute(node, op.attributes[need - ATTRIBUTE])
        if need >= 0:
            array = node.arrays[need]
            return None if array is None else self.handle(array, node.operand_types[need], node.parents[need])
        last = len(op.operands) - 1 if op is not None else 0
        if need == Y:
            return self.outputs(node)
        if need == INDEX:
            return position - last
        if need == SHAPES:
            return [operand_shape(node, place) for place in range(last, len(node.parents))]
        if need == SEQUENCE:
            return tuple(
                [
                    self.handle(node.arrays[place], node.operand_types[place], node.parents[place])
                    for place in range(last, len(node.parents))
                ]
            )
        raise AssertionError(f"need {need} of {node!r}")

    def outputs(self, node: Node) -> Any:
        """The output, or the NamedTuple of outputs, as tensors."""
        op = node.op
        kept = node.arrays[-1]
        if op is None or op.outputs is None:
            return self.handle(kept, node.type, node)
        return op.outputs(
            *[self.handle(array, tensor_type, None) for array, tensor_type in zip(kept, node.type, strict=True)]
        )

    def through_body(self, node: Node, g: Any) -> None:
        """Differentiate the body of an op that has no rule, by a tape of its own (this computes it again)."""
        op = node.op
        plan = node.plan
        if op is None or plan is None:
            return
        operands = [
            None if tensor_type is None else self.handle(array, tensor_type, parent)
            for array, tensor_type, parent in zip(node.arrays, node.operand_types, node.parents, strict=False)
        ]
        if self.taped:
            # A handle and a node of its own for each: one tensor given twice must not get the sum at both places.
            for position in plan.positions:
                operands[position] = operators.identity(operands[position])
        followed = [operands[position] for position in plan.positions]
        attributes = node.attributes or {}
        y, pull = self.tape.pull_back(lambda: op.run_body(operands, attributes), followed)
        if op.outputs is None:
            seeds: Any = expanded(g, node.shape)
        else:
            pairs = [(one, part) for one, part in zip(y, g, strict=True) if part is not None]
            y = [one for one, part in pairs]
            seeds = [part for one, part in pairs]
        for position, result in zip(plan.positions, pull(y, seeds), strict=True):
            parent = node.parents[position]
            if parent is not None and result is not None:
                self.add(parent, result)


def backward(
    tape: Tape,
    targets: list[Tensor],
    seeds: list[Tensor | None] | None,
    sources: list[Node | None],
    keep: bool,
) -> list[Any]:
    """Gradients of ``targets``, weighted by ``seeds``, by the tensors of ``sources``; None where unconnected."""
    scope = current_scope.get()
    wanted: dict[Node, Tensor | None] = {}
    for source in sources:
        if source is not None:
            wanted[source] = None
    walk = BackwardPass(tape, scope is not NO_SCOPE and (bool(scope.tapes) or scope.trace is not None))
    starts: list[Node] = []
    for place, target in enumerate(targets):
        node = target.node
        if node is not None and enters(tape, node):
            starts.append(node)
            seed = None if seeds is None else seeds[place]
            walk.add(node, one_like(target, walk) if seed is None else seed)
    order = reach(tape, starts)
    useful = prune(order, wanted)
    cotangents = walk.cotangents
    for node in order:
        if useful is not None and node not in useful:
            continue
        recorded = tape in node.tapes  # a watched result of other tapes is a leaf here: they pass its gradient on
        g = cotangents.get(node)
        if g is not None:
            del cotangents[node]
            if node in wanted:
                wanted[node] = g
            if recorded:
                walk.pass_back(node, g)
        if recorded and not keep:
            release(node)
    found: list[Any] = []
    for source in sources:
        found.append(None if source is None else finished(wanted[source], source))
    return found


def reach(tape: Tape, starts: list[Node]) -> list[Node]:
    """The nodes of this tape that the targets depend on, results before their operands."""
    found: dict[Node, None] = {}
    order: list[Node] = []
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found[node] = None
        order.append(node)
        if node.parents and tape in node.tapes:
            for parent in node.parents:
                if parent is not None and parent not in found and enters(tape, parent):
                    stack.append(parent)
    arrange(order)
    return order


def arrange(order: list[Node]) -> None:
    """Sort nodes, the latest first: each stands before its operands then."""
    count = len(order)
    if count > INSERTION:
        order.sort(key=attrgetter("seq"), reverse=True)
        return
    # A walk finds few nodes nearly in this order: insertion moves little, and needs no call per comparison.
    for place in range(1, count):
        node = order[place]
        seq = node.seq
        hole = place
        while hole > 0 and order[hole - 1].seq < seq:
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = node


def enters(tape: Tape, node: Node) -> bool:
    """Whether a walk of ``tape`` may enter ``node``."""
    return tape in node.tapes or node in tape.leaves


def prune(order: list[Node], wanted: dict[Node, Tensor | None]) -> dict[Node, None] | None:
    """The nodes that depend on a source; None where all do, because every leaf is one."""
    for node in order:
        if node.plan is None and node.index < 0 and node not in wanted:
            break
    else:
        return None
    useful: dict[Node, None] = {}
    for place in range(len(order) - 1, -1, -1):
        node = order[place]
        if node in wanted:
            useful[node] = None
            continue
        for parent in node.parents:
            if parent is not None and parent in useful:
                useful[node] = None
                break
    return useful


def release(node: Node) -> None:
    """Free a record the walk has passed, unless another tape there may still need it."""
    if node.plan is None:
        return
    for tape in node.tapes:
        if not tape.spent:
            return
    node.release()


def attribute(node: Node, name: str) -> Any:
    """An attribute as the call gave it, or its default."""
    given = node.attributes
    if given is not None and name in given:
        return given[name]
    return None if node.op is None else node.op.defaults[name]


def operand_shape(node: Node, position: int) -> Shape:
    """The shape of an operand, kept as such or told by its kept array."""
    shape = node.shapes[position]
    if shape is None:
        found: Shape = node.arrays[position].shape
        return found
    return shape


def one_like(target: Tensor, walk: BackwardPass) -> Tensor:
    """The default weight of a target: a single one, which broadcasts to its shape."""
    return walk.handle(target.type.scalar(1.0), target.type, None)


def finished(g: Tensor | None, node: Node) -> Tensor | None:
    """A source's gradient in its full shape."""
    return None if g is None else expanded(g, node.shape)
