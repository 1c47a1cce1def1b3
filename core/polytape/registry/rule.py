"""Gradient rules, and the plan of one op for one set of watched operands: what to keep, which rules to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ..errors import RegistrationError

if TYPE_CHECKING:
    from .op import Op

__all__ = ["Plan", "Rule"]

# What a rule's parameter asks for: an operand by its position, that operand's shape (SHAPE_OF + position), an
# attribute, or:
G: Final = -1  # the gradient of the output
Y: Final = -2  # the output
INDEX: Final = -3  # which operand of the sequence is being differentiated
SHAPES: Final = -4  # the shapes of all operands of the sequence
SEQUENCE: Final = -5  # all operands of the sequence, as a tuple
SHAPE_OF: Final = 1 << 20
ATTRIBUTE: Final = 1 << 21  # ATTRIBUTE + its position among the op's attributes

RESERVED: Final = ("g", "y", "index", "shapes", "spec", "out")


class Rule:
    """How the gradient of an op's output becomes that of one operand (or of several, as a tuple).

    Attributes:
        fn: ``(g, ...) -> Tensor``; its parameter names said what it needs.
        operands: positions of the operands it serves; more than one: it returns a tuple.
        needs: per positional parameter, one of the codes above.
        keywords: the op's attributes it takes by keyword.
    """

    __slots__ = ("fn", "keywords", "needs", "operands")

    def __init__(self, fn: Any, operands: tuple[int, ...], needs: tuple[int, ...], keywords: tuple[str, ...]) -> None:
        self.fn: Any = fn
        self.operands: Final = operands
        self.needs: Final = needs
        self.keywords: Final = keywords


def make_rule(op: Op, names: Sequence[str], fn: Any, parameters: Sequence[str], positional: int) -> Rule:
    """Check a rule's parameter names against its op and settle what each of them asks for.

    Args:
        op: the op.
        names: the operands it serves.
        fn: the rule.
        parameters: its parameters' names; those from ``positional`` on are keyword-only.
    Raises:
        RegistrationError: a name that the op does not have.
    """
    needs = tuple([_need(op, name, parameters) for name in parameters[:positional]])
    keywords = tuple(parameters[positional:])
    for name in keywords:
        if name not in op.attributes:
            _need(op, name, ())
    positions = tuple([_position(op, name) for name in names])
    return Rule(fn, positions, needs, keywords)


def _need(op: Op, name: str, parameters: Sequence[str]) -> int:
    if name == "g":
        return G
    if name == "y":
        return Y
    if name == "index" and op.variadic:
        return INDEX
    if name == "shapes" and op.variadic:
        return SHAPES
    if name in op.operands:
        position = op.operands.index(name)
        return SEQUENCE if op.variadic and position == len(op.operands) - 1 else position
    if name in op.attributes:
        return ATTRIBUTE + op.attributes.index(name)
    if name.endswith("_shape") and name[:-6] in op.operands:
        return SHAPE_OF + op.operands.index(name[:-6])
    raise RegistrationError(
        f"a gradient rule of {op.name} asks for {name!r}.",
        expected=f"g, y, an operand ({', '.join(op.operands)}), <operand>_shape or an attribute "
        f"({', '.join(op.attributes)})",
        got=f"parameters {', '.join(parameters)}",
        fix="rename the rule's parameter",
    )


def _position(op: Op, name: str) -> int:
    if name not in op.operands:
        raise RegistrationError(
            f"{op.name} has no operand {name!r} to give a gradient for.",
            expected=f"one of {', '.join(op.operands)}",
            got=repr(name),
            fix="rename it in the call of .gradient",
        )
    return op.operands.index(name)


class Plan:
    """What a record of an op keeps, and which rules the backward pass calls, for one set of watched operands.

    Attributes:
        keep: per operand, whether its native array is kept.
        keep_shape: per operand, whether its shape is kept.
        keep_y: whether the output's array is kept.
        rules: the rules to call, each with the operand's position it is called for.
        contractions: per rule to call, the op's shortcut to a number's gradient, if it has one.
        useful: whether anything flows back at all.
        body: whether the op has no rules: the walk differentiates its body instead.
    """

    __slots__ = (
        "body", "contractions", "keep", "keep_shape", "keep_y", "positions", "rules", "useful",
    )  # fmt: skip

    def __init__(self, op: Op, count: int, watched: int) -> None:
        last = len(op.operands) - 1
        self.rules: list[Rule] = []
        self.positions: list[int] = []
        keep = [False] * count
        keep_shape = [False] * count
        self.keep_y: bool = False
        self.body: bool = not op.rules and not op.no_gradient
        if self.body:
            keep = [True] * count
            self.positions = [position for position in range(count) if watched >> position & 1]
        for position in range(count):
            if self.body or not watched >> position & 1:
                continue
            declared = last if op.variadic and position >= last else position
            for rule in op.rules:
                if declared not in rule.operands or (len(rule.operands) > 1 and rule in self.rules):
                    continue
                self.rules.append(rule)
                self.positions.append(position)
                self._keep_needs(rule, last, keep, keep_shape)
            keep_shape[position] = True
        self.keep: tuple[bool, ...] = tuple(keep)
        self.contractions: tuple[Rule | None, ...] = tuple([op.contractions.get(place) for place in self.positions])
        self.useful: bool = self.body or bool(self.rules)
        # A kept array tells its shape.
        self.keep_shape: tuple[bool, ...] = tuple(s and not k for s, k in zip(keep_shape, keep, strict=True))

    def _keep_needs(self, rule: Rule, last: int, keep: list[bool], keep_shape: list[bool]) -> None:
        for need in rule.needs:
            if need == Y:
                self.keep_y = True
            elif need == SEQUENCE:
                keep[last:] = [True] * (len(keep) - last)
            elif need == SHAPES:
                keep_shape[last:] = [True] * (len(keep_shape) - last)
            elif need >= ATTRIBUTE:
                pass
            elif need >= SHAPE_OF:
                keep_shape[need - SHAPE_OF] = True
            elif need >= 0:
                keep[need] = True
