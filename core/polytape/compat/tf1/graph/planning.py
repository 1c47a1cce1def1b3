"""Which operations a run needs, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .gradients import GradientOperation
from .graphs import Graph
from .operations import Operation
from .tensors import GraphTensor

__all__ = ["Plan", "needed", "plan_for"]


class Plan:
    """The operations between the feeds and the fetches of a run, in the order of their creation.

    Attributes:
        operations: what runs.
        fetches: tensors whose values are wanted. variables: variables whose values are wanted, after all operations.
        feeds: tensors whose values are given.
        gradients: the operations that need a tape.
        eager: whether an operation needs Python at each run.
        needed: the variables that must have values before the run. written: those that the run assigns.
        runs: how often it has run. function: the traced function, from the second run on.
        stages: the parts before, in and after the trace; None if nothing can be traced.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        fetches: Sequence[GraphTensor],
        variables: Sequence[Any],
        feeds: Sequence[GraphTensor],
    ) -> None:
        self.operations, self.fetches = list(operations), list(fetches)
        self.variables, self.feeds = list(variables), list(feeds)
        self.gradients = [op for op in operations if isinstance(op, GradientOperation)]
        self.eager = any(op.eager for op in operations)
        self.prepare = [op.prepare for op in operations if op.prepare is not None]
        self.needed: list[Any] = []
        self.written: list[Any] = []
        for op in operations:
            self._add(op)
        self._need(variables)
        self.runs = 0
        self.stages: Any = None
        self.function: Any = None

    def _add(self, op: Operation) -> None:
        self._need(op.reads)
        self.written += [x for x in op.writes if all(x is not other for other in self.written)]

    def _need(self, variables: Sequence[Any]) -> None:
        seen = [*self.needed, *self.written]
        self.needed += [x for x in variables if all(x is not other for other in seen)]


def plan_for(
    graph: Graph, targets: Sequence[Operation], fetches: Sequence[GraphTensor], variables: Sequence[Any],
    feeds: Sequence[GraphTensor],
) -> Plan:  # fmt: skip
    """The plan of a run; a graph keeps its plans."""
    plans: dict[Any, Plan] = graph.states.setdefault("plans", {})
    key = (*[tuple(map(id, part)) for part in (targets, fetches, variables, feeds)],)
    plan = plans.get(key)
    if plan is None:
        fed = set(map(id, feeds))
        operations = needed([*targets, *[x.op for x in fetches if id(x) not in fed]], fed)
        plan = plans[key] = Plan(operations, fetches, variables, feeds)
    return plan


def needed(roots: Sequence[Operation], fed: set[int], region: Any = None) -> list[Operation]:
    """The operations of a region that ``roots`` need, in the order of their creation.

    Args:
        roots: operations.
        fed: the ids of tensors that have values already.
        region: default: what a session runs.
    """
    found: dict[int, Operation] = {}
    left = list(roots)
    while left:
        op = left.pop()
        if op.index in found:
            continue
        found[op.index] = op
        left += [x for x in op.control_inputs if x.region is region]
        left += [x.op for x in op.inputs if id(x) not in fed and x.op.region is region]
    return [found[index] for index in sorted(found)]
