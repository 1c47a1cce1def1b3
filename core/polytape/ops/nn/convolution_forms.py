"""The convolutions that users call: by rank, transposed, depthwise, separable. All are forms of the op ``conv``.

Weights have the same layout for every ``data_format``: TensorFlow's ``[*window, channels in, channels out]``.
"""

from __future__ import annotations

from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..manipulation import reshape
from . import convolution
from .geometry import Padding, Pairs, PerAxis, Shape, extent, paddings, per_axis, remembered, spatial_axes, tensors

__all__ = [
    "conv",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "depthwise_conv2d",
    "separable_conv2d",
]


def _require_room(sizes: Shape, lengths: Shape, pairs: Pairs) -> None:
    for size, length, pair in zip(sizes, lengths, pairs, strict=True):
        if size + sum(pair) < length:
            raise ShapeError(
                "a window is longer than its axis.",
                expected=f"at most {size + sum(pair)} elements, with padding",
                got=f"a window over {length}",
                fix="pad x, or make the window smaller",
            )


@remembered
def _attributes(
    x: Shape, w: Shape, stride: PerAxis, padding: Padding, lhs_dilation: PerAxis, rhs_dilation: PerAxis, groups: int,
    data_format: str,
) -> tuple[Shape, Pairs, Shape, Shape]:  # fmt: skip
    """The stride, padding and dilations of a convolution, checked, as tuples."""
    axes = spatial_axes(len(x), data_format)
    count = len(axes)
    convolution.check_weights(x, w, groups, data_format)
    steps = per_axis("stride", stride, count)
    between = per_axis("lhs_dilation", lhs_dilation, count)
    apart = per_axis("rhs_dilation", rhs_dilation, count)
    sizes = tuple(extent(x[axis], d) for axis, d in zip(axes, between, strict=True))
    lengths = tuple(extent(k, d) for k, d in zip(w, apart, strict=False))
    pairs = paddings(padding, sizes, lengths, steps)
    _require_room(sizes, lengths, pairs)
    return steps, pairs, between, apart


def conv(
    x: TensorLike,
    w: TensorLike,
    *,
    stride: PerAxis = 1,
    padding: Padding = "valid",
    lhs_dilation: PerAxis = 1,
    rhs_dilation: PerAxis = 1,
    groups: int = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Convolution (without reversal of the window, as in every library of neural networks) over any number of axes.

    Args:
        x: numeric[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        w: numeric[*window, channels / groups, channels out], for either data format; promoted together with ``x``.
        stride: the distance between windows, an int or one per axis.
        padding: the zeros around ``x``: ``"valid"`` for none, ``"same"`` for ceil(size / stride) windows, an int for
            all sides, or per axis an int or a pair, before and after.
        lhs_dilation: the distance between the elements of ``x``, with zeros in between, an int or one per axis.
        rhs_dilation: the distance between the elements of a window, an int or one per axis.
        groups: into how many groups the channels are split; the channels out of a group see only its channels in.
        data_format: ``"channels_last"`` or ``"channels_first"``, of ``x`` and the result.
    Returns:
        The promoted dtype, [batch, *windows, channels out] or [batch, channels out, *windows].
    Raises:
        ShapeError: weights that do not fit ``x``, or a window longer than its axis. DTypeError: bool operands.
            OutOfRangeError: a stride, dilation or padding that is too small.
    Source:
        StableHLO 1.0, ``convolution``.
    """
    x, w = tensors(x, w)
    steps, pairs, between, apart = _attributes(
        x.shape, w.shape, stride, padding, lhs_dilation, rhs_dilation, groups, data_format
    )
    return convolution.conv_(
        x, w, stride=steps, padding=pairs, lhs_dilation=between, rhs_dilation=apart, groups=groups,
        data_format=data_format,
    )  # fmt: skip


def _of_rank(name: str, x: Tensor, rank: int) -> None:
    if len(x.shape) != rank:
        raise ShapeError(
            f"{name} takes a batch of {rank - 2}-dimensional data.",
            expected=f"an operand of rank {rank}, with axes for the batch and the channels",
            got=f"shape {tuple(x.shape)}",
            fix="insert the missing axes of size 1, or use polytape.nn.conv",
        )


def conv1d(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1,
    groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution over one axis; see `conv`, of which ``dilation`` is ``rhs_dilation``.

    Args:
        x: numeric[batch, size, channels], or [batch, channels, size] for ``data_format="channels_first"``.
        w: numeric[window, channels / groups, channels out].
        stride, padding, dilation, groups, data_format: as for `conv`.
    Returns:
        The promoted dtype, [batch, windows, channels out] or [batch, channels out, windows].
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.conv1d``.
    """
    x, w = tensors(x, w)
    _of_rank("conv1d", x, 3)
    return conv(x, w, stride=stride, padding=padding, rhs_dilation=dilation, groups=groups, data_format=data_format)


def conv2d(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1,
    groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution over two axes; see `conv`, of which ``dilation`` is ``rhs_dilation``.

    Args:
        x: numeric[batch, height, width, channels], or [batch, channels, height, width] for
            ``data_format="channels_first"``.
        w: numeric[window height, window width, channels / groups, channels out].
        stride, padding, dilation, groups, data_format: as for `conv`.
    Returns:
        The promoted dtype, [batch, height, width, channels out] or [batch, channels out, height, width].
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.conv2d``.
    """
    x, w = tensors(x, w)
    _of_rank("conv2d", x, 4)
    return conv(x, w, stride=stride, padding=padding, rhs_dilation=dilation, groups=groups, data_format=data_format)


def conv3d(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1,
    groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution over three axes; see `conv`, of which ``dilation`` is ``rhs_dilation``.

    Args:
        x: numeric[batch, depth, height, width, channels], or [batch, channels, depth, height, width] for
            ``data_format="channels_first"``.
        w: numeric[window depth, window height, window width, channels / groups, channels out].
        stride, padding, dilation, groups, data_format: as for `conv`.
    Returns:
        The promoted dtype, of rank 5, with the axes in the order of ``x``.
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.conv3d``.
    """
    x, w = tensors(x, w)
    _of_rank("conv3d", x, 5)
    return conv(x, w, stride=stride, padding=padding, rhs_dilation=dilation, groups=groups, data_format=data_format)


def _transpose(
    rank: int, x: Tensor, w: Tensor, stride: PerAxis, padding: Padding, output_padding: PerAxis, dilation: PerAxis,
    groups: int, data_format: str,
) -> Tensor:  # fmt: skip
    """The gradient of a convolution with respect to its first operand, as a convolution."""
    _of_rank(f"conv{rank - 2}d_transpose", x, rank)
    axes = spatial_axes(rank, data_format)
    count = len(axes)
    steps, apart = per_axis("stride", stride, count), per_axis("dilation", dilation, count)
    extra = per_axis("output_padding", output_padding, count, least=0)
    channels = x.shape[-1 if data_format == "channels_last" else 1]
    if len(w.shape) != rank or groups < 1 or w.shape[-1] != channels or channels % groups or 0 in w.shape[:-2]:
        raise ShapeError(
            "the weights do not fit.",
            expected=f"weights [*window, channels out / groups, {channels}] of rank {rank}, and groups that divide "
            f"{channels}",
            got=f"weights of shape {tuple(w.shape)}, {groups} groups",
            fix="pass the weights of the convolution that this one transposes: channels out before channels in",
        )
    lengths = tuple(extent(k, d) for k, d in zip(w.shape, apart, strict=False))
    sizes = tuple(x.shape[axis] * step for axis, step in zip(axes, steps, strict=True))
    pairs = []
    for n, length, step, (before, after), more in zip(
        (x.shape[axis] for axis in axes), lengths, steps, paddings(padding, sizes, lengths, steps), extra, strict=True
    ):
        size = n * step if padding == "same" else extent(n, step) + length - 1 - before - after
        lead = length - 1 - before
        pairs.append((lead, size + more + length - 1 - extent(n, step) - lead))
    return convolution.conv_(
        x, convolution.adjoint_weights(w, groups, conjugated=False), stride=(1,) * count, padding=tuple(pairs),
        lhs_dilation=steps, rhs_dilation=apart, groups=groups, data_format=data_format,
    )  # fmt: skip


def conv1d_transpose(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", output_padding: PerAxis = 0,
    dilation: PerAxis = 1, groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The transpose of `conv1d`; see `conv2d_transpose`.

    Args:
        x: numeric[batch, size, channels in], or [batch, channels in, size] for ``data_format="channels_first"``.
        w: numeric[window, channels out / groups, channels in].
        stride, padding, output_padding, dilation, groups, data_format: as for `conv2d_transpose`.
    Returns:
        The promoted dtype, [batch, size, channels out] or [batch, channels out, size].
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.contrib.nn.conv1d_transpose``.
    """
    x, w = tensors(x, w)
    return _transpose(3, x, w, stride, padding, output_padding, dilation, groups, data_format)


def conv2d_transpose(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", output_padding: PerAxis = 0,
    dilation: PerAxis = 1, groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The transpose of `conv2d`: each element adds its multiple of the window to the result, ``stride`` apart.

    Args:
        x: numeric[batch, height, width, channels in], or [batch, channels in, height, width] for
            ``data_format="channels_first"``.
        w: numeric[window height, window width, channels out / groups, channels in]: weights as those of the
            convolution from the result to ``x``.
        stride, dilation, groups, data_format: as for `conv`, of the convolution from the result to ``x``.
        padding: of that convolution, by which the result is smaller: ``"valid"`` for none, ``"same"`` for sizes of
            ``stride`` times those of ``x``, an int for all sides, or per axis an int or a pair.
        output_padding: by how much the result is longer at the end of each axis, since several sizes have a
            convolution of the size of ``x``.
    Returns:
        The promoted dtype, [batch, height, width, channels out] or [batch, channels out, height, width].
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.conv2d_transpose``.
    """
    x, w = tensors(x, w)
    return _transpose(4, x, w, stride, padding, output_padding, dilation, groups, data_format)


def conv3d_transpose(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", output_padding: PerAxis = 0,
    dilation: PerAxis = 1, groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The transpose of `conv3d`; see `conv2d_transpose`.

    Args:
        x: numeric[batch, depth, height, width, channels in], or [batch, channels in, depth, height, width] for
            ``data_format="channels_first"``.
        w: numeric[window depth, window height, window width, channels out / groups, channels in].
        stride, padding, output_padding, dilation, groups, data_format: as for `conv2d_transpose`.
    Returns:
        The promoted dtype, of rank 5, with the axes in the order of ``x``.
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.conv3d_transpose``.
    """
    x, w = tensors(x, w)
    return _transpose(5, x, w, stride, padding, output_padding, dilation, groups, data_format)


def depthwise_conv2d(
    x: TensorLike, w: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1,
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution of each channel by itself, with one or several windows per channel.

    Args:
        x: numeric[batch, height, width, channels], or [batch, channels, height, width] for
            ``data_format="channels_first"``.
        w: numeric[window height, window width, channels, windows per channel].
        stride, padding, dilation, data_format: as for `conv`.
    Returns:
        The promoted dtype, [batch, height, width, channels * windows per channel], channel by channel, or with the
        channels first.
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.depthwise_conv2d``.
    """
    x, w = tensors(x, w)
    _of_rank("depthwise_conv2d", x, 4)
    if len(w.shape) != 4:
        raise ShapeError(
            "the weights do not fit.",
            expected="weights [height, width, channels, windows per channel]",
            got=f"shape {tuple(w.shape)}",
            fix="insert the missing axes of size 1",
        )
    height, width, channels, multiplier = w.shape
    w = reshape(w, (height, width, 1, channels * multiplier))
    return conv(x, w, stride=stride, padding=padding, rhs_dilation=dilation, groups=channels, data_format=data_format)


def separable_conv2d(
    x: TensorLike, depthwise: TensorLike, pointwise: TensorLike, *, stride: PerAxis = 1, padding: Padding = "valid",
    dilation: PerAxis = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """`depthwise_conv2d`, then a convolution with windows of one element, which mixes the channels.

    Args:
        x: as for `depthwise_conv2d`.
        depthwise: numeric[window height, window width, channels, windows per channel].
        pointwise: numeric[1, 1, channels * windows per channel, channels out].
        stride, padding, dilation, data_format: as for `conv`, of the first convolution.
    Returns:
        The promoted dtype, [batch, height, width, channels out] or [batch, channels out, height, width].
    Raises:
        ShapeError, DTypeError, OutOfRangeError: as for `conv`.
    Source:
        TensorFlow 1.7, ``tf.nn.separable_conv2d``.
    """
    x, depthwise, pointwise = tensors(x, depthwise, pointwise)
    y = depthwise_conv2d(x, depthwise, stride=stride, padding=padding, dilation=dilation, data_format=data_format)
    return conv2d(y, pointwise, data_format=data_format)
