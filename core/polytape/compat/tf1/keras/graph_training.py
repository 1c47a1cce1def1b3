"""Steps of a Keras model in a graph: what `training` does with tensors, as operations that a session runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....ops import reduction
from ....tensors.variable import Variable
from ..graph.graphs import Graph, get_default_graph
from ..graph.keras_sessions import get_session
from ..graph.placeholders import placeholder
from ..graph.recording import record
from ..layers.symbols import flattened, mapped
from ..variables.collections import GraphKeys, get_collection
from ..variables.names import name_scope

__all__ = ["GraphSteps"]


class GraphSteps:
    """The operations of one model in one graph, for data of some dtypes and shapes but for the number of samples.

    Args:
        model: the model. plan: what it was compiled with; None for `predict` alone.
        x, y: examples of the data; ``y`` is None for `predict`.
    """

    def __init__(self, model: Any, plan: Any, x: Any, y: Any) -> None:
        self.graph: Graph = get_default_graph()
        self.model, self.plan = model, plan
        self.x = mapped(lambda a: _fed(a, f"{model.name}_input"), x)
        self.y = None if y is None else mapped(lambda a: _fed(a, f"{model.name}_target"), y)
        self.fetches: dict[str, Any] = {}

    def run(self, kind: str, x: Any, y: Any = None) -> Any:
        """Run a step.

        Args:
            kind: ``"predict"``, ``"test"`` or ``"train"``.
            x, y: the data.
        Returns:
            The outputs; for other kinds than ``"predict"`` the loss and the metrics.
        """
        if kind not in self.fetches:
            self.fetches[kind] = self._outputs(False)[0] if kind == "predict" else self._measured(kind == "train")
        pairs = list(zip(flattened(self.x), flattened(x), strict=True))
        if kind != "predict":
            pairs += zip(flattened(self.y), flattened(y), strict=True)
        found = get_session().run(self.fetches[kind], {key: value.numpy() for key, value in pairs})
        return found if kind == "predict" else found[0]

    def _outputs(self, training: bool) -> tuple[Any, list[Any]]:
        """The model's outputs, and the operations that its call adds to `GraphKeys.UPDATE_OPS`."""
        before = len(get_collection(GraphKeys.UPDATE_OPS))
        outputs = self.model._called(self.x, training)
        return outputs, get_collection(GraphKeys.UPDATE_OPS)[before:]

    def _measured(self, training: bool) -> list[Any]:
        """Loss and metrics, and what a step of training runs beside them."""
        plan, model = self.plan, self.model
        outputs, updates = self._outputs(training)
        with name_scope("loss"):
            loss = _mean(plan.loss, self.y, outputs)
            for extra in model.losses:
                loss = loss + extra
        measures: list[Any] = [loss]
        for name, metric in plan.metrics.items():
            with name_scope(f"metrics/{name}"):
                measures.append(_mean(metric, self.y, outputs))
        steps: Sequence[Any] = ()
        if training:
            variables: list[Variable] = model.trainable_weights
            with name_scope("training"):
                steps = [plan.optimizer.minimize(loss, var_list=variables), *updates]
        return [measures, list(steps)]


def _fed(array: Any, name: str) -> Any:
    return placeholder(array.dtype, [None, *array.shape[1:]], name)


def _mean(function: Any, labels: Any, outputs: Any) -> Any:
    def mean(given: list[Any]) -> Any:
        return reduction.mean(function(*given))

    return record(mean, [labels, outputs], "Mean", "Mean")
