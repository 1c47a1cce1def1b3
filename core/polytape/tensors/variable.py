"""Variable: the only mutable state. Assignment points it at another array; the old array is unchanged."""

from __future__ import annotations

from typing import Any

from ..dtypes import FLOATING, weak_promote
from ..errors import DTypeError, PolytapeError, ShapeError, TapeError, TraceError
from ..registry.op import Binary
from ..settings import trimmed
from .in_place import settled
from .node import leaf
from .scope import Scope, current_scope
from .tensor import Symbol, Tensor, TensorLike, describe, operators

__all__ = ["Variable"]


class Variable(Tensor):
    """A tensor that can be assigned to. Tapes watch trainable variables automatically when they are used.

    ``w += x``, ``w *= x`` and the like assign to the variable.

    Args:
        value: the initial value, anything that `polytape.asarray` accepts.
        trainable: whether tapes watch it automatically. By default they do if the dtype is real floating; variables of
            other dtypes have no gradient.
        name: shown in prints and errors; checkpoints identify a variable by its attribute path instead.
        dtype, device: as for `polytape.asarray`.

    Raises:
        TraceError: the variable is created inside a traced function.
        DTypeError: ``trainable=True`` for a dtype that is not real floating.

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
        trainable: bool | None = None,
        name: str = "",
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        trace = current_scope.get().trace
        if trace is not None:
            raise TraceError(
                f"Variable({describe(value)}) cannot be created inside {getattr(trace, 'what', 'a traced function')}.",
                expected="variables created before the call",
                got="a new variable at each call, which a graph cannot create",
                fix="create it outside the function, for example as an attribute of the object whose method is traced",
            )
        initial: Tensor = operators.asarray(value, dtype, device)
        super().__init__(initial.array, initial.type, leaf(initial.type, initial.array.shape))
        floating = initial.type.category >= FLOATING
        if trainable and not floating:
            raise DTypeError(
                f"Variable({describe(value)}, trainable=True) cannot be trained.",
                expected="a real floating dtype",
                got=str(initial.type.dtype),
                fix="pass dtype='float32', or trainable=False",
            )
        self.trainable: bool = floating if trainable is None else trainable
        self.name: str = name

    def read_value(self) -> Tensor:
        """The current value, as a tensor that later assignments do not affect."""
        result: Tensor = operators.identity(self)
        return result

    def assign(self, value: TensorLike) -> Variable:
        """Replace the value.

        Args:
            value: must have exactly the variable's shape and dtype; Python numbers are converted to the dtype.
        Returns:
            The variable itself.
        Raises:
            ShapeError: the shape differs. DTypeError: the dtype differs. The variable is unchanged then.
        """
        try:
            self._set(self._accepted("assign", value))
        except PolytapeError as error:
            raise trimmed(error) from None
        return self

    def assign_add(self, value: TensorLike) -> Variable:
        """Add ``value``, a Python number or a value as for `assign`."""
        try:
            return self._change("assign_add", operators.add, value)
        except PolytapeError as error:
            raise trimmed(error) from None

    def assign_sub(self, value: TensorLike) -> Variable:
        """Subtract ``value``, a Python number or a value as for `assign`."""
        try:
            return self._change("assign_sub", operators.subtract, value)
        except PolytapeError as error:
            raise trimmed(error) from None

    def _change(self, what: str, op: Binary, value: Any) -> Variable:
        tensor_type = self.type
        is_number = isinstance(value, (bool, int, float, complex))
        if is_number:
            self._check_number(what, value)
        fits = is_number or (isinstance(value, Tensor) and value.type is tensor_type)
        if fits and current_scope.get().trace is None:
            resolution = op.table.get(tensor_type)
            operand, before = tensor_type.scalar(value) if is_number else value.array, self.array
            if resolution is not None and resolution.how == "kernel" and (is_number or operand.shape == before.shape):
                if type(operand) is Symbol or type(before) is Symbol:
                    operand, before = operand if is_number else settled(value), settled(self)
                while not self._replace(before, resolution.lift(resolution.fn(before, operand))):
                    before = settled(self)
                return self
        self._update(what, op, value if is_number else self._accepted(what, value))
        return self

    def _update(self, what: str, op: Binary, operand: Any) -> None:
        """Assign ``op(self, operand)``; tapes do not record it."""
        scope = current_scope.get()
        try:
            if scope.tapes:
                current_scope.set(Scope((), scope.trace))
            if scope.trace is not None:
                self._set(self._accepted(what, op(self, operand)))
                return
            before = settled(self)
            while not self._replace(before, self._accepted(what, op(self._with(before), operand)).array):
                before = settled(self)
        finally:
            if scope.tapes:
                current_scope.set(scope)

    def _with(self, array: Any) -> Tensor:
        """A tensor of the variable's type."""
        return Tensor(array, self.type, None)

    def _replace(self, before: Any, after: Any) -> bool:
        """Assign an array if the variable still holds ``before``; False if a thread or signal handler changed it.

        No other thread runs between the comparison and the assignment: neither calls a function.
        """
        if self.array is before:
            self.array = after
            return True
        return False

    def _combine(self, symbol: str, op: Binary, value: Any) -> Variable:
        """``variable <symbol> value``, an augmented assignment."""
        scope = current_scope.get()
        try:
            for tape in scope.tapes:
                if tape.follows(self):
                    raise TapeError(
                        f"{self.name or describe(self)} {symbol} {describe(value)}: a tape follows the variable.",
                        expected="an assignment outside the tape's block",
                        got=f"{symbol}, which would assign to the variable, and gradients do not pass assignments",
                        fix=f"y = variable {symbol[:-1]} value for a new tensor, or variable.assign(...) to assign",
                    )
            self._update(symbol, op, value)
        except PolytapeError as error:
            raise trimmed(error) from None
        return self

    def __iadd__(self, value: TensorLike, /) -> Variable:
        return self._combine("+=", operators.add, value)

    def __isub__(self, value: TensorLike, /) -> Variable:
        return self._combine("-=", operators.subtract, value)

    def __imul__(self, value: TensorLike, /) -> Variable:
        return self._combine("*=", operators.multiply, value)

    def __itruediv__(self, value: TensorLike, /) -> Variable:
        return self._combine("/=", operators.divide, value)

    def __ipow__(self, value: TensorLike, /) -> Variable:
        return self._combine("**=", operators.power, value)

    def __imatmul__(self, value: TensorLike, /) -> Variable:
        return self._combine("@=", operators.matmul, value)

    def _accepted(self, what: str, value: Any) -> Tensor:
        """``value`` as a tensor of this variable's shape, dtype and device; raises if it does not fit."""
        if isinstance(value, Tensor):
            tensor = value
        elif isinstance(value, (bool, int, float, complex)):
            self._check_number(what, value)
            tensor = self._with(self.type.make_scalar(value))
        else:
            tensor = operators.asarray(value, None, self.type.device)
            if tensor.type.category <= self.type.category and _plain_numbers(value):
                tensor = operators.asarray(value, self.dtype, self.type.device)
        shape = self.array.shape
        if tensor.array.shape != shape:
            raise ShapeError(
                f"{what}: {describe(tensor)} does not fit the variable {self.name or describe(self)}.",
                expected=f"shape {shape}",
                got=f"shape {tensor.array.shape}",
                fix="reshape or broadcast the value to the variable's shape first",
            )
        if tensor.type.dtype is not self.type.dtype:
            raise DTypeError(
                f"{what}: {describe(tensor)} does not fit the variable {self.name or describe(self)}.",
                expected=f"dtype {self.type.dtype}",
                got=f"dtype {tensor.type.dtype}",
                fix=f"cast it with polytape.astype(value, '{self.type.dtype}')",
            )
        if tensor.type.device is not self.type.device:
            tensor = operators.to_device(tensor, self.type.device)
        return tensor

    def _check_number(self, what: str, value: Any) -> None:
        """Raise DTypeError if combining the variable with this Python number would change the dtype."""
        if weak_promote(self.type.dtype, value) is not self.type.dtype:
            raise DTypeError(
                f"{what}: {value} does not fit the variable {self.name or describe(self)}.",
                expected=f"a number that keeps the dtype {self.type.dtype}",
                got=f"{value} of type {type(value).__name__}",
                fix="round it first, or create the variable with a floating dtype",
            )

    def _set(self, value: Tensor) -> None:
        scope = current_scope.get()
        if scope.trace is not None:
            scope.trace.write(self, value)
            return
        array = settled(value)
        if isinstance(array, Symbol):
            raise DTypeError(
                f"a symbolic tensor cannot be assigned to the variable {self.name or describe(self)}.",
                expected="a tensor with values",
                got="a tensor kept from inside a traced function",
                fix="return it from the function and assign the result",
            )
        self.array = array

    def __pos__(self) -> Tensor:
        return self.read_value()

    def _label(self) -> str | None:
        return self.name

    def _is_symbolic(self) -> bool:
        # In a graph, a variable represents its value at the time of each call.
        return current_scope.get().trace is not None

    def _host(self, what: str) -> Any:
        trace = current_scope.get().trace
        if trace is None:
            return super()._host(what)
        symbolic: Tensor = trace.read(self)  # the current value would become a constant of the graph
        return symbolic._host(what)

    def __copy__(self) -> Variable:
        return Variable(self, self.trainable, self.name)

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable(self, self.trainable, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._host("pickle").copy(), self.trainable, self.name, str(self.type.device))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise DTypeError(
            f"item assignment to the variable {self.name or describe(self)} is not supported.",
            expected="variable.assign(...)",
            got="variable[key] = value",
            fix="x = variable.read_value(); x[key] = value; variable.assign(x)",
        )


def _restore(host: Any, trainable: bool, name: str, device: str) -> Variable:
    return Variable(host, trainable, name, None, device)


def _plain_numbers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all([_plain_numbers(item) for item in value])
    return type(value) in (int, float, bool)
