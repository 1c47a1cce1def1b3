"""Update variables by one op, in place if nothing else refers to the buffer (docs/decisions/0004-buffers.md)."""

from __future__ import annotations

import sys
from _thread import _count
from collections.abc import Sequence
from typing import Any, Final

from ..dispatch.slow_path import apply, find_resolution
from ..errors import ShapeError
from ..registry.op import Op
from ..registry.resolution import Copying, Guarded
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable

__all__ = ["update"]


class Holder:
    """Holds an array as a variable does, to measure the reference count that one reference gives."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array: Any = array


def references(holder: Holder) -> int:
    """The reference count of a holder's array, including the references that this call adds."""
    return sys.getrefcount(holder.array)


def variable_references(variable: Variable) -> int:
    """The reference count of a variable's array, including the references that this call adds."""
    return sys.getrefcount(variable.array)


# What the call itself adds to the count differs between interpreted and compiled code, so it is measured.
SINGLE: Final[int] = references(Holder([]))


def owned(variable: Variable) -> bool:
    """Whether nothing but this variable refers to its buffer, so that the buffer may be overwritten."""
    if _count() > 0:
        return False  # another thread could take a reference between this check and the write
    exclusive = variable.type.backend.exclusive
    return exclusive is not None and variable_references(variable) == SINGLE and bool(exclusive(variable.array))


def update(op: Op, variables: Sequence[Variable], operands: Sequence[Tensor], attributes: dict[str, Any]) -> None:
    """Run an op whose leading operands are variables and whose outputs are their new values.

    If the kernel overwrites these operands and nothing else refers to a variable's buffer, the buffer is overwritten.
    Any other variable gets a new array.

    Args:
        op: the op; its outputs are in the order of ``variables``.
        variables: the leading operands.
        operands: the other operands.
    Raises:
        ShapeError, DTypeError: as from the op; the variables are not changed.
    """
    scope = current_scope.get()
    if scope.trace is not None or scope.tapes:
        token = current_scope.set(Scope((), scope.trace))
        try:
            _update_by_op(op, variables, operands, attributes)
        finally:
            current_scope.reset(token)
        return
    tensors: list[Tensor | None] = [*variables, *operands]
    device = variables[0].type.device
    for x in tensors:
        if x is None or x.type.device is not device or isinstance(x.array, Symbol):
            _update_by_op(op, variables, operands, attributes)
            return
    resolution = find_resolution(op, tensors, attributes, device, variables[0].type.backend)
    fn = resolution.fn
    if type(fn) is Guarded:
        fn = fn.choose(*[x.array for x in tensors if x is not None], **attributes)
    if type(fn) is not Copying:
        _update_by_op(op, variables, operands, attributes)
        return
    _check(op, variables, tensors, attributes)
    arrays: list[Any] = [
        variable.array if owned(variable) else variable.type.backend.copy(variable.array, device)
        for variable in variables
    ]
    arrays.extend([x.array for x in operands])
    results = fn.fn(*arrays, **attributes)
    lifted = resolution.lift_all(results) if op.outputs is not None else [resolution.lift(results)]
    for variable, result in zip(variables, lifted, strict=True):
        variable.array = result


def _check(op: Op, variables: Sequence[Variable], tensors: list[Tensor | None], attributes: dict[str, Any]) -> None:
    # Checked before the kernel runs, so that a wrong shape does not leave a buffer partly overwritten.
    shapes = op.output_shapes([None if x is None else x.array for x in tensors], attributes)
    for variable, shape in zip(variables, shapes, strict=True):
        if variable.array.shape != shape:
            raise ShapeError(
                f"{op.name} would change the shape of the variable {variable.name or describe(variable)}.",
                expected=f"shape {variable.array.shape}",
                got=f"shape {shape}",
                fix="pass a gradient of the variable's own shape",
            )


def _update_by_op(
    op: Op, variables: Sequence[Variable], operands: Sequence[Tensor], attributes: dict[str, Any]
) -> None:
    results = apply(op, [*variables, *operands], attributes)
    values = list(results) if op.outputs is not None else [results]
    accepted = [variable._accepted(op.name, value) for variable, value in zip(variables, values, strict=True)]
    for variable, value in zip(variables, accepted, strict=True):
        variable._set(value)
