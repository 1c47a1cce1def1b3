"""TensorFlow 1.7's ``tf.metrics``: numbers that a graph adds up over runs.

Each function returns a tensor with the metric's value so far, and an operation's tensor that adds the values of a run
and gives the new value. The sums are local variables: `tf.local_variables_initializer` sets them to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polytape as pt

from ..mode import building
from .convert import tensor
from .graph.recording import record
from .variables.collections import GraphKeys, add_to_collection
from .variables.creation import create
from .variables.scopes import variable_scope

__all__ = [
    "accuracy",
    "false_negatives",
    "false_positives",
    "mean",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "recall",
    "root_mean_squared_error",
    "true_negatives",
    "true_positives",
]

Counts = Callable[..., Sequence[Any]]


def _metric(
    name: str, sums: Sequence[str], operands: Sequence[Any], amounts: Counts, value: Callable[..., Any],
    metrics_collections: Any, updates_collections: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """A metric's value and its update.

    Args:
        name: of its scope.
        sums: the names of its variables.
        operands: what a run gives; None where there is nothing.
        amounts: ``operands -> amounts`` by which the variables grow.
        value: ``variables -> value``.
    """
    if not building():
        raise RuntimeError(f"tf.metrics.{name} is not supported when eager execution is enabled.")
    keys = [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES]
    with variable_scope(None, name):
        variables = [create(0.0, False, name=label, collections=keys) for label in sums]

        def current(_: Any) -> Any:
            return value(*[variable.read_value() for variable in variables])

        def update(given: Any) -> Any:
            for variable, amount in zip(variables, amounts(*given), strict=True):
                variable.assign_add(pt.astype(pt.sum(amount), "float32"))
            return current(None)

        found = record(current, [], "Select", "value"), record(update, list(operands), "Select", "update_op")
    for collections, x in zip((metrics_collections, updates_collections), found, strict=True):
        for key in collections or ():
            add_to_collection(key, x)
    return found


def _ratio(total: Any, count: Any) -> Any:
    return pt.where(count > 0.0, total / pt.maximum(count, 1e-30), 0.0)


def _weighted(values: Any, weights: Any) -> Sequence[Any]:
    """The weighted values, and their weights."""
    x = pt.astype(tensor(values), "float32")
    factors = pt.ones_like(x) if weights is None else pt.broadcast_to(pt.astype(tensor(weights), "float32"), x.shape)
    return x * factors, factors


def mean(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The weighted mean of all values."""
    return _metric(
        name or "mean", ("total", "count"), (values, weights), _weighted, _ratio, metrics_collections,
        updates_collections,
    )  # fmt: skip


def _mean_of(name: str, each: Callable[[Any, Any], Any], doc: str, finish: Callable[..., Any] = _ratio) -> Any:
    def metric(
        labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None,
        updates_collections: Any = None, name: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        def amounts(first: Any, second: Any, factors: Any) -> Sequence[Any]:
            return _weighted(each(tensor(first), tensor(second)), factors)

        return _metric(
            name or label, ("total", "count"), (labels, predictions, weights), amounts, finish, metrics_collections,
            updates_collections,
        )  # fmt: skip

    label = name
    metric.__name__ = metric.__qualname__ = label
    metric.__doc__ = doc
    return metric


accuracy = _mean_of("accuracy", lambda x, y: pt.equal(x, pt.astype(y, x.dtype)), "How often predictions are labels.")
mean_absolute_error = _mean_of(
    "mean_absolute_error", lambda x, y: pt.abs(y - pt.astype(x, y.dtype)), "The mean of the errors' absolute values."
)
mean_squared_error = _mean_of(
    "mean_squared_error", lambda x, y: pt.square(y - pt.astype(x, y.dtype)), "The mean of the squared errors."
)
root_mean_squared_error = _mean_of(
    "root_mean_squared_error", lambda x, y: pt.square(y - pt.astype(x, y.dtype)),
    "The root of the mean of the squared errors.", lambda total, count: pt.sqrt(_ratio(total, count)),
)  # fmt: skip


def _count(label: bool, prediction: bool) -> Callable[[Any, Any, Any], Any]:
    """``labels, predictions, weights -> weights`` of those elements that have this label and prediction."""

    def count(labels: Any, predictions: Any, weights: Any) -> Any:
        first, second = pt.astype(tensor(labels), "bool"), pt.astype(tensor(predictions), "bool")
        hit = pt.logical_and(pt.equal(first, label), pt.equal(second, prediction))
        return _weighted(hit, weights)[0]

    return count


def _counting(
    name: str, counts: Sequence[tuple[str, bool, bool]], value: Callable[..., Any], doc: str
) -> Callable[..., tuple[Any, Any]]:
    def metric(
        labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None,
        updates_collections: Any = None, name: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        def amounts(*given: Any) -> Sequence[Any]:
            return [_count(label, prediction)(*given) for _, label, prediction in counts]

        sums = [title for title, _, _ in counts]
        return _metric(
            name or label, sums, (labels, predictions, weights), amounts, value, metrics_collections,
            updates_collections,
        )  # fmt: skip

    label = name
    metric.__name__ = metric.__qualname__ = label
    metric.__doc__ = doc
    return metric


true_positives = _counting("true_positives", [("count", True, True)], lambda x: x, "Positives that are predicted.")
false_positives = _counting("false_positives", [("count", False, True)], lambda x: x, "Negatives predicted otherwise.")
true_negatives = _counting("true_negatives", [("count", False, False)], lambda x: x, "Negatives that are predicted.")
false_negatives = _counting("false_negatives", [("count", True, False)], lambda x: x, "Positives predicted otherwise.")
precision = _counting(
    "precision", [("true_positives", True, True), ("false_positives", False, True)],
    lambda true, false: _ratio(true, true + false), "The share of positives among what is predicted positive.",
)  # fmt: skip
recall = _counting(
    "recall", [("true_positives", True, True), ("false_negatives", True, False)],
    lambda true, false: _ratio(true, true + false), "The share of predicted positives among positives.",
)  # fmt: skip
