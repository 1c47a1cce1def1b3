"""TensorFlow 1.7's ``tfe.metrics``: totals that grow with each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ... import dtypes
from ...dispatch.convert import asarray, cast
from ...errors import PolytapeError
from ...registry import tables
from ...state.adding import add_together
from ...state.trackable import Trackable
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from ..mode import need_eager
from ..op_errors import translated
from ..tf1.contrib.summary import scalar
from ..tf1.variables.scopes import get_variable, variable_scope

__all__ = ["Accuracy", "Mean", "Metric"]

_ALLOWED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789."


class Metric(Trackable):
    """Base of the metrics: a subclass defines ``build``, which makes variables, ``call`` and ``result``.

    Args:
        name: default: the class's.
        use_global_variables: accepted for compatibility with TensorFlow, and ignored.

    Attributes:
        name: as passed.
        variables: what `add_variable` made.
    """

    _untracked = ("_initial_values", "_scope", "_vars")

    def __init__(self, name: str | None = None, use_global_variables: bool = False) -> None:
        need_eager("metrics.Metric")
        self._built = False
        self._vars: list[Variable] = []
        self._initial_values: list[Tensor] = []
        self._name = name or type(self).__name__
        with variable_scope("".join(x if x in _ALLOWED else "_" for x in self._name)) as scope:
            self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the variables if this is the first call, then `call`."""
        if not self._built:
            with variable_scope(self._scope):
                self.build(*args, **kwargs)
            self._built = True
        try:
            return self.call(*args, **kwargs)
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None

    @property
    def name(self) -> str:
        """As passed."""
        return self._name

    @property
    def variables(self) -> list[Variable]:
        """The variables that `build` made."""
        return self._vars

    def init_variables(self) -> None:
        """Assign the initial values."""
        for variable, value in zip(self._vars, self._initial_values, strict=True):
            variable.assign(value)

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables, by `add_variable`; the arguments are those of the first call."""
        raise NotImplementedError("Metrics must define a build() member function")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Add data."""
        raise NotImplementedError("Metrics must define a call() member function")

    def result(self) -> Any:
        """The metric of everything that was added."""
        raise NotImplementedError("Metrics must define a result() member function")

    def value(self) -> Any:
        """In eager mode, the method `result`, not its result."""
        return self.result

    def aggregate(self, metrics: Sequence[Metric]) -> None:
        """Add the totals of other metrics.

        Raises:
            TypeError: one is of another class. ValueError: its variables have other names.
        """
        for metric in metrics:
            if type(metric) is not type(self):
                raise TypeError(f"All metrics must be the same type, '{type(self)}' != '{type(metric)}'.")
        for position, variable in enumerate(self._vars):
            if any(metric._vars[position].name != variable.name for metric in metrics):
                raise ValueError("All metrics must have variables in the same order.")
        for position, variable in enumerate(self._vars):
            total = variable.read_value()
            for metric in metrics:
                total = total + metric._vars[position]
            variable.assign(total)

    def add_variable(self, name: str, shape: Any = None, dtype: Any = None, initializer: Any = None) -> Variable:
        """Make a variable; only in `build`.

        Raises:
            RuntimeError: `build` is over.
        """
        if self._built:
            raise RuntimeError("Can't call add_variable() except in build().")
        variable = get_variable(name, shape, dtype, initializer, trainable=False)
        self._initial_values.append(variable.read_value())
        if getattr(type(self), name, None) is None:
            setattr(self, name, variable)  # so that a checkpoint restored earlier fills it, and a later one saves it
        self._vars.append(variable)
        return variable


class Mean(Metric):
    """The mean of all elements of all values.

    Args:
        name: default: the class's.
        dtype: of the totals.
        use_global_variables: accepted for compatibility with TensorFlow, and ignored.
    """

    numer: Variable
    denom: Variable

    def __init__(
        self, name: str | None = None, dtype: Any = dtypes.float64, use_global_variables: bool = False
    ) -> None:
        super().__init__(name, use_global_variables)
        self.dtype = dtype

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the totals."""
        for name in ("numer", "denom"):
            setattr(self, name, self.add_variable(name, (), self.dtype, _zeros))

    def call(self, values: Any, weights: Any = None) -> Any:
        """Add values, with weights that broadcast to them; returns their sum, or with weights the arguments."""
        sum_: Any = tables.get_op("sum")
        x = _read(values)
        if weights is None:
            total = sum_(x, dtype=x.dtype)
            self._add(total, asarray(x.size, self.dtype))
            return total
        w = cast(_read(weights), dtypes.lookup(self.dtype))
        self._add(sum_(cast(x, dtypes.lookup(self.dtype)) * w), sum_(w))
        return values, weights

    def _add(self, numerator: Tensor, denominator: Tensor) -> None:
        dtype = dtypes.lookup(self.dtype)
        add_together([(self.numer, cast(numerator, dtype)), (self.denom, cast(denominator, dtype))])

    def result(self) -> Tensor:
        """The mean; NaN if there are no values. It is a summary too, where summaries are recorded."""
        where: Any = tables.get_op("where")
        total, count = self.numer.read_value(), self.denom.read_value()
        mean: Tensor = where(count == 0.0, float("nan"), total / where(count == 0.0, 1.0, count))
        scalar(self.name, mean)
        return mean


class Accuracy(Mean):
    """How often predictions equal labels."""

    def __init__(self, name: str | None = None, dtype: Any = dtypes.float64) -> None:
        super().__init__(name, dtype)

    def call(self, labels: Any, predictions: Any, weights: Any = None) -> Any:  # type: ignore[override]
        """Add the comparisons of labels and predictions, with weights that broadcast to them; returns the arguments."""
        equal: Any = tables.get_op("equal")
        super().call(cast(equal(_read(labels), _read(predictions)), dtypes.float64), weights)
        return (labels, predictions) if weights is None else (labels, predictions, weights)


def _zeros(shape: Any, dtype: Any = None) -> Any:
    zeros: Any = tables.get_op("zeros")
    return zeros(shape, dtype=dtype)


def _read(x: Any) -> Tensor:
    tensor: Tensor = asarray(x)
    return tensor.read_value() if isinstance(tensor, Variable) else tensor
