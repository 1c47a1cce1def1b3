"""The arguments of `fit` that most calls leave out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from ..checkpoint import CheckpointManager
from ..dispatch import convert
from ..errors import SettingError
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .history import History
from .keywords import reject, require, whole

__all__ = ["Options", "class_table", "complete"]


class Options(TypedDict, total=False):
    """Further keyword arguments of `fit`.

    Args:
        shuffle: whether each epoch has another order of the samples, default True; a Dataset has its own order.
        seed: of these orders. Default: drawn from the default generator, which `polytape.random.seed` restarts.
        weights: real[n]: one per sample, for the loss and the metrics of the training; of a Dataset, the third part
            of its elements. Losses times weights are divided by the number of samples whose weight is not 0.
        class_weights: by class, a list, array or dict with all classes from 0: factors of the training's loss, for
            integer labels.
        function: whether to trace the steps to graphs, default True. False runs them op by op, for models that
            branch on values, and for the debugger.
        initial_epoch: the number of the first epoch, default 0, if training goes on that began in another call.
        steps_per_epoch: how many batches are an epoch; default: a pass over the data. It is needed for data without
            end. A pass that ends within an epoch is followed by the next.
        variables: the variables to train. Default: the trainable ones of the model; for a function, all trainable
            ones that it uses.
        checkpoint: a `polytape.CheckpointManager` or a folder. After each epoch all that the training needs is saved:
            variables, optimizer, metrics, callbacks, history, the position in the data and the default generator. If
            there is a checkpoint already, the training continues from it, bit for bit.
        checkpoint_every: save also after so many batches.
        history: a `History` to append to. It is readable after an exception too.
    """

    shuffle: bool
    seed: int | None
    weights: Any
    class_weights: Any
    function: bool
    initial_epoch: int
    steps_per_epoch: int | None
    variables: Sequence[Variable] | None
    checkpoint: CheckpointManager | str | os.PathLike[str] | None
    checkpoint_every: int | None
    history: History | None


_DEFAULTS: Final[Options] = {
    "shuffle": True,
    "seed": None,
    "weights": None,
    "class_weights": None,
    "function": True,
    "initial_epoch": 0,
    "steps_per_epoch": None,
    "variables": None,
    "checkpoint": None,
    "checkpoint_every": None,
    "history": None,
}


def complete(options: Mapping[str, Any], named: Sequence[str]) -> Options:
    """The options with defaults for those that are missing.

    Args:
        options: as passed to `fit`.
        named: the names of its other arguments, for an error.
    Raises:
        DTypeError: a name that is none. SettingError: a number is out of range.
    """
    reject("fit", (name for name in options if name not in _DEFAULTS), (*named, *_DEFAULTS))
    completed: Options = {**_DEFAULTS, **options}  # type: ignore[typeddict-item]  # the names have been checked
    completed["initial_epoch"] = whole("fit", "initial_epoch", completed["initial_epoch"], 0)
    for name in ("steps_per_epoch", "checkpoint_every"):
        if options.get(name) is not None:
            completed[name] = whole("fit", name, options[name], 1)
    every = completed["checkpoint_every"]
    require(
        "fit", "checkpoint_every", every, every is None or completed["checkpoint"] is not None, "checkpoint= as well"
    )
    return completed


def class_table(weights: Any) -> Tensor | None:
    """The weights of classes as a tensor.

    Raises:
        SettingError: a dict has other keys than the numbers from 0, or there are not numbers in one axis.
    """
    if weights is None:
        return None
    if isinstance(weights, Mapping):
        if sorted(weights) != list(range(len(weights))):
            raise SettingError(
                "class_weights leaves out a class.",
                expected=f"a weight for each class from 0 to {max(weights, default=0)}",
                got=", ".join(map(str, weights)),
                fix="add the others, with the weight 1.0",
            )
        weights = [float(weights[k]) for k in range(len(weights))]
    table = convert.asarray(weights)
    require("fit", "class_weights", weights, len(table.shape) == 1, "one number per class")
    return table
