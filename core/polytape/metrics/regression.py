"""Metrics of predicted numbers: means of an error over all elements."""

from __future__ import annotations

from typing import Any

from ..registry import tables
from ..tensors.tensor import Tensor
from .base import Mean, pair, same_shapes, wide

__all__ = ["CosineSimilarity", "MeanAbsoluteError", "MeanOfPairs", "MeanSquaredError", "RootMeanSquaredError"]


class MeanOfPairs(Mean):
    """The mean of ``_value(labels, predictions)``: a base of metrics."""

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add labels and predictions.

        Args:
            values: labels, then predictions.
            weights: one per sample; default: 1.
        """
        labels, predictions = pair(self.name, values)
        super().update(self._value(wide(labels), wide(predictions)), weights=weights)

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} defines no _value")


class MeanSquaredError(MeanOfPairs):
    """The mean of ``(labels - predictions)**2``; both have one shape."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        return (labels - predictions) * (labels - predictions)


class RootMeanSquaredError(MeanSquaredError):
    """The square root of `MeanSquaredError`."""

    def result(self) -> Tensor:
        """floating[]: the root of the mean."""
        root: Tensor = tables.get_op("sqrt")(super().result())
        return root


class MeanAbsoluteError(MeanOfPairs):
    """The mean of ``abs(labels - predictions)``; both have one shape."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        return abs(labels - predictions)


class CosineSimilarity(MeanOfPairs):
    """The mean over all vectors, along the last axis, of the cosine of the angle; 0 for a vector of zeros."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        total, sqrt = tables.get_op("sum"), tables.get_op("sqrt")
        lengths = sqrt(total(labels * labels, axis=-1)) * sqrt(total(predictions * predictions, axis=-1))
        return self._ratio(total(labels * predictions, axis=-1), lengths)
