"""The backward pass: from targets to sources along the nodes of one tape, calling gradient rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import convert, registry, structure
from .context import current_scope
from .dtypes import FLOATING
from .errors import DTypeError, SettingError, ShapeError
from .kinds import Kind
from .node import Node
from .plan import G, INDEX, SEQUENCE, SHAPE_OF, SHAPES, Y, Rule
from .record import wrap
from .tensor import Symbol, Tensor, describe, operators

if TYPE_CHECKING:
    from .tape import GradientTape

__all__ = ["backward"]

Shape = tuple[int, ...]


class Walk:
    """One backward pass: its tape, whether handles get their nodes back, and the cotangents so far.

    A cotangent may be smaller than its node's shape as long as it broadcasts to it: a mean's is one number. The
    node has the full shape, which un-broadcasting needs (the count of what a smaller one stands for).
    """

    __slots__ = ("cotangents", "taped", "tape", "wanted")

    def __init__(self, tape: GradientTape, taped: bool, wanted: dict[Node, Tensor | None]) -> None:
        self.tape: Final = tape
        self.taped: Final = taped
        self.cotangents: dict[Node, Any] = {}
        self.wanted: Final = wanted

    def handle(self, array: Any, kind: Any, node: Node | None) -> Tensor:
        """A tensor on a kept array; with its node only where an outer tape records."""
        if self.taped:
            return wrap(array, kind, node)
        return Tensor(array, kind, None)

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
            parts = self.cotangents[parent] = [None] * len(parent.kind)
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
            g = op.outputs(*g)
        if plan.body:
            self.through_body(node, g)
            return
        if not op.elementwise and op.outputs is None and not (op.partial and not g.shape):
            g = expanded(g, node.shape)
        done: Rule | None = None
        for rule, position in zip(plan.rules, plan.positions, strict=True):
            if len(rule.operands) > 1 and rule is not done:
                done = rule
                results = self.call(rule, node, g, position)
                for place, result in zip(rule.operands, results, strict=True):
                    self.give(node, place, result)
            elif rule is not done:
                self.give(node, position, self.call(rule, node, g, position))

    def give(self, node: Node, position: int, result: Tensor | None) -> None:
        """Hand one rule's result to the operand at ``position``: un-broadcast, in its dtype, on its device."""
        parent = node.parents[position]
        if parent is None or result is None:
            return
        op = node.op
        if op is not None and op.elementwise:
            shape = operand_shape(node, position)
            if shape != node.shape:
                result = unbroadcast(result, shape, node.shape)
        kind = node.kinds[position]
        if kind is not None and result.kind is not kind:
            result = adapted(result, kind)
        self.add(parent, result)

    def call(self, rule: Rule, node: Node, g: Any, position: int) -> Any:
        """One rule, with what its parameters ask for."""
        needs = rule.needs
        if not rule.keywords:
            if len(needs) == 1:
                return rule.fn(self.argument(needs[0], node, g, position))
            if len(needs) == 2:
                return rule.fn(
                    self.argument(needs[0], node, g, position), self.argument(needs[1], node, g, position)
                )
            return rule.fn(*[self.argument(need, node, g, position) for need in needs])
        given = node.attributes or {}
        op = node.op
        defaults = op.defaults if op is not None else {}
        keywords = {name: given[name] if name in given else defaults[name] for name in rule.keywords}
        return rule.fn(*[self.argument(need, node, g, position) for need in needs], **keywords)

    def argument(self, need: int, node: Node, g: Any, position: int) -> Any:
        """What one parameter of a rule asks for."""
        if need == G:
            return g
        if need >= SHAPE_OF:
            return operand_shape(node, need - SHAPE_OF)
        if need >= 0:
            array = node.arrays[need]
            return None if array is None else self.handle(array, node.kinds[need], node.parents[need])
        op = node.op
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
                    self.handle(node.arrays[place], node.kinds[place], node.parents[place])
                    for place in range(last, len(node.parents))
                ]
            )
        raise AssertionError(f"need {need} of {node!r}")

    def outputs(self, node: Node) -> Any:
        """The output, or the NamedTuple of outputs, as tensors."""
        op = node.op
        kept = node.arrays[-1]
        if op is None or op.outputs is None:
            return self.handle(kept, node.kind, node)
        return op.outputs(*[self.handle(array, kind, None) for array, kind in zip(kept, node.kind, strict=True)])

    def through_body(self, node: Node, g: Any) -> None:
        """Differentiate the body of an op that has no rule, by a tape of its own (this computes it again)."""
        from .tape import GradientTape

        op = node.op
        plan = node.plan
        if op is None or plan is None:
            return
        operands = [
            None if kind is None else self.handle(array, kind, parent)
            for array, kind, parent in zip(node.arrays, node.kinds, node.parents, strict=False)
        ]
        followed = [operands[position] for position in plan.positions]
        tape = GradientTape(watch_accessed_variables=False)
        with tape:
            tape.watch(followed)
            y = op.run_body(operands, node.attributes or {})
        if op.outputs is None:
            seeds: Any = expanded(g, node.shape)
        else:
            pairs = [(one, part) for one, part in zip(y, g, strict=True) if part is not None]
            y = [one for one, part in pairs]
            seeds = [part for one, part in pairs]
        for position, result in zip(plan.positions, tape.gradient(y, followed, seeds), strict=True):
            parent = node.parents[position]
            if parent is not None and result is not None:
                self.add(parent, result)


def backward(
    tape: GradientTape,
    targets: list[Tensor],
    seeds: list[Tensor | None],
    sources: list[Node | None],
    keep: bool,
) -> list[Any]:
    """Gradients of ``targets``, weighted by ``seeds``, by the tensors of ``sources``; None where unconnected."""
    scope = current_scope.get()
    wanted: dict[Node, Tensor | None] = {node: None for node in sources if node is not None}
    walk = Walk(tape, bool(scope.tapes) or scope.trace is not None, wanted)
    starts: list[Node] = []
    for target, seed in zip(targets, seeds, strict=True):
        node = target.node
        if node is not None and enters(tape, node):
            starts.append(node)
            walk.add(node, one_like(target, walk) if seed is None else seed)
    order = reach(tape, starts)
    useful = prune(order, wanted)
    for node in reversed(order):
        if useful is not None and node not in useful:
            continue
        g = walk.cotangents.pop(node, None)
        if g is not None:
            if node in wanted:
                wanted[node] = g
            walk.pass_back(node, g)
        if not keep:
            release(node)
    return [None if node is None else finished(wanted[node], node) for node in sources]


def reach(tape: GradientTape, starts: list[Node]) -> list[Node]:
    """The nodes of this tape that the targets depend on, operands first."""
    found: dict[Node, None] = {}
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found[node] = None
        if tape in node.tapes:
            for parent in node.parents:
                if parent is not None and parent not in found and enters(tape, parent):
                    stack.append(parent)
    order = list(found)
    order.sort(key=sequence)
    return order


def sequence(node: Node) -> int:
    """The order of recording."""
    return node.seq


def enters(tape: GradientTape, node: Node) -> bool:
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
    for node in order:
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


def operand_shape(node: Node, position: int) -> Shape:
    """The shape of an operand, kept as such or told by its kept array."""
    shape = node.shapes[position]
    if shape is None:
        found: Shape = node.arrays[position].shape
        return found
    return shape


def one_like(target: Tensor, walk: Walk) -> Tensor:
    """The default weight of a target: a single one, which broadcasts to its shape."""
    return walk.handle(target.kind.scalar(1.0), target.kind, None)


def expanded(g: Tensor, shape: Any) -> Tensor:
    """A cotangent in the full shape."""
    if g.array.shape == shape:
        return g
    found: Tensor = registry.ops()["broadcast_to"](g, shape)  # type: ignore[operator]  # every op is callable
    return found


def unbroadcast(g: Tensor, shape: Shape, full: Shape) -> Tensor:
    """Sum a gradient of shape ``full`` (or of a smaller one that stands for it) down to ``shape``."""
    have: Shape = g.array.shape
    lead = len(full) - len(shape)
    offset = len(full) - len(have)
    axes: list[int] = []
    count = 1
    for axis, extent in enumerate(full):
        if axis >= lead and shape[axis - lead] == extent:
            continue
        if axis >= offset and have[axis - offset] == extent:
            if extent != 1:
                axes.append(axis - offset)
        else:
            count *= extent
    if axes:
        ops = registry.ops()
        if len(axes) == len(have) and not shape:
            g = operators.sum(g)
        else:
            g = ops["sum"](g, axis=tuple(axes), keepdims=True)  # type: ignore[operator]  # every op is callable
    if count != 1:
        g = g * float(count)
    have = g.array.shape
    if len(have) > len(shape):
        g = registry.ops()["reshape"](g, have[len(have) - len(shape) :])  # type: ignore[operator]
    return g


def adapted(g: Tensor, kind: Kind) -> Tensor:
    """A gradient in its operand's dtype and on its device."""
    if g.kind.dtype is not kind.dtype:
        g = convert.cast(g, kind.dtype)
    return convert.to_device(g, kind.device) if g.kind.device is not kind.device else g


def finished(g: Tensor | None, node: Node) -> Tensor | None:
    """A source's gradient in its full shape."""
    return None if g is None else expanded(g, node.shape)


def zeros_like(x: Tensor) -> Tensor:
    """The gradient of an unconnected source where zeros are asked for."""
    return expanded(wrap(x.kind.scalar(0.0), x.kind, None), x.array.shape)


# --- what tape.gradient is given ------------------------------------------------------------------------------------


def check_unconnected(choice: str) -> None:
    """Whether ``unconnected_gradients`` is one of its two values."""
    if choice not in ("none", "zero"):
        raise SettingError(
            f"unconnected_gradients={choice!r} is not understood.",
            expected="'none' or 'zero'",
            got=repr(choice),
            fix="use one of these",
        )


def check_targets(targets: list[Any]) -> list[Tensor]:
    """Whether all targets can be differentiated."""
    for x in targets:
        if not isinstance(x, Tensor) or x.kind.category != FLOATING:
            raise DTypeError(
                f"gradient cannot start at {describe(x)}.",
                expected="a tensor of a real floating dtype, or a structure of such tensors",
                got=describe(x) if isinstance(x, Tensor) else type(x).__name__,
                fix="cast the target with polytape.astype(y, 'float32') inside the tape, or leave it out",
            )
    return targets


def check_sources(sources: list[Any]) -> None:
    """Whether all sources are tensors."""
    for x in sources:
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"gradient has no source {describe(x)}.",
                expected="a tensor or variable, or a structure of them",
                got=type(x).__name__,
                fix="pass the tensor that was watched",
            )


def check_seeds(targets: list[Tensor], output_gradients: Any) -> list[Tensor | None]:
    """The weights of the targets, each of its target's shape, dtype and device."""
    if output_gradients is None:
        return [None] * len(targets)
    given = structure.leaves(output_gradients)
    if len(given) != len(targets):
        raise ShapeError(
            f"{len(given)} output gradients for {len(targets)} targets.",
            expected="output_gradients with the structure of target",
            got=f"{len(given)} leaves",
            fix="pass one gradient (or None) per target",
        )
    seeds: list[Tensor | None] = []
    for target, seed in zip(targets, given, strict=True):
        if seed is None:
            seeds.append(None)
            continue
        tensor = seed if isinstance(seed, Tensor) else convert.asarray(seed, target.dtype, target.device, None)
        if tensor.shape != target.shape:
            raise ShapeError(
                f"an output gradient {describe(tensor)} for the target {describe(target)}.",
                expected=f"shape {target.shape}",
                got=f"shape {tensor.shape}",
                fix="reshape it, or leave it out for ones",
            )
        seeds.append(adapted(tensor, target.kind))
    return seeds
