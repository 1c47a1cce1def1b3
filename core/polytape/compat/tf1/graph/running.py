"""Running a plan: op by op the first time, as a traced function from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....autodiff.indexed_slices import IndexedSlices
from ....autodiff.tape import GradientTape
from ....errors import PolytapeError
from ....graph.functions import Function
from ....tensors.variable import Variable
from ...mode import computing
from ...op_errors import translated
from .gradients import GradientOperation
from .planning import Plan
from .staging import stages_of
from .tensors import GraphTensor

__all__ = ["computed", "run"]


def run(plan: Plan, feeds: Sequence[Any], traceable: bool = True) -> list[Any]:
    """The values of the plan's fetches, then of its variables.

    Args:
        feeds: the tensors that are given.
        traceable: whether the run may be traced.
    """
    with computing():
        for prepare in plan.prepare:
            prepare()
        try:
            return _run(plan, feeds, traceable)
        except PolytapeError as error:
            failure = error
    raise translated(failure).with_traceback(None) from None


def _run(plan: Plan, feeds: Sequence[Any], traceable: bool) -> list[Any]:
    plan.runs += 1
    if not traceable or plan.runs == 1:
        return computed(plan, feeds)
    if plan.runs == 2:
        plan.stages = stages_of(plan)
    if plan.stages is None:
        return computed(plan, feeds)
    before, middle, after = plan.stages
    values: dict[GraphTensor, Any] = dict(zip(plan.feeds, feeds, strict=True))
    _advance(before, values, computed)
    variables = _advance(middle, values, _traced)
    _advance(after, values, computed)
    return [_dense(values[x]) for x in plan.fetches] + variables


def _advance(stage: Plan, values: dict[GraphTensor, Any], execute: Any) -> list[Any]:
    """Run a part of a plan, which adds values; the values of its variables."""
    if not stage.operations and not stage.variables:
        return []
    results = execute(stage, [values[x] for x in stage.feeds])
    count = len(stage.fetches)
    values.update(zip(stage.fetches, results[:count], strict=True))
    return results[count:]  # type: ignore[no-any-return]  # a list


def _traced(plan: Plan, feeds: Sequence[Any]) -> list[Any]:
    """As `computed`, as a traced function; op by op if it cannot be traced."""
    if plan.eager:
        return computed(plan, feeds)
    if plan.function is None:
        plan.function = Function(_body(plan))
    try:
        return plan.function(*feeds)  # type: ignore[no-any-return]  # a list
    except PolytapeError:
        # An operation may need values in Python, such as a shape that depends on them, or results of one shape. If the
        # error is the program's own, it comes again: a traced function assigns all its variables or none.
        results = computed(plan, feeds)
        plan.eager, plan.function = True, None
        return results


def _body(plan: Plan) -> Any:
    def session_run(*feeds: Any) -> list[Any]:
        return computed(plan, feeds)

    return session_run


def computed(plan: Plan, feeds: Sequence[Any]) -> list[Any]:
    """Run the operations of a plan one by one; the values of its fetches, then of its variables."""
    values: dict[GraphTensor, Any] = dict(zip(plan.feeds, feeds, strict=True))
    tapes: dict[GradientOperation, GradientTape] = {}
    try:
        # The tapes of later operations are outer ones: they record the gradients of the earlier.
        for gradient in reversed(plan.gradients):
            tape = tapes[gradient] = GradientTape(watch_accessed_variables=False)
            tape.__enter__()
            for source in gradient.sources:
                if isinstance(source, Variable):
                    tape.watch(source)
        watched = _sources(plan)
        for x in plan.feeds:
            _watch(watched.get(x, ()), tapes, values, x)
        for op in plan.operations:
            if isinstance(op, GradientOperation):
                tape = tapes.pop(op)
                tape.__exit__(None, None, None)
                results = op.differentiate(tape, values)
            else:
                results = op.compute([values[x] for x in op.inputs])
            for x, result in zip(op.outputs, results, strict=True):
                if x not in values:  # it was not fed
                    values[x] = result
                    _watch(watched.get(x, ()), tapes, values, x)
    finally:
        for tape in tapes.values():
            tape.__exit__(None, None, None)
    return [_dense(values[x]) for x in plan.fetches] + [x.read_value() for x in plan.variables]


def _sources(plan: Plan) -> dict[Any, list[GradientOperation]]:
    found: dict[Any, list[GradientOperation]] = {}
    for op in plan.gradients:
        for source in op.sources:
            if isinstance(source, GraphTensor):
                found.setdefault(source, []).append(op)
    return found


def _watch(ops: Sequence[GradientOperation], tapes: Any, values: dict[GraphTensor, Any], x: GraphTensor) -> None:
    for op in ops:
        if op in tapes:
            tapes[op].watch(values[x])


def _dense(x: Any) -> Any:
    return x.to_dense() if isinstance(x, IndexedSlices) else x
