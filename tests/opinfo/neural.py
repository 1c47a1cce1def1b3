"""Adapters for OpInfo's neural functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import polytape as pt

from .mapped import Mapped, NotOffered
from .sliding import adaptive, convolved, grid_sample, interpolated, pooled, transposed, unfolded, unpooled

__all__ = ["NEURAL"]

nn = pt.nn
FIRST = "channels_first"


def along(op: Any) -> Any:
    """softmax and the like: ``dim`` and ``dtype``."""

    def adapted(x: Any, dim: int = -1, dtype: Any = None, _stacklevel: int = 3) -> Any:
        x = x if dtype is None else pt.astype(x, dtype)
        return op(x, axis=dim) if x.ndim else op(pt.reshape(x, (1,)), axis=0)[0]

    return adapted


def plain(op: Any) -> Any:
    return lambda x, inplace=False: op(x)


def layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return nn.layer_norm(x, weight, bias, axis=tuple(range(-len(shape), 0)), epsilon=eps)


def rms_norm(x: Any, shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    eps = float(np.finfo(x.dtype.name if x.dtype.itemsize > 2 else "float32").eps) if eps is None else eps
    return nn.rms_norm(x, weight, axis=tuple(range(-len(shape), 0)), epsilon=eps)


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return nn.group_norm(x, weight, bias, groups=groups, axis=1, epsilon=eps)


def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if not use_input_stats:
        raise NotOffered("instance_norm with moving averages")
    return nn.instance_norm(x, weight, bias, axis=1, epsilon=eps)


def batch_norm(
    x: Any,
    mean: Any,
    variance: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if x.ndim < 2 or (not training and (mean is None or variance is None)):
        raise NotOffered("a batch without channels or without averages")
    channels = x.shape[1]
    mean = pt.zeros((channels,), dtype=x.dtype) if mean is None else mean
    variance = pt.ones((channels,), dtype=x.dtype) if variance is None else variance
    return nn.batch_norm(
        x, mean, variance, weight, bias, training=training, momentum=1 - momentum, axis=1, epsilon=eps
    ).y


def response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    if size % 2 == 0:
        raise NotOffered("an even number of neighbours")
    return nn.local_response_norm(x, depth_radius=size // 2, offset=k, alpha=alpha / size, beta=beta, axis=1)


def normalize(x: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    if p != 2:
        raise NotOffered("normalization by another norm")
    return x / pt.maximum(pt.linalg.vector_norm(x, axis=dim, keepdims=True), eps)


def attention(
    q: Any,
    k: Any,
    v: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Any:
    if dropout_p or enable_gqa:
        raise NotOffered("dropout, or groups of queries")
    return nn.scaled_dot_product_attention(q, k, v, attn_mask, is_causal=is_causal, scale=scale)


def embedding(
    weight: Any,
    indices: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    if max_norm is not None or scale_grad_by_freq or padding_idx is not None:
        raise NotOffered("an embedding that changes its weights or their gradients")
    return pt.take(weight, indices, axis=0)


def one_hot(x: Any, num_classes: int = -1) -> Any:
    count = int(pt.max(x)) + 1 if num_classes == -1 else num_classes
    return pt.one_hot(x, count, dtype="int64")


def linear(x: Any, w: Any, b: Any = None) -> Any:
    y = pt.matmul(x, pt.matrix_transpose(w)) if w.ndim > 1 else pt.matmul(x, w)
    return y if b is None else y + b


def bilinear(a: Any, b: Any, w: Any, bias: Any = None) -> Any:
    y = pt.einsum("...i,kij,...j->...k", a, w, b)
    return y if bias is None else y + bias


def distances(x: Any, y: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    return pt.linalg.vector_norm(x - y + eps, ord=p, axis=-1, keepdims=keepdim)


def gelu(x: Any, *, approximate: str = "none") -> Any:
    return nn.gelu(x, approximate=approximate == "tanh")


def softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    if beta != 1 or threshold != 20:
        raise NotOffered("another slope or threshold")
    return nn.softplus(x)


def elu(x: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return nn.elu(x, alpha=alpha)


def prelu(x: Any, weight: Any) -> Any:
    if x.ndim == 0:
        weight = pt.reshape(weight, ())
    if weight.size > 1 and x.ndim > 1:
        weight = pt.reshape(weight, (-1, *(1,) * (x.ndim - 2)))
    return nn.prelu(x, weight)


def channel_shuffle(x: Any, groups: int) -> Any:
    n, c, *rest = x.shape
    return pt.reshape(pt.swapaxes(pt.reshape(x, (n, groups, c // groups, *rest)), 1, 2), x.shape)


def shuffled(op: Any) -> Any:
    def adapted(x: Any, upscale_factor: int = 1, downscale_factor: int = 1) -> Any:
        factor = max(upscale_factor, downscale_factor)
        lead = x.shape[:-3]
        y = op(pt.reshape(x, (int(np.prod(lead)), *x.shape[-3:])), factor, data_format=FIRST)
        return pt.reshape(y, (*lead, *y.shape[1:]))

    return adapted


def glu(x: Any, dim: int = -1) -> Any:
    return nn.glu(x, axis=dim)


def first_result(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)[0]


WHOLE = "activations of integers are floating here"
WHOLE_MEAN = "means of integers are floating here"
COARSE = "positions are computed in float32 here, in half precision by torch"

NEURAL: dict[str, Any] = {
    "softmax": along(nn.softmax),
    "softmax/with_dtype": along(nn.softmax),
    "log_softmax": along(nn.log_softmax),
    "log_softmax/with_dtype": along(nn.log_softmax),
    "nn.functional.softmin": along(nn.softmin),
    "nn.functional.softmin/with_dtype": along(nn.softmin),
    **{
        f"nn.functional.{name}": plain(getattr(nn, ours))
        for name, ours in {
            "relu": "relu",
            "hardswish": "hard_swish",
            "selu": "selu",
            "silu": "silu",
            "silu/complex": "silu",
            "mish": "mish",
            "softsign": "softsign",
            "tanhshrink": "tanhshrink",
            "logsigmoid": "log_sigmoid",
        }.items()
    },
    "nn.functional.relu6": Mapped(plain(nn.relu6), dtype=WHOLE),
    "nn.functional.hardsigmoid": Mapped(plain(nn.hard_sigmoid), tolerance=100),  # torch's 1/6 is a float32
    "nn.functional.gelu": gelu,
    "nn.functional.elu": elu,
    "nn.functional.celu": lambda x, alpha=1.0, inplace=False: nn.celu(x, alpha=alpha),
    "nn.functional.leaky_relu": lambda x, negative_slope=0.01, inplace=False: nn.leaky_relu(
        x, negative_slope=negative_slope
    ),
    "nn.functional.hardshrink": lambda x, lambd=0.5: nn.hardshrink(x, lambd=lambd),
    "nn.functional.softshrink": lambda x, lambd=0.5: nn.softshrink(x, lambd=lambd),
    "nn.functional.softplus": softplus,
    "nn.functional.glu": glu,
    "nn.functional.prelu": prelu,
    **{f"nn.functional.conv{k}d": convolved(k) for k in (1, 2, 3)},
    **{f"nn.functional.conv_transpose{k}d": transposed(k) for k in (1, 2, 3)},
    **{f"nn.functional.avg_pool{k}d": Mapped(pooled(k, nn.avg_pool), leave={"int64": WHOLE_MEAN}) for k in (1, 2, 3)},
    **{f"nn.functional.max_pool{k}d": pooled(k, nn.max_pool) for k in (1, 2, 3)},
    **{f"nn.functional.max_unpool{k}d{v}": unpooled(k) for k in (1, 2, 3) for v in ("", "/grad")},
    **{f"nn.functional.adaptive_avg_pool{k}d": adaptive(k, nn.adaptive_avg_pool) for k in (1, 2, 3)},
    **{f"nn.functional.adaptive_max_pool{k}d": adaptive(k, nn.adaptive_max_pool) for k in (1, 2, 3)},
    "nn.functional.layer_norm": layer_norm,
    "native_layer_norm": Mapped(layer_norm, torch=first_result(torch.native_layer_norm)),
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.batch_norm/without_cudnn": batch_norm,
    "native_batch_norm": Mapped(
        lambda x, w, b, m, v, training, momentum, eps: batch_norm(x, m, v, w, b, training, momentum, eps),
        torch=first_result(torch.native_batch_norm),
    ),
    "nn.functional.local_response_norm": Mapped(response_norm, leave={"int64": WHOLE}),
    "nn.functional.normalize": normalize,
    **{
        f"nn.functional.interpolate/{mode}": interpolated
        for mode in ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")
    },
    "nn.functional.upsample_bilinear": lambda x, size=None, scale_factor=None: interpolated(
        x, size, scale_factor, "bilinear", True
    ),
    "nn.functional.upsample_nearest": lambda x, size=None, scale_factor=None: interpolated(x, size, scale_factor),
    "nn.functional.grid_sample": Mapped(grid_sample, leave={"bfloat16": COARSE, "float16": COARSE}),
    "nn.functional.unfold": unfolded,
    "nn.functional.pixel_shuffle": shuffled(nn.pixel_shuffle),
    "nn.functional.pixel_unshuffle": shuffled(nn.pixel_unshuffle),
    "nn.functional.channel_shuffle": channel_shuffle,
    "nn.functional.cosine_similarity": lambda x, y, dim=1, eps=1e-8: nn.cosine_similarity(x, y, axis=dim, epsilon=eps),
    "nn.functional.pairwise_distance": distances,
    "nn.functional.scaled_dot_product_attention": attention,
    "nn.functional.embedding": embedding,
    "nn.functional.one_hot": one_hot,
    "nn.functional.linear": linear,
    "nn.functional.bilinear": bilinear,
}
