"""The metrics' base class, and the mean and the sum of values."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..dispatch import convert
from ..errors import ShapeError
from ..registry import tables
from ..state.adding import add_together
from ..state.trackable import Trackable
from ..state.update import replace_all
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Mean", "Metric", "Sum", "pair", "same_shapes", "wide"]


def pair(name: str, values: tuple[Any, ...]) -> tuple[Any, Any]:
    """Labels and predictions, the values of the metric ``name``.

    Raises:
        ShapeError: there are not two values.
    """
    if len(values) != 2:
        raise _wrong_count(name, values, "two values", "labels, then predictions", f"{name}(labels, predictions)")
    return values


def _one(name: str, values: tuple[Any, ...]) -> Any:
    """The only value of the metric ``name``.

    Raises:
        ShapeError: there is another number of values.
    """
    if len(values) != 1:
        raise _wrong_count(name, values, "one value", "a tensor or a number", f"{name}(values), or pass weights=")
    return values[0]


def _wrong_count(name: str, values: tuple[Any, ...], takes: str, expected: str, fix: str) -> ShapeError:
    return ShapeError(
        f"{name} takes {takes}, not {len(values)}.",
        expected=expected,
        got=", ".join([type(value).__name__ for value in values]) or "nothing",
        fix=fix,
    )


class Metric(Trackable):
    """Base of the metrics. ``metric(...)`` adds data and returns the result so far.

    A subclass creates its totals by `_total`, defines `update`, which adds to them by `_add`, and `result`. The totals
    are variables, so a checkpoint saves them; they are float64 (float32 on a device without it), so a sum over many
    small numbers keeps its digits.

    Args:
        name: shown in prints.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name or type(self).__name__
        self._totals: dict[str, Variable] = {}

    def __repr__(self) -> str:
        return f"{self.name}({self.result().tolist()})"

    def __call__(self, *values: Any, weights: Any = None) -> Tensor:
        """Add data, as `update`; returns the result."""
        self.update(*values, weights=weights)
        return self.result()

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The totals."""
        return tuple(self._totals.values())

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add data.

        Args:
            values: what the metric takes.
            weights: one per sample, in a shape that broadcasts to that of the values; default: 1.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def result(self) -> Tensor:
        """The metric of everything that was added since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} defines no result")

    def reset(self) -> None:
        """Discard everything that was added."""
        zeros = tables.get_op("zeros")
        values = [zeros(x.shape, dtype=x.dtype, device=x.device).array for x in self.variables]
        replace_all(list(self.variables), [None] * len(values), values)

    def _total(self, name: str, *shape: int) -> None:
        x = tables.get_op("zeros")(shape, dtype="float32", device=None)
        dtype = dtypes.float64 if "float64" in x.type.backend.dtypes else dtypes.float32
        self._totals[name] = Variable(convert.cast(x, dtype), trainable=False, name=name)

    def _add(self, **parts: Tensor) -> None:
        """Add to totals, to all or none."""
        totals = [self._totals[name] for name in parts]
        pairs = zip(totals, parts.values(), strict=True)
        add_together([(x, convert.cast(convert.to_device(part, x.device), x.dtype)) for x, part in pairs])

    def _ratio(self, numerator: Any, denominator: Any) -> Tensor:
        """``numerator / denominator``, and 0 where that is 0 / 0."""
        where = tables.get_op("where")
        ratio: Tensor = where(denominator == 0.0, 0.0, numerator / where(denominator == 0.0, 1.0, denominator))
        return ratio


class Mean(Metric):
    """The mean of all elements of all values.

    Example:
        >>> import polytape as pt
        >>> m = pt.metrics.Mean()
        >>> for values in (0, 5, [8, 9]):
        ...     _ = m(values)
        >>> float(m.result())
        5.5
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._total("total")
        self._total("count")

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add values: one tensor or number, and weights that broadcast to it."""
        x = wide(_one(self.name, values))
        w = _weights(weights, x)
        self._add(total=tables.get_op("sum")(x * w), count=tables.get_op("sum")(w))

    def result(self) -> Tensor:
        """floating[]: the weighted mean; 0 before anything was added."""
        return self._ratio(self._totals["total"].read_value(), self._totals["count"].read_value())


class Sum(Metric):
    """The sum of all elements of all values."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._total("total")

    def update(self, *values: Any, weights: Any = None) -> None:
        """Add values: one tensor or number, and weights that broadcast to it."""
        x = wide(_one(self.name, values))
        self._add(total=tables.get_op("sum")(x * _weights(weights, x)))

    def result(self) -> Tensor:
        """floating[]: the weighted sum."""
        return self._totals["total"].read_value()


def wide(x: Any) -> Tensor:
    """``x`` as a tensor of float64, or of float32 on a device without it."""
    tensor: Tensor = convert.asarray(x, None, None, None)
    dtype = dtypes.float64 if "float64" in tensor.type.backend.dtypes else dtypes.float32
    return convert.cast(tensor.read_value() if isinstance(tensor, Variable) else tensor, dtype)


def _weights(weights: Any, x: Tensor) -> Tensor:
    """The weights in the shape of ``x``."""
    broadcast_to = tables.get_op("broadcast_to")
    if weights is None:
        ones: Tensor = tables.get_op("ones")(x.shape, dtype=x.dtype, device=x.device)
        return ones
    w = wide(weights)
    if len(w.shape) < len(x.shape) and w.shape == x.shape[: len(w.shape)]:  # one weight per sample
        w = tables.get_op("reshape")(w, (*w.shape, *[1 for _ in x.shape[len(w.shape) :]]))
    result: Tensor = broadcast_to(w, x.shape)
    return result


def same_shapes(metric: str, labels: Tensor, predictions: Tensor) -> None:
    """Raise ShapeError unless both have one shape: broadcasting would compare each label with each prediction."""
    if labels.shape != predictions.shape:
        raise ShapeError(
            f"{metric}: labels and predictions differ in shape.",
            expected="one shape",
            got=f"labels of shape {labels.shape}, predictions of shape {predictions.shape}",
            fix="reshape one of them",
        )
