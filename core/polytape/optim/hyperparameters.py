"""Hyperparameters: numbers, tensors, functions and schedules, checked and turned into operands at each step."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import dtypes
from ..dispatch import convert
from ..errors import DTypeError, SettingError
from ..registry import tables
from ..registry.tensor_type import TensorType, get_tensor_type
from ..state.trackable import Trackable
from ..tensors.scope import current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable
from .schedules import Schedule

if TYPE_CHECKING:
    from ..device import Device

__all__ = ["DECAY", "NOT_NEGATIVE", "NOT_POSITIVE", "POSITIVE", "Hyperparameter", "Hyperparameters", "Range"]

Hyperparameter: TypeAlias = "float | Tensor | Schedule | Callable[[], float | Tensor]"
Range: TypeAlias = "tuple[Callable[[float], bool], str]"

# What a hyperparameter may be, and how an error describes it.
DECAY: Range = (lambda number: 0.0 <= number < 1.0, "a number from 0 (inclusive) to 1 (exclusive)")
POSITIVE: Range = (lambda number: number > 0.0, "a positive number")
NOT_NEGATIVE: Range = (lambda number: number >= 0.0, "a number that is not negative")
NOT_POSITIVE: Range = (lambda number: number <= 0.0, "a number that is not positive")


class Hyperparameters(Trackable):
    """The part of an optimizer that has its hyperparameters.

    Attributes:
        learning_rate: as passed or assigned.
        step: int64[] variable, which schedules are called with.
        ranges: the hyperparameters beside the learning rate, in the op's order: attributes, each with its range.
    """

    learning_rate: Hyperparameter
    step: Variable
    ranges: tuple[tuple[str, Range], ...] = ()

    def _forget(self) -> None:
        """Reset what is computed again when it is needed."""
        self._rate: float | None = None
        self._rate_operands: dict[TensorType, Tensor] = {}  # _rate as an operand, by tensor type
        self._numbers: list[Any] = []  # the hyperparameters of `ranges`
        self._are_numbers = False  # whether all of these are floats, which do not change by themselves
        self._vectors: dict[Device, Tensor] = {}  # _numbers as an operand, by device

    # --- checks -----------------------------------------------------------------------------------------------------

    def _check_number(self, name: str, value: Any, valid: Callable[[float], bool], expected: str) -> float:
        """``value`` as a float; raises if it is not a number, or not a valid one."""
        if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
            raise DTypeError(
                f"{type(self).__name__} cannot use {describe(value)} as {name}.",
                expected=expected,
                got=f"{describe(value)} of type {type(value).__name__}",
                fix="pass a Python number",
            )
        number = float(value)
        if not (isfinite(number) and valid(number)):
            raise SettingError(
                f"{type(self).__name__} cannot use {name}={number}.",
                expected=expected,
                got=repr(number),
                fix="change it",
            )
        return number

    def _names(self) -> list[str]:
        return [name for name, _ in self.ranges]

    def _set_hyperparameters(self, **values: Any) -> None:
        """Check and assign the hyperparameters of ``ranges``."""
        for name, value in values.items():
            setattr(self, name, self._checked(name, value))
        if list(values) != self._names():
            raise AssertionError(f"{type(self).__name__} passes {list(values)}, its op takes {self._names()}")

    def _checked(self, name: str, value: Any) -> Any:
        """A hyperparameter; a number as a float. What a function returns is checked when it is called."""
        if isinstance(value, Tensor):
            self._check_scalar(name, value)
            return value
        return value if callable(value) else self._check_number(name, value, *dict(self.ranges)[name])

    def _check_scalar(self, name: str, value: Tensor) -> None:
        if value.shape != () or value.type.category != dtypes.FLOATING:
            raise DTypeError(
                f"{type(self).__name__} cannot use {describe(value)} as {name}.",
                expected="a number, a real floating tensor of shape (), or a function that returns one",
                got=describe(value),
                fix="pass a number such as 0.01",
            )

    def _evaluated(self, name: str) -> Any:
        """The value at this step of the attribute ``name``: a float or a tensor."""
        value: Any = getattr(self, name)
        if isinstance(value, Schedule):
            traced = current_scope.get().trace is not None
            value = value(self.step.read_value() if traced else int(self.step))
        elif callable(value):
            value = value()
        return value

    # --- one step's values -------------------------------------------------------------------------------------------

    def _current_vectors(self, tensor_types: list[TensorType]) -> dict[Device, Tensor]:
        """The hyperparameters of this step as one operand, for the devices of these tensor types."""
        trace = current_scope.get().trace
        if trace is None and self._are_numbers and [getattr(self, name) for name, _ in self.ranges] == self._numbers:
            known = self._vectors
            if all([tensor_type.device in known for tensor_type in tensor_types]):
                return known  # the usual case
        devices = list(dict.fromkeys([tensor_type.device for tensor_type in tensor_types]))
        backends = {tensor_type.device: tensor_type.backend for tensor_type in tensor_types}
        if trace is None:
            return self._evaluated_vectors(devices, backends)
        values = {name: getattr(self, name) for name in self._names()}
        trace.guard(lambda: all(_same_kind(getattr(self, name), value) for name, value in values.items()))
        symbolic = {name: self._evaluated(name) for name, value in values.items() if _in_graph(value)}
        vectors = {}
        # Read at the start of each run of the graph: their values now would become constants of the graph.
        source = trace.source(self, lambda: self._vector_arrays(devices, backends, symbolic.keys()))
        for device in devices:
            tensor_type = get_tensor_type(backends[device], device, _wide_dtype(backends[device]))
            vector = source.tensor("hyperparameters", tensor_type, (len(self.ranges),))
            if symbolic:
                items = [symbolic.get(name, vector[k]) for k, name in enumerate(self._names())]
                stack: Any = tables.get_op("stack")
                vector = stack([convert.cast(convert.to_device(x, device), tensor_type.dtype) for x in items])
            vectors[device] = vector
        return vectors

    def _vector_arrays(
        self, devices: list[Device], backends: dict[Device, Any], left_out: Collection[str]
    ) -> list[Any]:
        vectors = self._evaluated_vectors(devices, backends, left_out)
        return [vectors[device].array for device in devices]

    def _evaluated_vectors(
        self, devices: list[Device], backends: dict[Device, Any], left_out: Collection[str] = ()
    ) -> dict[Device, Tensor]:
        values = [0.0 if name in left_out else self._evaluated(name) for name in self._names()]
        if values != self._numbers or any([isinstance(value, Tensor) for value in values]):
            values = [
                value if name in left_out else self._checked(name, value)
                for name, value in zip(self._names(), values, strict=True)
            ]
            self._numbers, self._vectors = values, {}
            self._are_numbers = all([type(value) is float for value in values])
        vectors = self._vectors
        for device in devices:
            if device not in vectors:
                dtype = _wide_dtype(backends[device])
                items = [convert.asarray(x, dtype, device, None) if isinstance(x, float) else x for x in values]
                if all(isinstance(x, float) for x in values):
                    vectors[device] = convert.asarray(values, dtype, device, None)
                else:
                    stack: Any = tables.get_op("stack")
                    vectors[device] = stack([convert.cast(convert.to_device(_value(x), device), dtype) for x in items])
        return vectors

    def _check_rate(self, rate: Any) -> None:
        """Raise if this cannot be a learning rate; what a function returns is checked when it is called."""
        if isinstance(rate, Tensor):
            self._check_scalar("learning_rate", rate)
        elif not callable(rate):
            self._check_number("learning_rate", rate, *NOT_NEGATIVE)

    def _current_rates(self, tensor_types: list[TensorType]) -> dict[TensorType, Tensor]:
        """The learning rate of this step as an operand, for each of these tensor types."""
        trace = current_scope.get().trace
        rate = self.learning_rate
        if trace is None:
            return self._evaluated_rates(tensor_types)
        if isinstance(rate, Schedule):
            trace.guard(lambda: self.learning_rate is rate)
            return self._evaluated_rates(tensor_types)
        if not isinstance(rate, Tensor) or (type(rate.array) is not Symbol and not isinstance(rate, Variable)):
            # Evaluated at the start of each run of the graph. Its value now would become a constant of the graph.
            types = list(dict.fromkeys(tensor_types))
            source = trace.source(self, lambda: self._rate_arrays(types))
            return {tensor_type: source.tensor("learning_rate", tensor_type, ()) for tensor_type in types}
        trace.guard(lambda: self.learning_rate is rate)
        return self._evaluated_rates(tensor_types)

    def _rate_arrays(self, tensor_types: list[TensorType]) -> list[Any]:
        rates = self._evaluated_rates(tensor_types)
        return [rates[tensor_type].array for tensor_type in tensor_types]

    def _evaluated_rates(self, tensor_types: list[TensorType]) -> dict[TensorType, Tensor]:
        rate = self.learning_rate
        if callable(rate):
            rate = self._evaluated("learning_rate")
        if type(rate) is not float or rate != self._rate:
            self._check_rate(rate)
            if isinstance(rate, Tensor):
                value = rate.read_value() if isinstance(rate, Variable) else rate
                return {x: convert.cast(convert.to_device(value, x.device), x.dtype) for x in tensor_types}
            number = float(rate)
            if number != self._rate:
                self._rate, self._rate_operands = number, {}
        operands = self._rate_operands
        for x in tensor_types:
            if x not in operands:
                operands[x] = Tensor(x.scalar(self._rate), x, None)
        return operands


def _in_graph(value: Any) -> bool:
    """Whether a traced step computes this hyperparameter in the graph, instead of reading it before each run."""
    return isinstance(value, (Schedule, Variable)) or (isinstance(value, Tensor) and type(value.array) is Symbol)


def _same_kind(value: Any, traced: Any) -> bool:
    """Whether a traced step can use this value of a hyperparameter that had the value ``traced``."""
    return value is traced or not (_in_graph(value) or _in_graph(traced))


def _wide_dtype(backend: Any) -> Any:
    """The dtype of hyperparameters: float64, since 1 - 0.999 has four wrong digits in float32, if there is one."""
    return dtypes.float64 if "float64" in backend.dtypes else dtypes.float32


def _value(x: Tensor) -> Tensor:
    return x.read_value() if isinstance(x, Variable) else x
