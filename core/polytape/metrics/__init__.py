"""Metrics: callable objects that add up what they are given, and compute a number from all of it.

`base` is the base class with means and sums, `bins` counts, `regression` and `classification` are the metrics of
predictions.

May import: `dispatch`, `dtypes`, `errors`, `foreign_names`, `registry`, `state`, `tensors`.
"""

from __future__ import annotations

from .base import Mean, Metric, Sum
from .classification import (
    AUC,
    F1,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    ConfusionMatrix,
    MeanIoU,
    Precision,
    Recall,
    SparseCategoricalAccuracy,
    TopKAccuracy,
)
from .regression import CosineSimilarity, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError

__all__ = [
    "AUC",
    "F1",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMatrix",
    "CosineSimilarity",
    "Mean",
    "MeanAbsoluteError",
    "MeanIoU",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "Sum",
    "TopKAccuracy",
]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("metrics", name)
