"""Metrics of predicted classes: accuracies, precision and recall, confusion matrices, the area under the ROC curve."""

from __future__ import annotations

from typing import Any

from ..dispatch import convert
from ..dtypes import int64
from ..errors import SettingError
from ..registry import tables
from ..tensors.tensor import Tensor
from .base import Metric, pair, same_shapes, wide
from .bins import Bins
from .regression import MeanOfPairs

__all__ = [
    "AUC", "F1", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "ConfusionMatrix", "MeanIoU", "Precision",
    "Recall", "SparseCategoricalAccuracy", "TopKAccuracy",
]  # fmt: skip


class Accuracy(MeanOfPairs):
    """How often predictions equal labels; both have one shape."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        return wide(labels == predictions)


class BinaryAccuracy(MeanOfPairs):
    """How often ``predictions > threshold`` equals labels of 0 and 1; both have one shape."""

    def __init__(self, threshold: float = 0.5, name: str = "") -> None:
        super().__init__(name)
        self.threshold = threshold

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        return wide(wide(predictions > self.threshold) == labels)


class SparseCategoricalAccuracy(MeanOfPairs):
    """How often the largest score is that of the label: labels integer[...], scores floating[..., classes]."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        chosen = wide(tables.get_op("argmax")(predictions, axis=-1))
        same_shapes(self.name, labels, chosen)
        return wide(chosen == labels)


class CategoricalAccuracy(SparseCategoricalAccuracy):
    """As `SparseCategoricalAccuracy`, for one-hot labels of the shape of the scores."""

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        same_shapes(self.name, labels, predictions)
        return super()._value(wide(tables.get_op("argmax")(labels, axis=-1)), predictions)


class TopKAccuracy(MeanOfPairs):
    """How often fewer than ``k`` classes score above the label: labels integer[n], scores floating[n, classes]."""

    def __init__(self, k: int = 5, name: str = "") -> None:
        super().__init__(name)
        if k < 1:
            raise SettingError("TopKAccuracy needs k of at least 1.", expected="1 or more", got=repr(k), fix="change k")
        self.k = k

    def _value(self, labels: Tensor, predictions: Tensor) -> Tensor:
        reshape, along = tables.get_op("reshape"), tables.get_op("take_along_axis")
        positions = reshape(convert.cast(labels, int64), (*labels.shape, 1))
        larger = wide(predictions > along(predictions, positions, axis=-1))
        return wide(tables.get_op("sum")(larger, axis=-1) < self.k)


class _Counts(Metric):
    """True and false positives and negatives of binary predictions above a threshold."""

    def __init__(self, threshold: float = 0.5, name: str = "") -> None:
        super().__init__(name)
        self.threshold = threshold
        for total in ("true_positives", "false_positives", "false_negatives"):
            self._total(total)

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add labels (0 and 1) and predictions of the same shape, and weights that broadcast to them."""
        labels, predictions = map(wide, pair(self.name, values))
        same_shapes(self.name, labels, predictions)
        total, positive = tables.get_op("sum"), wide(predictions > self.threshold)
        weight = 1.0 if weights is None else wide(weights)
        self._add(
            true_positives=total(labels * positive * weight),
            false_positives=total((1.0 - labels) * positive * weight),
            false_negatives=total(labels * (1.0 - positive) * weight),
        )

    def _counts(self) -> tuple[Tensor, Tensor, Tensor]:
        hit, wrong, missed = (total.read_value() for total in self.variables)
        return hit, wrong, missed


class Precision(_Counts):
    """The part of the positive predictions (above ``threshold``) whose label is 1; 0 without any."""

    def result(self) -> Tensor:
        """floating[]."""
        hit, wrong, _ = self._counts()
        return self._ratio(hit, hit + wrong)


class Recall(_Counts):
    """The part of the labels of 1 that is predicted (above ``threshold``); 0 without any."""

    def result(self) -> Tensor:
        """floating[]."""
        hit, _, missed = self._counts()
        return self._ratio(hit, hit + missed)


class F1(_Counts):
    """The harmonic mean of precision and recall; 0 if both are."""

    def result(self) -> Tensor:
        """floating[]."""
        hit, wrong, missed = self._counts()
        return self._ratio(2.0 * hit, 2.0 * hit + wrong + missed)


class ConfusionMatrix(Metric):
    """How often each label (row) was predicted as each class (column).

    Args:
        classes: the number of classes; labels and predictions are integers from 0 to ``classes - 1``.
    """

    def __init__(self, classes: int, name: str = "") -> None:
        super().__init__(name)
        self.classes = classes
        self._total("matrix", classes, classes)

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add labels and predictions of one shape, and weights of this shape.

        Raises:
            SettingError: a class that does not exist. In a traced function that is an OutOfRangeError when it runs
                on the host; on another device the matrix has NaN from then on.
        """
        labels, predictions = (convert.cast(wide(value), int64) for value in pair(self.name, values))
        same_shapes(self.name, labels, predictions)
        weight = wide(weights) if weights is not None else wide(labels) * 0.0 + 1.0
        bins = Bins(labels * self.classes + predictions, self.classes * self.classes)
        if bins.traced:
            bins.keep((labels >= 0) & (labels < self.classes) & (predictions >= 0) & (predictions < self.classes))
        else:
            self._check(labels)
            self._check(predictions)
        self._add(matrix=tables.get_op("reshape")(bins.sums(weight), (self.classes, self.classes)))

    def result(self) -> Tensor:
        """floating[classes, classes]."""
        return self._totals["matrix"].read_value()

    def _check(self, x: Tensor) -> None:
        if x.size and not (int(x.min()) >= 0 and int(x.max()) < self.classes):
            raise SettingError(
                f"{self.name} received a class that does not exist.",
                expected=f"integers from 0 to {self.classes - 1}",
                got=f"from {int(x.min())} to {int(x.max())}",
                fix="pass classes= the number of classes",
            )


class MeanIoU(ConfusionMatrix):
    """The mean over classes of ``intersection / union`` of labels and predictions; absent classes are left out."""

    def result(self) -> Tensor:
        """floating[]."""
        matrix, total = super().result(), tables.get_op("sum")
        hits = total(matrix * tables.get_op("eye")(self.classes, dtype=matrix.dtype, device=matrix.device), axis=0)
        union = total(matrix, axis=0) + total(matrix, axis=1) - hits
        return self._ratio(total(self._ratio(hits, union)), total(wide(union > 0.0)))


class AUC(Metric):
    """The area under the ROC curve: how often a positive sample's score is above a negative one's.

    Args:
        buckets: scores from 0 to 1 are counted in this many intervals of one length; scores in one interval count as
            equal. The error is at most half the part of pairs in one interval.

    Source:
        T. Fawcett (2006), Pattern Recognition Letters 27 (8), pp. 861-874.
    """

    def __init__(self, buckets: int = 1000, name: str = "") -> None:
        super().__init__(name)
        self.buckets = buckets
        self._total("positives", buckets)
        self._total("negatives", buckets)

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add labels (0 and 1) and scores from 0 to 1 of one shape, and weights that broadcast to them.

        Raises:
            SettingError: a score outside of 0 to 1. In a traced function that is an OutOfRangeError when it runs
                on the host; on another device the area is NaN from then on.
        """
        labels, scores = map(wide, pair(self.name, values))
        same_shapes(self.name, labels, scores)
        bucket = tables.get_op("minimum")(tables.get_op("floor")(scores * float(self.buckets)), float(self.buckets - 1))
        bins = Bins(bucket, self.buckets)
        if bins.traced:
            bins.keep((scores >= 0.0) & (scores <= 1.0))
        elif scores.size and not (float(scores.min()) >= 0.0 and float(scores.max()) <= 1.0):
            raise SettingError(
                f"{self.name} needs scores from 0 to 1.",
                expected="probabilities",
                got=f"from {float(scores.min())} to {float(scores.max())}",
                fix="apply polytape.nn.sigmoid to logits",
            )
        weight = labels * 0.0 + (1.0 if weights is None else wide(weights))
        self._add(positives=bins.sums(labels * weight), negatives=bins.sums((1.0 - labels) * weight))

    def result(self) -> Tensor:
        """floating[]: 0 without samples of both classes."""
        positives, negatives = (total.read_value() for total in self.variables)
        total = tables.get_op("sum")
        below = tables.get_op("cumulative_sum")(negatives, axis=0) - 0.5 * negatives
        return self._ratio(total(positives * below), total(positives) * total(negatives))
