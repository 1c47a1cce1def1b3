"""The base class of TensorFlow's optimizers, beyond `polytape.optim.Optimizer`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from ....autodiff.indexed_slices import IndexedSlices
from ....autodiff.tape import GradientTape
from ....errors import PolytapeError, TapeError
from ....nn.building import outside
from ....optim.base import Optimizer as Base, Pair
from ....tensors.tensor import Tensor, describe
from ....tensors.variable import Variable
from ...mode import building
from ...op_errors import translated
from ..graph.tensors import GraphTensor
from ..variables.members import constraint_of, shared_name
from ..variables.stores import current_store
from . import steps_of_graphs

__all__ = ["Optimizer"]


class Optimizer(Base):
    """What TensorFlow's optimizers have beyond polytape's; their state and checkpoints are polytape's.

    Attributes:
        tf_slots: TensorFlow's name of each slot that the program sees.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2
    tf_slots: ClassVar[tuple[str, ...]] = ()
    lazy: ClassVar[bool] = True  # whether a sparse gradient changes only its rows of the slots
    _name: str = ""

    def _set_name(self, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._name = name
        if self.tf_slots:
            self.slot_names = self.tf_slots

    def apply_gradients(
        self, grads_and_vars: Iterable[Pair], global_step: Variable | None = None, name: str | None = None
    ) -> Any:
        """Update variables with their gradients, and add 1 to ``global_step``; in a graph, an operation that does it.

        Args:
            grads_and_vars: pairs of gradient and variable; a pair whose gradient is None is skipped.
            global_step: an integer variable of shape (), or None.
            name: of the operation; default: the optimizer's.
        Raises:
            ValueError: there is no pair, or all gradients are None. TypeError: a pair has no variable.
            InvalidArgumentError: a gradient does not fit its variable; no variable is changed then.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("No variables provided.")
        given = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        if not given:
            names = [str(variable) if building() else getattr(variable, "name", "") for _, variable in pairs]
            raise ValueError(f"No gradients provided for any variable: {names}.")
        if building():
            return steps_of_graphs.applying(self, given, global_step, name or self._name)
        try:
            self._apply_given(given, global_step)
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None
        return None

    def _apply_given(self, given: list[Any], global_step: Variable | None) -> None:
        super().apply_gradients([(self._gradient(gradient), variable) for gradient, variable in given], global_step)
        for _, variable in given:
            constraint = constraint_of(variable)
            if constraint is not None:
                variable.assign(constraint(variable.read_value()))

    def _gradient(self, gradient: Any) -> Any:
        return gradient.to_dense() if isinstance(gradient, IndexedSlices) and not self.lazy else gradient

    def compute_gradients(
        self,
        loss: Callable[[], Any],
        var_list: Sequence[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: object = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Variable]]:
        """The gradients of the loss, as pairs of gradient and variable.

        Args:
            loss: a function without arguments that returns the loss; in a graph the loss itself.
            var_list: default: all trainable variables that ``loss`` uses, in the order of their first use; in a graph
                all that are trainable.
            grad_loss: the gradient of what is minimized by the loss; default: 1.
            gate_gradients, aggregation_method, colocate_gradients_with_ops: accepted for compatibility, and ignored.
        Raises:
            RuntimeError: ``loss`` is not a function.
        """
        if building():
            return steps_of_graphs.differentiated(loss, var_list, grad_loss)
        if not callable(loss):
            raise TapeError(
                "`loss` passed to Optimizer.compute_gradients should be a function when eager execution is enabled.",
                expected="a function without arguments that returns the loss",
                got=describe(loss),
                fix="pass lambda: loss(model, x, y), so that the tape can record how the loss is computed",
            )
        with GradientTape() as tape:
            if var_list is not None:
                for variable in var_list:
                    tape.watch(variable)
            value = loss()
        variables = list(tape.watched_variables() if var_list is None else var_list)
        if not variables:
            return []
        gradients = tape.gradient(value, variables, grad_loss, sparse=True)
        return list(zip(gradients, variables, strict=True))

    def minimize(
        self,
        loss: Callable[[], Any],
        global_step: Variable | None = None,
        var_list: Sequence[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: object = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """One step that reduces what the function ``loss`` returns; see `compute_gradients` and `apply_gradients`.

        In a graph ``loss`` is a tensor, and the result is an operation that does the step.

        Raises:
            ValueError: the loss uses no trainable variable, or depends on none.
        """
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        if not any(gradient is not None for gradient, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[str(v) if building() else v.name for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step, name)

    def variables(self) -> list[Variable]:  # type: ignore[override]  # a method in TensorFlow
        """The optimizer's own variables, sorted by name: the slots, and what `_other_variables` adds."""
        shown = [slot for slots in self._slots.values() for slot in slots[: len(self.slot_names)]]
        return sorted([*self._other_variables(), *shown], key=lambda variable: variable.name)

    def _other_variables(self) -> list[Variable]:
        return []

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot of a variable, or None if there is none."""
        return super().get_slot(var, name) if name in self.slot_names else None

    def get_slot_names(self) -> list[str]:
        """Names of the slots that exist, sorted."""
        return sorted(self.slot_names) if self._slots else []

    def get_name(self) -> str:
        """The name as passed at the creation."""
        return self._name

    def _slots_of(self, variable: Variable) -> tuple[Variable, ...]:
        known = self._slots.get(variable)
        if known is not None:
            return known
        slots = super()._slots_of(variable)
        for slot in slots:
            slot.name = f"{_unique(f'{shared_name(variable)}/{self._name}')}:0"
        return slots

    # --- in a graph -------------------------------------------------------------------------------------------------

    def _check_rate(self, rate: Any) -> None:
        if not isinstance(rate, GraphTensor):  # that has its value when the graph runs
            super()._check_rate(rate)

    def _checked(self, name: str, value: Any) -> Any:
        return value if isinstance(value, GraphTensor) else super()._checked(name, value)

    def _connect_state(self) -> None:
        """Make the optimizer's own variables, beside the slots, those of the current graph."""

    def _before_run(self) -> None:
        """Called before each run of a graph that applies gradients."""

    def _number(self, tensor: Any) -> Tensor:
        with outside():
            value: Tensor = tensor.read_value() if isinstance(tensor, Variable) else tensor
            return value


def _unique(name: str) -> str:
    """The name, with a number if a slot has it already."""
    store = current_store()
    unique = store.unique_name("", name)
    store.open_scope(unique)
    return unique
