"""Variable: the only mutable state. Assigning points it at another array; arrays themselves stay as they are."""

from __future__ import annotations

import sys
from _thread import _count
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ..autodiff.record import wrap
from ..dispatch import convert
from ..dispatch.slow_path import apply, find_entry
from ..dtypes import weak_promote
from ..errors import DTypeError, PolytapeError, ShapeError, TraceError
from ..registry.entry import Copying, Guarded
from ..settings import Scope, current_scope, trimmed
from ..tensors.node import leaf
from ..tensors.tensor import Symbol, Tensor, TensorLike, describe, operators

if TYPE_CHECKING:
    from ..dispatch.fast_path import BinaryOp, Op

__all__ = ["Variable", "update"]


class Variable(Tensor):
    """A tensor that can be assigned to; trainable ones are watched by tapes when they are used.

    Args:
        value: the initial value, anything `polytape.asarray` takes.
        trainable: whether tapes watch it by themselves.
        name: for people; a checkpoint knows a variable by its attribute path.
        dtype, device: as for `polytape.asarray`.

    Raises:
        TraceError: inside a traced function.

    Example:
        >>> import polytape as pt
        >>> w = pt.Variable([1.0, 2.0])
        >>> w.assign_sub([0.5, 0.5]).tolist()
        [0.5, 1.5]
    """

    __slots__ = ("name", "trainable")

    def __init__(
        self,
        value: Any,
        trainable: bool = True,
        name: str = "",
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        if current_scope.get().trace is not None:
            raise TraceError(
                f"Variable({describe(value)}) is made inside a traced function.",
                expected="variables made before the call",
                got="a new variable at each call, which a graph cannot make",
                fix="make it outside the function, or on the object whose method is traced",
            )
        made = convert.asarray(value, dtype, device, None)
        super().__init__(made.array, made.kind, leaf(made.kind, made.array.shape))
        self.trainable: bool = trainable
        self.name: str = name

    def read_value(self) -> Tensor:
        """The value now, as a tensor that later assignments do not reach."""
        result: Tensor = operators.identity(self)
        return result

    def assign(self, value: TensorLike) -> Variable:
        """Replace the value.

        Args:
            value: of exactly this shape and dtype; a Python number takes the dtype.
        Returns:
            The variable itself.
        Raises:
            ShapeError: another shape. DTypeError: another dtype. The value is untouched then.
        """
        try:
            self._set(self._accepted("assign", value))
        except PolytapeError as error:
            raise trimmed(error) from None
        return self

    def assign_add(self, value: TensorLike) -> Variable:
        """Add ``value``, of this shape and dtype or a Python number; as `assign`."""
        try:
            return self._change("assign_add", operators.add, value)
        except PolytapeError as error:
            raise trimmed(error) from None

    def assign_sub(self, value: TensorLike) -> Variable:
        """Subtract ``value``, of this shape and dtype or a Python number; as `assign`."""
        try:
            return self._change("assign_sub", operators.subtract, value)
        except PolytapeError as error:
            raise trimmed(error) from None

    def _change(self, what: str, op: BinaryOp, value: Any) -> Variable:
        scope = current_scope.get()
        kind = self.kind
        if scope.trace is None and isinstance(value, Tensor) and value.kind is kind:
            entry = op.table.get(kind)
            if entry is not None and entry.how == "kernel" and value.array.shape == self.array.shape:
                self.array = entry.lift(entry.fn(self.array, value.array))
                return self
        number = isinstance(value, (bool, int, float, complex))
        if number:
            self._check_number(what, value)
        other = value if number else self._accepted(what, value)
        token = current_scope.set(Scope((), scope.trace))
        try:
            self._set(apply(op, [self, other], {}))
        finally:
            current_scope.reset(token)
        return self

    def _accepted(self, what: str, value: Any) -> Tensor:
        """``value`` as a tensor of this variable's shape, dtype and device, or an error."""
        if isinstance(value, Tensor):
            made = value
        elif isinstance(value, (bool, int, float, complex)):
            self._check_number(what, value)
            made = Tensor(self.kind.make_scalar(value), self.kind, None)
        else:
            made = convert.asarray(value, None, self.kind.device, None)
            if made.kind.category <= self.kind.category and _plain_numbers(value):
                made = convert.asarray(value, self.dtype, self.kind.device, None)
        shape = self.array.shape
        if made.array.shape != shape:
            raise ShapeError(
                f"{what} of {describe(made)} to the variable {self.name or describe(self)}.",
                expected=f"shape {shape}",
                got=f"shape {made.array.shape}",
                fix="reshape or broadcast the value to the variable's shape first",
            )
        if made.kind.dtype is not self.kind.dtype:
            raise DTypeError(
                f"{what} of {describe(made)} to the variable {self.name or describe(self)}.",
                expected=f"dtype {self.kind.dtype}",
                got=f"dtype {made.kind.dtype}",
                fix=f"cast it with polytape.astype(value, '{self.kind.dtype}')",
            )
        return made if made.kind.device is self.kind.device else convert.to_device(made, self.kind.device)

    def _check_number(self, what: str, value: Any) -> None:
        """Whether a Python number beside this variable leaves the dtype as it is."""
        if weak_promote(self.kind.dtype, value) is not self.kind.dtype:
            raise DTypeError(
                f"{what} of {value} to the variable {self.name or describe(self)}.",
                expected=f"a number that leaves the dtype {self.kind.dtype}",
                got=f"{value} of type {type(value).__name__}",
                fix="round it first, or make the variable with a floating dtype",
            )

    def _set(self, value: Tensor) -> None:
        scope = current_scope.get()
        if scope.trace is not None:
            scope.trace.write(self, value)
        elif isinstance(value.array, Symbol):
            raise DTypeError(
                f"a symbolic tensor cannot be assigned to the variable {self.name or describe(self)}.",
                expected="a tensor with values",
                got="a tensor kept from inside a traced function",
                fix="return it from the function and assign the result",
            )
        else:
            self.array = value.array

    def __pos__(self) -> Tensor:
        return self.read_value()

    def _host(self, what: str) -> Any:
        trace = current_scope.get().trace
        if trace is None:
            return super()._host(what)
        symbolic: Tensor = trace.read(self)  # its value now would be settled in the graph
        return symbolic._host(what)

    def __copy__(self) -> Tensor:
        trace = current_scope.get().trace
        made = self if trace is None else trace.read(self)
        return wrap(made.array, self.kind, None)

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable(self.read_value(), self.trainable, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._host("pickle").copy(), self.trainable, self.name, str(self.kind.device))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise DTypeError(
            f"item assignment on the variable {self.name or describe(self)}.",
            expected="variable.assign(...)",
            got="variable[key] = value",
            fix="x = variable.read_value(); x[key] = value; variable.assign(x)",
        )


def _restore(host: Any, trainable: bool, name: str, device: str) -> Variable:
    return Variable(host, trainable, name, None, device)


def _plain_numbers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all([_plain_numbers(one) for one in value])
    return type(value) in (int, float, bool)


# --- updates in place -----------------------------------------------------------------------------------------------


class Holder:
    """Holds an array as a variable does, to learn what a single reference counts."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array: Any = array


def references(holder: Holder) -> int:
    """References to a holder's array as this code sees them."""
    return sys.getrefcount(holder.array)


def variable_references(variable: Variable) -> int:
    """References to a variable's array as this code sees them."""
    return sys.getrefcount(variable.array)


# What the interpreter (or the compiled ring) itself adds to the count is measured, not assumed.
SINGLE: Final[int] = references(Holder([]))


def owned(variable: Variable) -> bool:
    """Whether nobody but this variable can see its buffer, so that it may be written."""
    if _count() > 0:
        return False  # another thread could take a reference between this answer and the write
    exclusive = variable.kind.backend.exclusive
    return exclusive is not None and variable_references(variable) == SINGLE and bool(exclusive(variable.array))


def update(op: Op, variables: Sequence[Variable], operands: Sequence[Tensor], attributes: dict[str, Any]) -> None:
    """Run an op whose leading operands are variables and whose outputs are their new values.

    Where the kernel writes these operands, and nobody else sees a variable's buffer, the buffer itself is
    overwritten; every other variable is pointed at its new array.

    Args:
        op: the op; its outputs stand in the order of ``variables``.
        variables: its leading operands.
        operands: the others.
    Raises:
        ShapeError, DTypeError: as the op; the variables are untouched then.
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
    device = variables[0].kind.device
    for x in tensors:
        if x is None or x.kind.device is not device or isinstance(x.array, Symbol):
            _update_by_op(op, variables, operands, attributes)
            return
    entry = find_entry(op, tensors, attributes, device, variables[0].kind.backend)
    fn = entry.fn
    if type(fn) is Guarded:
        fn = fn.choose(*[x.array for x in tensors if x is not None], **attributes)
    if type(fn) is not Copying:
        _update_by_op(op, variables, operands, attributes)
        return
    _check(op, variables, tensors, attributes)
    arrays: list[Any] = [
        variable.array if owned(variable) else variable.kind.backend.copy(variable.array, device)
        for variable in variables
    ]
    arrays.extend([x.array for x in operands])
    results = fn.fn(*arrays, **attributes)
    lifted = entry.lift_all(results) if op.outputs is not None else [entry.lift(results)]
    for variable, result in zip(variables, lifted, strict=True):
        variable.array = result


def _check(op: Op, variables: Sequence[Variable], tensors: list[Tensor | None], attributes: dict[str, Any]) -> None:
    # A buffer must not be half written when a shape turns out to be wrong.
    shapes = op.output_shapes([None if x is None else x.array for x in tensors], attributes)
    for variable, shape in zip(variables, shapes, strict=True):
        if variable.array.shape != shape:
            raise ShapeError(
                f"{op.name} would change the shape of the variable {variable.name or describe(variable)}.",
                expected=f"shape {variable.array.shape}",
                got=f"shape {shape}",
                fix="give a gradient of the variable's own shape",
            )


def _update_by_op(
    op: Op, variables: Sequence[Variable], operands: Sequence[Tensor], attributes: dict[str, Any]
) -> None:
    results = apply(op, [*variables, *operands], attributes)
    values = list(results) if op.outputs is not None else [results]
    accepted = [variable._accepted(op.name, value) for variable, value in zip(variables, values, strict=True)]
    for variable, value in zip(variables, accepted, strict=True):
        variable._set(value)
