"""`tf.while_loop` in a graph: one operation, whose condition and body are regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count as counting
from typing import Any

import polytape as pt

from ..adapters.control import check_loop
from ..nesting import flattened, mapped
from ..shapes import as_shape
from .arrays import with_flow
from .graphs import get_default_graph
from .kinds import Kind, ObjectTensor, check_predicate
from .regions import Region, RegionOperation, flow_of, is_traced, passed, region_of
from .tensors import GraphTensor
from .variables import constant

__all__ = ["while_loop"]


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
    maximum_iterations: Any = None,
) -> Any:  # fmt: skip
    """The loop variables at the end of the loop; see `polytape.compat.tf1.adapters.control.while_loop`.

    Raises:
        TypeError: the condition is no bool. ValueError: the body changes the structure or a shape of the variables.
    """
    check_loop(cond, body, loop_vars)
    graph = get_default_graph()
    with graph.name_scope(name or "while") as scope:
        start = mapped(_entered, loop_vars)
        state = [flow_of(x) for x in flattened(start)]
        limit = None if maximum_iterations is None else constant(maximum_iterations, None, "maximum_iterations")
        kinds = _kinds(state, shape_invariants)

        def arguments(parameters: Iterable[GraphTensor]) -> Sequence[Any]:
            remaining = iter(parameters)
            found = mapped(lambda leaf: with_flow(leaf, next(remaining)), start)
            return list(found)

        test = region_of(cond, kinds, arguments, "Enter")
        _check_test(test, scope)
        step = region_of(body, kinds, arguments, "Enter", lambda found: _listed(found, loop_vars))
        _check_structure(step.structure, start)
        after = [flow_of(x) for x in flattened(step.structure)]
        _check_types(kinds, after, state, scope)
        results = _results(state, limit, test, step, kinds, shape_invariants is not None, back_prop)
    remaining = iter(results)
    found = mapped(lambda leaf: with_flow(leaf, next(remaining)), step.structure)
    return found[0] if len(found) == 1 else found


def _entered(leaf: Any) -> Any:
    return leaf if hasattr(leaf, "flow") else constant(leaf, None, "Const")


def _listed(found: Any, loop_vars: Any) -> Any:
    """What a body returned, as a sequence of the kind of the loop variables."""
    if not isinstance(found, (list, tuple)) or hasattr(found, "_fields"):
        found = [found]
    return found if type(found) is type(loop_vars) else type(loop_vars)(found)


def _kinds(state: Sequence[GraphTensor], invariants: Any) -> list[Kind]:
    """Type and shape of each loop variable in the loop."""
    if invariants is None:
        return [Kind.of(x) for x in state]
    shapes = [as_shape(shape) for shape in flattened(invariants)]
    if len(shapes) != len(state):
        raise ValueError("The two structures don't have the same number of elements.")
    return [Kind(x.tensor_type, shape, type(x)) for x, shape in zip(state, shapes, strict=True)]


def _check_test(test: Region, scope: str) -> None:
    if len(test.results) != 1 or test.results[0] is None:
        raise TypeError(f"The condition of a loop must return one tensor of dtype bool, not {test.structure}.")
    check_predicate(test.results[0], scope, "LoopCond", "input", 1)


def _check_structure(found: Any, wanted: Any) -> None:
    if len(flattened(found)) != len(flattened(wanted)):
        raise ValueError("The two structures don't have the same number of elements.")


def _check_types(kinds: Sequence[Kind], after: Sequence[GraphTensor], state: Sequence[GraphTensor], scope: str) -> None:
    for index, ((kind, shape, _), found, before) in enumerate(zip(kinds, after, state, strict=True)):
        merge = f"{scope}Merge{f'_{index}' if index else ''}"
        if found.tensor_type.dtype is not kind.dtype:
            raise ValueError(
                f"The loop variable {merge}:0 enters the loop with dtype {before.dtype.name}, but has dtype "
                f"{found.dtype.name} after one iteration. Cast it in the body with tf.cast."
            )
        if not shape.is_compatible_with(found.shape):
            raise ValueError(
                f"The shape for {merge}:0 is not an invariant for the loop. It enters the loop with shape {shape}, but "
                f"has shape {found.shape} after one iteration. Provide shape invariants using either the "
                "`shape_invariants` argument of tf.while_loop or set_shape() on the loop variables."
            )


def _results(
    state: list[GraphTensor],
    limit: GraphTensor | None,
    test: Region,
    step: Region,
    kinds: Sequence[Kind],
    changing: bool,
    back_prop: bool,
) -> list[GraphTensor]:
    """The variables at the end, each an output of an operation of its own, as in TensorFlow.

    Args:
        changing: whether shapes may change in the loop; a trace cannot have such a loop.
        back_prop: whether gradients go through it.
    """
    count = len(state)
    operands = [*state, *([] if limit is None else [limit])]

    def compute(values: list[Any], captured: dict[GraphTensor, Any]) -> Sequence[Any]:
        def going(current: Sequence[Any]) -> Any:
            return test.run(current, captured)[0]

        def following(current: Sequence[Any]) -> list[Any]:
            return step.run(current, captured)

        most = values[count] if limit is not None else None
        if is_traced():
            return _traced(going, following, values[:count], most)
        current = values[:count]
        for _ in counting() if most is None else range(int(most)):
            if not bool(going(current)):
                break
            current = following(current)
        return current

    changing = changing or any(kind.cls is ObjectTensor for kind in kinds)
    loop = RegionOperation("While", "While", operands, [test, step], compute, kinds, changing, back_prop)
    return [passed(x, "Exit") for x in loop.outputs]


def _traced(going: Any, following: Any, state: list[Any], most: Any) -> list[Any]:
    """The loop as part of a trace."""
    if most is None:
        found: list[Any] = pt.while_loop(going, following, state)
        return found
    _, last = pt.while_loop(
        lambda both: pt.logical_and(both[0] < most, going(both[1])),
        lambda both: (both[0] + 1, following(both[1])),
        (pt.zeros_like(most), state),
    )
    return list(last)
