"""Metrics under the names of the history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, SettingError
from polytape.training.measures import Measures

LABELS = pt.asarray([0, 1, 1, 0])
OUTPUTS = pt.asarray([0.2, 0.9, 0.4, 0.6])


def test_names_are_those_of_the_classes_the_functions_or_the_dict() -> None:
    def error(labels: pt.Tensor, outputs: pt.Tensor) -> pt.Tensor:
        return pt.abs(outputs - labels)

    measures = Measures(["binary_accuracy", pt.metrics.AUC(), pt.metrics.MeanIoU(2, name="IoU"), error])
    assert list(measures.metrics) == ["binary_accuracy", "auc", "IoU", "error"]
    assert list(Measures({"a": "f1", "b": pt.metrics.F1()}).metrics) == ["a", "b"]
    assert list(Measures("root_mean_squared_error").metrics) == ["root_mean_squared_error"]
    measures = Measures([error, "binary_accuracy"])
    measures.update(LABELS, OUTPUTS, None)
    assert measures.results() == pytest.approx({"error": np.mean([0.2, 0.1, 0.6, 0.6]), "binary_accuracy": 0.5})
    measures.update(LABELS, OUTPUTS, pt.asarray([1.0, 0.0, 0.0, 0.0]))
    assert measures.results()["binary_accuracy"] == pytest.approx(3 / 5)
    measures.reset()
    assert measures.results()["error"] == 0.0


ALL = {
    "sparse": (["sparse_categorical_accuracy", pt.metrics.TopKAccuracy(2)], [0, 2, 1, 2, 0], (5, 3)),
    "vectors": (["auc", "f1", "precision", "recall", "binary_accuracy", "mean_squared_error"], [0, 1, 1, 0, 1], (5,)),
    "values": ([pt.metrics.ConfusionMatrix(2), pt.metrics.MeanIoU(2)], [0, 1, 1, 0, 1], None),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("weighted", [False, True])
def test_graphs_give_the_results_of_eager_metrics(backend: str, kind: str, weighted: bool) -> None:
    metrics, labels, shape = ALL[kind]
    rng = np.random.default_rng(0)
    weights = rng.uniform(size=5).astype("float32") if weighted else None
    results = []
    with pt.device(backend):
        for traced in (False, True):
            measures = Measures(metrics, traced)
            measures.reset()
            numbers = np.random.default_rng(1)
            for _ in range(3):
                outputs = numbers.integers(0, 2, 5) if shape is None else numbers.uniform(size=shape).astype("float32")
                given = None if weights is None else pt.asarray(weights)
                measures.update(pt.asarray(labels), pt.asarray(outputs), given)
            results.append(measures.results())
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=1e-6, err_msg=name)
        assert np.any(value != 0.0)


@pytest.mark.parametrize(
    ("metric", "outputs", "text"),
    [
        (pt.metrics.AUC(), [0.0, 1.0, 2.0, 0.0], "apply polytape.nn.sigmoid to logits"),
        (pt.metrics.MeanIoU(2), [0, 1, 2, 0], "pass classes= the number of classes"),
    ],
)
def test_a_graph_that_rejects_values_gives_the_error_of_the_metric(metric: Any, outputs: Any, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        Measures([metric], True).update(LABELS, pt.asarray(outputs), None)
    assert not any(np.any(x.numpy()) for x in metric.variables)


def test_a_metric_of_a_user_may_count_in_python() -> None:
    class Calls(pt.metrics.Mean):
        calls = 0

        def update(self, *values: Any, weights: Any = None) -> None:
            self.calls += 1
            super().update(self.calls)

    measures = Measures([Calls()], True)
    for _ in range(3):
        measures.update(LABELS, OUTPUTS, None)
    assert measures.results() == {"calls": 2.0}


@pytest.mark.parametrize(
    ("metrics", "error", "text"),
    [
        (["accuracy"], SettingError, "'sparse_categorical_accuracy' for integers"),
        (["accurate"], SettingError, "use one of these names"),
        ([pt.metrics.AUC], DTypeError, "call the class: AUC()"),
        ([3], DTypeError, "is not a metric"),
        (["auc", pt.metrics.AUC()], SettingError, "pass a dict"),
        ({"loss": "auc"}, SettingError, "cannot have the name 'loss'"),
        ({"val_x": "auc"}, SettingError, "cannot have the name 'val_x'"),
    ],
    ids=str,
)
def test_what_is_no_metric_is_an_error(metrics: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        Measures(metrics)
    assert text in str(caught.value)


def test_training_and_validation_are_counted_apart() -> None:
    x, y = np.asarray([[1.0], [2.0], [3.0]], "float32"), np.asarray([1.0, 2.0, 4.0], "float32")
    w = pt.Variable(1.0)
    history = training.fit(
        lambda x: (x * w)[:, 0], x, y, optimizer=pt.optim.SGD(0.0), loss="l1_loss", epochs=2, batch_size=2,
        metrics=[pt.metrics.MeanAbsoluteError(), lambda labels, outputs: outputs], validation_data=(x[:2], y[:2]),
        progress=False,
    )  # fmt: skip
    assert history["mean_absolute_error"] == pytest.approx([1 / 3, 1 / 3])
    assert history["val_mean_absolute_error"] == [0.0, 0.0]
    assert history["<lambda>"] == [2.0, 2.0] and history["val_<lambda>"] == [1.5, 1.5]


def test_a_misspelt_metric_is_corrected() -> None:
    with pytest.raises(SettingError, match="fix: did you mean 'binary_accuracy'"):
        training.evaluate(pt.nn.Dense(1), pt.ones((2, 1)), pt.ones((2, 1)), metrics=["binary_acuracy"])
