"""Pools: windows that slide along axes, each reduced to one element."""

from __future__ import annotations

from ...dtypes import DType
from ...errors import OutOfRangeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..creation import arange_, full, ones
from ..declaration import converted, op, states
from ..logic import equal, logical_and, logical_or, not_equal, where
from ..manipulation import astype, broadcast_to, reshape
from ..reduction import argmax, max, sum
from .convolution import fold_, windows_
from .geometry import (
    Padding,
    Pairs,
    PerAxis,
    extent,
    lowest,
    padded,
    paddings,
    per_axis,
    remembered,
    spatial_axes,
    tensors,
    widened,
)

__all__ = ["avg_pool", "max_pool"]

Shape = tuple[int, ...]


@states(
    takes="[...]",
    returns="the number of windows at each of ``axes``",
    rejects="a window longer than its axis",
    size="of a window along each of ``axes``.",
    stride="the distance between the beginnings of windows, per axis.",
    padding="elements before and after, which count as the lowest number, a pair per axis.",
    dilation="the distance between the elements of a window, per axis.",
    axes="the axes to slide along.",
)
def _pooled(x: Shape, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Shape:
    shape = list(x)
    for axis, k, step, pair, distance in zip(axes, size, stride, padding, dilation, strict=True):
        length, room = extent(k, distance), x[axis] + pair[0] + pair[1]
        if length > room:
            raise ShapeError(
                "a window is longer than its axis.",
                expected=f"at most {room} elements along axis {axis}, with padding",
                got=f"a window over {length}",
                fix="pad the tensor, or make the window smaller",
            )
        shape[axis] = (room - length) // step + 1
    return tuple(shape)


@states(takes="real numeric", returns="same")
def _ordered(x: DType, *others: DType) -> DType:
    return dtype_rules.same_real_number(x)


def _all_axes(rank: int, padding: Pairs, axes: Shape) -> Pairs:
    """The padding of ``axes`` as that of all axes."""
    pairs = dict(zip(axes, padding, strict=True))
    return tuple(pairs.get(axis, (0, 0)) for axis in range(rank))


def _around(x: Tensor, padding: Pairs, axes: Shape, fill: float) -> Tensor:
    return padded(x, _all_axes(x.ndim, padding, axes), (1,) * x.ndim, fill)


def _folded(x: Tensor, shape: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Tensor:
    """The sum of windows, put back where they come from, in a tensor of ``shape`` that was padded."""
    sizes = tuple(shape[axis] + before + after for axis, (before, after) in zip(axes, padding, strict=True))
    y = fold_(x, sizes=sizes, stride=stride, dilation=dilation, axes=axes)
    return _around(y, tuple((-before, -after) for before, after in padding), axes, 0)


@op(dtype=_ordered, shape=_pooled)
def max_pool_(x: TensorLike, /, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape) -> Tensor:
    """The pool of `max_pool`, of which every attribute is a tuple.

    Raises:
        ShapeError: a window longer than its axis. DTypeError: ``x`` is bool or complex.
    Source:
        TensorFlow 1.7, ``tf.nn.max_pool``.
    """
    x = converted(x)
    x = _around(x, padding, axes, lowest(x.dtype))
    inside = windows_(x, size=size, stride=stride, dilation=dilation, axes=axes)
    return max(inside, tuple(range(-len(size), 0)))


@max_pool_.gradient("x")
def _max_pool_back(
    g: Tensor, y: Tensor, x: Tensor, size: Shape, stride: Shape, padding: Pairs, dilation: Shape, axes: Shape
) -> Tensor:
    return max_pool_gradient(g, x, y, size=size, stride=stride, padding=padding, dilation=dilation, axes=axes)


def _gradient_shape(
    incoming: Shape, x: Shape, result: Shape, *, size: Shape, stride: Shape, padding: Pairs, dilation: Shape,
    axes: Shape,
) -> Shape:  # fmt: skip
    expected = _pooled(x, size=size, stride=stride, padding=padding, dilation=dilation, axes=axes)
    if not incoming == result == expected:
        raise ShapeError(
            "the incoming gradient has the wrong shape.",
            expected=f"the shape {expected} of the pool's result",
            got=f"{incoming} and {result}",
            fix="broadcast it first",
        )
    return x


@op(dtype=_ordered, shape=_gradient_shape, promotes=("incoming", "x", "result"), internal="the gradient of max_pool")
def max_pool_gradient(
    incoming: TensorLike, x: TensorLike, result: TensorLike, /, *, size: Shape, stride: Shape, padding: Pairs,
    dilation: Shape, axes: Shape,
) -> Tensor:  # fmt: skip
    """``incoming``, each element added at the first element of ``x`` that is the largest of its window.

    Args:
        incoming, x, result: real numeric[...]: the gradient of the pool, its operand, its result; promoted together.
        size, stride, padding, dilation, axes: as for `max_pool`, in tuples.
    Returns:
        Shape of ``x``, the promoted dtype.
    Raises:
        ShapeError: shapes that do not fit. DTypeError: bool or complex operands.
    Source:
        As for `max_pool`.
    """
    incoming, x, result = converted(incoming), converted(x), converted(result)
    count, rows = shape_rules.count(size), (*result.shape, 1)
    around = _around(x, padding, axes, lowest(x.dtype))
    inside = windows_(around, size=size, stride=stride, dilation=dilation, axes=axes)
    inside = reshape(inside, (*result.shape, count))
    # The largest element of a window with NaN is NaN.
    largest = logical_or(equal(inside, reshape(result, rows)), not_equal(inside, inside))
    if any(pair != (0, 0) for pair in padding):  # an element may be as low as the padding
        actual = _around(full(x.shape, True, device=x.device), padding, axes, False)
        actual = windows_(actual, size=size, stride=stride, dilation=dilation, axes=axes)
        largest = logical_and(largest, reshape(actual, largest.shape))
    first = reshape(argmax(largest, -1), rows)
    order = arange_(0, count, 1, dtype=first.dtype, device=x.device)
    spread = where(equal(first, order), reshape(incoming, rows), 0)
    return _folded(reshape(spread, (*result.shape, *size)), x.shape, stride, padding, dilation, axes)


def _counts(x: Tensor, size: Shape, stride: Shape, padding: Pairs, axes: Shape, include: bool) -> Tensor | float:
    """By how many elements the sum of each window is divided; a tensor broadcasts."""
    if include or all(pair == (0, 0) for pair in padding):
        return float(shape_rules.count(size))
    shape = tuple(n if axis in axes else 1 for axis, n in enumerate(x.shape))
    actual = _around(ones(shape, dtype=x.dtype, device=x.device), padding, axes, 0)
    inside = windows_(actual, size=size, stride=stride, dilation=(1,) * len(axes), axes=axes)
    return sum(inside, tuple(range(-len(size), 0)))


def _averaged(x: Shape, *, size: Shape, stride: Shape, padding: Pairs, axes: Shape) -> Shape:
    return _pooled(x, size=size, stride=stride, padding=padding, dilation=(1,) * len(axes), axes=axes)


@op(dtype=dtype_rules.same_floating, shape=_averaged, floating=True)
def avg_pool_(
    x: TensorLike, /, *, size: Shape, stride: Shape, padding: Pairs, axes: Shape, count_include_pad: bool
) -> Tensor:
    """The pool of `avg_pool`, of which every attribute is a tuple.

    Args:
        x: numeric[...]; integers are cast to float32.
        size, stride, padding, axes: as for `max_pool_`.
        count_include_pad: as for `avg_pool`.
    Returns:
        The dtype of ``x``, with the number of windows at each of ``axes``.
    Raises:
        ShapeError: a window longer than its axis.
    Source:
        TensorFlow 1.7, ``tf.nn.avg_pool``.
    """
    x = converted(x)
    wide = widened(x)
    around = _around(wide, padding, axes, 0)
    inside = windows_(around, size=size, stride=stride, dilation=(1,) * len(axes), axes=axes)
    total = sum(inside, tuple(range(-len(size), 0)))
    return astype(total / _counts(wide, size, stride, padding, axes, count_include_pad), x.dtype)


@avg_pool_.gradient("x")
def _avg_pool_back(
    g: Tensor, x: Tensor, size: Shape, stride: Shape, padding: Pairs, axes: Shape, count_include_pad: bool
) -> Tensor:
    g = g / _counts(x, size, stride, padding, axes, count_include_pad)
    spread = broadcast_to(reshape(g, (*g.shape, *(1,) * len(size))), (*g.shape, *size))
    return _folded(spread, x.shape, stride, padding, (1,) * len(axes), axes)


def attributes(
    x: Tensor, size: PerAxis, stride: PerAxis | None, padding: Padding, dilation: PerAxis, data_format: str
) -> tuple[Shape, Shape, Pairs, Shape, Shape]:
    """The size, stride, padding, dilation and axes of a pool, checked, as tuples."""
    return _attributes(x.shape, size, stride, padding, dilation, data_format)


@remembered
def _attributes(
    shape: Shape, size: PerAxis, stride: PerAxis | None, padding: Padding, dilation: PerAxis, data_format: str
) -> tuple[Shape, Shape, Pairs, Shape, Shape]:
    axes = spatial_axes(len(shape), data_format)
    count = len(axes)
    window = per_axis("size", size, count)
    steps = window if stride is None else per_axis("stride", stride, count)
    apart = per_axis("dilation", dilation, count)
    lengths = tuple(extent(k, d) for k, d in zip(window, apart, strict=True))
    pairs = paddings(padding, tuple(shape[axis] for axis in axes), lengths, steps)
    for length, pair in zip(lengths, pairs, strict=True):
        if length <= pair[0] or length <= pair[1]:
            raise OutOfRangeError(
                "a window could lie in the padding.",
                expected=f"a padding below the length {length} of a window",
                got=f"padding {pair}",
                fix="pass a smaller padding",
            )
    return window, steps, pairs, apart, axes


def max_pool(
    x: TensorLike,
    size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """The largest element of each window; NaN if one is NaN. The gradient goes to the first largest element.

    Args:
        x: real numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        size: of a window, an int or one per axis.
        stride: the distance between windows, an int or one per axis; default: ``size``.
        padding: the elements around ``x``, which no window returns: ``"valid"`` for none, ``"same"`` for
            ceil(size / stride) windows, an int for all sides, or per axis an int or a pair, before and after.
        dilation: the distance between the elements of a window, an int or one per axis.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, *windows, channels] or [batch, channels, *windows].
    Raises:
        ShapeError: a window longer than its axis. DTypeError: ``x`` is bool or complex. OutOfRangeError: a size, stride
            or dilation below 1, or a padding as long as the window.
    Source:
        TensorFlow 1.7, ``tf.nn.max_pool``.
    """
    (x,) = tensors(x)
    window, steps, pairs, apart, axes = attributes(x, size, stride, padding, dilation, data_format)
    return max_pool_(x, size=window, stride=steps, padding=pairs, dilation=apart, axes=axes)


def avg_pool(
    x: TensorLike,
    size: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = "valid",
    count_include_pad: bool = False,
    data_format: str = "channels_last",
) -> Tensor:
    """The mean of each window.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        size, stride, padding, data_format: as for `max_pool`, with zeros around ``x``.
        count_include_pad: whether these zeros count as elements (PyTorch's default; not in TensorFlow).
    Returns:
        The dtype of ``x``, float32 for integers and bools, [batch, *windows, channels] or [batch, channels, *windows].
    Raises:
        ShapeError: a window longer than its axis. OutOfRangeError: a size or stride below 1, or a padding as long as
            the window.
    Source:
        TensorFlow 1.7, ``tf.nn.avg_pool``.
    """
    (x,) = tensors(x)
    window, steps, pairs, _, axes = attributes(x, size, stride, padding, 1, data_format)
    return avg_pool_(x, size=window, stride=steps, padding=pairs, axes=axes, count_include_pad=count_include_pad)
