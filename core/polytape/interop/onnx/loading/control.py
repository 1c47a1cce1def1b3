"""Nodes that run subgraphs: branches and loops, which in a traced function become its own."""

from __future__ import annotations

from typing import Any, Final

import polytape as pt

from ....control.gradients import is_traced
from ....errors import DTypeError, ShapeError
from .interpreter import Needed, known
from .registry import constant, integer, node

__all__: list[str] = []

# A body that needs a value of a step, or whose state changes its shape or is a sequence, is unrolled.
UNROLLED: Final = (Needed, ShapeError, DTypeError)
ENDLESS: Final = 2**31 - 1  # a count that means "as long as the condition is true"


def _symbolic(x: Any) -> bool:
    return isinstance(x, pt.Tensor) and not known(x) and is_traced()


@node("If")
def _if(cond: Any, *, then_branch: Any, else_branch: Any, run: Any) -> tuple[Any, ...]:
    if not _symbolic(cond):
        return tuple(run(then_branch if bool(cond.item()) else else_branch, []))
    predicate = pt.reshape(cond, ()) if cond.ndim else cond  # the definition allows one element with axes
    try:
        return tuple(pt.cond(predicate, lambda: run(then_branch, []), lambda: run(else_branch, [])))
    except UNROLLED:
        return tuple(run(then_branch if run.host(cond).item() else else_branch, []))


@node("Loop")
def _loop(count: Any, cond: Any, *carried: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """The carried values after the last iteration, then each scanned output, stacked."""
    scanned = len(body.output) - 1 - len(carried)
    if is_traced():
        try:
            if (cond is None or (known(cond) and bool(cond))) and run.constant_output(body, 0) and count is not None:
                return _counted(integer(run.host(count)), carried, body, run)
            if not scanned:
                return _conditional(count, cond, carried, body, run)
        except UNROLLED:
            pass
    return _unrolled(count, cond, carried, body, run)


def _counted(count: int, carried: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """A loop without a condition."""

    def step(state: list[Any], i: Any) -> tuple[list[Any], list[Any]]:
        results = run(body, [i, constant(True), *state])[1:]
        return results[: len(carried)], results[len(carried) :]

    state, columns = pt.scan(step, list(carried), pt.arange(count, dtype=pt.int64))
    return (*state, *columns)


def _conditional(count: Any, cond: Any, carried: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """A loop whose number of steps depends on values."""
    limit = None
    if count is not None:
        count = pt.reshape(count, ())
        if known(count):
            limit = integer(count.numpy())
            limit = None if limit >= ENDLESS else limit
    bounded = count is not None and limit is None

    def goes_on(state: Any) -> Any:
        return (state[0] < count) & state[1] if bounded else state[1]

    def step(state: Any) -> Any:
        i, go_on, values = state
        flag, *results = run(body, [i, go_on, *values])
        return i + 1, pt.reshape(flag, ()), results

    start = constant(True) if cond is None else pt.reshape(cond, ())
    return tuple(pt.while_loop(goes_on, step, (constant(0, pt.int64), start, list(carried)), limit)[2])


def _unrolled(count: Any, cond: Any, carried: Any, body: Any, run: Any) -> tuple[Any, ...]:
    values = list(carried)
    scanned: list[list[Any]] = [[] for _ in range(len(body.output) - 1 - len(carried))]
    steps = None if count is None else integer(run.host(count))
    go_on, iteration = cond is None or bool(run.host(cond).item()), 0
    while go_on and (steps is None or iteration < steps):
        flag, *results = run(body, [constant(iteration, pt.int64), constant(True), *values])
        values, iteration = results[: len(carried)], iteration + 1
        for column, x in zip(scanned, results[len(carried) :], strict=True):
            column.append(x)
        go_on = bool(run.host(flag).item())
    return (*values, *(pt.stack(column) for column in scanned))


@node("Scan")
def _scan(
    *operands: Any, body: Any, num_scan_inputs: int, scan_input_axes: Any = None, scan_input_directions: Any = None,
    scan_output_axes: Any = None, scan_output_directions: Any = None, run: Any,
) -> tuple[Any, ...]:  # fmt: skip
    if run.opset < 9:  # lengths, and a batch
        return _batched_scan(*operands[1:], body=body, num_scan_inputs=num_scan_inputs, run=run)
    count = len(operands) - num_scan_inputs
    states, inputs = list(operands[:count]), operands[count:]
    columns = len(body.output) - count
    backwards = (scan_input_directions or [0] * len(inputs)), (scan_output_directions or [0] * columns)
    reverse = all(backwards[0]) and all(backwards[1])
    flipped = [[0] * len(part) if reverse else part for part in backwards]
    rows = [
        pt.moveaxis(pt.flip(x, axis=axis) if back else x, axis, 0)
        for x, axis, back in zip(inputs, scan_input_axes or [0] * len(inputs), flipped[0], strict=True)
    ]

    def step(state: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        results = run(body, [*state, *row])
        return results[:count], results[count:]

    try:
        states, stacked = pt.scan(step, states, rows, reverse=reverse)
    except UNROLLED:
        states, stacked = _steps(step, states, rows, reverse)
    moved = (
        pt.moveaxis(pt.flip(x, axis=0) if back else x, 0, axis)
        for x, axis, back in zip(stacked, scan_output_axes or [0] * columns, flipped[1], strict=True)
    )
    return (*states, *moved)


def _steps(step: Any, states: list[Any], rows: list[Any], reverse: bool) -> tuple[list[Any], list[Any]]:
    """A scan whose steps run one by one."""
    collected = []
    elements = list(zip(*map(pt.unstack, rows), strict=True))
    for row in reversed(elements) if reverse else elements:
        states, outputs = step(states, list(row))
        collected.append(outputs)
    return states, [pt.stack(x) for x in zip(*(reversed(collected) if reverse else collected), strict=True)]


def _batched_scan(*operands: Any, body: Any, num_scan_inputs: int, run: Any) -> tuple[Any, ...]:
    """Version 8: the first axis of every operand is a batch, the second one the steps."""
    count = len(operands) - num_scan_inputs

    def step(state: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        results = run(body, [*state, *row])
        return results[:count], results[count:]

    results = []
    for i in range(operands[0].shape[0]):
        states, columns = pt.scan(step, [x[i] for x in operands[:count]], [x[i] for x in operands[count:]])
        results.append([*states, *columns])
    return tuple(pt.stack(column) for column in zip(*results, strict=True))
