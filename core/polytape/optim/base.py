"""The optimizers' base class: it checks gradients and keeps the learning rate as a tensor, the step count and slots."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import dtypes
from ..dispatch import convert
from ..dispatch.mixed_devices import deciding_operand
from ..errors import BackendError, DTypeError, PolytapeWarning, SettingError, ShapeError
from ..foreign_names import add_to_optimizer
from ..registry import tables
from ..state.trackable import Trackable
from ..state.update import Changes
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable

if TYPE_CHECKING:
    from ..device import Device
    from ..dispatch.fast_path import Op
    from ..registry.tensor_type import TensorType

__all__ = ["LearningRate", "Optimizer"]

_COMPUTED = ("_one", "_rate", "_rate_operands")
_ATTEMPTS = 1000  # how often a step is computed again because another thread assigned one of its variables
_IN_PLACE_ATTEMPTS = 8
LearningRate: TypeAlias = "float | Tensor | Callable[[], float | Tensor]"
Pair: TypeAlias = "tuple[Any, Variable]"


class Optimizer(Trackable):
    """Base of the optimizers; a subclass names its op, its slots and its op's attributes.

    The op takes the variable and its slots, then the gradient, the learning rate and, if ``takes_step`` is set, the
    step. It returns the new values of the variable and its slots.

    Args:
        learning_rate: a number, a 0-d tensor or `Variable`, or a function without arguments that returns one of these;
            it is called once per step. The attribute may be assigned later.

    Attributes:
        learning_rate: as passed or assigned.
        step: int64[] variable: how many times gradients have been applied.
    """

    op_name: str = ""
    slot_names: tuple[str, ...] = ()
    takes_step: bool = False

    def __init__(self, learning_rate: LearningRate) -> None:
        self.learning_rate = learning_rate
        self._check_rate(learning_rate)
        self.step = Variable(0, trainable=False, name="step", dtype=dtypes.int64)
        # A dict compares identities first, so a lookup does not compare the variables' elements.
        self._slots: dict[Variable, tuple[Variable, ...]] = {}
        self._forget()

    def _forget(self) -> None:
        """Reset what is computed again when it is needed."""
        self._one = convert.asarray(1, dtypes.int64, self.step.device, None)
        self._rate: float | None = None
        self._rate_operands: dict[TensorType, Tensor] = {}  # _rate as an operand, by tensor type

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _COMPUTED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate!r})"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The optimizer's own variables: the step, then the slots in order of creation."""
        return (self.step, *(slot for slots in self._slots.values() for slot in slots))

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot ``name`` of ``var``, or None if no gradient has been applied to it yet.

        Raises:
            SettingError: this optimizer has no slot of that name.
        """
        if name not in self.slot_names:
            raise SettingError(
                f"{type(self).__name__} has no slot {name!r}.",
                expected=f"one of {', '.join(self.slot_names) or '(it has none)'}",
                got=repr(name),
                fix="use one of these names",
            )
        slots = self._slots.get(var)
        return None if slots is None else slots[self.slot_names.index(name)]

    def apply_gradients(self, grads_and_vars: Iterable[Pair]) -> None:
        """Update variables with their gradients, one fused op per variable, and increment the step.

        Args:
            grads_and_vars: ``zip(gradients, variables)``; a pair whose gradient is None is skipped.
        Raises:
            DTypeError, ShapeError, DeviceError: a gradient does not fit its variable, or all gradients are None. No
                variable has been changed in that case.
        """
        calls: list[tuple[Variable, Tensor]] = []
        skipped: list[object] = []
        for gradient, variable in grads_and_vars:
            if type(gradient) is Tensor and isinstance(variable, Variable) and gradient.type is variable.type:
                if gradient.array.shape != variable.array.shape or variable.type.category != dtypes.FLOATING:
                    raise self._gradient_error(gradient, variable)
                calls.append((variable, gradient))
            elif gradient is not None:
                calls.append((variable, self._converted(gradient, variable)))
            else:
                skipped.append(variable)
        if not calls:
            raise self._no_gradients_error(skipped)
        if skipped:
            self._warn_of(skipped)
        rates = self._current_rates([variable.type for variable, _ in calls])
        if len(calls) == 1 or len({id(variable) for variable, _ in calls}) == len(calls):
            self._apply(calls, rates, None)
            return
        step: Tensor | None = None
        for call in calls:  # a variable that occurs twice is updated twice, the second time from the first result
            step = self._apply([call], rates, step)

    def _apply(
        self, calls: list[tuple[Variable, Tensor]], rates: dict[TensorType, Tensor], step: Tensor | None
    ) -> Tensor:
        """Update different variables together, and the step too unless it is given; returns the new step."""
        op, attributes = self._op(), self._attributes()
        trace = current_scope.get().trace
        if trace is not None and attributes:
            trace.guard(lambda: self._attributes() == attributes)
        for attempt in range(_ATTEMPTS):
            changes = Changes(op, attributes, attempt < _IN_PLACE_ATTEMPTS)
            new_step = step
            if new_step is None:
                new_step = changes.add(self.step, self._one)
            for variable, gradient in calls:
                variables = [variable, *self._slots_of(variable)] if self.slot_names else [variable]
                operands = [gradient, rates[variable.type]]
                if self.takes_step:
                    operands.append(_on(new_step, variable.type.device))
                changes.update(variables, operands)
            if changes.commit():
                return new_step
        raise self._contended_error()

    def _op(self) -> Op:
        return tables.get_op(self.op_name)

    def _attributes(self) -> dict[str, Any]:
        return {}

    # --- checking gradients -----------------------------------------------------------------------------------------

    def _converted(self, gradient: Any, variable: Any) -> Tensor:
        if not isinstance(variable, Variable):
            raise DTypeError(
                f"{type(self).__name__}.apply_gradients cannot update {describe(variable)}.",
                expected="pairs of a gradient and a polytape.Variable",
                got=type(variable).__name__,
                fix="pass zip(gradients, variables), in this order",
            )
        if variable.type.category != dtypes.FLOATING:
            raise self._gradient_error(gradient, variable)
        if not isinstance(gradient, Tensor):
            gradient = convert.asarray(gradient, None, variable.device, None)
        if gradient.dtype != variable.dtype or gradient.shape != variable.shape:
            raise self._gradient_error(gradient, variable)
        if gradient.device is not variable.device:
            # Raises or warns, as the policy for mixed devices says.
            deciding_operand(self._op(), [variable, gradient], variable, gradient)
            return convert.to_device(gradient, variable.device)
        checked: Tensor = gradient.read_value() if isinstance(gradient, Variable) else gradient
        return checked

    def _gradient_error(self, gradient: object, variable: Variable) -> DTypeError | ShapeError:
        name = variable.name or describe(variable)
        if variable.type.category != dtypes.FLOATING:
            return DTypeError(
                f"{type(self).__name__}.apply_gradients cannot train {name}.",
                expected="variables with a real floating dtype",
                got=describe(variable),
                fix="leave it out, or create it with a floating dtype; no variable was changed",
            )
        texts = {
            "expected": f"a gradient of {describe(variable)}",
            "got": describe(gradient),
            "fix": "use the gradient with respect to this variable, or reshape and cast it; no variable was changed",
        }
        summary = f"{type(self).__name__}.apply_gradients: the gradient of {name} does "
        if isinstance(gradient, Tensor) and gradient.dtype == variable.dtype:
            return ShapeError(f"{summary}not have the variable's shape.", **texts)
        return DTypeError(f"{summary}not have the variable's dtype.", **texts)

    def _no_gradients_error(self, skipped: list[object]) -> DTypeError:
        return DTypeError(
            f"{type(self).__name__}.apply_gradients received no gradients.",
            expected="at least one pair with a gradient",
            got=f"None for {_names(skipped)}" if skipped else "no pairs",
            fix="compute the loss inside the tape's block, from these variables",
        )

    def _warn_of(self, skipped: list[object]) -> None:
        warnings.warn(
            f"{type(self).__name__}.apply_gradients leaves these variables unchanged, because their gradients are "
            f"None: {_names(skipped)}. Compute the loss from them inside the tape's block, or leave them out.",
            PolytapeWarning,
            stacklevel=3,
        )

    def _contended_error(self) -> BackendError:
        return BackendError(
            f"{type(self).__name__}.apply_gradients could not assign its variables.",
            expected="no other thread and no signal handler that assigns them at the same time",
            got=f"other assignments during each of {_ATTEMPTS} attempts",
            fix="assign to the variables from one thread at a time, for example under a lock",
        )

    # --- hyperparameters --------------------------------------------------------------------------------------------

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

    def _check_rate(self, rate: Any) -> None:
        """Raise if this cannot be a learning rate; what a function returns is checked when it is called."""
        if isinstance(rate, Tensor):
            if rate.shape != () or rate.type.category != dtypes.FLOATING:
                raise DTypeError(
                    f"{type(self).__name__} cannot use {describe(rate)} as learning_rate.",
                    expected="a number, a real floating tensor of shape (), or a function that returns one",
                    got=describe(rate),
                    fix="pass a number such as 0.01",
                )
        elif not callable(rate):
            self._check_number("learning_rate", rate, lambda number: number >= 0.0, "a number that is not negative")

    def _current_rates(self, tensor_types: list[TensorType]) -> dict[TensorType, Tensor]:
        """The learning rate of this step as an operand, for each of these tensor types."""
        trace = current_scope.get().trace
        rate = self.learning_rate
        if trace is None:
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
            rate = rate()
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

    # --- the step and the slots -------------------------------------------------------------------------------------

    def _slots_of(self, variable: Variable) -> tuple[Variable, ...]:
        slots = self._slots.get(variable)
        if slots is None:
            created = tuple(_zeros(variable, name) for name in self.slot_names)
            restoration = self.__dict__.get("_pending_restoration")
            if restoration is not None:
                for name, slot in zip(self.slot_names, created, strict=True):
                    restoration.attach_slot(variable, name, slot)
            slots = self._slots.setdefault(variable, created)  # another thread may have created them
        return slots

    def _tracked_slots(self) -> Iterator[tuple[Variable, dict[str, Variable]]]:
        for variable, slots in self._slots.items():
            yield variable, dict(zip(self.slot_names, slots, strict=True))


def _names(variables: list[object]) -> str:
    """The first ten names, for a message."""
    names = [getattr(variable, "name", "") or describe(variable) for variable in variables[:10]]
    return ", ".join([*names, *(["..."] if len(variables) > len(names) else [])])


def _zeros(variable: Variable, name: str) -> Variable:
    # Computed eagerly, even while a function is traced: a slot is state and outlives the graph.
    scope = current_scope.get()
    try:
        current_scope.set(NO_SCOPE)
        zeros: Any = tables.get_op("zeros")
        value = zeros(variable.shape, dtype=variable.dtype, device=variable.device)
        return Variable(value, trainable=False, name=f"{variable.name}/{name}" if variable.name else name)
    finally:
        current_scope.set(scope)


def _on(x: Tensor, device: Device) -> Tensor:
    return x if x.type.device is device else convert.to_device(x, device)


add_to_optimizer(Optimizer)
