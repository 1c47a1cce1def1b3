"""Averages over steps: of variables, and of gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import dtypes
from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch import convert
from ..errors import DTypeError, SettingError, ShapeError
from ..registry import tables
from ..state.adding import add_together
from ..state.trackable import Trackable
from ..state.update import replace_all
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .base import filled_slot

__all__ = ["AveragedWeights", "GradientAccumulator"]


class AveragedWeights(Trackable):
    """Averages of variables over the steps of a training.

    Args:
        variables: the variables.
        decay: from 0 to 1: ``average = decay * average + (1 - decay) * variable`` at each update, from the variables'
            first values. None: the mean of the values at all updates.

    Attributes:
        averages: variables, in the order of ``variables``.
        count: int64[] variable: the number of updates.

    Raises:
        SettingError: a decay outside its range.
    Source:
        B. Polyak, A. Juditsky (1992), SIAM J. Control and Optimization 30 (4); without decay: P. Izmailov et al.
        (2018), UAI (stochastic weight averaging).

    Example:
        >>> import polytape as pt
        >>> x = pt.Variable(1.0)
        >>> averaged = pt.optim.AveragedWeights([x])
        >>> for value in (2.0, 4.0):
        ...     _ = x.assign(value)
        ...     averaged.update()
        >>> with averaged.swapped():
        ...     float(x)
        3.0
        >>> float(x)
        4.0
    """

    _untracked = ("variables",)

    def __init__(self, variables: Iterable[Variable], decay: float | None = None) -> None:
        if decay is not None and not 0.0 <= decay < 1.0:
            raise SettingError(
                f"AveragedWeights cannot use decay={decay!r}.",
                expected="a number from 0 (inclusive) to 1 (exclusive), or None for the mean of all values",
                got=repr(decay),
                fix="change it, for example to 0.999",
            )
        self.variables = tuple(variables)
        self.decay = decay
        self.count = Variable(0, trainable=False, name="count", dtype=dtypes.int64)
        self.averages = [Variable(x, trainable=False, name=f"{x.name}/average") for x in self.variables]

    def update(self) -> None:
        """Include the variables' present values in the averages. Call it after each step, or after each epoch."""
        one = convert.asarray(1, self.count.dtype, self.count.device, None)
        count, astype = self.count.read_value() + one, tables.get_op("astype")
        additions: list[tuple[Variable, Tensor]] = [(self.count, one)]
        for average, x in zip(self.averages, self.variables, strict=True):
            change: Any = x.read_value() - average
            if self.decay is None:
                change = change / astype(convert.to_device(count, x.device), x.dtype)
            else:
                change = change * (1.0 - self.decay)
            additions.append((average, change))
        add_together(additions)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Inside ``with``, the variables have their averages; afterwards, what they had before, also after an error."""
        held = [x.read_value() for x in self.variables]
        self._put([average.read_value() for average in self.averages])
        try:
            yield
        finally:
            self._put(held)

    def _put(self, values: list[Tensor]) -> None:
        """Give the variables these values."""
        if current_scope.get().trace is None:
            replace_all(list(self.variables), [None] * len(values), [value.array for value in values])
        else:
            for x, value in zip(self.variables, values, strict=True):
                x.assign(value)


class GradientAccumulator(Trackable):
    """Adds the gradients of several batches, for one step on all of them.

    Args:
        variables: whose gradients are passed, in this order.

    Attributes:
        sums: variables of the variables' shapes.
        count: int64[] variable: the number of gradients added since the last reset.

    Example:
        >>> import polytape as pt
        >>> x = pt.Variable([1.0, 1.0])
        >>> accumulator = pt.optim.GradientAccumulator([x])
        >>> for batch in ([1.0, 0.0], [3.0, 4.0]):
        ...     accumulator.add([pt.asarray(batch)])
        >>> accumulator.mean()[0].tolist()
        [2.0, 2.0]
        >>> pt.optim.SGD(0.5).apply_gradients(zip(accumulator.mean(), [x]))
        >>> accumulator.reset()
    """

    def __init__(self, variables: Iterable[Variable]) -> None:
        self.sums = [filled_slot(x, "gradient", x.shape, 0.0) for x in variables]
        self.count = Variable(0, trainable=False, name="count", dtype=dtypes.int64)

    def add(self, gradients: Sequence[Any]) -> None:
        """Add gradients: tensors, `polytape.IndexedSlices`, or None for zeros.

        Raises:
            ShapeError: not one gradient per variable. ShapeError, DTypeError: a gradient does not fit its variable.
                Nothing is added then.
        """
        if len(gradients) != len(self.sums):
            raise ShapeError(
                f"GradientAccumulator has {len(self.sums)} variables, not {len(gradients)}.",
                expected=f"{len(self.sums)} gradients, in the order of the variables",
                got=f"{len(gradients)}",
                fix="pass None for a variable without a gradient",
            )
        dense = [g.to_dense() if isinstance(g, IndexedSlices) else g for g in gradients]
        additions = [(self.count, convert.asarray(1, self.count.dtype, self.count.device, None))]
        for total, g in zip(self.sums, dense, strict=True):
            if g is not None:
                additions.append((total, self._fitting(total, g)))
        add_together(additions)

    def _fitting(self, total: Variable, gradient: Any) -> Tensor:
        x = convert.asarray(gradient, None, total.device, None)
        if x.dtype != total.dtype or x.shape != total.shape:
            raise (ShapeError if x.dtype == total.dtype else DTypeError)(
                f"GradientAccumulator: a gradient does not fit the variable {total.name}.",
                expected=describe(total),
                got=describe(x),
                fix="pass the gradients in the order of the variables; nothing was added",
            )
        return convert.to_device(x, total.device)

    def mean(self) -> list[Any]:
        """The sums divided by the number of additions, for `Optimizer.apply_gradients`."""
        astype, maximum = tables.get_op("astype"), tables.get_op("maximum")
        count = maximum(self.count, 1)
        return [total / astype(convert.to_device(count, total.device), total.dtype) for total in self.sums]

    def reset(self) -> None:
        """Start again from zeros."""
        zeros = tables.get_op("zeros")
        for total in self.sums:
            total.assign(zeros(total.shape, dtype=total.dtype, device=total.device))
        self.count.assign(0)
