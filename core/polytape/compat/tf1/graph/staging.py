"""How a run that needs Python is divided: what runs op by op before and after the part that is traced.

Operations that call Python, such as the next element of a dataset or a summary, cannot be traced. Usually they are at
the beginning or at the end of a run, and all between them, such as a training step, can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .gradients import GradientOperation, upstream
from .kinds import ObjectTensor
from .operations import Operation
from .planning import Plan
from .tensors import GraphTensor

__all__ = ["stages_of"]


def stages_of(plan: Plan) -> list[Plan] | None:
    """The parts of a run: what comes before the trace, what is traced, what comes after it. None if nothing is traced.

    The order in which a run without parts reads and assigns variables is kept: if it would change, there are no parts.
    """
    if not plan.eager:
        return [_stage(plan, [], []), plan, _stage(plan, [], [])]
    before, after = _before(plan.operations), []
    for op in plan.operations:
        if op.eager and op not in before:
            after.append(op)
    middle = [op for op in plan.operations if op not in before and op not in after]
    if not middle or _disturbed(before, middle, after) or _differentiated(plan.gradients, before):
        return None
    stages = [_stage(plan, before, [*middle, *after]), _stage(plan, middle, after), _stage(plan, after, [])]
    stages[1].variables = plan.variables
    if any(isinstance(x, ObjectTensor) for x in stages[1].feeds):
        return None
    return stages


def _before(operations: Sequence[Operation]) -> set[Operation]:
    """The operations that need Python and that others depend on, with all that they depend on themselves."""
    needs = {op: [*[x.op for x in op.inputs], *op.control_inputs] for op in operations}
    used: set[Operation] = set()  # by an operation that can be traced, directly or not
    for op in reversed(operations):
        if not op.eager or op in used:
            used.update(needs[op])
    found: set[Operation] = set()
    for op in reversed(operations):
        if (op.eager and op in used) or op in found:
            found.add(op)
            found.update(x for x in needs[op] if x in needs)
    return found


def _disturbed(before: Iterable[Operation], middle: Iterable[Operation], after: Iterable[Operation]) -> bool:
    """Whether the parts would read or assign variables in another order than the whole."""
    written = {id(x) for op in middle for x in op.writes}
    return (
        any(op.writes for op in before)
        or any(id(x) in written for op in before for x in op.reads)
        or any(op.reads or op.writes for op in after)
    )


def _differentiated(gradients: Iterable[GradientOperation], before: set[Operation]) -> bool:
    """Whether a gradient goes through what comes before the trace."""
    for gradient in gradients:
        reached = upstream(gradient.targets, {id(x) for x in gradient.sources})
        sources = {id(x) for x in gradient.sources}
        for op in before:
            outputs = {id(x) for x in op.outputs}
            if outputs & reached - sources and _depends(op, sources):
                return True
    return False


def _depends(op: Operation, sources: set[int]) -> bool:
    """Whether an operation depends on one of these tensors and variables."""
    left, seen = [op], set()
    while left:
        current = left.pop()
        if current in seen:
            continue
        seen.add(current)
        if any(id(x) in sources for x in (*current.inputs, *current.reads)):
            return True
        left += [x.op for x in current.inputs]
    return False


def _stage(plan: Plan, operations: Iterable[Operation], later: Sequence[Operation]) -> Plan:
    """A part of a plan. Its fetches are the tensors that later parts and the caller need."""
    chosen = set(operations)
    ordered = [op for op in plan.operations if op in chosen]
    made = {id(x): x for op in ordered for x in op.outputs}
    fed = {id(x) for x in plan.feeds}
    needed = {id(x) for op in later for x in op.inputs} | {id(x) for x in plan.fetches}
    taken = {id(x): x for op in ordered for x in op.inputs if id(x) not in made or id(x) in fed}
    taken.update({id(x): x for key, x in made.items() if key in fed})
    fetches: list[GraphTensor] = [x for key, x in made.items() if key in needed and key not in fed]
    return Plan(ordered, fetches, (), list(taken.values()))
