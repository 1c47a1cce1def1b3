"""The optimizers' base class: it checks gradients and keeps the learning rate as a tensor, the step count and slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import dtypes
from ..dispatch import convert
from ..dispatch.mixed_devices import deciding_operand
from ..errors import DTypeError, ShapeError
from ..registry import tables
from ..state.trackable import Trackable
from ..state.update import update
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable

if TYPE_CHECKING:
    from ..device import Device
    from ..dispatch.fast_path import Op
    from ..registry.tensor_type import TensorType

__all__ = ["LearningRate", "Optimizer"]

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
        self.step = Variable(0, trainable=False, name="step", dtype=dtypes.int64)
        self._one = convert.asarray(1, dtypes.int64, self.step.device, None)
        # A dict compares identities first, so a lookup does not compare the variables' elements.
        self._slots: dict[Variable, tuple[Variable, ...]] = {}
        self._rate: float | None = None
        self._rate_operands: dict[TensorType, list[Tensor]] = {}  # _rate as an operand, by tensor type

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate!r})"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The optimizer's own variables: the step, then the slots in order of creation."""
        return (self.step, *(slot for slots in self._slots.values() for slot in slots))

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot ``name`` of ``var``, or None if no gradient has been applied to it yet.

        Raises:
            DTypeError: this optimizer has no slot of that name.
        """
        if name not in self.slot_names:
            raise DTypeError(
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
        rate_operands = self._current_rate_operands()
        calls: list[tuple[Variable, list[Tensor]]] = []
        skipped: list[object] = []
        for gradient, variable in grads_and_vars:
            if type(gradient) is Tensor and isinstance(variable, Variable) and gradient.type is variable.type:
                if gradient.array.shape != variable.array.shape:
                    raise self._gradient_error(gradient, variable)
                checked = gradient
            elif gradient is not None:
                checked = self._converted(gradient, variable)
            else:
                skipped.append(variable)
                continue
            rate = rate_operands.get(checked.type)
            if rate is None:
                rate = self._make_rate_operand(rate_operands, checked.type)
            calls.append((variable, [checked, *rate]))
        if not calls:
            raise self._no_gradients_error(skipped)
        slots = [self._slots_of(variable) for variable, _ in calls] if self.slot_names else [()] * len(calls)
        self.step.assign_add(self._one)
        op, attributes = self._op(), self._attributes()
        for (variable, operands), variable_slots in zip(calls, slots, strict=True):
            if self.takes_step:
                operands.append(self._step_on(variable.type.device))
            update(op, [variable, *variable_slots], operands, attributes)

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
        checked: Tensor = gradient
        return checked

    def _gradient_error(self, gradient: object, variable: Variable) -> DTypeError | ShapeError:
        texts = {
            "expected": f"a gradient of {describe(variable)}, with a real floating dtype",
            "got": describe(gradient),
            "fix": "use the gradient with respect to this variable, or reshape and cast it; no variable was changed",
        }
        summary = f"{type(self).__name__}.apply_gradients: the gradient of {variable.name or describe(variable)} does "
        same_dtype = isinstance(gradient, Tensor) and gradient.dtype == variable.dtype
        if same_dtype and variable.type.category == dtypes.FLOATING:
            return ShapeError(f"{summary}not have the variable's shape.", **texts)
        return DTypeError(f"{summary}not have the variable's dtype.", **texts)

    def _no_gradients_error(self, skipped: list[object]) -> DTypeError:
        names = ", ".join(getattr(variable, "name", "") or describe(variable) for variable in skipped[:10])
        return DTypeError(
            f"{type(self).__name__}.apply_gradients received no gradients.",
            expected="at least one pair with a gradient",
            got=f"None for {names}" if skipped else "no pairs",
            fix="compute the loss inside the tape's block, from these variables",
        )

    # --- the learning rate ------------------------------------------------------------------------------------------

    def _current_rate_operands(self) -> dict[TensorType, list[Tensor]]:
        """The current learning rate as an operand, for each tensor type that it has been converted to so far."""
        rate = self.learning_rate
        if type(rate) is float and rate == self._rate:
            return self._rate_operands
        if callable(rate):
            rate = rate()
        if isinstance(rate, Tensor):
            if rate.shape != () or rate.type.category != dtypes.FLOATING:
                raise self._bad_rate(rate)
            return {rate.type: [rate]}
        if not hasattr(rate, "__float__"):
            raise self._bad_rate(rate)
        number = float(rate)
        if number != self._rate:
            self._rate, self._rate_operands = number, {}
        return self._rate_operands

    def _make_rate_operand(
        self, rate_operands: dict[TensorType, list[Tensor]], tensor_type: TensorType
    ) -> list[Tensor]:
        if tensor_type.category != dtypes.FLOATING:
            raise DTypeError(
                f"{type(self).__name__}.apply_gradients cannot update a variable of {tensor_type.dtype}.",
                expected="variables of a real floating dtype",
                got=str(tensor_type.dtype),
                fix="leave this variable out",
            )
        if rate_operands is self._rate_operands:
            rate = Tensor(tensor_type.scalar(self._rate), tensor_type, None)
        else:
            original = next(iter(rate_operands.values()))[0]  # the user's tensor is the first entry
            rate = convert.cast(convert.to_device(original, tensor_type.device), tensor_type.dtype)
        operand = rate_operands[tensor_type] = [rate]
        return operand

    def _bad_rate(self, rate: object) -> DTypeError:
        return DTypeError(
            f"{type(self).__name__} cannot use {describe(rate)} as a learning rate.",
            expected="a number, a real floating tensor of shape (), or a function that returns one",
            got=f"{describe(rate)} of type {type(rate).__name__}",
            fix="pass a number such as 0.01",
        )

    # --- the step and the slots -------------------------------------------------------------------------------------

    def _step_on(self, device: Device) -> Tensor:
        step = self.step
        return step if step.type.device is device else convert.to_device(step.read_value(), device)

    def _slots_of(self, variable: Variable) -> tuple[Variable, ...]:
        slots = self._slots.get(variable)
        if slots is None:
            by_name = {name: _zeros(variable, name) for name in self.slot_names}
            restoration = self.__dict__.get("_pending_restoration")
            if restoration is not None:
                for name, slot in by_name.items():
                    restoration.attach_slot(variable, name, slot)
            slots = self._slots[variable] = tuple(by_name.values())
        return slots

    def _tracked_slots(self) -> Iterator[tuple[Variable, dict[str, Variable]]]:
        for variable, slots in self._slots.items():
            yield variable, dict(zip(self.slot_names, slots, strict=True))


def _zeros(variable: Variable, name: str) -> Variable:
    # Computed eagerly, even while a function is traced: a slot is state and outlives the graph.
    token = current_scope.set(NO_SCOPE)
    try:
        zeros: Any = tables.get_op("zeros")
        value = zeros(variable.shape, dtype=variable.dtype, device=variable.device)
        return Variable(value, trainable=False, name=f"{variable.name}/{name}" if variable.name else name)
    finally:
        current_scope.reset(token)
