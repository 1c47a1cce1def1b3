"""Nodes that run subgraphs, sequences and optionals, and steps of optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt

from .movement import parts
from .registry import constant, node

# --- subgraphs --------------------------------------------------------------------------------------------------------


@node("If", host="cond")
def if_node(cond: Any, *, then_branch: Any, else_branch: Any, run: Any) -> tuple[Any, ...]:
    return tuple(run(then_branch if cond.item() else else_branch, []))


@node("Loop", host="count cond")
def loop(count: Any, cond: Any, *carried: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """The carried values after the last iteration, then each scanned output, stacked."""
    values = list(carried)
    scanned: list[list[Any]] = [[] for _ in range(len(body.output) - 1 - len(carried))]
    go_on, iteration = True if cond is None else bool(cond), 0
    while go_on and (count is None or iteration < int(count)):
        flag, *results = run(body, [run.known(constant(iteration, np.int64)), run.known(constant(True)), *values])
        values, iteration = results[: len(carried)], iteration + 1
        for column, x in zip(scanned, results[len(carried) :], strict=True):
            column.append(x)
        go_on = bool(run.host(flag))
    return (*values, *(pt.stack(column) for column in scanned))


@node("Scan")
def scan(
    *operands: Any, body: Any, num_scan_inputs: int, scan_input_axes: Any = None, scan_input_directions: Any = None,
    scan_output_axes: Any = None, scan_output_directions: Any = None, run: Any,
) -> tuple[Any, ...]:  # fmt: skip
    if (operands and operands[0] is None) or len(body.input) < len(operands):  # version 8: lengths, and a batch
        return _batched_scan(*operands[1:], body=body, num_scan_inputs=num_scan_inputs, run=run)
    states, inputs = list(operands[: len(operands) - num_scan_inputs]), operands[len(operands) - num_scan_inputs :]
    axes, backwards = scan_input_axes or [0] * len(inputs), scan_input_directions or [0] * len(inputs)
    rows = [
        pt.unstack(pt.flip(x, axis=axis) if back else x, axis=axis)
        for x, axis, back in zip(inputs, axes, backwards, strict=True)
    ]
    columns: list[list[Any]] = [[] for _ in range(len(body.output) - len(states))]
    for row in zip(*rows, strict=True):
        results = run(body, [*states, *row])
        states, outputs = results[: len(states)], results[len(states) :]
        for column, x in zip(columns, outputs, strict=True):
            column.append(x)
    axes, backwards = scan_output_axes or [0] * len(columns), scan_output_directions or [0] * len(columns)
    stacked = (
        pt.stack(column[::-1] if back else column, axis=axis)
        for column, axis, back in zip(columns, axes, backwards, strict=True)
    )
    return (*states, *stacked)


def _batched_scan(*operands: Any, body: Any, num_scan_inputs: int, run: Any) -> tuple[Any, ...]:
    results = [
        scan(*(x[i] for x in operands), body=body, num_scan_inputs=num_scan_inputs, run=run)
        for i in range(operands[0].shape[0])
    ]
    return tuple(pt.stack(column) for column in zip(*results, strict=True))


# --- sequences and optionals ------------------------------------------------------------------------------------------


@node("SequenceConstruct")
def sequence_construct(*xs: Any) -> list[Any]:
    return list(xs)


@node("SequenceEmpty")
def sequence_empty(*, dtype: int = 1) -> list[Any]:
    return []


@node("SequenceInsert", host="position")
def sequence_insert(xs: list[Any], x: Any, position: Any = None) -> list[Any]:
    place = len(xs) if position is None else position.item()
    return [*xs[:place], x, *xs[place:]]


@node("SequenceAt", host="position")
def sequence_at(xs: list[Any], position: Any) -> Any:
    return pt.identity(xs[position.item()])


@node("SequenceLength", by_shape=True)
def sequence_length(xs: list[Any]) -> Any:
    return constant(len(xs), np.int64)


@node("SequenceMap")
def sequence_map(*operands: Any, body: Any, run: Any) -> tuple[Any, ...]:
    """An operand that is a tensor is the same for all elements of the first sequence."""
    rows = [run(body, [x[i] if isinstance(x, list) else x for x in operands]) for i in range(len(operands[0]))]
    return tuple(list(column) for column in zip(*rows, strict=True))


@node("SplitToSequence", host="split")
def split_to_sequence(x: Any, split: Any = None, *, axis: int = 0, keepdims: int = 1) -> list[Any]:
    if split is None:
        pieces = parts(x, [1] * x.shape[axis], axis, 0)
        return pieces if keepdims else [pt.squeeze(piece, axis) for piece in pieces]
    if np.ndim(split) == 0:  # the size of each part; the last may be smaller
        return parts(x, [int(split)] * -(-x.shape[axis] // int(split)), axis, 0)
    return parts(x, split, axis, 0)


@node("OptionalHasElement", by_shape=True)
def optional_has_element(x: Any = None) -> Any:
    return constant(x is not None)


@node("OptionalGetElement")
def optional_get_element(x: Any) -> Any:
    return x if isinstance(x, list) else pt.identity(x)


@node("Optional")
def optional(x: Any = None, *, type: Any = None) -> Any:
    return x


# --- steps of optimizers ----------------------------------------------------------------------------------------------


def _grouped(operands: tuple[Any, ...], count: int) -> list[tuple[Any, ...]]:
    """The operands of each variable: all variables come first, then all gradients, ..."""
    n = len(operands) // count
    return [tuple(operands[i + j * n] for j in range(count)) for i in range(n)]


def _ungrouped(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(x for column in zip(*rows, strict=True) for x in column)


@node("Adagrad")
def adagrad(
    rate: Any, step: Any, *operands: Any, norm_coefficient: float = 0.0, decay_factor: float = 0.0,
    epsilon: float = 1e-6,
) -> tuple[Any, ...]:  # fmt: skip
    rows = []
    for x, g, total in _grouped(operands, 3):
        g = g + norm_coefficient * x
        total = total + pt.square(g)
        rows.append((x - rate / (1 + step * decay_factor) * g / (pt.sqrt(total) + epsilon), total))
    return _ungrouped(rows)


@node("Adam")
def adam(
    rate: Any, step: Any, *operands: Any, alpha: float = 0.9, beta: float = 0.999, epsilon: float = 1e-6,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> tuple[Any, ...]:  # fmt: skip
    rows = []
    for x, g, m, v in _grouped(operands, 4):
        g = g + norm_coefficient * x
        m, v = alpha * m + (1 - alpha) * g, beta * v + (1 - beta) * pt.square(g)
        # The averages start at 0, which is corrected from the second step on.
        corrected = rate * pt.sqrt(1 - beta**step) / (1 - alpha**step)
        new = x - pt.where(step > 0, corrected, rate) * m / (pt.sqrt(v) + epsilon)
        rows.append(((1 - norm_coefficient_post) * new, m, v))
    return _ungrouped(rows)


@node("Momentum")
def momentum(
    rate: Any, step: Any, *operands: Any, alpha: float, beta: float, mode: str, norm_coefficient: float
) -> tuple[Any, ...]:
    rows = []
    for x, g, v in _grouped(operands, 3):
        g = g + norm_coefficient * x
        v = alpha * v + pt.where(step > 0, beta, 1.0) * g
        rows.append((x - rate * (g + alpha * v if mode == "nesterov" else v), v))
    return _ungrouped(rows)
