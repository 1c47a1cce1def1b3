"""Nodes of neural networks: products, convolutions, pools, norms, losses."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt

from .registry import constant, integers, node

Pairs = list[tuple[int, int]]
CONV_TRANSPOSE = {1: pt.nn.conv1d_transpose, 2: pt.nn.conv2d_transpose, 3: pt.nn.conv3d_transpose}


# --- products ---------------------------------------------------------------------------------------------------------


@node("Gemm")
def _gemm(
    a: Any, b: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0
) -> Any:
    y = (a.mT if transA else a) @ (b.mT if transB else b)
    y = y if alpha == 1.0 else alpha * y
    return y if c is None else y + (c if beta == 1.0 else beta * c)


@node("Einsum")
def _einsum(*xs: Any, equation: str) -> Any:
    return pt.einsum(equation, *xs)


@node("Det")
def _det(x: Any) -> Any:
    return pt.linalg.det(x)


# --- convolutions -----------------------------------------------------------------------------------------------------


def automatic(auto_pad: str, sizes: Any, window: Any, strides: Any, dilations: Any) -> Pairs:
    """The padding for ceil(size / stride) windows; SAME_UPPER has the odd element at the end."""
    pairs = []
    for n, k, step, distance in zip(sizes, window, strides, dilations, strict=True):
        total = max((math.ceil(n / step) - 1) * step + (k - 1) * distance + 1 - n, 0)
        less, more = total // 2, total - total // 2
        pairs.append((less, more) if auto_pad == "SAME_UPPER" else (more, less))
    return pairs


def pairs_of(pads: list[int] | None, rank: int) -> Pairs:
    """ONNX's list of all beginnings, then all ends, as a pair per axis."""
    return [(0, 0)] * rank if pads is None else list(zip(pads[:rank], pads[rank:], strict=True))


def _padding(auto_pad: str, pads: Any, sizes: Any, window: Any, strides: Any, dilations: Any) -> Pairs:
    if auto_pad.startswith("SAME"):
        return automatic(auto_pad, sizes, window, strides, dilations)
    return pairs_of(None if auto_pad == "VALID" else pads, len(window))


def per_channel(x: Any, rank: int) -> Any:
    """A vector of channels, shaped to broadcast with [batch, channels, *sizes]."""
    return pt.reshape(x, (-1, *(1,) * rank))


@node("Conv")
def conv(
    x: Any, w: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """A convolution with channels first, and weights [channels out, channels in, *window]."""
    rank = x.ndim - 2
    dilations, strides = dilations or [1] * rank, strides or [1] * rank
    padding = _padding(auto_pad, pads, x.shape[2:], w.shape[2:], strides, dilations)
    w = pt.permute_dims(w, (*range(2, rank + 2), 1, 0))
    y = pt.nn.conv(
        x, w, stride=strides, padding=padding, rhs_dilation=dilations, groups=group, data_format="channels_first"
    )
    return y if bias is None else y + per_channel(bias, rank)


@node("ConvTranspose")
def _conv_transpose(
    x: Any, w: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None,
    strides: Any = None,
) -> Any:  # fmt: skip
    rank = x.ndim - 2
    dilations, strides, longer = dilations or [1] * rank, strides or [1] * rank, output_padding or [0] * rank
    if output_shape is None and auto_pad.startswith("SAME"):
        output_shape = [n * step for n, step in zip(x.shape[2:], strides, strict=True)]
    padding = pairs_of(pads, rank)
    if output_shape is not None:  # it determines the padding
        padding = []
        for i, size in enumerate(output_shape):
            total = strides[i] * (x.shape[i + 2] - 1) + longer[i] + (w.shape[i + 2] - 1) * dilations[i] + 1 - size
            longer, total = ([*longer[:i], longer[i] - total, *longer[i + 1 :]], 0) if total < 0 else (longer, total)
            less, more = total // 2, total - total // 2
            padding.append((less, more) if auto_pad == "SAME_UPPER" else (more, less))
    w = pt.permute_dims(w, (*range(2, rank + 2), 1, 0))
    y = CONV_TRANSPOSE[rank](
        x, w, stride=strides, padding=padding, output_padding=longer, dilation=dilations, groups=group,
        data_format="channels_first",
    )  # fmt: skip
    return y if bias is None else y + per_channel(bias, rank)


@node("CausalConvWithState")
def _causal_conv(x: Any, w: Any, bias: Any = None, state: Any = None, *, activation: str = "none") -> tuple[Any, Any]:
    length = w.shape[2] - 1
    if state is None:
        state = pt.zeros((*x.shape[:2], length), dtype=x.dtype)
    x = pt.concat([state, x], axis=2)
    y = conv(x, w, bias, group=x.shape[1])
    return (y if activation == "none" else pt.nn.silu(y)), x[:, :, x.shape[2] - length :]


@node("Col2Im", host="image_shape block_shape")
def _col2im(
    x: Any, image_shape: Any, block_shape: Any, *, dilations: Any = None, pads: Any = None, strides: Any = None
) -> Any:
    image, block = integers(image_shape), integers(block_shape)
    rank = len(image)
    dilations, strides, padding = dilations or [1] * rank, strides or [1] * rank, pairs_of(pads, rank)
    sizes = [n + sum(pair) for n, pair in zip(image, padding, strict=True)]
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(sizes, block, dilations, strides, strict=True)]
    x = pt.reshape(x, (x.shape[0], -1, *block, *counts))
    x = pt.permute_dims(x, (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank)))
    y = pt.nn.fold(x, sizes, stride=strides, dilation=dilations)
    inside = (slice(before, before + n) for n, (before, _) in zip(image, padding, strict=True))
    return y[(slice(None), slice(None), *inside)]


# --- pools ------------------------------------------------------------------------------------------------------------


class Pool:
    """The attributes that all pools have, for one operand."""

    def __init__(
        self, x: Any, kernel_shape: Any, strides: Any, pads: Any, dilations: Any, auto_pad: str, ceil_mode: int
    ) -> None:
        rank = len(kernel_shape)
        self.size, self.stride, self.dilation = kernel_shape, strides or [1] * rank, dilations or [1] * rank
        self.padding = _padding(auto_pad, pads, x.shape[2:], self.size, self.stride, self.dilation)
        self.extra = [0] * rank  # beyond the padding, for a last window that is not complete
        if ceil_mode and not auto_pad.startswith("SAME"):
            self.extra = [self._missing(axis, n) for axis, n in enumerate(x.shape[2:])]

    def _missing(self, axis: int, n: int) -> Any:
        before, after = self.padding[axis]
        extent, step = (self.size[axis] - 1) * self.dilation[axis] + 1, self.stride[axis]
        count = math.ceil((n + before + after - extent) / step) + 1
        if (count - 1) * step >= n + before:  # a window that begins behind the elements does not count
            count -= 1
        return max((count - 1) * step + extent - (n + before + after), 0)

    @property
    def around(self) -> Pairs:
        """The padding of both kinds."""
        return [(before, after + extra) for (before, after), extra in zip(self.padding, self.extra, strict=True)]

    def simple(self) -> bool:
        """Whether windows have no gaps."""
        return all(d == 1 for d in self.dilation)

    def sums(self, x: Any) -> Any:
        """The sum of each window, where ``x`` has its padding already."""
        axes = tuple(range(x.ndim - len(self.size), x.ndim))
        windows = pt.nn.windows(x, self.size, stride=self.stride, dilation=self.dilation, axes=axes)
        return pt.sum(windows, axis=tuple(range(x.ndim, windows.ndim)))


@node("AveragePool")
def _average_pool(
    x: Any, *, kernel_shape: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0,
    dilations: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    pool = Pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    if pool.simple() and not (count_include_pad and any(pool.extra)):
        return pt.nn.avg_pool(
            x, pool.size, stride=pool.stride, padding=pool.around, count_include_pad=bool(count_include_pad),
            data_format="channels_first",
        )  # fmt: skip
    # The padding counts as elements, but not what completes the last windows.
    counted = pt.ones(x.shape[2:], dtype=x.dtype)
    if count_include_pad:
        counted = pt.pad(counted, pool.padding, constant_values=1)
        counted = pt.pad(counted, [(0, extra) for extra in pool.extra])
    else:
        counted = pt.pad(counted, pool.around)
    return pool.sums(pt.pad(x, [(0, 0), (0, 0), *pool.around])) / pool.sums(counted)


@node("LpPool")
def _lp_pool(
    x: Any, *, kernel_shape: Any, p: int = 2, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None,
    pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    pool = Pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    if not pool.simple():
        return pool.sums(pt.pad(pt.abs(x) ** p, [(0, 0), (0, 0), *pool.around])) ** (1 / p)
    return pt.nn.lp_pool(x, pool.size, p=p, stride=pool.stride, padding=pool.around, data_format="channels_first")


@node("MaxPool")
def _max_pool(
    x: Any, *, kernel_shape: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None, pads: Any = None,
    storage_order: int = 0, strides: Any = None, run: Any,
) -> Any:  # fmt: skip
    pool = Pool(x, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    how: Any = {
        "stride": pool.stride, "padding": pool.around, "dilation": pool.dilation, "data_format": "channels_first"
    }  # fmt: skip
    if run.outputs == 1:
        return pt.nn.max_pool(x, pool.size, **how)
    values, places = pt.nn.max_pool_with_indices(x, pool.size, **how)
    sizes = x.shape[2:]
    if storage_order:  # column-major within an image
        where = _unravelled(places, sizes)
        places = sum(position * math.prod(sizes[:axis]) for axis, position in enumerate(where))
    images = pt.reshape(pt.arange(math.prod(x.shape[:2]), dtype=pt.int64), (*x.shape[:2], *(1,) * len(sizes)))
    return values, places + images * math.prod(sizes)


def _unravelled(places: Any, sizes: Any) -> list[Any]:
    """The position along each axis of flat, row-major places."""
    return [places // math.prod(sizes[axis + 1 :]) % n for axis, n in enumerate(sizes)]


@node("MaxUnpool", host="output_shape")
def _max_unpool(
    x: Any, indices: Any, output_shape: Any = None, *, kernel_shape: Any, pads: Any = None, strides: Any = None
) -> Any:
    rank = len(kernel_shape)
    strides, padding = strides or [1] * rank, pairs_of(pads, rank)
    sizes = [
        (n - 1) * step + k - sum(pair)
        for n, step, k, pair in zip(x.shape[2:], strides, kernel_shape, padding, strict=True)
    ]
    y = pt.nn.max_unpool(x, indices % math.prod(sizes), sizes, data_format="channels_first")
    if output_shape is None:
        return y
    # The indices count in the smallest image that the windows fit into; more rows and columns follow it.
    wider = [(0, wanted - n) for wanted, n in zip(integers(output_shape), y.shape, strict=True)]
    return pt.pad(y, wider)


@node("GlobalAveragePool")
def _global_average_pool(x: Any) -> Any:
    return pt.nn.global_avg_pool(x, keepdims=True, data_format="channels_first")


@node("GlobalMaxPool")
def _global_max_pool(x: Any) -> Any:
    return pt.nn.global_max_pool(x, keepdims=True, data_format="channels_first")


# --- norms ------------------------------------------------------------------------------------------------------------


@node("BatchNormalization")
def _batch_normalization(
    x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
    training_mode: int = 0,
) -> Any:  # fmt: skip
    training = bool(training_mode)
    y, new_mean, _ = pt.nn.batch_norm(
        x, mean, var, scale, bias, training=training, momentum=momentum, axis=1, epsilon=epsilon
    )
    # In ONNX, the moving variance is that of the batch without a correction.
    new_var = momentum * var + (1 - momentum) * pt.var(x, axis=(0, *range(2, x.ndim)))
    return (y, new_mean, new_var) if training else y


@node("GroupNormalization")
def _group_normalization(
    x: Any, scale: Any, bias: Any, *, num_groups: int, epsilon: float = 1e-5, stash_type: int = 1
) -> Any:
    if scale.shape[0] == num_groups != x.shape[1]:  # before version 21, there is one number per group
        scale, bias = (pt.repeat(p, x.shape[1] // num_groups) for p in (scale, bias))
    return pt.nn.group_norm(x, scale, bias, groups=num_groups, axis=1, epsilon=epsilon)


@node("InstanceNormalization")
def _instance_normalization(x: Any, scale: Any, bias: Any, *, epsilon: float = 1e-5) -> Any:
    return pt.nn.instance_norm(x, scale, bias, axis=1, epsilon=epsilon)


@node("LayerNormalization")
def _layer_normalization(
    x: Any, scale: Any, bias: Any = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1, run: Any
) -> Any:
    axes = tuple(range(axis % x.ndim, x.ndim))
    y = pt.nn.layer_norm(x, scale, bias, axis=axes, epsilon=epsilon)
    if run.outputs == 1:
        return y
    inverse = pt.rsqrt(pt.var(x, axis=axes, keepdims=True) + epsilon)
    return y, pt.mean(x, axis=axes, keepdims=True), inverse


@node("RMSNormalization")
def _rms_normalization(x: Any, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    return pt.nn.rms_norm(x, scale, axis=tuple(range(axis % x.ndim, x.ndim)), epsilon=epsilon)


@node("LRN")
def _lrn(x: Any, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> Any:
    assert size % 2, "neighbours on both sides"
    return pt.nn.local_response_norm(x, depth_radius=size // 2, offset=bias, alpha=alpha / size, beta=beta, axis=1)


@node("MeanVarianceNormalization")
def _mean_variance_normalization(x: Any, *, axes: Any = (0, 2, 3)) -> Any:
    return pt.nn.layer_norm(x, axis=tuple(axes), epsilon=0.0)


# --- losses -----------------------------------------------------------------------------------------------------------


@node("NegativeLogLikelihoodLoss")
def _negative_log_likelihood(
    log_probabilities: Any, labels: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: str = "mean"
) -> Any:
    rank = log_probabilities.ndim
    last = pt.permute_dims(log_probabilities, (0, *range(2, rank), 1))
    return _reduced(pt.nn.nll_loss, last, labels, weight, ignore_index, reduction)


@node("SoftmaxCrossEntropyLoss")
def _softmax_cross_entropy(
    scores: Any, labels: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: str = "mean", run: Any
) -> Any:
    rank = scores.ndim
    last = pt.permute_dims(scores, (0, *range(2, rank), 1))
    op = pt.nn.sparse_softmax_cross_entropy_with_logits
    loss = _reduced(op, last, labels, weight, ignore_index, reduction)
    return loss if run.outputs == 1 else (loss, pt.nn.log_softmax(scores, axis=1))


def _reduced(op: Any, scores: Any, labels: Any, weight: Any, ignore_index: int | None, reduction: str) -> Any:
    """The mean or the sum of losses, in which each label has a weight; an ignored one has weight 0."""
    counts = constant(True) if ignore_index is None else pt.not_equal(labels, ignore_index)
    labels = pt.where(counts, labels, 0)  # an ignored label need not be a class
    weights = pt.ones((), dtype=scores.dtype) if weight is None else pt.take(weight, labels)
    weights = pt.broadcast_to(pt.where(counts, weights, 0), labels.shape)
    losses = op(labels, scores) * weights
    if reduction == "none":
        return losses
    return pt.sum(losses) / pt.sum(weights) if reduction == "mean" else pt.sum(losses)
