"""The gradient of a convolution with respect to its weights, for which a kernel needs no transposed images."""

from __future__ import annotations

from ...dtypes import DType
from ...errors import ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules
from ..arithmetic import conjugate
from ..creation import zeros
from ..declaration import converted, op, states
from ..manipulation import permute_dims, reshape
from .convolution import conv_, conv_shape
from .geometry import Pairs, extent

__all__: list[str] = []

Shape = tuple[int, ...]


@states(takes="numeric", returns="same")
def _products(incoming: DType, *others: DType) -> DType:
    return dtype_rules.same_numeric(incoming)


@states(
    takes="[...]",
    returns="``window``, channels / groups and channels out",
    rejects="an incoming gradient that is not that of such a convolution of ``x``",
    window="the sizes of a window.",
    stride="the distance between windows, per axis.",
    padding="zeros before and after, a pair per axis; negative ones cut elements off.",
    lhs_dilation="the distance between the elements of ``x``, with zeros in between, per axis.",
    rhs_dilation="the distance between the elements of a window, per axis.",
    groups="into how many groups the channels are split.",
    data_format="``channels_last`` or ``channels_first``, of ``x`` and the incoming gradient.",
)
def _weight_shape(
    incoming: Shape, x: Shape, *, window: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape,
    rhs_dilation: Shape, groups: int, data_format: str,
) -> Shape:  # fmt: skip
    channel = -1 if data_format == "channels_last" else 1
    if len(incoming) != len(x) or len(x) != len(window) + 2 or groups < 1:
        raise _wrong(incoming, f"a gradient of rank {len(x)}, and windows of rank {len(x) - 2}")
    w = (*window, x[channel] // groups, incoming[channel])
    expected = conv_shape(
        x, w, stride=stride, padding=padding, lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation, groups=groups,
        data_format=data_format,
    )  # fmt: skip
    if incoming != expected:
        raise _wrong(incoming, f"the shape {expected} of the convolution's result")
    return w


def _wrong(incoming: Shape, expected: str) -> ShapeError:
    return ShapeError(
        "the incoming gradient has the wrong shape.",
        expected=expected,
        got=f"shape {incoming}",
        fix="pass the gradient of the result of the convolution with these attributes",
    )


@op(
    dtype=_products, shape=_weight_shape, promotes=("incoming", "x"),
    internal="the gradient of conv with respect to its weights",
)  # fmt: skip
def conv_weight_gradient(
    incoming: TensorLike, x: TensorLike, *, window: Shape, stride: Shape, padding: Pairs, lhs_dilation: Shape,
    rhs_dilation: Shape, groups: int, data_format: str,
) -> Tensor:  # fmt: skip
    """The gradient of `conv_` with respect to its weights, of which every attribute is a tuple.

    Args:
        incoming: numeric, of the shape of the convolution's result.
        x: numeric[batch, *sizes, channels], or [batch, channels, *sizes] for ``channels_first``.
    Raises:
        ShapeError: shapes that do not fit. DTypeError: bool operands.
    Source:
        As for `conv`.
    """
    # The channels of x become the batch, and the batch the channels in; the incoming gradient is the window.
    g, x = converted(incoming), converted(x)
    rank = len(window)
    if data_format == "channels_first":
        g, x = [permute_dims(t, (0, *range(2, rank + 2), 1)) for t in (g, x)]
    shape = (*window, x.shape[-1] // groups, g.shape[-1])
    if 0 in g.shape[1:-1]:
        return zeros(shape, dtype=g.dtype, device=g.device)
    pairs = []
    for n, k, positions, s, (before, _), d, r in zip(
        x.shape[1:-1], window, g.shape[1:-1], stride, padding, lhs_dilation, rhs_dilation, strict=True
    ):
        pairs.append((before, (k - 1) * r + extent(positions, s) - extent(n, d) - before))
    x = conjugate(x)
    if groups == 1:
        x = permute_dims(x, (rank + 1, *range(1, rank + 1), 0))
    else:
        x = reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups))
        x = permute_dims(x, (rank + 2, *range(1, rank + 1), rank + 1, 0))
        x = reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))
    y = conv_(
        x, permute_dims(g, (*range(1, rank + 1), 0, rank + 1)), stride=rhs_dilation, padding=tuple(pairs),
        lhs_dilation=lhs_dilation, rhs_dilation=stride, groups=groups, data_format="channels_last",
    )  # fmt: skip
    return permute_dims(y, (*range(1, rank + 1), 0, rank + 1))
