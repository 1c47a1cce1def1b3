"""Adapters for OpInfo's convolutions, pools and resampling."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt

from .mapped import NotOffered

__all__ = ["adaptive", "convolved", "grid_sample", "interpolated", "pooled", "transposed", "unfolded", "unpooled"]

nn = pt.nn
FIRST = "channels_first"


def convolved(rank: int) -> Any:
    op = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}[rank]

    def adapted(
        x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        single = x.ndim == rank + 1
        x = x[None] if single else x
        if padding == "same":  # torch puts the odd zero behind, as TensorFlow does
            padding = "same"
        y = op(
            x,
            pt.moveaxis(w, (0, 1), (-1, -2)),
            stride=flat(stride),
            padding=padding if isinstance(padding, (str, int)) else tuple(padding),
            dilation=flat(dilation),
            groups=groups,
            data_format=FIRST,
        )
        y = y if bias is None else y + pt.reshape(bias, (-1, *(1,) * rank))
        return y[0] if single else y

    return adapted


def flat(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return value[0] if len(value) == 1 else tuple(value)
    return value


def transposed(rank: int) -> Any:
    op = {1: nn.conv1d_transpose, 2: nn.conv2d_transpose, 3: nn.conv3d_transpose}[rank]

    def adapted(
        x: Any,
        w: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        single = x.ndim == rank + 1
        x = x[None] if single else x
        y = op(
            x,
            pt.moveaxis(w, (0, 1), (-1, -2)),
            stride=flat(stride),
            padding=flat(padding),
            output_padding=flat(output_padding),
            dilation=flat(dilation),
            groups=groups,
            data_format=FIRST,
        )
        y = y if bias is None else y + pt.reshape(bias, (-1, *(1,) * rank))
        return y[0] if single else y

    return adapted


def padded_behind(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The padding of both sides with which windows reach the end that torch's ``ceil_mode`` counts."""
    rank = len(sizes)
    pairs = []
    for n, k, s, p, d in zip(sizes, *(per_axis(v, rank) for v in (kernel, stride, padding, dilation)), strict=True):
        width = d * (k - 1) + 1
        count = -(-(n + 2 * p - width) // s) + 1
        count -= (count - 1) * s >= n + p  # the last window would start behind the data
        pairs.append((p, max((count - 1) * s + width - n - p, 0)))
    return tuple(pairs)


def pooled(rank: int, op: Any) -> Any:
    def adapted(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, *rest: Any, **more: Any) -> Any:
        names = (
            ("ceil_mode", "count_include_pad", "divisor_override") if op is nn.avg_pool else ("dilation", "ceil_mode")
        )
        more = {**dict(zip(names, rest, strict=False)), **more}
        ceil_mode = more.pop("ceil_mode", False)
        if more.pop("divisor_override", None) is not None or (ceil_mode and op is nn.avg_pool):
            raise NotOffered("divisor_override, or ceil_mode of averages")
        indices = more.pop("return_indices", False)
        stride = None if stride in ((), []) else stride
        single = x.ndim == rank + 1
        x = x[None] if single else x
        if op is nn.avg_pool:
            more = {"count_include_pad": more.get("count_include_pad", True)}
        else:
            more = {"dilation": flat(more.get("dilation", 1))}
        if ceil_mode:
            sizes, dilation = x.shape[-rank:], more["dilation"]
            padding = padded_behind(sizes, kernel_size, kernel_size if stride is None else stride, padding, dilation)
        function = nn.max_pool_with_indices if indices else op
        y = function(
            x,
            flat(kernel_size),
            stride=None if stride is None else flat(stride),
            padding=padding if ceil_mode else flat(padding),
            data_format=FIRST,
            **more,
        )
        parts = tuple(y) if indices else (y,)
        parts = tuple(part[0] for part in parts) if single else parts
        return parts if indices else parts[0]

    return adapted


def per_axis(value: Any, rank: int) -> tuple[int, ...]:
    """A number for each axis."""
    return (value,) * rank if isinstance(value, int) else tuple(value) * (rank if len(value) == 1 else 1)


def unpooled(rank: int) -> Any:
    def adapted(
        x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Any:
        single = x.ndim == rank + 1
        stride = kernel_size if stride is None else stride
        if output_size is None:
            sizes = tuple(
                (n - 1) * s - 2 * p + k
                for n, s, p, k in zip(
                    x.shape[-rank:],
                    per_axis(stride, rank),
                    per_axis(padding, rank),
                    per_axis(kernel_size, rank),
                    strict=True,
                )
            )
        else:
            sizes = tuple(output_size)[-rank:]
        if single:
            x, indices = x[None], indices[None]
        y = nn.max_unpool(x, indices, sizes, data_format=FIRST)
        return y[0] if single else y

    return adapted


def adaptive(rank: int, op: Any) -> Any:
    def adapted(x: Any, output_size: Any, return_indices: bool = False) -> Any:
        if return_indices:
            raise NotOffered("positions of an adaptive pool")
        single = x.ndim == rank + 1
        x = x[None] if single else x
        sizes = (output_size,) * rank if isinstance(output_size, int) or output_size is None else tuple(output_size)
        sizes = tuple(n if size is None else size for n, size in zip(x.shape[-rank:], sizes, strict=True))
        if 0 in sizes:
            raise NotOffered("an empty pool")
        y = op(x, sizes, data_format=FIRST)
        return y[0] if single else y

    return adapted


def interpolated(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: bool = False,
) -> Any:
    rank = x.ndim - 2
    if scale_factor is not None and size is None:
        factors = (scale_factor,) * rank if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
        size = tuple(math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True))
        if any(n * f != s for n, f, s in zip(x.shape[2:], factors, size, strict=True)) and not recompute_scale_factor:
            raise NotOffered("a scale that is not the ratio of the sizes")
    size = flat(size) if not isinstance(size, int) else (size,) * rank
    size = (size,) if isinstance(size, int) else size
    if mode in ("linear", "bilinear", "trilinear"):
        return nn.resize_bilinear(x, size, align_corners=bool(align_corners), data_format=FIRST)
    if mode == "bicubic":
        return nn.resize_bicubic(x, size, align_corners=bool(align_corners), data_format=FIRST)
    if mode == "area":
        return nn.adaptive_avg_pool(x, size, data_format=FIRST)
    if mode == "nearest" and any(n % s and s % n for n, s in zip(x.shape[2:], size, strict=True)):
        raise NotOffered("torch's first nearest mode rounds down to an element that is not the nearest")
    if mode == "nearest" and any(n > s for n, s in zip(x.shape[2:], size, strict=True)):
        raise NotOffered("torch's first nearest mode rounds down to an element that is not the nearest")
    return nn.resize_nearest(x, size, data_format=FIRST)


def grid_sample(
    x: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: Any = None
) -> Any:
    return nn.grid_sample(
        x, grid, mode=mode, padding_mode=padding_mode, align_corners=bool(align_corners), data_format=FIRST
    )


def unfolded(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    k, d, p, s = (per_axis(v, 2) for v in (kernel_size, dilation, padding, stride))
    single = x.ndim == 3
    x = x[None] if single else x
    x = pt.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    w = nn.windows(x, k, stride=s, dilation=d)
    n, c, a, b, *_ = w.shape
    y = pt.reshape(pt.permute_dims(w, (0, 1, 4, 5, 2, 3)), (n, c * k[0] * k[1], a * b))
    return y[0] if single else y
