"""The loss of a batch: a function of labels and outputs, or the name of one, as a number to minimize."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from ..errors import DTypeError, SettingError, ShapeError
from ..foreign_names import near_or
from ..ops import families, shape_rules
from ..ops.nn.reducing import reduced
from ..registry import tables
from ..tensors.tensor import Tensor, describe

__all__ = ["Loss"]

# Names of other libraries.
_FOREIGN: Final = {
    "mse": "mean_squared_error",
    "mae": "l1_loss",
    "mean_absolute_error": "l1_loss",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "huber": "huber_loss",
    "log_cosh": "log_cosh_loss",
    "hinge": "hinge_loss",
    "squared_hinge": "squared_hinge_loss",
    "kld": "kl_divergence",
    "poisson": "poisson_nll",
    "cross_entropy": "sparse_softmax_cross_entropy_with_logits",
    "sparse_categorical_crossentropy": "sparse_softmax_cross_entropy_with_logits",
    "categorical_crossentropy": "softmax_cross_entropy_with_logits, or categorical_cross_entropy for probabilities",
    "binary_crossentropy": "sigmoid_cross_entropy_with_logits, or log_loss for probabilities",
}


class Loss:
    """The loss of a batch.

    Args:
        loss: a function of labels and outputs that returns a tensor, of shape () or with the batch as its first axis;
            or the name of such a function of `polytape.nn`, with or without its ending ``_with_logits`` or ``_loss``.

    Raises:
        SettingError: no loss has this name. DTypeError: it is neither.
    """

    def __init__(self, loss: Any) -> None:
        if isinstance(loss, str):
            loss = _named(loss)
        elif isinstance(loss, type) or not callable(loss):
            raise DTypeError(
                f"{loss!r} cannot be used as a loss.",
                expected="a function of labels and outputs, or the name of one of polytape.nn",
                got=describe(loss),
                fix="pass for example loss='mean_squared_error'",
            )
        self.function: Callable[..., Any] = loss
        self.name: str = getattr(loss, "__name__", type(loss).__name__)
        # The losses of polytape.nn that reduce by themselves.
        self._reduces = "reduction" in _parameters(loss)

    def __call__(self, labels: Any, outputs: Any, weights: Tensor | None) -> Tensor:
        """The mean over the batch.

        Args:
            labels, outputs: structures of tensors.
            weights: real[batch]; None: all are 1. The sum of the losses times weights is divided by the number of
                losses whose weight is not 0, as everywhere in `polytape.nn`.
        Raises:
            ShapeError: labels and outputs broadcast to more than either has; or there are weights, and the function
                has reduced the losses to one number. DTypeError: the function returns no tensor.
        """
        if self._reduces:
            self._check_shapes(labels, outputs)
        options = {"reduction": "none"} if self._reduces and weights is not None else {}
        losses = self.function(labels, outputs, **options)
        if not isinstance(losses, Tensor):
            raise DTypeError(
                f"the loss {self.name} did not return a tensor.",
                expected="a tensor of shape (), or one with the batch as its first axis",
                got=describe(losses),
                fix="compute it from the outputs by ops of polytape",
            )
        if weights is None:
            return tables.get_op("mean")(losses) if losses.shape else losses
        if not losses.shape:
            raise ShapeError(
                f"the loss {self.name} returns one number, to which weights of samples cannot be applied.",
                expected="one loss per sample, or a function with the parameter reduction=",
                got="shape ()",
                fix="return the losses of the samples without a mean",
            )
        shape = (*weights.shape, *[1] * (len(losses.shape) - len(weights.shape)))
        return reduced(losses, "mean", tables.get_op("reshape")(weights, shape))

    def _check_shapes(self, labels: Any, outputs: Any) -> None:
        """Raise if labels of shape [n] and outputs of shape [n, 1] would become n * n losses."""
        if not (isinstance(labels, Tensor) and isinstance(outputs, Tensor)):
            return
        shape = shape_rules.broadcast(labels.shape, outputs.shape)
        if shape not in (labels.shape, outputs.shape):
            raise ShapeError(
                f"the loss {self.name} would compare every label with every output.",
                expected="labels and outputs of one shape",
                got=f"labels of shape {labels.shape}, outputs of shape {outputs.shape}",
                fix="reshape the labels, or add a layer polytape.nn.Reshape",
            )


def _parameters(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some callable objects have none
        return []


def _named(name: str) -> Callable[..., Any]:
    names = set(families.public_names("nn"))
    for full in (name, f"{name}_with_logits", f"{name}_loss"):
        if full in names:
            function: Callable[..., Any] = families.find("nn", full)
            if _parameters(function)[:1] == ["labels"]:
                return function
    known = sorted(each for each in names if _parameters(families.find("nn", each))[:1] == ["labels"])
    raise SettingError(
        f"there is no loss {name!r}.",
        expected=", ".join(known),
        got=repr(name),
        fix=f"pass {_FOREIGN[name]}"
        if name in _FOREIGN
        else near_or(name, known, "use one of these names, or pass a function"),
    )
