"""What optimizers share: checking gradients, the learning rate as a tensor, the step count, slots."""

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

    The op takes the variable and its slots, then the gradient, the learning rate and, where it asks for it, the step;
    it gives the new variable and slots.

    Args:
        learning_rate: a number, a 0-d tensor or `Variable`, or a function without arguments that gives one of these;
            it is called once per step. The attribute may be assigned later.

    Attributes:
        learning_rate: as given.
        step: int64[] variable: how many times gradients were applied.
    """

    op_name: str = ""
    slot_names: tuple[str, ...] = ()
    takes_step: bool = False

    def __init__(self, learning_rate: LearningRate) -> None:
        self.learning_rate = learning_rate
        self.step = Variable(0, trainable=False, name="step", dtype=dtypes.int64)
        self._one = convert.asarray(1, dtypes.int64, self.step.device, None)
        # A dict finds a variable by its identity, before it would compare elements.
        self._slots: dict[Variable, tuple[Variable, ...]] = {}
        self._tails: dict[TensorType, list[Tensor]] = {}  # the op's last operands, for the learning rate _rate
        self._rate: float | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate!r})"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The optimizer's own variables: the step, then the slots in the order they were made."""
        return (self.step, *(slot for slots in self._slots.values() for slot in slots))

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot ``name`` of ``var``, None where no gradient of it was applied yet.

        Raises:
            DTypeError: this optimizer keeps no such slot.
        """
        if name not in self.slot_names:
            raise DTypeError(
                f"{type(self).__name__} keeps no slot {name!r}.",
                expected=f"one of {', '.join(self.slot_names) or '(it keeps none)'}",
                got=repr(name),
                fix="use one of these names",
            )
        slots = self._slots.get(var)
        return None if slots is None else slots[self.slot_names.index(name)]

    def apply_gradients(self, grads_and_vars: Iterable[Pair]) -> None:
        """Change variables by their gradients, one fused op per variable, and count the step.

        Args:
            grads_and_vars: ``zip(gradients, variables)``; a pair whose gradient is None is left out.
        Raises:
            DTypeError, ShapeError, DeviceError: a gradient does not fit its variable, or all are None; nothing has
                been changed then.
        """
        tails = self._current_tails()
        calls: list[tuple[Variable, list[Tensor]]] = []
        left_out: list[object] = []
        for gradient, variable in grads_and_vars:
            if type(gradient) is Tensor and isinstance(variable, Variable) and gradient.type is variable.type:
                if gradient.array.shape != variable.array.shape:
                    raise self._misfit(gradient, variable)
                found = gradient
            elif gradient is not None:
                found = self._converted(gradient, variable)
            else:
                left_out.append(variable)
                continue
            tail = tails.get(found.type)
            calls.append((variable, [found, *(self._tail(tails, found.type) if tail is None else tail)]))
        if not calls:
            raise self._nothing(left_out)
        slots = [self._slots_of(variable) for variable, _ in calls] if self.slot_names else [()] * len(calls)
        self.step.assign_add(self._one)
        op, attributes = self._op(), self._attributes()
        for (variable, operands), own in zip(calls, slots, strict=True):
            if self.takes_step:
                operands.append(self._step_on(variable.type.device))
            update(op, [variable, *own], operands, attributes)

    def _op(self) -> Op:
        return tables.get_op(self.op_name)

    def _attributes(self) -> dict[str, Any]:
        return {}

    # --- checking gradients -----------------------------------------------------------------------------------------

    def _converted(self, gradient: Any, variable: Any) -> Tensor:
        if not isinstance(variable, Variable):
            raise DTypeError(
                f"{type(self).__name__}.apply_gradients cannot change {describe(variable)}.",
                expected="pairs of a gradient and a polytape.Variable",
                got=type(variable).__name__,
                fix="pass zip(gradients, variables), in this order",
            )
        if variable.type.category != dtypes.FLOATING:
            raise self._misfit(gradient, variable)
        if not isinstance(gradient, Tensor):
            gradient = convert.asarray(gradient, None, variable.device, None)
        if gradient.dtype != variable.dtype or gradient.shape != variable.shape:
            raise self._misfit(gradient, variable)
        if gradient.device is not variable.device:
            # Raises under the policy for mixed devices, or warns.
            deciding_operand(self._op(), [variable, gradient], variable, gradient)
            return convert.to_device(gradient, variable.device)
        checked: Tensor = gradient
        return checked

    def _misfit(self, gradient: object, variable: Variable) -> DTypeError | ShapeError:
        texts = {
            "expected": f"a gradient of {describe(variable)}, of a real floating dtype",
            "got": describe(gradient),
            "fix": "take the gradient by this very variable, or reshape and cast it; no variable has been changed",
        }
        summary = f"{type(self).__name__}.apply_gradients: the gradient of {variable.name or describe(variable)} does "
        alike = isinstance(gradient, Tensor) and gradient.dtype == variable.dtype
        if alike and variable.type.category == dtypes.FLOATING:
            return ShapeError(f"{summary}not have its shape.", **texts)
        return DTypeError(f"{summary}not have its dtype.", **texts)

    def _nothing(self, left_out: list[object]) -> DTypeError:
        names = ", ".join(getattr(one, "name", "") or describe(one) for one in left_out[:10])
        return DTypeError(
            f"{type(self).__name__}.apply_gradients got no gradient at all.",
            expected="at least one pair with a gradient",
            got=f"None for {names}" if left_out else "no pairs",
            fix="compute the loss inside the tape's block, from these variables",
        )

    # --- the learning rate ------------------------------------------------------------------------------------------

    def _current_tails(self) -> dict[TensorType, list[Tensor]]:
        """What follows the gradient in the op's operands, by the gradient's type, as far as it is known."""
        rate = self.learning_rate
        if type(rate) is float and rate == self._rate:
            return self._tails
        found = rate() if callable(rate) else rate
        if isinstance(found, Tensor):
            if found.shape != () or found.type.category != dtypes.FLOATING:
                raise self._bad_rate(found)
            return {found.type: [found]}
        if not hasattr(found, "__float__"):
            raise self._bad_rate(found)
        number = float(found)
        if number != self._rate:
            self._rate, self._tails = number, {}
        return self._tails

    def _tail(self, tails: dict[TensorType, list[Tensor]], tensor_type: TensorType) -> list[Tensor]:
        if tensor_type.category != dtypes.FLOATING:
            raise DTypeError(
                f"{type(self).__name__}.apply_gradients cannot change a variable of {tensor_type.dtype}.",
                expected="variables of a real floating dtype",
                got=str(tensor_type.dtype),
                fix="leave this variable out",
            )
        if tails is self._tails:
            rate = Tensor(tensor_type.scalar(self._rate), tensor_type, None)
        else:
            given = next(iter(tails.values()))[0]  # the rate as it was given comes first
            rate = convert.cast(convert.to_device(given, tensor_type.device), tensor_type.dtype)
        made = tails[tensor_type] = [rate]
        return made

    def _bad_rate(self, rate: object) -> DTypeError:
        return DTypeError(
            f"{type(self).__name__} cannot use {describe(rate)} as learning rate.",
            expected="a number, a real floating tensor of shape (), or a function that gives one",
            got=f"{describe(rate)} of type {type(rate).__name__}",
            fix="pass a number such as 0.01",
        )

    # --- the step and the slots -------------------------------------------------------------------------------------

    def _step_on(self, device: Device) -> Tensor:
        step = self.step
        return step if step.type.device is device else convert.to_device(step.read_value(), device)

    def _slots_of(self, variable: Variable) -> tuple[Variable, ...]:
        found = self._slots.get(variable)
        if found is None:
            made = {name: _zeros(variable, name) for name in self.slot_names}
            place = self.__dict__.get("_pending_restoration")
            if place is not None:
                for name, slot in made.items():
                    place.attach_slot(variable, name, slot)
            found = self._slots[variable] = tuple(made.values())
        return found

    def _tracked_slots(self) -> Iterator[tuple[Variable, dict[str, Variable]]]:
        for variable, slots in self._slots.items():
            yield variable, dict(zip(self.slot_names, slots, strict=True))


def _zeros(variable: Variable, name: str) -> Variable:
    # Made at once, also where a function is being traced: a slot is state, and outlives the graph.
    token = current_scope.set(NO_SCOPE)
    try:
        zeros: Any = tables.get_op("zeros")
        value = zeros(variable.shape, dtype=variable.dtype, device=variable.device)
        return Variable(value, trainable=False, name=f"{variable.name}/{name}" if variable.name else name)
    finally:
        current_scope.reset(token)
