"""Gradient plans: for an op and its watched operands, what a record keeps and which rules the backward pass calls."""

from __future__ import annotations

from ..registry.gradient_rule import ATTRIBUTE, SEQUENCE, SHAPE_OF, SHAPES, GradientPlan, GradientRule, Y
from ..registry.op import Op

__all__ = ["plan_of", "plan_of_few"]


def plan_of(op: Op, count: int, watched: int) -> GradientPlan:
    """The plan for ``count`` operands, memoised; the bits of ``watched`` say which operands are watched."""
    plan = op.plans.get((count, watched))
    if plan is None:
        plan = op.plans[(count, watched)] = make_plan(op, count, watched)
    return plan


def plan_of_few(op: Op, count: int, watched: int) -> GradientPlan:
    """As `plan_of`, for one or two operands, without hashing a key."""
    index = watched if count == 1 else watched + 2
    plan = op.few[index]
    if plan is None:
        plan = op.few[index] = plan_of(op, count, watched)
    return plan


def make_plan(op: Op, count: int, watched: int) -> GradientPlan:
    """Create the plan that `plan_of` memoises."""
    last = len(op.operands) - 1
    needs = Needs(count, last)
    rules: list[GradientRule] = []
    positions: list[int] = []
    body = not op.rules and not op.no_gradient
    if body:
        needs.keep = [True] * count
        positions = [position for position in range(count) if watched >> position & 1]
    for position in range(count):
        if body or not watched >> position & 1:
            continue
        declared = last if op.variadic and position >= last else position
        for rule in op.rules:
            if declared not in rule.operands or (len(rule.operands) > 1 and rule in rules):
                continue
            rules.append(rule)
            positions.append(position)
            needs.add(rule)
        needs.keep_shape[position] = True
    contractions = tuple([op.contractions.get(position) for position in positions])
    # A kept array has its shape, so the shape is not kept as well.
    keep_shape = tuple([shape and not kept for shape, kept in zip(needs.keep_shape, needs.keep, strict=True)])
    return GradientPlan(tuple(needs.keep), keep_shape, needs.keep_y, rules, positions, contractions, body)


class Needs:
    """What the rules added so far need: which operands' arrays and shapes, and whether the output."""

    __slots__ = ("keep", "keep_shape", "keep_y", "last")

    def __init__(self, count: int, last: int) -> None:
        self.keep: list[bool] = [False] * count
        self.keep_shape: list[bool] = [False] * count
        self.keep_y: bool = False
        self.last: int = last

    def add(self, rule: GradientRule) -> None:
        """Add what one more rule needs."""
        if not rule.needs:
            self.keep = [True] * len(self.keep)
        for need in rule.needs:
            if need == Y:
                self.keep_y = True
            elif need == SEQUENCE:
                self.keep[self.last :] = [True] * (len(self.keep) - self.last)
            elif need == SHAPES:
                self.keep_shape[self.last :] = [True] * (len(self.keep_shape) - self.last)
            elif need >= ATTRIBUTE:
                pass
            elif need >= SHAPE_OF:
                self.keep_shape[need - SHAPE_OF] = True
            elif need >= 0:
                self.keep[need] = True
