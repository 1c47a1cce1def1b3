"""The metrics of a pass over data: objects, functions or names as metrics under the names that a history has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from .. import metrics as library
from ..errors import DTypeError, SettingError
from ..foreign_names import near_or
from ..graph import function
from ..metrics import Mean, Metric
from ..state.trackable import Trackable
from ..tensors.tensor import describe

__all__ = ["Measures"]

# Those that need no arguments and take labels and outputs. `Accuracy` compares for equality; by name it would be taken
# for one of the others.
_NAMED: Final = (
    "AUC", "F1", "BinaryAccuracy", "CategoricalAccuracy", "CosineSimilarity", "MeanAbsoluteError", "MeanSquaredError",
    "Precision", "Recall", "RootMeanSquaredError", "SparseCategoricalAccuracy", "TopKAccuracy",
)  # fmt: skip


class FunctionMetric(Mean):
    """The mean of what a function of labels and outputs returns."""

    _untracked = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(getattr(function, "__name__", type(function).__name__))
        self.function = function

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add the function's values for labels and outputs."""
        super().update(self.function(*values), weights=weights)


class Measures(Trackable):
    """Metrics by name.

    Args:
        metrics: metrics, functions ``(labels, outputs) -> values`` whose mean is taken, or names of classes of
            `polytape.metrics` in snake case; one by one, or as a dict with the names they shall have.
        traced: whether to run graphs, which takes a fifth of the time. Metrics of users run as they are: they may
            count in Python.

    Raises:
        SettingError: no metric has a name, or two have the same one. DTypeError: something is not a metric.
    """

    _untracked = ("_updates",)

    def __init__(self, metrics: Mapping[str, Any] | Iterable[Any] | Any, traced: bool = False) -> None:
        if isinstance(metrics, str) or callable(metrics):
            metrics = [metrics]
        named = metrics.items() if isinstance(metrics, Mapping) else [("", metric) for metric in metrics]
        self.metrics: dict[str, Metric] = {}
        for given, value in named:
            metric = _metric(value)
            name = given or (value if isinstance(value, str) else _name(metric))
            if name in self.metrics or name == "loss" or name.startswith("val_"):
                raise SettingError(
                    f"a metric cannot have the name {name!r}.",
                    expected="names that differ, and from 'loss' and 'val_...'",
                    got=", ".join([*self.metrics, name]),
                    fix="pass a dict: metrics={'name': metric}",
                )
            self.metrics[name] = metric
        own = [name for name, metric in self.metrics.items() if type(metric).__module__.startswith(library.__name__)]
        self._updates: dict[str, Callable[..., Any]] = {
            name: function(metric.update) if traced and name in own else metric.update
            for name, metric in self.metrics.items()
        }

    def update(self, labels: Any, outputs: Any, weights: Any) -> None:
        """Add a batch."""
        for name, update in self._updates.items():
            try:
                update(labels, outputs, weights=weights)
            except IndexError:  # a class or score that does not exist; nothing has been added, the metric says which
                self.metrics[name].update(labels, outputs, weights=weights)

    def reset(self) -> None:
        """Discard everything that was added."""
        for metric in self.metrics.values():
            metric.reset()

    def results(self) -> dict[str, Any]:
        """The results: floats, or NumPy arrays where a metric is not one number."""
        results = {name: metric.result() for name, metric in self.metrics.items()}
        return {name: value.numpy() if value.shape else float(value) for name, value in results.items()}

    def require_numbers(self) -> None:
        """Raise if a metric is not one number.

        Raises:
            SettingError: the result of one is not of shape ().
        """
        for name, metric in self.metrics.items():
            if metric.result().shape:
                raise SettingError(
                    f"fit cannot record the metric {name!r}, which is not a number.",
                    expected="metrics whose result has the shape ()",
                    got=f"shape {metric.result().shape}",
                    fix="pass it to evaluate",
                )


def _name(metric: Metric) -> str:
    """The name that was given to a metric, or that of its class in snake case."""
    return metric.name if metric.name != type(metric).__name__ else _snake_case(metric.name)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _metric(value: Any) -> Metric:
    if isinstance(value, Metric):
        return value
    if isinstance(value, str):
        classes = {_snake_case(name): name for name in _NAMED}
        if value in classes:
            metric: Metric = getattr(library, classes[value])()
            return metric
        raise SettingError(
            f"there is no metric {value!r}.",
            expected=", ".join(classes),
            got=repr(value),
            fix="choose by what labels and outputs are: 'sparse_categorical_accuracy' for integers and one score per "
            "class, 'categorical_accuracy' for one-hot labels, 'binary_accuracy' for 0 and 1 and probabilities"
            if value in ("accuracy", "acc")
            else near_or(
                value, classes, "use one of these names, or pass a metric or a function of labels and outputs"
            ),
        )
    if callable(value) and not isinstance(value, type):
        return FunctionMetric(value)
    raise DTypeError(
        f"{value!r} is not a metric.",
        expected="an object of polytape.metrics, a function of labels and outputs, or a name",
        got=describe(value),
        fix=f"call the class: {value.__name__}()" if isinstance(value, type) else "pass for example 'binary_accuracy'",
    )
