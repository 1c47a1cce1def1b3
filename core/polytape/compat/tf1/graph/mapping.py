"""`tf.map_fn`, `tf.scan`, `tf.foldl` and `tf.foldr` in a graph: one operation, whose function is a region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polytape as pt

from ...op_errors import invalid
from ..dtypes import as_dtype
from ..nesting import filled, flattened
from ..shapes import TensorShape
from .graphs import get_default_graph
from .kinds import Kind
from .regions import Region, RegionOperation, is_traced, region_of
from .tensors import GraphTensor
from .variables import constant

__all__ = ["foldl", "foldr", "map_fn", "scan"]

STACKED = "TensorArrayStack{}/TensorArrayGatherV3"  # TensorFlow's name of what map_fn and scan return


def map_fn(
    fn: Callable[..., Any], elems: Any, dtype: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """As `polytape.compat.tf1.adapters.functional.map_fn`, as an operation.

    Raises:
        ValueError: the results have not the structure of ``elems`` or ``dtype``.
        InvalidArgumentError: a result has another dtype.
    """
    with _scope(fn, name or "map"):
        rows = _tensors(elems)
        wanted = elems if dtype is None else dtype
        body = region_of(fn, list(map(_row, rows)), lambda row: [filled(elems, row)], "element")
        _check_count(body.structure, wanted)
        kinds = [x.dtype for x in rows] if dtype is None else list(map(as_dtype, flattened(dtype)))
        for result, kind in zip(body.results, kinds, strict=True):
            if result.dtype != kind:
                raise invalid(f"TensorArray dtype is {kind.name} but Op is trying to write dtype {result.dtype.name}.")

        def compute(values: list[Any], captured: dict[GraphTensor, Any]) -> Sequence[Any]:
            def step(row: Sequence[Any]) -> list[Any]:
                return body.run(row, captured)

            if is_traced() and values[0].shape[0]:
                return pt.map(step, values)  # type: ignore[no-any-return]  # a list
            return _columns([step(row) for row in zip(*map(pt.unstack, values), strict=True)], body)

        return _stacked(rows, body, wanted, compute, back_prop)


def scan(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """As `polytape.compat.tf1.adapters.functional.scan`, as an operation."""
    with _scope(fn, name or "scan"):
        steps = _Steps(fn, elems, initializer)
        return _stacked(steps.operands, steps.body, steps.structure, steps.all_states, back_prop)


def foldl(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `polytape.compat.tf1.adapters.functional.foldl`, as an operation."""
    with _scope(fn, name or "foldl"):
        return _Steps(fn, elems, initializer).folded(back_prop)


def foldr(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """As `polytape.compat.tf1.adapters.functional.foldr`, as an operation."""
    with _scope(fn, name or "foldr"):
        return _Steps(fn, elems, initializer, reverse=True).folded(back_prop)


class _Steps:
    """``state = fn(state, row)`` for each row of ``elems``.

    Args:
        fn, elems, initializer: as for `scan`.
        reverse: whether the last row comes first.
    """

    def __init__(self, fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool = False) -> None:
        rows = _tensors(elems)
        start = [] if initializer is None else _tensors(initializer)
        self.first_row, self.reverse = initializer is None, reverse
        self.structure = elems if initializer is None else initializer
        kinds = list(map(_row, rows)) if initializer is None else list(map(Kind.of, start))
        self.count = len(kinds)
        self.body = region_of(
            fn,
            [*kinds, *map(_row, rows)],
            lambda both: [filled(self.structure, [*both][: self.count]), filled(elems, [*both][self.count :])],
            "state",
        )
        _check_count(self.body.structure, self.structure)
        self.operands = [*start, *rows]

    def folded(self, back_prop: bool) -> Any:
        """The last state."""
        kinds = [Kind.of(x) for x in self.body.results]

        def compute(values: list[Any], captured: dict[GraphTensor, Any]) -> Sequence[Any]:
            return self._run(values, captured)[0]

        fold = RegionOperation("while/Exit_1", "Fold", self.operands, [self.body], compute, kinds, back_prop=back_prop)
        return filled(self.body.structure, fold.outputs)

    def all_states(self, values: list[Any], captured: dict[GraphTensor, Any]) -> Sequence[Any]:
        """All states, stacked."""
        return self._run(values, captured)[1]

    def _run(self, values: list[Any], captured: dict[GraphTensor, Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """The last state, and all states, stacked."""

        def step(state: Sequence[Any], row: Sequence[Any]) -> list[Any]:
            return self.body.run([*state, *row], captured)

        columns = values[0 if self.first_row else self.count :]
        if self.reverse:
            columns = [pt.flip(x, axis=0) for x in columns]
        if self.first_row:
            state, columns, states = [x[0] for x in columns], [x[1:] for x in columns], [[x[0] for x in columns]]
        else:
            state, states = values[: self.count], []
        if is_traced() and columns[0].shape[0]:
            return self._traced(step, state, columns, states)
        for row in zip(*map(pt.unstack, columns), strict=True):
            state = step(state, row)
            states.append(state)
        return state, _columns(states, self.body)

    @staticmethod
    def _traced(step: Any, state: list[Any], columns: list[Any], states: list[Any]) -> tuple[Any, list[Any]]:
        def both(carry: Any, row: Any) -> tuple[Any, Any]:
            after = step(carry, row)
            return after, after

        last, found = pt.scan(both, state, columns)
        if states:
            found = [pt.concat([pt.expand_dims(x, 0), rest]) for x, rest in zip(states[0], found, strict=True)]
        return last, found


def _scope(fn: Any, name: str) -> Any:
    if not callable(fn):
        raise TypeError("fn must be callable.")
    return get_default_graph().name_scope(name)


def _tensors(structure: Any) -> list[GraphTensor]:
    return [constant(leaf, None, "elems") for leaf in flattened(structure)]


def _row(x: GraphTensor) -> Kind:
    """The kind of a slice along the first axis."""
    if x.shape.ndims == 0:
        raise ValueError(f"{x} has no axis: the elements are the slices of tensors along their first axis.")
    return Kind(x.tensor_type, TensorShape(None if x.shape.ndims is None else x.shape.as_list()[1:]))


def _check_count(found: Any, wanted: Any) -> None:
    if len(flattened(found)) != len(flattened(wanted)):
        raise ValueError("The two structures don't have the same number of elements.")


def _columns(states: Sequence[Sequence[Any]], body: Region) -> list[Any]:
    """Each result of all steps, stacked."""
    if not states:
        return [_no_rows(x) for x in body.results]
    return [pt.stack(list(column)) for column in zip(*states, strict=True)]


def _no_rows(x: GraphTensor) -> Any:
    sizes = [] if x.shape.ndims is None else [size or 0 for size in x.shape.as_list()]
    return pt.zeros((0, *sizes), dtype=x.tensor_type.dtype)


def _stacked(operands: list[GraphTensor], body: Region, structure: Any, compute: Any, back_prop: bool) -> Any:
    """An operation that gives one tensor for each result of the region: with its rows for all steps."""
    length = operands[-1].shape.as_list()[0] if operands[-1].shape.ndims else None
    kinds = [
        Kind(x.tensor_type, TensorShape(None if x.shape.ndims is None else [length, *x.shape.as_list()]))
        for x in body.results
    ]
    found = RegionOperation(
        STACKED.format(""), "TensorArrayGatherV3", operands, [body], compute, kinds, back_prop=back_prop
    )
    return filled(structure, found.outputs)
