"""Loops of a cell over the steps of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polytape as pt
from polytape import Tensor

from ...mode import building
from ..convert import tensor
from ..graph.kinds import Kind
from ..graph.known import Known, record_known
from ..graph.operators import operate
from ..graph.recording import call_or_record, record
from ..graph.regions import RegionOperation, region_of
from ..graph.variables import constant
from ..nesting import filled, flattened, mapped
from ..tables import adapter
from ..variables.scopes import variable_scope
from .functional import leaves_of, rebuilt

__all__ = ["dynamic_rnn", "static_bidirectional_rnn", "static_rnn"]


def dynamic_rnn(
    cell: Any, inputs: Any, sequence_length: Any = None, initial_state: Any = None, dtype: Any = None,
    parallel_iterations: int | None = None, swap_memory: bool = False, time_major: bool = False, scope: Any = None,
) -> tuple[Tensor, Any]:  # fmt: skip
    """The outputs of a cell at all steps, and its last state.

    Args:
        cell: of `tf.nn.rnn_cell`.
        inputs: floating[batch, time, features]; [time, batch, features] if ``time_major``.
        sequence_length: int[batch]: after so many steps, outputs are 0 and the state stays.
        initial_state: by default zeros of ``dtype``.
        dtype: required without an initial state.
        parallel_iterations, swap_memory, scope: have no effect in eager mode.
    Raises:
        ValueError: there is neither an initial state nor a dtype.
    """
    if building():
        found: tuple[Any, Any] = _in_graph(
            _dynamic, cell, inputs, sequence_length, initial_state, dtype, time_major, scope
        )
        return found
    return adapter(_dynamic)(cell, inputs, sequence_length, initial_state, dtype, time_major)


def _dynamic(
    cell: Any, inputs: Any, sequence_length: Any, initial_state: Any, dtype: Any, time_major: bool
) -> tuple[Tensor, Any]:
    x = tensor(inputs)
    steps = pt.unstack(x, axis=0 if time_major else 1)
    outputs, state = _run(cell, steps, sequence_length, initial_state, dtype)
    return pt.stack(outputs, axis=0 if time_major else 1), state


def static_rnn(
    cell: Any, inputs: Sequence[Any], initial_state: Any = None, dtype: Any = None, sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Tensor], Any]:  # fmt: skip
    """As `dynamic_rnn`, for a list of the inputs of each step; returns a list of outputs."""
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise TypeError("inputs must be a sequence with at least one tensor")
    if building():
        rows = pt_stack(inputs)
        outputs, state = _in_graph(_dynamic, cell, rows, sequence_length, initial_state, dtype, True, scope)
        return [operate("getitem", outputs, place) for place in range(len(inputs))], state
    return adapter(_static)(cell, inputs, initial_state, dtype, sequence_length)


def static_bidirectional_rnn(
    cell_fw: Any, cell_bw: Any, inputs: Sequence[Any], initial_state_fw: Any = None, initial_state_bw: Any = None,
    dtype: Any = None, sequence_length: Any = None, scope: Any = None,
) -> tuple[list[Any], Any, Any]:  # fmt: skip
    """The outputs of two cells that run in both directions, joined for each step, and their last states.

    Args:
        cell_fw, cell_bw: the cells.
        inputs: floating[batch, features] for each step.
        initial_state_fw, initial_state_bw, dtype: as for `static_rnn`.
        sequence_length: None: all sequences are as long as ``inputs``.
        scope: of the weights; default: "bidirectional_rnn".
    Raises:
        ValueError: there is a ``sequence_length``.
    """
    if sequence_length is not None:
        raise ValueError("static_bidirectional_rnn has no sequence_length here: pad the sequences, or mask the outputs")
    with variable_scope(scope or "bidirectional_rnn"):
        forward, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, scope="fw")
        backward, state_bw = static_rnn(cell_bw, list(inputs)[::-1], initial_state_bw, dtype, scope="bw")
    outputs = [call_or_record(_joined, *pair) for pair in zip(forward, backward[::-1], strict=True)]
    return outputs, state_fw, state_bw


def _joined(first: Any, second: Any) -> Tensor:
    return pt.concat([tensor(first), tensor(second)], axis=1)


def pt_stack(steps: Sequence[Any]) -> Any:
    """The inputs of all steps as one tensor of the graph, the time first."""
    return record(lambda given: pt.stack([tensor(x) for x in given]), list(steps), "Pack", "stack")


def _static(cell: Any, inputs: Any, initial_state: Any, dtype: Any, sequence_length: Any) -> tuple[list[Tensor], Any]:
    return _run(cell, [tensor(step) for step in inputs], sequence_length, initial_state, dtype)


def _run(cell: Any, steps: Sequence[Tensor], lengths: Any, state: Any, dtype: Any) -> tuple[list[Tensor], Any]:
    if state is None:
        if dtype is None:
            raise ValueError("If there is no initial_state, you must give a dtype.")
        state = cell.zero_state(steps[0].shape[0], dtype)
    limits = None if lengths is None else pt.expand_dims(tensor(lengths), 1)
    outputs = []
    for number, step in enumerate(steps):
        output, after = cell(step, state)
        if limits is not None:
            running = limits > number
            output = pt.where(running, output, pt.zeros_like(output))
            pairs = zip(leaves_of(after), leaves_of(state), strict=True)
            after = rebuilt(after, [pt.where(running, new, old) for new, old in pairs])
        outputs.append(output)
        state = after
    return outputs, state


def _in_graph(
    function: Any, cell: Any, inputs: Any, lengths: Any, state: Any, dtype: Any, time_major: bool, scope: Any
) -> Any:
    """The loop as one operation, whose results' shapes are known without running it for some number of steps."""
    if state is None and dtype is None:
        raise ValueError("If there is no initial_state, you must give a dtype.")
    with variable_scope(scope or "rnn"):
        x = constant(inputs, None, "inputs")
        first = operate("getitem", x, 0 if time_major else (slice(None), 0))
        start = cell.zero_state(first_size(first), dtype) if state is None else state
        count = len(x.graph.operations)
        output, after = cell(first, start)  # for the weights, shapes and dtypes
        times = x.shape.with_rank_at_least(2)[:2]
        known = Known(output.tensor_type, times.concatenate(output.shape[1:]))
        results = (known, mapped(lambda s: Known(s.tensor_type, s.shape), after))
        if _captures(x.graph.operations[count:], [first, *flattened(start)]):
            return _by_region(function, cell, x, first, lengths, start, time_major, results)
        arguments = [x, lengths, state]

        def call(given: Any) -> Any:
            return function(cell, given[0], given[1], given[2], dtype, time_major)

        found = record_known(call, arguments, "While", "while", results, cell.variables)
    return found[0], found[1]


def _captures(operations: Sequence[Any], given: Sequence[Any]) -> bool:
    """Whether operations use tensors of the graph beside each other's and those in ``given``."""
    known = {id(x) for op in operations for x in op.outputs} | {id(x) for x in given}
    return any(id(x) not in known for op in operations for x in op.inputs)


def _by_region(
    function: Any, cell: Any, x: Any, first: Any, lengths: Any, start: Any, time_major: bool, results: Any
) -> Any:
    """The loop as an operation with the cell as a region, since the cell uses tensors around it."""
    states = flattened(start)
    body = region_of(
        lambda step, *state: cell(step, filled(start, state)), [Kind.of(first), *map(Kind.of, states)], list, "cell"
    )
    operands = [x, *states] if lengths is None else [x, *states, constant(lengths, None, "sequence_length")]

    def compute(values: list[Any], captured: Any) -> list[Any]:
        def called(step: Any, state: Any) -> Any:
            output, *after = body.run([step, *flattened(state)], captured)
            return output, filled(start, after)

        limits = None if lengths is None else values[-1]
        state = filled(start, values[1 : 1 + len(states)])
        return flattened(function(called, values[0], limits, state, None, time_major))

    kinds = [known.kind for known in flattened(results)]
    return filled(results, RegionOperation("while", "While", operands, [body], compute, kinds).outputs)


def first_size(x: Any) -> Any:
    """The size of the first axis, as a tensor of the graph where it is not known."""
    size = x.shape[0].value
    return record(lambda value: pt.asarray(tensor(value).shape[0]), x, "StridedSlice", "size") if size is None else size
