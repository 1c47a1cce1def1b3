"""Compositions of neural ops: normalization, losses, dropout and embeddings."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt
from polytape import Tensor

from ....dispatch.convert import cast
from ..convert import axes as to_axes, generator, layout, required, same, sizes, table, tensor

__all__ = [
    "among_largest",
    "batch_normalized",
    "biased",
    "dropped",
    "from_statistics",
    "indices_and_logits",
    "labels_and_logits",
    "largest",
    "looked_up",
    "mean_and_variance",
    "normalized",
    "poisson_loss",
    "probabilities_and_logits",
    "response_normalized",
    "softmax_loss",
    "statistics",
    "weighted_loss",
    "weighted_mean_and_variance",
]


def labels_and_logits(sentinel: Any, labels: Any, logits: Any) -> list[Tensor]:
    """Labels and logits of one dtype and shape.

    Raises:
        ValueError: they were not given by name, or one of them is missing, or their shapes differ.
    """
    _check_names(sentinel, labels, logits)
    return _of_one_shape(*same(logits, labels))


def probabilities_and_logits(sentinel: Any, labels: Any, logits: Any) -> list[Tensor]:
    """As `labels_and_logits`, but labels of any dtype are cast to that of the logits, as TensorFlow does here."""
    _check_names(sentinel, labels, logits)
    scores = tensor(logits)
    return _of_one_shape(scores, cast(tensor(labels), scores.dtype))


def _of_one_shape(scores: Tensor, wanted: Tensor) -> list[Tensor]:
    if scores.ndim and wanted.ndim and scores.shape[-1] != wanted.shape[-1]:
        raise ValueError(f"logits and labels must have the same shape ({scores.shape} vs {wanted.shape})")
    return [wanted, scores]


def indices_and_logits(sentinel: Any, labels: Any, logits: Any) -> list[Tensor]:
    """Labels as indices, and logits; errors as in `labels_and_logits`."""
    _check_names(sentinel, labels, logits)
    return [tensor(labels), tensor(logits)]


def _check_names(sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError("Only call this function with named arguments (labels=..., logits=..., ...)")
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


def softmax_loss(labels: Tensor, logits: Tensor, axis: int, constant_labels: bool = False) -> Tensor:
    """The cross entropy of labels and the softmax of logits along an axis; labels without gradient if asked."""
    wanted = pt.stop_gradient(labels) if constant_labels else labels
    if axis % max(logits.ndim, 1) != logits.ndim - 1:
        wanted, logits = pt.moveaxis(wanted, axis, -1), pt.moveaxis(logits, axis, -1)
    return pt.nn.softmax_cross_entropy_with_logits(wanted, logits)


def weighted_loss(logits: Tensor, targets: Tensor, weight: Any) -> Tensor:
    """`tf.nn.weighted_cross_entropy_with_logits`: positive targets count ``weight`` times."""
    # The form of TensorFlow's documentation, which does not overflow.
    factor = 1.0 + (tensor(weight, logits.dtype) - 1.0) * targets
    steady = pt.log1p(pt.exp(-pt.abs(logits))) + pt.nn.relu(-logits)
    result: Tensor = (1.0 - targets) * logits + factor * steady
    return result


def poisson_loss(log_input: Tensor, targets: Tensor, full: bool) -> Tensor:
    """`tf.nn.log_poisson_loss`, with Stirling's approximation of the constant term if ``full``."""
    result: Tensor = pt.exp(log_input) - log_input * targets
    if full:
        stirling = targets * pt.log(targets) - targets + 0.5 * pt.log(2.0 * math.pi * targets)
        inside = pt.logical_and(targets >= 0.0, targets <= 1.0)
        result = result + pt.where(inside, pt.zeros_like(targets), stirling)
    return result


def normalized(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: float) -> Tensor:
    """`tf.nn.batch_normalization`: ``(x - mean) / sqrt(variance + epsilon)``, scaled and shifted."""
    values, center, spread = same(x, mean, variance)
    factor = pt.rsqrt(spread + epsilon)
    if scale is not None:
        factor = factor * tensor(scale, values.dtype)
    shift = -center * factor if offset is None else tensor(offset, values.dtype) - center * factor
    result: Tensor = values * factor + shift
    return result


def batch_normalized(
    x: Tensor, scale: Any, offset: Any, mean: Any, variance: Any, epsilon: float, data_format: str, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """`tf.nn.fused_batch_norm`: the result, the mean, and the variance with Bessel's correction.

    Raises:
        ValueError: statistics are given in training, or missing otherwise.
    """
    axis = -1 if layout(data_format) == "channels_last" else 1
    others = tuple([index for index in range(x.ndim) if index != axis % x.ndim])
    form = [1] * x.ndim
    form[axis] = -1
    if training:
        if mean is not None or variance is not None:
            raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
        center, spread = pt.mean(x, axis=others), pt.var(x, axis=others)
        count = x.size // center.size
        reported = spread * (count / max(count - 1, 1))
    else:
        center = tensor(required(mean, "mean"), x.dtype)
        reported = spread = tensor(required(variance, "variance"), x.dtype)
    factor = pt.reshape(tensor(scale, x.dtype) * pt.rsqrt(spread + epsilon), form)
    y = (x - pt.reshape(center, form)) * factor + pt.reshape(tensor(offset, x.dtype), form)
    return y, center, reported


def biased(x: Tensor, bias: Tensor, data_format: str | None) -> Tensor:
    """``x + bias`` with one bias per channel."""
    if bias.ndim != 1:
        raise ValueError(f"bias_add needs a bias with one axis, got shape {bias.shape}.")
    if layout(data_format) == "channels_first":
        bias = pt.reshape(bias, (-1,) + (1,) * (x.ndim - 2))
    return x + bias


def mean_and_variance(x: Tensor, over: Any, keepdims: bool) -> tuple[Tensor, Tensor]:
    """`tf.nn.moments`: the mean and the variance without correction."""
    axis = to_axes(over)
    wide = pt.astype(x, "float32") if x.dtype == pt.float16 else x
    mean, variance = pt.mean(wide, axis=axis, keepdims=keepdims), pt.var(wide, axis=axis, keepdims=keepdims)
    return pt.astype(mean, x.dtype), pt.astype(variance, x.dtype)


def weighted_mean_and_variance(x: Tensor, over: Any, weights: Any, keepdims: bool) -> tuple[Tensor, Tensor]:
    """`tf.nn.weighted_moments`: the mean and the variance with a weight per element."""
    axis = to_axes(over)
    frequency = pt.broadcast_to(tensor(weights, x.dtype), x.shape)
    whole = pt.sum(frequency, axis=axis, keepdims=True)
    mean = pt.sum(frequency * x, axis=axis, keepdims=True) / whole
    variance = pt.sum(frequency * pt.square(x - mean), axis=axis, keepdims=True) / whole
    if not keepdims:
        mean, variance = pt.squeeze(mean, axis), pt.squeeze(variance, axis)
    return mean, variance


def statistics(x: Tensor, over: Any, shift: Any, keepdims: bool) -> tuple[Tensor, Tensor, Tensor, Any]:
    """`tf.nn.sufficient_statistics`: the count, sum and sum of squares of shifted elements, and the shift."""
    axis = to_axes(over)
    moved = x if shift is None else x - tensor(shift, x.dtype)
    added = pt.sum(moved, axis=axis, keepdims=keepdims)
    squares = pt.sum(pt.square(moved), axis=axis, keepdims=keepdims)
    count = tensor(float(x.size // max(added.size, 1)), x.dtype)
    return count, added, squares, None if shift is None else tensor(shift, x.dtype)


def from_statistics(count: Any, added: Any, squares: Any, shift: Any) -> tuple[Tensor, Tensor]:
    """`tf.nn.normalize_moments`: mean and variance from sufficient statistics."""
    total, sums, total_squares = same(count, added, squares)
    center = sums / total
    variance = total_squares / total - pt.square(center)
    return (center if shift is None else center + tensor(shift, center.dtype)), variance


def dropped(x: Tensor, keep_prob: Any, noise_shape: Any, seed: Any) -> Tensor:
    """`tf.nn.dropout`: elements are kept with probability ``keep_prob`` and scaled by its inverse.

    Raises:
        ValueError: ``keep_prob`` is not in (0, 1].
    """
    shape = None if noise_shape is None else sizes(noise_shape)
    if isinstance(keep_prob, Tensor):
        return _kept(x, pt.astype(keep_prob, x.dtype), x.shape if shape is None else shape, generator(seed))
    keep = float(keep_prob)
    if not 0 < keep <= 1:
        raise ValueError(f"keep_prob must be a scalar tensor or a float in the range (0, 1], got {keep:g}")
    if keep == 1:
        return x
    return pt.nn.dropout(x, 1.0 - keep, noise_shape=shape, generator=generator(seed))


def _kept(x: Tensor, keep: Tensor, shape: tuple[int, ...], source: Any) -> Tensor:
    """The same with a probability that a traced function takes as an operand, so that one trace serves all."""
    chosen = pt.random.uniform(shape, device=x.device, generator=source) < pt.astype(keep, pt.float32)
    return pt.where(chosen, x / keep, pt.zeros_like(keep))


def among_largest(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """`tf.nn.in_top_k`: whether the target's prediction is one of the k largest; ties count, and rows without NaN and
    infinities only.
    """
    picked = pt.take_along_axis(predictions, pt.expand_dims(targets, -1), axis=-1)
    larger = pt.count_nonzero(predictions > picked, axis=-1)
    return pt.logical_and(larger < k, pt.all(pt.isfinite(predictions), axis=-1))


def largest(x: Tensor, k: int) -> Any:
    """`tf.nn.top_k`: the values, in falling order, and int32 indices."""
    found = pt.top_k(x, k)
    return found._replace(indices=pt.astype(found.indices, "int32"))


def looked_up(params: Any, ids: Any, strategy: str, max_norm: Any) -> Tensor:
    """`tf.nn.embedding_lookup`: rows of a table, which may be given as several parts.

    Raises:
        ValueError: no table, or a strategy that does not exist.
    """
    indices = tensor(ids)
    shards = list(params) if isinstance(params, (list, tuple)) else [params]
    if not shards:
        raise ValueError("Need at least one param")
    if len(shards) == 1:
        rows = pt.take(table(shards[0]), indices, axis=0)
    elif strategy == "div":
        rows = pt.take(pt.concat(list(map(tensor, shards))), indices, axis=0)
    elif strategy == "mod":
        rows = _from_shards(list(map(tensor, shards)), indices)
    else:
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    if max_norm is None:
        return rows
    axis = tuple(range(indices.ndim, rows.ndim))
    length = pt.sqrt(pt.sum(pt.square(rows), axis=axis, keepdims=True))
    result: Tensor = rows * (max_norm / pt.maximum(length, max_norm))
    return result


def _from_shards(shards: list[Tensor], indices: Tensor) -> Tensor:
    """Rows of a table whose row i is in shard ``i % len(shards)``."""
    starts = [0]
    for shard in shards:
        starts.append(starts[-1] + shard.shape[0])
    first_rows = pt.asarray(starts[:-1], indices.dtype)
    count = len(shards)
    return pt.take(pt.concat(shards), pt.take(first_rows, indices % count, axis=0) + indices // count, axis=0)


def response_normalized(x: Tensor, depth_radius: int, bias: float, alpha: float, beta: float) -> Tensor:
    """`tf.nn.local_response_normalization` along the channels."""
    # polytape's alpha is the factor of the sum, as TensorFlow's.
    return pt.nn.local_response_norm(x, depth_radius=int(depth_radius), offset=bias, alpha=alpha, beta=beta)
