"""The optimizers' base class: it checks gradients and keeps the learning rate as a tensor, the step count and slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from .. import dtypes
from ..autodiff.indexed_slices import IndexedSlices
from ..autodiff.tape import GradientTape
from ..dispatch import convert
from ..errors import DTypeError, SettingError
from ..foreign_names import add_to_optimizer
from ..registry import tables
from ..registry.tensor_type import TensorType
from ..state.update import IN_PLACE_ATTEMPTS, Changes
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from . import clipping, gradients as checks
from .hyperparameters import POSITIVE, Hyperparameter, Hyperparameters
from .joining import Plan
from .rows import update_rows

if TYPE_CHECKING:
    from ..device import Device
    from ..dispatch.fast_path import Op

__all__ = ["Clipping", "LearningRate", "Optimizer", "filled_slot"]

_COMPUTED = ("_one", "_plan", "_rate", "_rate_operands", "_are_numbers", "_numbers", "_vectors")
_ATTEMPTS = 1000  # how often a step is computed again because another thread assigned one of its variables
LearningRate: TypeAlias = Hyperparameter
Pair: TypeAlias = "tuple[Any, Variable]"
Call: TypeAlias = "tuple[Variable, Tensor | IndexedSlices]"


class Clipping(TypedDict, total=False):
    """The keyword arguments of every optimizer that clip the gradients of a step, in this order."""

    clip_value: float | None
    clip_norm: float | None
    global_clip_norm: float | None


class Operands:
    """The operands of a step that several variables share.

    Attributes:
        rates: the learning rate, by the variables' types.
        vectors: the other hyperparameters, by device; empty if there are none.
    """

    __slots__ = ("rates", "vectors")

    def __init__(self, rates: dict[TensorType, Tensor], vectors: dict[Device, Tensor]) -> None:
        self.rates = rates
        self.vectors = vectors


class Optimizer(Hyperparameters):
    """Base of the optimizers; a subclass names its op, its slots and its op's attributes.

    The op takes the variable and its slots, then the gradient, the learning rate, the step if ``takes_step`` is set,
    and the hyperparameters of ``ranges`` as one vector. It returns the new values of the variable and its slots.

    Hyperparameters, as the learning rate, are read at every step, traced or not: each is a number, a 0-d tensor or
    `Variable`, a function without arguments that returns one of these, or a schedule, which is called with the number
    of steps done. They may be assigned between steps.

    Args:
        learning_rate: not negative.
        clip_value: the largest absolute value of a gradient's elements; larger ones are replaced by it.
        clip_norm: the largest L2 norm of each gradient; a gradient with a larger one is scaled down.
        global_clip_norm: the largest L2 norm of all gradients of a step together.

    Attributes:
        learning_rate: as passed or assigned.
        step: int64[] variable: how many times gradients have been applied.
        clip_value, clip_norm, global_clip_norm: as passed or assigned.
    """

    op_name: str = ""
    slot_names: tuple[str, ...] = ()
    takes_step: bool = False
    scalar_slots: tuple[str, ...] = ()  # slots of shape ()

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        global_clip_norm: float | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self._check_rate(learning_rate)
        self.clip_value = self._check_clip("clip_value", clip_value)
        self.clip_norm = self._check_clip("clip_norm", clip_norm)
        self.global_clip_norm = self._check_clip("global_clip_norm", global_clip_norm)
        self.step = Variable(0, trainable=False, name="step", dtype=dtypes.int64)
        # A dict compares identities first, so a lookup does not compare the variables' elements.
        self._slots: dict[Variable, tuple[Variable, ...]] = {}
        self._forget()

    def _forget(self) -> None:
        """Reset what is computed again when it is needed."""
        self._one = convert.asarray(1, dtypes.int64, self.step.device, None)
        self._plan: Plan | None = None
        super()._forget()

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

    def minimize(
        self,
        loss: Callable[[], Any],
        *,
        var_list: Sequence[Variable] | None = None,
        global_step: Variable | None = None,
    ) -> Any:
        """One step that reduces the loss: its gradients by a tape, then `apply_gradients`.

        Args:
            loss: a function without arguments that returns a tensor.
            var_list: the variables to change; default: all trainable variables that ``loss`` uses.
            global_step: as for `apply_gradients`.
        Returns:
            The loss before the step.
        Raises:
            DTypeError: ``loss`` is not a function. As from `apply_gradients`.
        """
        if not callable(loss):
            raise DTypeError(
                f"{type(self).__name__}.minimize cannot differentiate {describe(loss)}.",
                expected="a function without arguments that returns the loss",
                got=type(loss).__name__,
                fix="pass lambda: loss(model, x, y), so that the tape can record how the loss is computed",
            )
        with GradientTape() as tape:
            value = loss()
        variables = list(tape.watched_variables() if var_list is None else var_list)
        gradients = tape.gradient(value, variables, sparse=True)
        self.apply_gradients(zip(gradients, variables, strict=True), global_step=global_step)
        return value

    def apply_gradients(self, grads_and_vars: Iterable[Pair], global_step: Variable | None = None) -> None:
        """Update variables with their gradients by one fused op, and increment the step.

        Small variables of one type are updated together, by one call of the op.

        Args:
            grads_and_vars: ``zip(gradients, variables)``; a pair whose gradient is None is skipped. A gradient may be a
                `polytape.IndexedSlices`: then only its rows of the variable and of the slots change.
            global_step: an integer variable of shape () that is incremented together with the step.
        Raises:
            DTypeError, ShapeError, DeviceError: a gradient does not fit its variable, or all gradients are None. No
                variable has been changed in that case.
        """
        calls: list[Call] = []
        skipped: list[object] = []
        for gradient, variable in grads_and_vars:
            if type(gradient) is Tensor and isinstance(variable, Variable) and gradient.type is variable.type:
                if gradient.array.shape != variable.array.shape or variable.type.category != dtypes.FLOATING:
                    raise checks.gradient_error(type(self).__name__, gradient, variable)
                calls.append((variable, gradient))
            elif gradient is not None:
                calls.append((variable, checks.converted(type(self).__name__, self._op(), gradient, variable)))
            else:
                skipped.append(variable)
        if not calls:
            raise checks.no_gradients_error(type(self).__name__, skipped)
        if skipped:
            checks.warn_of(type(self).__name__, skipped)
        if self.clip_value is not None or self.clip_norm is not None or self.global_clip_norm is not None:
            calls = self._clipped(calls)
        counters = [(self.step, self._one)]
        if global_step is not None:
            one: Tensor = convert.asarray(1, global_step.dtype, global_step.device, None)
            counters.append((global_step, one))
        plan = self._plan_of(calls)
        types = plan.types if plan is not None else [variable.type for variable, _ in calls]
        operands = Operands(self._current_rates(types), self._current_vectors(types) if self.ranges else {})
        if plan is not None:
            self._apply(plan, [gradient for _, gradient in calls], operands, counters, None)
            return
        step: Tensor | None = None
        for call in calls:  # a variable that occurs twice is updated twice, the second time from the first result
            alone = self._plan_of([call])
            assert alone is not None
            step = self._apply(alone, [call[1]], operands, counters, step)

    def _plan_of(self, calls: list[Call]) -> Plan | None:
        """How to update these variables; None if one occurs twice."""
        op, plan = self._op(), self._plan
        variables, gradients = [variable for variable, _ in calls], [gradient for _, gradient in calls]
        if plan is None or not plan.serves(op, variables, gradients):
            if len({id(variable) for variable in variables}) < len(variables):
                return None
            rows = [[variable, *(self._slots_of(variable) if self.slot_names else ())] for variable in variables]
            plan = self._plan = Plan(
                op, rows, gradients, [False, *(name in self.scalar_slots for name in self.slot_names)]
            )
        return plan

    def _apply(
        self,
        plan: Plan,
        gradients: list[Any],
        shared: Operands,
        counters: list[tuple[Variable, Tensor]],
        step: Tensor | None,
    ) -> Tensor:
        """Update different variables together, and the counters too unless the step is given; returns the step."""
        op, attributes = plan.op, self._attributes()
        trace = current_scope.get().trace
        if trace is not None and attributes:
            trace.guard(lambda: self._attributes() == attributes)
        for attempt in range(_ATTEMPTS):
            changes = Changes(op, attributes, attempt < IN_PLACE_ATTEMPTS)
            new_step = step
            if new_step is None:
                new_step, *_ = [changes.add(variable, one) for variable, one in counters]
            alone = plan.alone
            for group in plan.groups:
                operands = self._operands(group.columns[0][0].type, shared, new_step)
                if not group.update(changes, [gradients[k] for k in group.positions], operands):
                    alone = [*alone, *group.positions]
            for position in alone:
                row, gradient = plan.rows[position], gradients[position]
                operands = self._operands(row[0].type, shared, new_step)
                if isinstance(gradient, IndexedSlices):
                    update_rows(changes, row, gradient, operands)
                else:
                    changes.update(row, [gradient, *operands])
            if changes.commit():
                return new_step
        raise checks.contended_error(type(self).__name__, _ATTEMPTS)

    def _operands(self, tensor_type: TensorType, shared: Operands, step: Tensor) -> list[Tensor]:
        """The operands of the op after the gradient, for variables of this type."""
        operands = [shared.rates[tensor_type]]
        if self.takes_step:
            operands.append(_on(step, tensor_type.device))
        if shared.vectors:
            operands.append(shared.vectors[tensor_type.device])
        return operands

    def _op(self) -> Op:
        return tables.get_op(self.op_name)

    def _attributes(self) -> dict[str, Any]:
        return {}

    def _initial_value(self, slot: str) -> float:
        """What a new slot is filled with."""
        return 0.0

    def _check_clip(self, name: str, value: Any) -> float | None:
        return None if value is None else self._check_number(name, value, *POSITIVE)

    def _clipped(self, calls: list[Call]) -> list[Call]:
        """The gradients clipped, with their variables."""
        gradients: list[Any] = [gradient for _, gradient in calls]
        if self.clip_value is not None:
            value = self.clip_value
            gradients = [clipping.clip_by_value(gradient, -value, value) for gradient in gradients]
        if self.clip_norm is not None:
            gradients = [clipping.clip_by_norm(gradient, self.clip_norm) for gradient in gradients]
        if self.global_clip_norm is not None:
            gradients, _ = clipping.clip_by_global_norm(gradients, self.global_clip_norm)
        return [(variable, gradient) for (variable, _), gradient in zip(calls, gradients, strict=True)]

    # --- the step and the slots -------------------------------------------------------------------------------------

    def _slots_of(self, variable: Variable) -> tuple[Variable, ...]:
        slots = self._slots.get(variable)
        if slots is None:
            created = tuple(
                filled_slot(
                    variable,
                    name,
                    () if name in self.scalar_slots else variable.shape,
                    self._initial_value(name),
                )
                for name in self.slot_names
            )
            restoration = self.__dict__.get("_pending_restoration")
            if restoration is not None:
                scope = current_scope.get()
                current_scope.set(NO_SCOPE)  # the first step may be traced; the slots' values are not part of the graph
                try:
                    for name, slot in zip(self.slot_names, created, strict=True):
                        restoration.attach_slot(variable, name, slot)
                finally:
                    current_scope.set(scope)
            slots = self._slots.setdefault(variable, created)  # another thread may have created them
        return slots

    def _tracked_slots(self) -> Iterator[tuple[Variable, dict[str, Variable]]]:
        for variable, slots in self._slots.items():
            yield variable, dict(zip(self.slot_names, slots, strict=True))


def filled_slot(variable: Variable, name: str, shape: tuple[int, ...], number: float) -> Variable:
    """A new variable for a slot of ``variable``."""
    # Computed eagerly, even while a function is traced: a slot is state and outlives the graph.
    scope = current_scope.get()
    try:
        current_scope.set(NO_SCOPE)
        full: Any = tables.get_op("full")
        value = full(shape, number, dtype=variable.dtype, device=variable.device)
        return Variable(value, trainable=False, name=f"{variable.name}/{name}" if variable.name else name)
    finally:
        current_scope.set(scope)


def _on(x: Tensor, device: Device) -> Tensor:
    return x if x.type.device is device else convert.to_device(x, device)


add_to_optimizer(Optimizer)
