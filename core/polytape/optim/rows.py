"""Updates of some rows of a variable and its slots: the op of the optimizer runs on these rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch.slow_path import apply
from ..errors import OutOfRangeError
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
    current_scope.set(Scope((), scope.trace))
    try:
        if scope.trace is None:
            _set_rows(changes, variables, _coalesced(gradient), operands)
        else:
            _set_traced_rows(changes, variables, _repeated(gradient), operands)
    finally:
        current_scope.set(scope)


def _coalesced(gradient: IndexedSlices) -> IndexedSlices:
    """The gradient with each position once."""
    rows = gradient.coalesce()
    if not gradient.unique and rows.indices.size and int(rows.indices[0]) < 0:  # the smallest, counted from the start
        number = gradient.dense_shape[0]
        raise OutOfRangeError(
            f"an update of rows has an index that is out of bounds for {number} rows.",
            expected=f"indices from {-number} to {number - 1}",
            got=str(int(rows.indices[0]) - number),
            fix="correct the indices; no variable was changed",
        )
    return rows


def _repeated(gradient: IndexedSlices) -> IndexedSlices:
    """The gradient in a trace, where a position that occurs several times has its sum each time.

    The op then computes the same new row each time, and which of them is set does not matter.
    """
    if gradient.unique:
        return gradient
    rows = gradient.coalesce()
    first = tables.get_op("searchsorted")(rows.indices, rows.indices)
    return IndexedSlices(tables.get_op("take")(rows.values, first, axis=0), rows.indices, rows.dense_shape)


def _set_rows(changes: Changes, variables: list[Variable], rows: IndexedSlices, operands: list[Tensor]) -> None:
    before = read_all(variables)
    values = [Tensor(array, x.type, None) for array, x in zip(before, variables, strict=True)]
    results = _new_rows(changes, values, rows, operands)
    del values
    setting = Changes(tables.get_op("set_rows"), {}, changes.in_place)
    setting.updates = changes.updates
    for variable, result in zip(reversed(variables), reversed(results), strict=True):
        array = [before.pop()]  # the only reference beside the variable's, so that the rows can be set in place
        if variable.shape == rows.dense_shape:
            setting.update([variable], [rows.indices, result], array)
        else:
            changes.updates.append(Update([variable], array, [result.array]))


def _set_traced_rows(changes: Changes, variables: list[Variable], rows: IndexedSlices, operands: list[Tensor]) -> None:
    results = _new_rows(changes, variables, rows, operands)
    setting = Changes(tables.get_op("set_rows"), {})
    for variable, result in zip(variables, results, strict=True):
        if variable.shape == rows.dense_shape:
            setting.update([variable], [rows.indices, result])
        else:
            current_scope.get().trace.write(variable, result)


def _new_rows(changes: Changes, values: Sequence[Tensor], rows: IndexedSlices, operands: list[Tensor]) -> list[Tensor]:
    """The new rows of the variable and its slots, which have these values, and the new values of other slots."""
    take = tables.get_op("take")
    parts = [take(x, rows.indices, axis=0) if x.shape == rows.dense_shape else x for x in values]
    return _updated(changes, [*parts, rows.values, *operands])


def _updated(changes: Changes, operands: list[Any]) -> list[Tensor]:
    result = apply(changes.op, operands, changes.attributes)
    return list(result) if changes.op.outputs is not None else [result]
