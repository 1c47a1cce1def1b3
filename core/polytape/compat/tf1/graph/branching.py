"""`tf.cond` and `tf.case` in a graph: only the branch that is chosen runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polytape as pt

from ...op_errors import invalid
from ..adapters.control import branch_of, pairs_of
from ..nesting import filled, flattened
from ..shapes import TensorShape
from .graphs import get_default_graph
from .kinds import Kind, check_predicate
from .operations import Operation
from .recording import named
from .regions import Region, RegionOperation, is_traced, passed, region_of
from .tensors import GraphTensor
from .variables import constant

__all__ = ["case", "cond"]


def cond(
    pred: Any, true_fn: Any = None, false_fn: Any = None, strict: bool = False, name: str | None = None,
    fn1: Any = None, fn2: Any = None,
) -> Any:  # fmt: skip
    """The tensors that one of two functions gives; see `polytape.compat.tf1.adapters.control.cond`.

    Raises:
        TypeError: the condition is a Python bool, or no tensor of bools.
        ValueError: the functions return nothing, or results of different structures or dtypes.
    """
    functions = [("true_fn", branch_of(true_fn, fn1, "true_fn")), ("false_fn", branch_of(false_fn, fn2, "false_fn"))]
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool")
    graph = get_default_graph()
    with graph.name_scope(name or "cond") as scope:
        condition = constant(pred, None, "pred_id")
        check_predicate(condition, scope, "Switch", "pred", 2)
        branches = [_branch(function, kind) for kind, function in functions]
        merged = _merged(condition, branches)
    found = filled(branches[0].structure, merged)
    single = isinstance(found, (list, tuple)) and len(found) == 1
    return found[0] if single and not strict else found


def _branch(function: Callable[[], Any], kind: str) -> Region:
    def called() -> Any:
        found = function()
        if found is None:
            raise ValueError(f"{kind} must have a return value.")
        return found

    return region_of(called, (), lambda _: (), kind)


def _merged(condition: GraphTensor, branches: Sequence[Region]) -> list[GraphTensor]:
    """The results of the branch that runs, each an output of an operation of its own, as in TensorFlow."""
    true, false = branches
    if len(flattened(true.structure)) != len(flattened(false.structure)):
        raise ValueError(
            "Incompatible return values of true_fn and false_fn: The two structures don't have the same number of "
            "elements."
        )
    pairs = list(zip(true.results, false.results, strict=True))
    for one, other in pairs:
        if one.dtype != other.dtype:
            raise ValueError(
                f"Outputs of true_fn and false_fn must have the same type: {one.dtype.name}, {other.dtype.name}"
            )
    joint = [Kind(one.tensor_type, _joint(one.shape, other.shape), type(one)) for one, other in pairs]
    # A trace needs branches of equal shapes. Shapes that are partly unknown are equal as far as can be told.
    differ = any(one.shape.as_list() != other.shape.as_list() for one, other in pairs if _ranked(one, other))

    def compute(values: list[Any], captured: dict[GraphTensor, Any]) -> Sequence[Any]:
        def yes() -> list[Any]:
            return true.run((), captured)

        def no() -> list[Any]:
            return false.run((), captured)

        if is_traced():
            return pt.cond(values[0], yes, no)  # type: ignore[no-any-return]  # a list
        return yes() if bool(values[0]) else no()

    chosen = RegionOperation("Switch", "If", [condition], branches, compute, joint, eager=differ)
    return [passed(x, "Merge") for x in chosen.outputs]


def _ranked(one: GraphTensor, other: GraphTensor) -> bool:
    return one.shape.ndims is not None and other.shape.ndims is not None


def _joint(one: TensorShape, other: TensorShape) -> TensorShape:
    """What two shapes agree in."""
    if one.ndims is None or one.ndims != other.ndims:
        return TensorShape(None)
    return TensorShape([a if a == b else None for a, b in zip(one.as_list(), other.as_list(), strict=True)])


def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The tensors of the first function whose condition holds, or of ``default()``.

    Raises:
        TypeError: the pairs are not pairs of a condition and a function.
    """
    graph, pairs = get_default_graph(), pairs_of(pred_fn_pairs)
    with graph.name_scope(name or "case"):
        conditions = [constant(condition, None, "pred") for condition, _ in pairs]

        def chosen(place: int) -> Any:
            if place == len(pairs):
                return default() if default is not None else pairs[-1][1]()
            if place == len(pairs) - 1 and default is None:
                return pairs[place][1]()
            return cond(conditions[place], pairs[place][1], lambda: chosen(place + 1), strict)

        if not exclusive and default is not None:
            return chosen(0)
        check = _held(conditions, exclusive, default is None)
        with graph.control_dependencies([check]):
            return chosen(0)


def _held(conditions: Sequence[GraphTensor], exclusive: bool, some: bool) -> Operation:
    """An operation that fails if several conditions hold although only one may, or if none does."""

    def check(values: list[Any]) -> list[Any]:
        count = sum(bool(value) for value in values)
        if exclusive and count > 1:
            raise invalid("case: more than one condition evaluated as True but exclusive=True.")
        if some and not count:
            raise invalid("case: None of the conditions evaluated as True, and there is no default.")
        return []

    graph = get_default_graph()
    operation = Operation(graph, named(graph, "Assert"), "Assert", conditions, check, eager=True)
    graph.add(operation)
    return operation
