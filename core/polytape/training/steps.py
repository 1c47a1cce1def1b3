"""What is computed for one batch: the call of the model, the loss, and the step of the optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..autodiff.tape import GradientTape
from ..data.structures import length
from ..dispatch import convert
from ..errors import DTypeError, ShapeError, TraceError
from ..graph import function
from ..registry import tables
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .losses import Loss

__all__ = ["Caller", "Evaluation", "Training"]


class Caller:
    """Calls a model: with the parts of a tuple as arguments, and with ``training=`` if it takes it.

    Args:
        model: a module or a function.

    Raises:
        DTypeError: it cannot be called.
    """

    def __init__(self, model: Any) -> None:
        if not callable(model) or isinstance(model, type):
            raise DTypeError(
                f"{model!r} cannot be trained or evaluated.",
                expected="a model, or a function of x that uses variables",
                got=describe(model),
                fix="call the class to make a model" if isinstance(model, type) else "pass for example model.call",
            )
        self.model = model
        # Every module takes `training`, also one whose `call` does not.
        self._takes_training = hasattr(model, "trainable_variables") or _has_parameter(model, "training")

    def __call__(self, x: Any, training: bool) -> Any:
        """The outputs for the inputs x."""
        options = {"training": training} if self._takes_training else {}
        return self.model(*x, **options) if type(x) is tuple else self.model(x, **options)


def _has_parameter(called: Any, name: str) -> bool:
    try:
        return name in inspect.signature(called).parameters
    except (TypeError, ValueError):  # some callable objects have no signature
        return False


class Evaluation:
    """Computes the loss of a batch without training.

    Args:
        model: a module or a function.
        loss: None to compute only the outputs.
        traced: whether to run a graph.
    """

    def __init__(self, model: Any, loss: Loss | None, traced: bool) -> None:
        self.caller = Caller(model)
        self.model = model
        self.loss = loss
        self.traced = traced

    def run(self, x: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        """The loss, the number of samples that count, and the outputs."""
        with _explained(self.traced):
            return (self._evaluate_graph if self.traced else self._evaluate)(x, y, weights)

    def call(self, x: Any) -> Any:
        """The outputs."""
        with _explained(self.traced):
            return (self._call_graph if self.traced else self._call)(x)

    def _evaluate(self, x: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        count = counted(x, y, weights)
        outputs = self.caller(x, False)
        if self.loss is None:
            return None, 0, outputs
        return with_regularizers(self.model, self.loss(y, outputs, weights)), count, outputs

    def _call(self, x: Any) -> Any:
        return self.caller(x, False)

    # Of the class: a graph that is an attribute of the object would keep it, and the model, until garbage is collected.
    _evaluate_graph = function(_evaluate)
    _call_graph = function(_call)


class Training:
    """Computes a batch's step of the optimizer.

    Args:
        model: a module or a function.
        loss: the loss.
        optimizer: what applies the gradients.
        class_weights: real[classes], or None.
        variables: the variables to train; None for those of the model, or for a function those that it uses.
        use: is called with the variables of a function.
        traced: whether to run a graph.
    """

    def __init__(
        self,
        model: Any,
        loss: Loss,
        optimizer: Any,
        class_weights: Tensor | None,
        variables: Sequence[Variable] | None,
        use: Callable[[Iterable[Variable]], None],
        traced: bool,
    ) -> None:
        self.caller = Caller(model)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.class_weights, self.variables, self.use = class_weights, variables, use
        self.traced = traced

    def run(self, x: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        """Train with a batch; returns the loss before, the number of samples that count, and the outputs."""
        with _explained(self.traced):
            return (self._train_graph if self.traced else self._train)(x, y, weights)

    def _train(self, x: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
        weights = self._weighted(y, weights)
        count = counted(x, y, weights)
        with GradientTape() as tape:
            outputs = self.caller(x, True)
            loss = with_regularizers(self.model, self.loss(y, outputs, weights))
        variables = self._trained(tape)
        gradients = tape.gradient(loss, variables, sparse=True)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        constrain = getattr(self.model, "apply_constraints", None)
        if constrain is not None:
            constrain()
        return loss, count, outputs

    _train_graph = function(_train)

    def _trained(self, tape: GradientTape) -> list[Variable]:
        if self.variables is not None:
            return list(self.variables)
        if hasattr(self.model, "trainable_variables"):
            return list(self.model.trainable_variables)
        variables = list(tape.watched_variables())
        self.use(variables)
        return variables

    def _weighted(self, labels: Any, weights: Any) -> Any:
        """The weights of the samples times those of their classes."""
        if self.class_weights is None:
            return weights
        if not isinstance(labels, Tensor) or labels.type.dtype.kind not in "iu" or len(labels.shape) != 1:
            raise ShapeError(
                "class_weights cannot be used with these labels.",
                expected="integer labels of shape [batch]",
                got=describe(labels),
                fix="pass weights=, one per sample",
            )
        table = convert.to_device(self.class_weights, labels.device)
        of_classes = tables.get_op("take")(table, labels, axis=0)
        return of_classes if weights is None else of_classes * weights


def with_regularizers(model: Any, loss: Any) -> Any:
    """The loss plus those of the regularizers of a module."""
    for each in getattr(model, "losses", ()):
        loss = loss + each
    return loss


def counted(x: Any, y: Any, weights: Any) -> Any:
    """How many samples of a batch count: all, or those whose weight is not 0.

    Raises:
        ShapeError: a part has no first axis, or these differ: the data are not batches.
    """
    count = length((x, y))
    return count if weights is None else tables.get_op("count_nonzero")(weights)


@contextmanager
def _explained(traced: bool) -> Iterator[None]:
    """Add to an error of tracing what runs the step without a trace."""
    try:
        yield
    except TraceError as error:
        if traced:
            error.add_note("  the step was traced to a graph: function=False runs it op by op")
        raise
