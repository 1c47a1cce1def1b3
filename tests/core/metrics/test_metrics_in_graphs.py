"""Each metric inside a traced function: the totals and the results of an eager metric, and no wrong count."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import PolytapeError

METRICS = [getattr(pt.metrics, name) for name in pt.metrics.__all__ if name != "Metric"]
rng = np.random.default_rng(0)
N = 12

# What metrics are of. A new metric takes one of these, or adds what it takes.
OPERANDS: dict[str, tuple[Any, ...]] = {
    "values": (rng.random(N),),
    "classes": (rng.integers(0, 4, N), rng.integers(0, 4, N)),
    "probabilities": (rng.integers(0, 2, N), rng.random(N)),
    "scores": (rng.integers(0, 4, N), rng.standard_normal((N, 4))),
    "one-hot": (np.eye(4)[rng.integers(0, 4, N)], rng.standard_normal((N, 4))),
}
WEIGHTS = rng.random(N)


def make(metric: Callable[..., Any]) -> Any:
    """The metric, with 4 for the arguments that it cannot do without: 4 classes."""
    parameters = inspect.signature(metric).parameters.values()
    return metric(*[4 for x in parameters if x.default is inspect.Parameter.empty])


def batches(operands: tuple[Any, ...], weighted: bool) -> list[tuple[list[pt.Tensor], Any]]:
    weights = pt.asarray(WEIGHTS, dtype="float32") if weighted else None
    tensors = [pt.asarray(x, dtype="float32" if x.dtype.kind == "f" else "int32") for x in operands]
    parts = (slice(0, 6), slice(6, 12), slice(3, 9))
    return [([x[part] for x in tensors], None if weights is None else weights[part]) for part in parts]


def eager_values(metric: Any, data: list[tuple[list[pt.Tensor], Any]]) -> list[Any] | None:
    """The result after each batch, and the totals; None if the metric takes other operands."""
    try:
        results = [metric(*operands, weights=weights).tolist() for operands, weights in data]
    except PolytapeError:
        return None
    return [*results, *[x.tolist() for x in metric.variables]]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_traced_metric_has_the_totals_and_results_of_an_eager_one(metric: Any, weighted: bool, backend: str) -> None:
    seen = []
    with pt.device(backend):
        for operands in OPERANDS.values():
            data = batches(operands, weighted)
            expected = eager_values(make(metric), data)
            if expected is None:
                continue
            graph = make(metric)
            update, result = pt.function(graph.update), pt.function(graph.result)
            for k, (tensors, weights) in enumerate(data):
                update(*tensors, weights=weights)
                np.testing.assert_allclose(result().tolist(), expected[k], rtol=1e-6)
            for total, value in zip(graph.variables, expected[len(data) :], strict=True):
                np.testing.assert_allclose(total.tolist(), value, rtol=1e-6)
            called = pt.function(make(metric))
            values = [called(*tensors, weights=weights).tolist() for tensors, weights in data]
            np.testing.assert_allclose(values, expected[: len(data)], rtol=1e-6)
            seen += expected[: len(data)]
    assert np.any([np.any(value) for value in seen]), f"add what {metric.__name__} takes to OPERANDS"


WRONG = {
    "a label": (pt.metrics.ConfusionMatrix, [[0, 4, 1], [0, 1, 1]]),
    "a negative label": (pt.metrics.MeanIoU, [[0, -1, 1], [0, 1, 1]]),
    "a prediction": (pt.metrics.ConfusionMatrix, [[0, 1, 1], [0, 1, 7]]),
    "a label and a prediction in range together": (pt.metrics.ConfusionMatrix, [[1, 0, 0], [-2, 0, 0]]),
    "a logit": (pt.metrics.AUC, [[0, 1, 1], [0.5, 1.5, 0.5]]),
    "a negative score": (pt.metrics.AUC, [[0, 1, 1], [0.5, -0.001, 0.5]]),
    "no number": (pt.metrics.AUC, [[0, 1, 1], [0.5, float("nan"), 0.5]]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_has_no_bin_is_not_counted_in_another_one(wrong: str, backend: str) -> None:
    kind, operands = WRONG[wrong]
    with pt.device(backend):
        metric = make(kind)
        with pytest.raises(IndexError, match=r"out of bounds"):
            pt.function(metric.update)(*map(pt.asarray, operands))
            metric.result().numpy()  # sim runs kernels later, and raises where a result is read
        if backend != "sim":
            assert not any(np.any(x.numpy()) for x in metric.variables)


@pytest.mark.parametrize("wrong", WRONG)
def test_where_positions_are_not_checked_the_result_is_nan(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from polytape.metrics import bins

    class Wrapping(bins.Bins):
        """Positions as cupy takes them: those behind the last bin begin again with the first."""

        def sums(self, weights: pt.Tensor) -> pt.Tensor:
            self.positions = self.positions % self.count
            return super().sums(weights)

    monkeypatch.setattr("polytape.metrics.classification.Bins", Wrapping)
    kind, operands = WRONG[wrong]
    metric = make(kind)
    pt.function(metric.update)(*map(pt.asarray, operands))
    assert np.any(np.isnan(metric.result().numpy()))


def test_empty_batches_add_nothing(backend: str) -> None:
    with pt.device(backend):
        for kind in (pt.metrics.ConfusionMatrix, pt.metrics.AUC):
            metric = make(kind)
            pt.function(metric.update)(pt.zeros((0,), dtype="int32"), pt.zeros((0,)))
            assert not any(np.any(x.numpy()) for x in metric.variables)
