"""Passes over data that do not change the model: `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..data import Dataset
from ..errors import SettingError
from ..registry import tables
from . import feeding
from .keywords import entry
from .losses import Loss
from .measures import Measures
from .steps import Evaluation

__all__ = ["evaluate", "measured", "predict"]


@entry
def evaluate(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Any = None,
    metrics: Mapping[str, Any] | Iterable[Any] | Any = (),
    batch_size: int | None = None,
    weights: Any = None,
    function: bool = True,
) -> dict[str, Any]:
    """The loss and the metrics of a model on data; modules are called with ``training=False``.

    Args:
        model, x, y, loss, metrics, batch_size: as for `fit`; without a loss, only the metrics are computed.
        weights: real[n]: one per sample, for the loss and the metrics.
        function: whether to trace the model to a graph.
    Returns:
        By name: floats, or NumPy arrays for metrics that are not one number. The loss is the mean over the samples,
        whatever the batches' sizes, plus the losses of regularizers. It is NaN if there are no samples.
    Raises:
        SettingError: there is neither a loss nor a metric. As from `fit`.

    Example:
        >>> import polytape as pt
        >>> pt.training.evaluate(lambda x: 2.0 * x, [1.0, 2.0], [2.0, 5.0], loss="mean_squared_error")
        {'loss': 0.5}
    """
    measures = Measures(metrics, function)
    if loss is None and not measures.metrics:
        raise SettingError(
            "evaluate has nothing to compute.", expected="loss= or metrics=", got="neither", fix="pass one of them"
        )
    step = Evaluation(model, None if loss is None else Loss(loss), function)
    return measured(step, measures, feeding.batches("evaluate", x, y, weights, batch_size), "evaluate")


def measured(step: Evaluation, measures: Measures, dataset: Dataset, called: str) -> dict[str, Any]:
    """The loss and the metrics over one pass; the metrics are reset before it."""
    total, samples = 0.0, 0.0
    measures.reset()
    with feeding.one_pass(dataset) as elements:
        for element in elements:
            x, y, weights = feeding.parts(called, element)
            loss, count, outputs = step.run(x, y, weights)
            if step.loss is not None:
                total, samples = total + float(loss) * int(count), samples + int(count)
            measures.update(y, outputs, weights)
    numbers = {} if step.loss is None else {"loss": total / samples if samples else float("nan")}
    return numbers | measures.results()


@entry
def predict(model: Any, x: Any, *, batch_size: int | None = None, function: bool = True) -> Any:
    """The outputs of a model for data, computed in batches; modules are called with ``training=False``.

    Args:
        model: a module or a function.
        x: arrays or tensors, or a tuple or dict of them, with samples along the first axis; or a
            `polytape.data.Dataset` of batches: x itself, or tuples that begin with x, as for `evaluate`.
        batch_size: of arrays; default 32.
        function: whether to trace the model to a graph.
    Returns:
        Tensors, or lists, tuples or dicts of them, with the outputs of all batches along the first axis.
    Raises:
        SettingError: there are no samples. As from `fit`.

    Example:
        >>> import polytape as pt
        >>> pt.training.predict(lambda x: 2.0 * x, [1.0, 2.0, 3.0], batch_size=2).tolist()
        [2.0, 4.0, 6.0]
    """
    if isinstance(x, Dataset):
        feeding.refuse_with_dataset("predict", batch_size=batch_size)
        dataset = x
    else:
        dataset = feeding.samples("predict", x, (), None).batch(feeding.checked_size("predict", batch_size))
    step = Evaluation(model, None, function)
    with feeding.one_pass(dataset) as elements:
        outputs = [step.call(element[0] if type(element) is tuple else element) for element in elements]
    if not outputs:
        raise SettingError("predict has no samples.", expected="at least one", got="none", fix="pass data")
    import optree

    concat = tables.get_op("concat")
    return optree.tree_map(lambda *parts: concat(parts, axis=0), *outputs)
