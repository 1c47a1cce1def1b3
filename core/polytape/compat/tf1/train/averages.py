"""Moving averages of variables, for evaluation: `polytape.optim.AveragedWeights` in TensorFlow 1.7's form."""

from __future__ import annotations

import importlib
from typing import Any

from ....tensors.variable import Variable
from ...mode import building
from ..graph.graphs import get_default_graph
from ..graph.grouping import group
from ..variables.collections import GraphKeys, add_to_collection, get_collection
from ..variables.creation import create
from ..variables.members import shared_name
from ..variables.names import name_scope

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """Averages ``average = decay * average + (1 - decay) * variable``, each a variable that is not trained.

    Args:
        decay: from 0 to 1.
        num_updates: a number, tensor or variable n: the decay is at most ``(1 + n) / (10 + n)``.
        zero_debias: must be False.
        name: the last part of the averages' names.

    Raises:
        ValueError: ``zero_debias`` is True.
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        if zero_debias:
            raise ValueError("zero_debias=True is not supported: give the variables their initial values first.")
        self._decay, self._num_updates, self._name = decay, num_updates, name
        self._averages: dict[int, tuple[Variable, Variable]] = {}

    @property
    def name(self) -> str:
        """The last part of the averages' names."""
        return self._name

    def apply(self, var_list: Any = None) -> Any:
        """Make the averages, and the operation that updates them.

        Args:
            var_list: floating variables; default: the trainable ones of the graph.
        Raises:
            TypeError: something is no floating variable. ValueError: one has an average already, or eager execution is
                enabled.
        """
        if not building():
            raise ValueError(
                "When Eager Execution is enabled, variable collections are not supported: use "
                "polytape.optim.AveragedWeights(variables, decay), whose update() follows them."
            )
        chosen = get_collection(GraphKeys.TRAINABLE_VARIABLES) if var_list is None else list(var_list)
        for variable in chosen:
            if not isinstance(variable, Variable) or variable.dtype.kind not in "fc":
                raise TypeError(f"The variables must be half, float, or double: {getattr(variable, 'name', variable)}")
            if id(variable) in self._averages:
                raise ValueError(f"Moving average already computed for: {variable.name}")
            self._averages[id(variable)] = variable, self._new_average(variable)
        with name_scope(self._name) as scope:
            kept = self._current_decay()
            updates = []
            for variable in chosen:
                average = self._averages[id(variable)][1]
                updates.append(average.assign_sub((average - variable) * (1.0 - kept)))
            return group(*updates, name=scope)

    def _new_average(self, variable: Variable) -> Variable:
        name = f"{shared_name(variable)}/{self._name}"
        known: Any = variable
        with get_default_graph().name_scope(None):
            average = create(known.initialized_value, trainable=False, name=name)
        add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, variable)
        return average

    def _current_decay(self) -> Any:
        if self._num_updates is None:
            return self._decay
        tf: Any = importlib.import_module("polytape.compat.tf1")
        updates = tf.cast(self._num_updates, tf.float32)
        return tf.minimum(self._decay, (1.0 + updates) / (10.0 + updates))

    def average(self, var: Any) -> Variable | None:
        """The average of a variable; None if there is none."""
        found = self._averages.get(id(var))
        return None if found is None else found[1]

    def average_name(self, var: Any) -> str:
        """The name of a variable's average in a checkpoint."""
        found = self.average(var)
        return f"{shared_name(var)}/{self._name}" if found is None else shared_name(found)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Variable]:
        """What a `Saver` takes to restore the averages into the variables themselves.

        Args:
            moving_avg_variables: the variables with averages; default: those of the graph.
        """
        given = moving_avg_variables
        averaged = [*get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES)] if given is None else list(given)
        if given is None:
            averaged += get_collection(GraphKeys.TRAINABLE_VARIABLES)
        found = {self.average_name(x): x for x in averaged}
        known = {id(x) for x in averaged} | {id(pair[1]) for pair in self._averages.values()}
        others = [x for x in get_collection(GraphKeys.GLOBAL_VARIABLES) if id(x) not in known]
        return {**found, **{shared_name(x): x for x in others}}
