"""Updates of some rows of a variable and its slots: the op of the optimizer runs on these rows alone."""

from __future__ import annotations

from typing import Any

from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch.slow_path import apply
from ..registry import tables
from ..state.update import Changes, Update, read_all
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["update_rows"]


def update_rows(changes: Changes, variables: list[Variable], gradient: IndexedSlices, operands: list[Tensor]) -> None:
    """Add to ``changes`` the new values of a variable and its slots, which differ only in the gradient's rows.

    Other rows stay as they are, also where the op would change them for a gradient of zero: Adam's moments, for
    example, decay only when their row occurs, as with TensorFlow's lazy Adam.

    Args:
        changes: with the optimizer's op.
        variables: the variable and its slots; a slot of another shape than the variable's is updated as a whole.
        gradient: the rows; duplicates are summed.
        operands: the op's operands after the gradient.
    """
    scope = current_scope.get()
    traced = scope.trace is not None
    before = [] if traced else read_all(variables)
    current_scope.set(Scope((), scope.trace))
    try:
        values: list[Any] = (
            list(variables)
            if traced
            else [Tensor(array, x.type, None) for array, x in zip(before, variables, strict=True)]
        )
        results = (_masked if traced else _scattered)(changes, values, gradient, operands)
        if traced:
            for variable, value in zip(variables, results, strict=True):
                scope.trace.write(variable, value)
    finally:
        current_scope.set(scope)
    if not traced:
        changes.updates.append(Update(variables, before, [value.array for value in results]))


def _scattered(changes: Changes, values: list[Any], gradient: IndexedSlices, operands: list[Tensor]) -> list[Any]:
    take, scatter = tables.get_op("take"), tables.get_op("scatter")
    rows = gradient.coalesce()
    shape = rows.dense_shape
    parts = [take(x, rows.indices, axis=0) if x.shape == shape else x for x in values]
    return [
        scatter(x, rows.indices, y, axis=0, mode="set") if x.shape == shape else y
        for x, y in zip(values, _updated(changes, [*parts, rows.values, *operands]), strict=True)
    ]


def _masked(changes: Changes, values: list[Any], gradient: IndexedSlices, operands: list[Tensor]) -> list[Any]:
    """As `_scattered`, with shapes that do not depend on how many rows there are: all are computed, some are chosen."""
    ones, zeros, scatter, where, reshape = (
        tables.get_op(name) for name in ("ones", "zeros", "scatter", "where", "reshape")
    )
    shape, device = gradient.dense_shape, gradient.device
    counts = scatter(
        zeros((shape[0],), dtype="int32", device=device),
        gradient.indices,
        ones(gradient.indices.shape, dtype="int32", device=device),
    )
    occurs = reshape(counts > 0, (shape[0], *[1 for _ in shape[1:]]))
    results = _updated(changes, [*values, gradient.to_dense(), *operands])
    return [where(occurs, y, x) if x.shape == shape else y for x, y in zip(values, results, strict=True)]


def _updated(changes: Changes, operands: list[Any]) -> list[Tensor]:
    result = apply(changes.op, operands, changes.attributes)
    return list(result) if changes.op.outputs is not None else [result]
