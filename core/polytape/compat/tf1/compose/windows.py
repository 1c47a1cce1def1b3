"""Convolutions and pooling with TensorFlow's arguments: strides and windows with an entry for every axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import integers, layout, real, required, sizes

__all__ = [
    "convolved",
    "deconvolved",
    "depthwise",
    "filter_gradient",
    "input_gradient",
    "pooled",
    "pooled_by_name",
    "separable",
]

Convolution = Callable[..., Tensor]


def spatial(values: Any, rank: int, data_format: str) -> tuple[int, ...]:
    """The entries of strides, dilations or window sizes for the spatial axes.

    Args:
        values: one number, a number per spatial axis, or a number per axis of the input; None for ones.
        rank: the number of spatial axes.
        data_format: ``channels_last`` or ``channels_first``.
    Raises:
        ValueError: another number of entries, or an entry for batch or channels that is not 1.
    """
    if values is None:
        return (1,) * rank
    found = integers(values)
    if len(found) == 1:
        return tuple(found * rank)
    if len(found) == rank + 2:
        inner = found[1:-1] if data_format == "channels_last" else found[2:]
        if sum(found) - sum(inner) != 2:
            raise ValueError(f"polytape does not stride over the batch or the channels: got {found}.")
        found = inner
    if len(found) != rank:
        raise ValueError(f"Expected 1, {rank} or {rank + 2} numbers for {rank} spatial axes, got {found}.")
    return tuple(found)


def _padding(padding: str) -> str:
    if padding not in ("SAME", "VALID"):
        raise invalid(f"padding={padding!r} does not exist.", "'SAME' or 'VALID'", repr(padding))
    return padding.lower()


def convolved(
    x: Tensor, w: Tensor, strides: Any, padding: str, data_format: str | None = None, dilations: Any = None
) -> Tensor:
    """`tf.nn.convolution` and the convolutions of fixed rank."""
    form = layout(data_format)
    rank = w.ndim - 2
    return pt.nn.conv(
        real(x),
        w,
        stride=spatial(strides, rank, form),
        padding=_padding(padding),
        rhs_dilation=spatial(dilations, rank, form),
        data_format=form,
    )


def depthwise(
    x: Tensor, w: Tensor, strides: Any, padding: str, data_format: str | None = None, dilations: Any = None
) -> Tensor:
    """`tf.nn.depthwise_conv2d`: a convolution of each channel with its own filters."""
    form = layout(data_format)
    return pt.nn.depthwise_conv2d(
        real(x),
        w,
        stride=spatial(strides, 2, form),
        padding=_padding(padding),
        dilation=spatial(dilations, 2, form),
        data_format=form,
    )


def separable(
    x: Tensor, depth: Tensor, point: Tensor, strides: Any, padding: str, data_format: str | None, dilations: Any
) -> Tensor:
    """`tf.nn.separable_conv2d`: a depthwise convolution, then a mixing of the channels."""
    between = depthwise(x, depth, strides, padding, data_format, dilations)
    return convolved(between, point, None, "VALID", data_format)


def pulled_back(function: Callable[[Tensor], Tensor], shape: Any, dtype: Any, g: Tensor) -> Tensor:
    """The gradient of a linear function of a tensor of ``shape``, for the gradient ``g`` of its result."""
    with pt.GradientTape() as tape:
        x = pt.zeros(sizes(shape), dtype=dtype)
        tape.watch(x)
        y = function(x)
    result: Tensor = tape.gradient(y, x, output_gradients=g)
    return result


def filter_gradient(op: Convolution, x: Tensor, g: Tensor, shape: Any, *arguments: Any) -> Tensor:
    """The gradient of a convolution by its filter, of the given shape."""
    return pulled_back(lambda w: op(x, w, *arguments), shape, x.dtype, g)


def input_gradient(op: Convolution, w: Tensor, g: Tensor, shape: Any, *arguments: Any) -> Tensor:
    """The gradient of a convolution by its input, of the given shape."""
    return pulled_back(lambda x: op(x, w, *arguments), shape, w.dtype, g)


def deconvolved(
    y: Tensor, w: Tensor, shape: Any, strides: Any, padding: str, data_format: str | None, dilations: Any = None
) -> Tensor:
    """`tf.nn.conv2d_transpose` and its kin: the gradient of a convolution by its input, of the given shape."""
    return input_gradient(convolved, w, y, required(shape, "output_shape"), strides, padding, data_format, dilations)


def pooled(op: Callable[..., Tensor], x: Tensor, window: Any, strides: Any, padding: str, data_format: str) -> Tensor:
    """`tf.nn.avg_pool` and `tf.nn.max_pool`."""
    form = layout(data_format)
    rank = x.ndim - 2
    sizes_of = spatial(window, rank, form)
    return op(x, sizes_of, stride=spatial(strides, rank, form), padding=_padding(padding), data_format=form)


def pooled_by_name(
    x: Tensor, window: Any, kind: str, padding: str, dilation: Any, strides: Any, data_format: str | None
) -> Tensor:
    """`tf.nn.pool`: ``AVG`` or ``MAX``.

    Raises:
        ValueError: another kind, or both strides and dilations.
    """
    rank = x.ndim - 2
    form = layout(data_format)
    steps, gaps = spatial(strides, rank, form), spatial(dilation, rank, form)
    if kind not in ("AVG", "MAX"):
        raise ValueError(f"pooling_type must be 'AVG' or 'MAX', got {kind!r}.")
    if max(gaps) > 1 and max(steps) > 1:
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    if kind == "MAX":
        return pt.nn.max_pool(
            x,
            spatial(window, rank, form),
            stride=steps,
            padding=_padding(padding),
            dilation=gaps,
            data_format=form,
        )
    if max(gaps) > 1:
        raise ValueError(
            "polytape has no average pooling with dilation_rate > 1; use a convolution with equal weights."
        )
    return pooled(pt.nn.avg_pool, x, window, steps, padding, data_format or "NHWC")
