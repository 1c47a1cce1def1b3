"""The backward pass: from targets to sources along the nodes of one tape, calling gradient rules."""

from __future__ import annotations

from typing import Any, Final

from ..dtypes import FLOATING
from ..registry.gradient_rule import ATTRIBUTE, INDEX, SEQUENCE, SHAPE_OF, SHAPES, G, GradientPlan, GradientRule, Y
from ..registry.op import Op
from ..tensors.node import Node, Tape
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.symbol import type_text
from ..tensors.tensor import Tensor, operators
from .cotangent import adapted, expanded, unbroadcast
from .ordering import belongs, of_sources, prune, reach
from .record import output_node, wrap

__all__ = ["backward", "hooks"]

Shape = tuple[int, ...]


class BackwardPass:
    """The state of one backward pass: its tape, whether the pass itself is recorded, and the cotangents so far.

    A cotangent may have a smaller shape than its node; un-broadcasting uses the node's full shape.

    Args:
        cotangents: by node; None as long as a node has none.
    """

    __slots__ = ("cotangents", "tape", "taped")

    def __init__(self, tape: Tape, taped: bool, cotangents: dict[Node, Any]) -> None:
        self.tape: Final = tape
        self.taped: Final = taped
        self.cotangents: dict[Node, Any] = cotangents

    def handle(self, array: Any, tensor_type: Any, node: Node | None) -> Tensor:
        """A tensor on a kept array; with its node only if the pass itself is recorded or traced."""
        if self.taped:
            return wrap(array, tensor_type, node)
        return Tensor(array, tensor_type, None)

    def add(self, node: Node, g: Tensor) -> None:
        """Add ``g`` to the cotangent of ``node``."""
        previous = self.cotangents.get(node)
        self.cotangents[node] = g if previous is None else operators.add.operate(previous, g)

    def collect(self, node: Node, g: Tensor) -> None:
        """Store the cotangent of one output with those of the op's other outputs."""
        parent = node.parents[0]
        if parent is None:
            return
        parts = self.cotangents.get(parent)
        if parts is None:
            parts = self.cotangents[parent] = [None] * len(parent.type)
        previous = parts[node.index]  # of another handle on this output, which a gradient rule got as ``y``
        parts[node.index] = g if previous is None else operators.add.operate(previous, g)

    def pass_back(self, node: Node, g: Any) -> None:
        """Call the gradient rules of one recorded op, and add the results to the cotangents of its operands."""
        plan = node.plan
        op = node.op
        if node.index >= 0:
            self.collect(node, g)
            return
        if plan is None or op is None:
            return
        if op.outputs is not None:
            g = op.outputs(*[None if g[k] is None else expanded(g[k], shape) for k, shape in enumerate(node.shape)])
        if plan.body:
            self.through_body(node, g)
            return
        if op.elementwise:
            self.pass_elementwise(op, plan, node, g)
            return
        if op.outputs is None and g.array.shape != node.shape and not (op.partial and not g.array.shape):
            g = expanded(g, node.shape)
        for index in range(len(plan.rules)):
            rule = plan.rules[index]
            position = plan.positions[index]
            if len(rule.operands) == 1:
                self.accumulate(node, position, self.call(rule, node, g, position))
            else:
                results = rule.gradients(self.call(rule, node, g, position))
                for k, operand in enumerate(rule.operands):
                    self.accumulate(node, operand, results[k])

    def pass_elementwise(self, op: Op, plan: GradientPlan, node: Node, g: Any) -> None:
        """As `pass_back`, for an elementwise op: sum each result down to its operand's shape."""
        full: Shape = node.shape if op.outputs is None else node.shape[0]
        for index in range(len(plan.rules)):
            rule = plan.rules[index]
            position = plan.positions[index]
            shape = operand_shape(node, position) if len(node.parents) > 1 or node.attributes else full
            contraction = plan.contractions[index]
            if contraction is not None and not shape and full and self.is_full(contraction, node, g, full):
                self.accumulate(node, position, self.call(contraction, node, g, position))
            elif len(rule.operands) == 1:
                result = self.call(rule, node, g, position)
                self.accumulate(node, position, result if shape == full else unbroadcast(result, shape, full))
            else:
                results = rule.gradients(self.call(rule, node, g, position))
                for k, operand in enumerate(rule.operands):
                    result = results[k]
                    if result is not None and node.parents[operand] is not None:
                        self.accumulate(node, operand, unbroadcast(result, operand_shape(node, operand), full))

    def is_full(self, rule: GradientRule, node: Node, g: Any, full: Shape) -> bool:
        """Whether ``g`` and the operands that a contraction needs have the output's shape."""
        if g.array.shape != full:
            return False
        for need in rule.needs:
            if need >= 0 and node.arrays[need].shape != full:
                return False
        return True

    def accumulate(self, node: Node, position: int, result: Tensor | None) -> None:
        """Add one rule's result, in the operand's dtype and on its device, to the cotangent of that operand."""
        parent = node.parents[position]
        if parent is None or result is None:
            return
        tensor_type = node.operand_types[position]
        if tensor_type is not None and result.type is not tensor_type:
            result = adapted(result, tensor_type)
        self.add(parent, result)

    def call(self, rule: GradientRule, node: Node, g: Any, position: int) -> Any:
        """Call a rule with the arguments that its parameters need."""
        needs = rule.needs
        count = len(needs)
        if rule.keywords:
            arguments = [self.argument(need, node, g, position) for need in needs]
            return rule.fn(*arguments, **{name: attribute(node, name) for name in rule.keywords})
        if count == 0:
            return rule.fn(g, node)
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
        """The argument for one parameter of a rule; ``need`` is a code of `registry.gradient_rule`."""
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
            return [operand_shape(node, index) for index in range(last, len(node.parents))]
        if need == SEQUENCE:
            return tuple(
                [
                    self.handle(node.arrays[index], node.operand_types[index], node.parents[index])
                    for index in range(last, len(node.parents))
                ]
            )
        raise AssertionError(f"need {need} of {node!r}")

    def outputs(self, node: Node) -> Any:
        """The output, or the NamedTuple of outputs, as tensors."""
        op = node.op
        output = node.arrays[-1]
        if op is None or op.outputs is None:
            return self.handle(output, node.type, node)
        outputs = []
        for index, (array, tensor_type) in enumerate(zip(output, node.type, strict=True)):
            followed = self.taped and tensor_type.category >= FLOATING
            outputs.append(self.handle(array, tensor_type, output_node(node, index) if followed else None))
        return op.outputs(*outputs)

    def through_body(self, node: Node, g: Any) -> None:
        """Differentiate the body of an op without gradient rules: run it again, on a new tape."""
        op = node.op
        plan = node.plan
        if op is None or plan is None:
            return
        operands = [
            None if tensor_type is None else self.handle(array, tensor_type, parent)
            for array, tensor_type, parent in zip(node.arrays, node.operand_types, node.parents, strict=False)
        ]
        if self.taped:
            # Give each operand a new handle and node: otherwise both positions of a tensor passed twice would get the
            # sum of their gradients.
            for position in plan.positions:
                operands[position] = operators.identity(operands[position])
        watched = [operands[position] for position in plan.positions]
        attributes = node.attributes or {}
        y, pull = self.tape.pull_back(lambda: op.run_body(operands, attributes), watched)
        if op.outputs is None:
            seeds: Any = expanded(g, node.shape)
        else:
            pairs = [(output, part) for output, part in zip(y, g, strict=True) if part is not None]
            y = [output for output, part in pairs]
            seeds = [part for output, part in pairs]
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
    stops: dict[Node, Any] | None = None,
) -> list[Any]:
    """The gradients of ``targets``, weighted by ``seeds``, with respect to ``sources``; None for an unconnected source.

    ``keep`` keeps the records for another backward pass. The pass does not go beyond the nodes in ``stops``; a value
    that is not None is called with the pass, the node and its cotangent, in place of the node's gradient rules.
    """
    scope = current_scope.get()
    gradients: dict[Node, Tensor | None] = {}
    for source in sources:
        if source is not None:
            gradients[source] = None
    taped = scope is not NO_SCOPE and (bool(scope.tapes) or scope.trace is not None)
    starts: list[Node] = []
    weights: list[Tensor] = []
    for index, target in enumerate(targets):
        node = target.node
        if node is not None and belongs(tape, node):
            starts.append(node)
            seed = None if seeds is None else seeds[index]
            weights.append(one_like(target) if seed is None else seed)
    if stops is None and len(starts) == 1 and of_sources(tape, starts[0], gradients):
        # One record computes the target from sources, such as a traced loss: its rules give the gradients themselves.
        explained(BackwardPass(tape, taped, gradients), starts[0], weights[0])
        if not keep:
            release(starts[0])
    else:
        state = BackwardPass(tape, taped, {})
        for index, node in enumerate(starts):
            state.add(node, weights[index])
        records(state, starts, gradients, keep, {} if stops is None else stops)
    results: list[Any] = []
    for source in sources:
        results.append(None if source is None else finished(gradients[source], source))
    return results


def explain(error: Exception, node: Node) -> None:
    """Add a note to an error from a gradient rule: the op whose gradient it computes."""
    if node.op is not None:
        line = "" if hooks.line_of is None else hooks.line_of(node)
        error.add_note(
            f"in the backward pass: the gradient of {node.op.name}, whose result is {result_text(node)}{line}"
        )


def result_text(node: Node) -> str:
    """Dtype and shape of an op's result, or of each of several."""
    if not isinstance(node.type, tuple):
        return type_text(node.type.dtype, node.shape)
    return ", ".join([type_text(part.dtype, shape) for part, shape in zip(node.type, node.shape, strict=True)])


def records(
    state: BackwardPass,
    starts: list[Node],
    gradients: dict[Node, Tensor | None],
    keep: bool,
    stops: dict[Node, Any],
) -> None:
    """Go back from ``starts``, and fill ``gradients``."""
    tape = state.tape
    order = reach(tape, starts)
    useful = prune(order, gradients)
    cotangents = state.cotangents
    for node in order:
        if useful is not None and node not in useful:
            continue
        recorded = tape in node.tapes  # otherwise it is a leaf here, even if another tape recorded it as a result
        g = cotangents.get(node)
        if g is not None:
            del cotangents[node]
            if node in gradients:
                gradients[node] = g
            if recorded:
                if node not in stops:
                    explained(state, node, g)
                elif stops[node] is not None:
                    stops[node](state, node, g)
        if recorded and not keep:
            release(node)


def explained(state: BackwardPass, node: Node, g: Any) -> None:
    """`BackwardPass.pass_back`; an error names the op."""
    try:
        state.pass_back(node, g)
    except Exception as error:  # also a warning that the user's filters raise
        explain(error, node)
        raise


def release(node: Node) -> None:
    """Free a record that the backward pass has used, unless another tape that recorded it may still need it."""
    if node.plan is None:
        return
    for tape in node.tapes:
        if not tape.spent:
            return
    node.release()


def attribute(node: Node, name: str) -> Any:
    """The value of an attribute in the recorded call: the given one, or the default."""
    attributes = node.attributes
    if attributes is not None and name in attributes:
        return attributes[name]
    return None if node.op is None else node.op.defaults[name]


def operand_shape(node: Node, position: int) -> Shape:
    """The shape of an operand: the kept shape, or that of the kept array."""
    shape = node.shapes[position]
    if shape is None:
        array_shape: Shape = node.arrays[position].shape
        return array_shape
    return shape


def one_like(target: Tensor) -> Tensor:
    """The default seed of a target: 1.0 with shape (), which broadcasts to the target's shape."""
    return Tensor(target.type.scalar(1.0), target.type, None)


def finished(g: Tensor | None, node: Node) -> Tensor | None:
    """The gradient of a source, broadcast to the source's shape."""
    return None if g is None else expanded(g, node.shape)


class Hooks:
    """What `polytape.debug` replaces: ``run`` is called as `backward`, ``line_of(node)`` adds to the notes on errors,
    ``before_record(op, arrays)`` is called before a record of a call that no kernel served."""

    def __init__(self, run: Any) -> None:
        self.run: Any = run
        self.line_of: Any = None
        self.before_record: Any = None


hooks: Final = Hooks(backward)
