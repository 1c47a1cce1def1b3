"""Metrics against scikit-learn, over several batches, with weights, and through a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import SettingError, ShapeError

M = pt.metrics
rng = np.random.default_rng(0)
N = 60
BINARY = rng.integers(0, 2, N)
SCORES = rng.integers(0, 100, N) / 100 + 0.005
LABELS = rng.integers(0, 4, N)
CLASSES = np.where(rng.random(N) < 0.6, LABELS, rng.integers(0, 4, N))
LOGITS = rng.standard_normal((N, 4))
X, Y = rng.standard_normal((2, N))
WEIGHTS = rng.random(N)


def cosine(x: Any, y: Any, sample_weight: Any = None) -> Any:
    values = (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))
    return np.average(values, weights=sample_weight)


METRICS: dict[str, tuple[Callable[[], Any], str, Any, Any]] = {
    "Accuracy": (M.Accuracy, "accuracy_score", LABELS, CLASSES),
    "Precision": (M.Precision, "precision_score", BINARY, SCORES),
    "Recall": (M.Recall, "recall_score", BINARY, SCORES),
    "F1": (M.F1, "f1_score", BINARY, SCORES),
    "BinaryAccuracy": (M.BinaryAccuracy, "accuracy_score", BINARY, SCORES),
    "AUC": (lambda: M.AUC(buckets=100), "roc_auc_score", BINARY, SCORES),
    "SparseCategoricalAccuracy": (M.SparseCategoricalAccuracy, "accuracy_score", LABELS, LOGITS),
    "TopKAccuracy": (lambda: M.TopKAccuracy(2), "top_k_accuracy_score", LABELS, LOGITS),
    "MeanSquaredError": (M.MeanSquaredError, "mean_squared_error", X, Y),
    "RootMeanSquaredError": (M.RootMeanSquaredError, "root_mean_squared_error", X, Y),
    "MeanAbsoluteError": (M.MeanAbsoluteError, "mean_absolute_error", X, Y),
    "ConfusionMatrix": (lambda: M.ConfusionMatrix(4), "confusion_matrix", LABELS, CLASSES),
    "MeanIoU": (lambda: M.MeanIoU(4), "jaccard_score", LABELS, CLASSES),
    "CosineSimilarity": (M.CosineSimilarity, "", LOGITS, LOGITS[::-1]),
}


def expected(name: str, function: str, labels: Any, predictions: Any, weights: Any) -> Any:
    if not function:
        return cosine(labels, predictions, weights)
    sklearn = pytest.importorskip("sklearn.metrics")
    options: dict[str, Any] = {"k": 2} if name == "TopKAccuracy" else {}
    if name == "MeanIoU":
        options = {"average": "macro"}
    if name in ("Precision", "Recall", "F1", "BinaryAccuracy"):
        predictions = predictions > 0.5
    if name == "SparseCategoricalAccuracy":
        predictions = predictions.argmax(-1)
    return getattr(sklearn, function)(labels, predictions, sample_weight=weights, **options)


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_batches_give_the_metric_of_all_samples(name: str, weights: Any, tmp_path: Path) -> None:
    make, function, labels, predictions = METRICS[name]
    metric = make()
    metric(labels, predictions)
    metric.reset()
    for part in (slice(0, 7), slice(7, 50)):
        metric(labels[part], predictions[part], weights=None if weights is None else weights[part])
    path = pt.Checkpoint(metric=metric).save(str(tmp_path / "c"))
    metric = make()
    pt.Checkpoint(metric=metric).restore(path).assert_consumed()
    metric(labels[50:], predictions[50:], weights=None if weights is None else weights[50:])
    result = metric.result().numpy()
    np.testing.assert_allclose(result, expected(name, function, labels, predictions, weights), rtol=1e-12)


def test_a_one_hot_label_is_the_class_of_its_one() -> None:
    sparse = M.SparseCategoricalAccuracy()(LABELS, LOGITS)
    assert float(M.CategoricalAccuracy()(np.eye(4)[LABELS], LOGITS)) == float(sparse)


def test_a_mean_of_numbers_and_lists_and_a_sum_with_weights() -> None:
    mean, total = M.Mean(), M.Sum()
    assert float(mean.result()) == 0.0
    results = [float(mean(values)) for values in (0, 5, [8, 9])]
    assert results == [0.0, 2.5, 5.5]
    assert float(total([[1.0, 2.0], [4.0, 8.0]], weights=[1.0, 0.5])) == 9.0
    mean.reset()
    assert float(mean(3)) == 3.0


def test_a_mean_of_ten_million_float32_values_keeps_its_digits() -> None:
    values = np.full(10_000_000, 0.1, "float32")
    assert float(M.Mean()(values)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_shapes_that_would_broadcast_and_classes_that_do_not_exist_are_rejected() -> None:
    mse = M.MeanSquaredError()
    with pytest.raises(ShapeError, match="labels and predictions differ in shape"):
        mse(np.zeros((3, 1)), np.zeros(3))
    assert float(mse.result()) == 0.0
    with pytest.raises(SettingError, match="class that does not exist"):
        M.ConfusionMatrix(2)([0, 2], [0, 0])
    with pytest.raises(SettingError, match="scores from 0 to 1"):
        M.AUC()([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("metric", [pt.metrics.Accuracy(), pt.metrics.MeanSquaredError(), pt.metrics.AUC()], ids=str)
def test_a_metric_of_predictions_needs_labels_and_predictions(metric: pt.metrics.Metric) -> None:
    with pytest.raises(ShapeError, match=r"takes two values, not 1(.|\n)*fix: \w+\(labels, predictions\)"):
        metric([1.0])


@pytest.mark.parametrize("metric", [pt.metrics.Mean(), pt.metrics.Sum()], ids=str)
def test_a_metric_of_values_takes_one(metric: pt.metrics.Metric) -> None:
    with pytest.raises(ShapeError, match=r"takes one value, not 2(.|\n)*got: list, list(.|\n)*or pass weights="):
        metric([1.0], [2.0])
