"""An optimizer's step as operations of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....tensors.scope import current_scope
from ....tensors.tensor import Symbol, Tensor
from ....tensors.variable import Variable
from ..graph.gradients import gradients
from ..graph.graphs import Graph, get_default_graph
from ..graph.recording import record_operation
from ..graph.tensors import GraphTensor
from ..graph.variables import adopt, connect_made, graph_variable
from ..shapes import TensorShape
from ..variables.collections import GraphKeys, add_to_collection, get_collection

__all__ = ["applying", "differentiated"]


def differentiated(loss: Any, var_list: Sequence[Variable] | None, grad_loss: Any) -> list[tuple[Any, Variable]]:
    """The gradients of a loss by variables, as pairs of gradient and variable.

    Raises:
        ValueError: there are no variables. TypeError: ``loss`` is not a tensor.
    """
    if callable(loss):
        raise RuntimeError("`loss` passed to Optimizer.compute_gradients is a function; in a graph it is a tensor.")
    variables = get_collection(GraphKeys.TRAINABLE_VARIABLES) if var_list is None else flat(var_list)
    if not variables:
        raise ValueError("No variables to optimize.")
    for variable in variables:
        if not isinstance(variable, Variable):
            raise TypeError(f"Argument is not a tf.Variable: {variable}")
    return list(zip(gradients(loss, variables, None if grad_loss is None else [grad_loss]), variables, strict=True))


def flat(variables: Any) -> list[Any]:
    """A variable, or nested lists of variables, as a list."""
    if isinstance(variables, (list, tuple)):
        return [found for part in variables for found in flat(part)]
    return [variables]


def applying(optimizer: Any, given: Sequence[tuple[Any, Variable]], global_step: Any, name: str) -> Any:
    """The operation that updates variables with their gradients.

    Args:
        optimizer: one of `polytape.compat.tf1.train`.
        given: pairs of gradient and variable.
        global_step: an integer variable, or None.
        name: of the operation.
    """
    graph = get_default_graph()
    _connect(graph, optimizer, [variable for _, variable in given])
    symbolic = {key: value for key, value in vars(optimizer).items() if isinstance(value, GraphTensor)}
    variables = [variable for _, variable in given]

    def apply(arguments: Any) -> None:
        found, values = arguments
        vars(optimizer).update({key: _traced(value) for key, value in values.items()})
        try:
            optimizer._apply_given(list(zip(found, variables, strict=True)), global_step)
        finally:
            vars(optimizer).update(symbolic)

    operation, _ = record_operation(
        apply, [[gradient for gradient, _ in given], symbolic], "NoOp" if global_step is None else "AssignAdd", name,
        prepare=optimizer._before_run,
        # A fed gradient may be a placeholder of any shape.
        shapes={
            gradient: TensorShape(tuple(variable.array.shape))
            for gradient, variable in given
            if isinstance(gradient, GraphTensor) and not gradient.shape.is_fully_defined()
        },
        # A traced step would be traced again each time, since these are tensors in one run only.
        eager=any(key != "learning_rate" for key in symbolic),
    )  # fmt: skip
    add_to_collection(GraphKeys.TRAIN_OP, operation)
    return operation


def _traced(x: Tensor) -> Tensor:
    """A hyperparameter's value as a part of the trace, if there is one: otherwise each run would read the attribute."""
    trace = current_scope.get().trace
    return x if trace is None or isinstance(x.array, Symbol) else Tensor(trace.constant(x), x.type, None)


def _connect(graph: Graph, optimizer: Any, variables: Sequence[Variable]) -> None:
    """Make the optimizer's variables those of the graph: the step, what it has beside the slots, and the slots."""
    if graph_variable(optimizer.step) is None:
        adopt(graph, optimizer.step, f"{optimizer.get_name()}/step", keep_value=True)
    optimizer._connect_state()
    for variable in variables if optimizer.slot_names else ():
        for slot in optimizer._slots_of(variable):
            if graph_variable(slot) is None:
                connect_made(slot, slot.name.removesuffix(":0"))
                add_to_collection(GraphKeys.GLOBAL_VARIABLES, slot)
