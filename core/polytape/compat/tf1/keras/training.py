"""Training of Keras models: compile, fit, evaluate, predict; in a graph, `graph_training` has the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from .... import dtypes
from ....autodiff.tape import GradientTape
from ....dispatch.convert import asarray
from ....ops import logic, manipulation, reduction
from ....ops.manipulation import concat
from ....ops.movement import take
from ....random.orders import permutation
from ....tensors.tensor import Tensor
from ...mode import building
from ..graph.graphs import get_default_graph
from ..layers.symbols import flattened, mapped
from ..nesting import filled
from ..train.base import Optimizer
from . import losses, optimizers
from .graph_training import GraphSteps

__all__ = ["History", "Trained"]


class History:
    """What `Trained.fit` returns.

    Attributes:
        epoch: the numbers of the epochs.
        history: lists of one number per epoch, by name: "loss", each metric, and with "val_" those of validation data.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}


class _Plan:
    """What `Trained.compile` was called with."""

    def __init__(self, optimizer: Optimizer, loss: Callable[[Any, Any], Any], metrics: dict[str, Any]) -> None:
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics


class Trained:
    """The methods of a model that train it. Data are arrays; a model of several inputs takes a list of them."""

    _compiled: _Plan | None = None

    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
    ) -> None:
        """Choose how the model is trained.

        Args:
            optimizer: one of `tf.train`; in a graph also one of `tf.keras.optimizers`, or its name.
            loss: of `tf.keras.losses`, or its name, or a function ``(labels, outputs) -> one loss per sample``.
            metrics: names of such, "accuracy", or functions.
            loss_weights, sample_weight_mode: not implemented; leave them out.
        Raises:
            ValueError: the optimizer is none of `tf.train`, there is no loss, or an argument is not implemented.
        """
        if building():
            optimizer = optimizers.get(optimizer)
        if not isinstance(optimizer, Optimizer):
            raise ValueError("Only TF native optimizers are supported in Eager mode.")
        function = losses.get(loss)
        if function is None:
            raise ValueError("compile needs a loss.")
        if loss_weights is not None or sample_weight_mode is not None:
            raise ValueError("loss_weights and sample_weight_mode are not implemented: weight the loss in a function.")
        self._compiled = _Plan(optimizer, function, {_name(m): _metric(m, function) for m in metrics or ()})

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        return ["loss", *self._plan().metrics]

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""
        return self._plan().optimizer

    def _plan(self) -> _Plan:
        if self._compiled is None:
            raise RuntimeError(
                "You must compile a model before training/testing. Use `model.compile(optimizer, loss)`."
            )
        return self._compiled

    def _step(self, x: Any, y: Any, training: bool) -> list[float]:
        if building():
            values = self._graph_steps(x, y).run("train" if training else "test", x, y)
            return [float(value) for value in values]
        plan, model = self._plan(), self._called
        with GradientTape() as tape:
            outputs = model(x, training)
            loss = reduction.mean(plan.loss(y, outputs))
            for extra in self.losses:  # type: ignore[attr-defined]  # of the model
                loss = loss + extra
        if training:
            variables = self.trainable_weights  # type: ignore[attr-defined]  # of the model
            gradients = tape.gradient(loss, variables, sparse=True)
            plan.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        found = [reduction.mean(metric(y, outputs)) for metric in plan.metrics.values()]
        return [float(value) for value in (loss, *found)]

    def _graph_steps(self, x: Any, y: Any) -> GraphSteps:
        """The operations for data like these in the current graph."""
        kinds = tuple([(str(a.dtype), a.shape[1:]) for part in (x, y) if part is not None for a in flattened(part)])
        steps = self.__dict__.setdefault("_steps", {})
        graph, plan = get_default_graph(), None if y is None else self._plan()
        found = steps.get(kinds)
        if found is None or found.graph is not graph or found.plan is not plan:
            found = steps[kinds] = GraphSteps(self, plan, x, y)
        return found  # type: ignore[no-any-return]  # from a dict of the instance

    def _outputs_of(self, x: Any) -> Any:
        """The outputs for a batch, as NumPy arrays."""
        if building():
            return self._graph_steps(x, None).run("predict", x)
        return mapped(lambda y: y.numpy(), self._called(x, False))

    def _called(self, x: Any, training: bool) -> Any:
        from .functional import parameters

        takes = "training" in parameters(self)
        return self(x, training=training) if takes else self(x)  # type: ignore[operator]  # the model is called

    def train_on_batch(self, x: Any, y: Any, **unsupported: Any) -> Any:
        """One step; returns the loss, or a list of it and the metrics."""
        return _single(self._step(*_data(x, y, unsupported), training=True))

    def test_on_batch(self, x: Any, y: Any, **unsupported: Any) -> Any:
        """The loss, or a list of it and the metrics, of a batch."""
        return _single(self._step(*_data(x, y, unsupported), training=False))

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for a batch, as NumPy arrays."""
        return self._outputs_of(mapped(asarray, x))

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: int = 1,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **unsupported: Any,
    ) -> History:
        """Train for some epochs.

        Args:
            x, y: inputs and labels.
            batch_size: the number of samples of a step.
            epochs: how often all samples are used.
            verbose: 0 prints nothing; else a line per epoch.
            validation_split: the part of the samples, the last ones, that are kept for validation.
            validation_data: inputs and labels for it.
            shuffle: whether the order of the samples changes with each epoch.
            initial_epoch: the number of the first epoch.
        Raises:
            ValueError: another argument of Keras, which is not implemented.
        """
        x, y = _data(x, y, unsupported)
        if validation_split:
            count = int(len(flattened(x)[0]) * (1.0 - validation_split))
            validation_data = (_rows(x, slice(count, None)), _rows(y, slice(count, None)))
            x, y = _rows(x, slice(0, count)), _rows(y, slice(0, count))
        result = History()
        for epoch in range(initial_epoch, epochs):
            logs = self._pass(x, y, batch_size, True, shuffle)
            if validation_data is not None:
                held = self._pass(*_data(*validation_data[:2], {}), batch_size, False, False)
                logs |= {f"val_{name}": value for name, value in held.items()}
            result.epoch.append(epoch)
            for name, value in logs.items():
                result.history.setdefault(name, []).append(value)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs} - " + " - ".join(f"{k}: {v:.4f}" for k, v in logs.items()))
        return result

    def evaluate(self, x: Any, y: Any, batch_size: int = 32, verbose: int = 1, **unsupported: Any) -> Any:
        """The loss, or a list of it and the metrics, of all samples."""
        return _single(list(self._pass(*_data(x, y, unsupported), batch_size, False, False).values()))

    def predict(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        """The outputs for all samples, as NumPy arrays."""
        x = mapped(asarray, x)
        count = len(flattened(x)[0])
        parts = [self._outputs_of(_rows(x, rows)) for rows in _batches(count, batch_size)]
        columns = zip(*(flattened(part) for part in parts), strict=True)
        joined = [concat([asarray(part) for part in column]).numpy() for column in columns]
        return filled(parts[0], joined)

    def _pass(self, x: Any, y: Any, batch_size: int, training: bool, shuffle: bool) -> dict[str, float]:
        """The means of loss and metrics over all samples."""
        count = len(flattened(x)[0])
        if not count:
            raise ValueError("there are no samples: expected arrays with a first axis of at least 1")
        if shuffle:
            order = permutation(count)
            x, y = (mapped(lambda a: take(a, order, axis=0), part) for part in (x, y))
        totals = [0.0] * (1 + len(self._plan().metrics))
        for rows in _batches(count, batch_size):
            size = min(rows.stop, count) - rows.start
            means = self._step(_rows(x, rows), _rows(y, rows), training)
            totals = [total + size * mean for total, mean in zip(totals, means, strict=True)]
        return dict(zip(self.metrics_names, [total / count for total in totals], strict=True))


def _batches(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, start + size)


def _rows(x: Any, rows: slice) -> Any:
    return mapped(lambda a: a[rows], x)


def _data(x: Any, y: Any, unsupported: dict[str, Any]) -> tuple[Any, Any]:
    given = sorted(name for name, value in unsupported.items() if value is not None)
    if given:
        raise ValueError(f"{given[0]}= is not implemented here: write the loop with a tfe.GradientTape instead.")
    return mapped(asarray, x), mapped(asarray, y)


def _single(values: list[float]) -> Any:
    return values[0] if len(values) == 1 else values


def _name(metric: Any) -> str:
    if isinstance(metric, str):
        return "acc" if metric in ("accuracy", "acc") else metric
    return str(metric.__name__)


def _metric(metric: Any, loss: Any) -> Callable[[Any, Any], Any]:
    if metric not in ("accuracy", "acc"):
        found = losses.get(metric)
        if found is None:
            raise ValueError("a metric is a name or a function, not None")
        return found

    def accuracy(labels: Any, outputs: Tensor) -> Tensor:
        if loss is losses.binary_crossentropy or outputs.shape[-1] == 1:
            right = logic.equal(manipulation.astype(outputs > 0.5, outputs.dtype), labels)
            return manipulation.astype(right, _FLOAT)
        best = reduction.argmax(outputs, axis=-1)
        if loss is losses.sparse_categorical_crossentropy or labels.shape != outputs.shape:
            labels = manipulation.reshape(labels, outputs.shape[:-1])
            return manipulation.astype(logic.equal(best, manipulation.astype(labels, best.dtype)), _FLOAT)
        return manipulation.astype(logic.equal(best, reduction.argmax(labels, axis=-1)), _FLOAT)

    return accuracy


_FLOAT: Final = dtypes.float32
