"""Variable: the only mutable state. Assigning points it at another array; arrays themselves stay as they are."""

from __future__ import annotations

from typing import Any

from ..dtypes import weak_promote
from ..errors import DTypeError, PolytapeError, ShapeError, TraceError
from ..registry.op import Binary
from ..settings import trimmed
from .node import leaf
from .scope import Scope, current_scope
from .tensor import Symbol, Tensor, TensorLike, describe, operators

__all__ = ["Variable"]


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
        made: Tensor = operators.asarray(value, dtype, device)
        super().__init__(made.array, made.type, leaf(made.type, made.array.shape))
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

    def _change(self, what: str, op: Binary, value: Any) -> Variable:
        scope = current_scope.get()
        tensor_type = self.type
        if scope.trace is None and isinstance(value, Tensor) and value.type is tensor_type:
            resolution = op.table.get(tensor_type)
            if resolution is not None and resolution.how == "kernel" and value.array.shape == self.array.shape:
                self.array = resolution.lift(resolution.fn(self.array, value.array))
                return self
        number = isinstance(value, (bool, int, float, complex))
        if number:
            self._check_number(what, value)
        other = value if number else self._accepted(what, value)
        token = current_scope.set(Scope((), scope.trace))
        try:
            self._set(op.operate(self, other))
        finally:
            current_scope.reset(token)
        return self

    def _accepted(self, what: str, value: Any) -> Tensor:
        """``value`` as a tensor of this variable's shape, dtype and device, or an error."""
        if isinstance(value, Tensor):
            made = value
        elif isinstance(value, (bool, int, float, complex)):
            self._check_number(what, value)
            made = Tensor(self.type.make_scalar(value), self.type, None)
        else:
            made = operators.asarray(value, None, self.type.device)
            if made.type.category <= self.type.category and _plain_numbers(value):
                made = operators.asarray(value, self.dtype, self.type.device)
        shape = self.array.shape
        if made.array.shape != shape:
            raise ShapeError(
                f"{what} of {describe(made)} to the variable {self.name or describe(self)}.",
                expected=f"shape {shape}",
                got=f"shape {made.array.shape}",
                fix="reshape or broadcast the value to the variable's shape first",
            )
        if made.type.dtype is not self.type.dtype:
            raise DTypeError(
                f"{what} of {describe(made)} to the variable {self.name or describe(self)}.",
                expected=f"dtype {self.type.dtype}",
                got=f"dtype {made.type.dtype}",
                fix=f"cast it with polytape.astype(value, '{self.type.dtype}')",
            )
        if made.type.device is not self.type.device:
            made = operators.to_device(made, self.type.device)
        return made

    def _check_number(self, what: str, value: Any) -> None:
        """Whether a Python number beside this variable leaves the dtype as it is."""
        if weak_promote(self.type.dtype, value) is not self.type.dtype:
            raise DTypeError(
                f"{what} of {value} to the variable {self.name or describe(self)}.",
                expected=f"a number that leaves the dtype {self.type.dtype}",
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

    def _label(self) -> str | None:
        return self.name

    def _is_symbolic(self) -> bool:
        # While a function is traced, a variable stands for its value at each call.
        return current_scope.get().trace is not None or isinstance(self.array, Symbol)

    def _host(self, what: str) -> Any:
        trace = current_scope.get().trace
        if trace is None:
            return super()._host(what)
        symbolic: Tensor = trace.read(self)  # its value now would be settled in the graph
        return symbolic._host(what)

    def __copy__(self) -> Tensor:
        trace = current_scope.get().trace
        if trace is None:
            return Tensor(self.array, self.type, None)
        read: Tensor = trace.read(self)
        return Tensor(read.array, self.type, leaf(self.type, read.array.shape))

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable(self.read_value(), self.trainable, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._host("pickle").copy(), self.trainable, self.name, str(self.type.device))

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
