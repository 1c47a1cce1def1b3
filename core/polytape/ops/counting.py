"""Counts of numbers and of the elements in bins."""

from __future__ import annotations

from typing import NamedTuple

from .. import dtypes
from ..dispatch.convert import asarray
from ..errors import OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from .creation import linspace, ones
from .logic import equal, less, logical_and, where
from .manipulation import astype_, reshape
from .rearranging import together
from .segment import check_integer, segment_sum

__all__ = ["Histogram", "bincount", "digitize", "histogram"]


class Histogram(NamedTuple):
    """The results of `histogram`."""

    counts: Tensor
    edges: Tensor


def bincount(
    x: TensorLike, /, weights: TensorLike | None = None, *, minlength: int = 0, length: int | None = None
) -> Tensor:
    """How often each number from 0 on occurs, or the sum of the weights at its places.

    Args:
        x: integer[n], not negative.
        weights: numeric[n]: what each element counts.
        minlength: the least length of the result.
        length: of the result; default: as many as needed, which reads the largest number on the host.
    Returns:
        [length], int64 or the dtype of ``weights``.
    Raises:
        OutOfRangeError: a negative number. DTypeError: numbers that are not integers. ShapeError: weights of another
            shape. TraceError: in a traced function, without ``length``.
    Source:
        NumPy, ``bincount``.
    """
    from .reduction import max, min  # this family is loaded only when it is used

    x, *others = together(x) if weights is None else together(x, weights)
    check_integer(x.dtype)
    if length is None:
        length = minlength
        if x.size:
            if int(min(x)) < 0:
                raise OutOfRangeError(
                    "bincount counts no negative numbers.",
                    expected="numbers of 0 or more",
                    got=f"{int(min(x))}",
                    fix="subtract the smallest number first",
                )
            length = int(max(x)) + 1 if int(max(x)) >= minlength else minlength
    values = others[0] if others else ones(x.shape, dtype=dtypes.int64, device=x.device)
    return segment_sum(values, x, num_segments=length)


def digitize(x: TensorLike, bins: TensorLike, /, *, right: bool = False) -> Tensor:
    """The number of the bin that each element belongs to: 0 before the first edge, n after the last one.

    Args:
        x: real[...].
        bins: real[n]: edges in ascending or descending order.
        right: whether a bin contains its right edge instead of its left one.
    Returns:
        int64, shape of ``x``.
    Raises:
        ShapeError: ``bins`` is not of rank 1. DTypeError: complex operands.
    Source:
        NumPy, ``digitize``.
    """
    from .sorting import searchsorted  # this family is loaded only when it is used

    edges, x = together(bins, x)
    if edges.ndim != 1:
        raise ShapeError(
            "digitize takes a vector of edges.", expected="rank 1", got=f"shape {edges.shape}", fix="flatten it"
        )
    rising = searchsorted(edges, x, side="left" if right else "right")
    if edges.size < 2:
        return rising
    falling = edges.size - searchsorted(edges[::-1], x, side="left" if right else "right")
    return where(less(edges[-1], edges[0]), falling, rising)


def histogram(
    x: TensorLike,
    /,
    bins: int | TensorLike = 10,
    *,
    range: tuple[float, float] | None = None,
    weights: TensorLike | None = None,
    density: bool = False,
) -> Histogram:
    """How many elements lie in each bin; a bin contains its left edge, and the last bin also its right one.

    Args:
        x: real[...]; elements outside the bins, and NaN, are not counted.
        bins: the number of bins of equal width, or their edges in ascending order.
        range: the outermost edges; default: the smallest and the largest element.
        weights: numeric, shape of ``x``: what each element counts.
        density: whether to divide by the total and by the widths, so that the integral is 1.
    Returns:
        ``counts``: [bins], int64, the dtype of ``weights``, or float32 for a density. ``edges``: [bins + 1].
    Raises:
        ShapeError: weights of another shape, edges that are not a vector, or no bins.
    Source:
        NumPy, ``histogram``.
    """
    from .sorting import searchsorted  # this family is loaded only when it is used

    x = together(x, *(other for other in (bins, weights) if isinstance(other, Tensor)))[0]
    edges = _edges(reshape(x, x.size), bins, range) if isinstance(bins, int) else asarray(bins, device=x.device)
    if edges.ndim != 1 or edges.size < 2:
        raise ShapeError(
            "histogram needs bins.", expected="one bin or more", got=f"bins={bins!r}", fix="pass at least two edges"
        )
    count = edges.size - 1
    values = (
        ones(x.shape, dtype=dtypes.int64, device=x.device) if weights is None else asarray(weights, device=x.device)
    )
    if values.shape != x.shape:
        raise ShapeError(
            "the weights do not match.", expected=f"shape {x.shape}", got=f"{values.shape}", fix="broadcast them first"
        )
    place = searchsorted(edges, x, side="right") - 1
    place = where(equal(x, edges[-1]), count - 1, place)
    inside = logical_and(less(-1, place), less(place, count))
    place = where(inside, place, count)  # an extra bin for what is not counted
    counts = segment_sum(reshape(values, x.size), reshape(place, x.size), num_segments=count + 1)[:count]
    return Histogram(_density(counts, edges) if density else counts, edges)


def _density(counts: Tensor, edges: Tensor) -> Tensor:
    from .reduction import sum  # this family is loaded only when it is used

    widths = edges[1:] - edges[:-1]
    counts = astype_(counts, widths.dtype) if dtypes.category(counts.dtype) < dtypes.FLOATING else counts
    return counts / (widths * sum(counts))


def _edges(x: Tensor, bins: int, limits: tuple[float, float] | None) -> Tensor:
    """The edges of ``bins`` bins of equal width, which contain all elements or have the given limits."""
    from .reduction import max, min  # this family is loaded only when it is used

    dtype = x.dtype if dtypes.category(x.dtype) == dtypes.FLOATING and x.dtype.itemsize > 2 else dtypes.float32
    if limits is not None or not x.size:
        first, last = limits if limits is not None else (0.0, 1.0)
        if first == last:
            first, last = first - 0.5, last + 0.5
        return linspace(first, last, bins + 1, dtype=dtype, device=x.device)
    low, high = astype_(min(x), dtype), astype_(max(x), dtype)
    half = where(equal(low, high), 0.5, 0.0)
    low, high = low - half, high + half
    parts = linspace(0.0, 1.0, bins + 1, dtype=dtype, device=x.device)
    # Exact at both ends, where low + part * (high - low) would miss the largest element.
    return where(less(parts, 0.5), low + parts * (high - low), high - (1.0 - parts) * (high - low))
