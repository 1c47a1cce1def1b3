"""Numerical analysis on samples: convolution, interpolation, differences and integrals."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import conjugate, multiply
from .cumulative import cumulative_sum, diff, edge, flipped, part
from .declaration import converted, op, states
from .indexing import getitem
from .keys import Key
from .logic import equal, greater, less, logical_and, where
from .manipulation import concat, reshape, stop_gradient
from .products import matmul
from .reduction import sum
from .sorting import argsort, searchsorted_
from .statistics import floating, tensor

__all__ = [
    "convolve",
    "correlate",
    "cumulative_trapezoid",
    "ediff1d",
    "gradient",
    "interp",
    "trapezoid",
    "unwrap",
]

Shape = tuple[int, ...]


@states(returns="[n1 + n2 - 1]", rejects="operands that are not of rank 1 or have no elements")
def _full_length(x1: Shape, x2: Shape) -> Shape:
    if len(x1) != 1 or len(x2) != 1 or not x1[0] or not x2[0]:
        raise ShapeError(
            "only sequences with elements can be convolved.",
            expected="operands of rank 1 that are not empty",
            got=f"shapes {x1} and {x2}",
            fix="for images, see polytape.nn",
        )
    return (x1[0] + x2[0] - 1,)


@op(dtype=dtype_rules.same_numeric, shape=_full_length, promotes=("x1", "x2"))
def convolve_(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The coefficients of the product of two polynomials with the given ones; users call `convolve`.

    Args:
        x1, x2: numeric[n1], numeric[n2], promoted together.
    Source:
        NumPy 2.4, ``numpy.convolve``.
    """
    from .creation import arange_  # this family is loaded only when it is used

    x1, x2 = converted(x1), converted(x2)
    if x1.shape[0] < x2.shape[0]:
        x1, x2 = x2, x1
    length, width = x1.shape[0], x2.shape[0]
    margin = edge(x1, 0, 0, width - 1)
    padded = concat([margin, x1, margin], 0)
    rows = arange_(0, length + width - 1, 1, dtype=dtypes.int64, device=x1.device)
    columns = arange_(0, width, 1, dtype=dtypes.int64, device=x1.device)
    windows = getitem(padded, [reshape(rows, (-1, 1)) + columns], key=Key([("array",)]))
    return matmul(windows, flipped(x2, 0))


@convolve_.gradient("x1")
def _convolve_first(g: Tensor, x2: Tensor, x1_shape: Shape) -> Tensor:
    start = x2.shape[0] - 1
    return convolve_(g, flipped(conjugate(x2), 0))[start : start + x1_shape[0]]


@convolve_.gradient("x2")
def _convolve_second(g: Tensor, x1: Tensor, x2_shape: Shape) -> Tensor:
    start = x1.shape[0] - 1
    return convolve_(g, flipped(conjugate(x1), 0))[start : start + x2_shape[0]]


def convolve(x1: TensorLike, x2: TensorLike, /, mode: str = "full") -> Tensor:
    """The convolution of two sequences: ``y[k]`` is the sum of ``x1[i] * x2[k - i]``.

    Args:
        x1, x2: numeric[n1], numeric[n2], promoted together.
        mode: ``"full"`` for all n1 + n2 - 1 elements, ``"same"`` for the max(n1, n2) ones in the middle, ``"valid"``
            for those that use the shorter sequence as a whole.
    Returns:
        Rank 1, the promoted dtype.
    Raises:
        ShapeError: operands that are not of rank 1 or have no elements. DTypeError: bool operands. OutOfRangeError: an
            unknown ``mode``.
    Source:
        NumPy 2.4, ``numpy.convolve``.
    """
    x1, x2 = tensor(x1), tensor(x2)
    return _middle(convolve_(x1, x2), x1, x2, mode, reverse=False)


def correlate(x1: TensorLike, x2: TensorLike, /, mode: str = "valid") -> Tensor:
    """The correlation of two sequences: the sums of ``x1[i + k] * conj(x2[i])``.

    Args:
        x1, x2: numeric[n1], numeric[n2], promoted together.
        mode: as for `convolve`.
    Returns:
        Rank 1, the promoted dtype.
    Raises:
        ShapeError: operands that are not of rank 1 or have no elements. DTypeError: bool operands. OutOfRangeError: an
            unknown ``mode``.
    Source:
        NumPy 2.4, ``numpy.correlate``.
    """
    x1, x2 = tensor(x1), tensor(x2)
    whole = convolve_(x1, flipped(conjugate(x2), 0) if x2.ndim else x2)
    return _middle(whole, x1, x2, mode, reverse=x2.shape[0] > x1.shape[0])


def _middle(full: Tensor, x1: Tensor, x2: Tensor, mode: str, reverse: bool) -> Tensor:
    short, long = sorted((x1.shape[0], x2.shape[0]))
    if mode == "full":
        return full
    if mode == "same":
        start = short // 2 if reverse else (short - 1) // 2
        return full[start : start + long]
    if mode == "valid":
        return full[short - 1 : long]
    raise OutOfRangeError(
        f"there is no mode {mode!r}.", expected="'full', 'same' or 'valid'", got=repr(mode), fix="pass one of them"
    )


def _in_one_period(x: Tensor, xp: Tensor, fp: Tensor, period: float) -> tuple[Tensor, Tensor, Tensor]:
    """The arguments of `interp` within one period, with the points next to it on both sides."""
    from .rounding import remainder  # this family is loaded only when it is used

    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp)
    xp, fp = xp[order], fp[order]
    return x, concat([xp[-1:] - period, xp, xp[:1] + period], 0), concat([fp[-1:], fp, fp[:1]], 0)


def interp(
    x: TensorLike,
    xp: TensorLike,
    fp: TensorLike,
    /,
    *,
    left: float | None = None,
    right: float | None = None,
    period: float | None = None,
) -> Tensor:
    """The value at ``x`` of the function with the values ``fp`` at ``xp``, linear between them.

    Args:
        x: real[...]; integers are cast to float32.
        xp: real[n], where the function is known, in ascending order.
        fp: floating[n], its values there.
        left, right: the result before and behind ``xp``; default: the first and the last value.
        period: of the function, if it is periodic; ``xp`` then need not be in order.
    Returns:
        Shape of ``x``, the promoted dtype.
    Raises:
        ShapeError: ``xp`` and ``fp`` are not of the same shape [n], n > 0.
    Source:
        NumPy 2.4, ``numpy.interp``.
    """
    x, xp, fp = floating(x), floating(xp), floating(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.shape[0]:
        raise ShapeError(
            "interp needs a value for each point.",
            expected="xp and fp of the same shape (n,)",
            got=f"shapes {xp.shape} and {fp.shape}",
            fix="pass one value per point",
        )
    if period is not None:
        x, xp, fp = _in_one_period(x, xp, fp, abs(period))
    last = xp.shape[0] - 1
    place = searchsorted_(xp, x, side="right") - 1
    place = where(less(place, 0), 0, where(greater(place, max(last - 1, 0)), max(last - 1, 0), place))
    behind = where(less(place, last), place + 1, place)
    start, width = xp[place], xp[behind] - xp[place]
    weight = where(greater(width, 0), (x - start) / where(greater(width, 0), width, 1), 0)
    inner = fp[place] + weight * (fp[behind] - fp[place])
    inner = where(less(x, xp[0]), fp[0] if left is None else left, inner)
    return where(greater(x, xp[last]), fp[last] if right is None else right, where(equal(x, xp[last]), fp[last], inner))


def unwrap(x: TensorLike, /, *, discont: float | None = None, axis: int = -1, period: float = 2.0 * math.pi) -> Tensor:
    """Angles with multiples of the period added, so that neighbours differ by at most half a period.

    Args:
        x: real[...]; integers are cast to float32.
        discont: the smallest difference that is changed; default, and at least: half a period.
        axis: the axis to work along.
        period: of the angles.
    Returns:
        Shape of ``x``.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.unwrap``.
    """
    from .rounding import remainder  # this family is loaded only when it is used

    x = floating(x)
    step = stop_gradient(diff(x, axis=axis))  # what is added is constant between jumps
    half = period / 2.0
    short = remainder(step + half, period) - half
    short = where(logical_and(equal(short, -half), greater(step, 0)), half, short)
    added = where(less(abs(step), half if discont is None else max(discont, half)), 0, short - step)
    return concat([part(x, axis, 0, 1), part(x, axis, 1) + cumulative_sum(added, axis)], axis)


def _widths(x: TensorLike | None, dx: Any, rank: int, axis: int) -> Any:
    """The distances between samples, in a form that broadcasts."""
    if x is None:
        return dx
    places = tensor(x)
    distance = diff(places, axis=axis if places.ndim > 1 else -1)
    return reshape(distance, (-1, *(1,) * (rank - 1 - axis % rank))) if places.ndim == 1 else distance


def trapezoid(y: TensorLike, /, x: TensorLike | None = None, *, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral of samples by the trapezoidal rule.

    Args:
        y: numeric[...], the samples; integers are cast to float32.
        x: where the samples are: of the shape of ``y``, or of rank 1 along the axis.
        dx: their distance, if ``x`` is None.
        axis: the axis to integrate along.
    Returns:
        ``y`` without the axis.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.trapezoid``.
    """
    return sum(_trapezoids(y, x, dx, axis), axis)


def _trapezoids(y: TensorLike, x: TensorLike | None, dx: float, axis: int) -> Tensor:
    samples = floating(y)
    shape_rules.along_axis(samples.shape, axis=axis)
    areas = (part(samples, axis, 1) + part(samples, axis, 0, -1)) * 0.5
    return multiply(areas, _widths(x, dx, samples.ndim, axis))


def cumulative_trapezoid(
    y: TensorLike,
    /,
    x: TensorLike | None = None,
    *,
    dx: float = 1.0,
    axis: int = -1,
    initial: float | None = None,
) -> Tensor:
    """The integrals of samples up to each one but the first, by the trapezoidal rule.

    Args:
        y, x, dx, axis: as for `trapezoid`.
        initial: a number to put first.
    Returns:
        Shape of ``y``, with one element less along the axis if ``initial`` is None.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        SciPy 1.17, ``scipy.integrate.cumulative_trapezoid``.
    """
    total = cumulative_sum(_trapezoids(y, x, dx, axis), axis)
    return total if initial is None else concat([edge(total, axis, initial), total], axis)


def ediff1d(x: TensorLike, /, *, to_end: TensorLike | None = None, to_begin: TensorLike | None = None) -> Tensor:
    """The differences between neighbours in the flattened ``x``.

    Args:
        x: numeric[...].
        to_end, to_begin: numbers to put behind and before the differences.
    Returns:
        Rank 1, dtype of ``x``.
    Source:
        NumPy 2.4, ``numpy.ediff1d``.
    """
    middle = diff(reshape(x, -1))
    pieces = [reshape(tensor(piece), -1) for piece in (to_begin, middle, to_end) if piece is not None]
    return concat(pieces, 0) if len(pieces) > 1 else middle


def gradient(
    f: TensorLike, /, *spacing: TensorLike, axis: int | tuple[int, ...] | None = None, edge_order: int = 1
) -> Tensor | tuple[Tensor, ...]:
    """The slopes of samples by second-order differences; not the derivative of a program (see `GradientTape`).

    Args:
        f: real or complex[...]; integers are cast to float32.
        spacing: one for all axes, or one per axis: the distance between the samples, or their places, of rank 1.
        axis: the axes to work along; None means all axes.
        edge_order: 1 or 2, the order of the differences at both ends.
    Returns:
        Shape of ``f``; a tuple of such tensors, one per axis, if there are several axes.
    Raises:
        ShapeError: an axis with fewer than ``edge_order + 1`` samples, another number of spacings than axes, or
            another number of places than samples.
    Source:
        NumPy 2.4, ``numpy.gradient``; B. Fornberg (1988), Mathematics of Computation 51(184), pp. 699-706.
    """
    samples = floating(f)
    given = None if axis is None else shape_rules.axes_of(axis)
    shape_rules.normalise(axis, samples.ndim)
    axes = list(range(samples.ndim)) if given is None else [number % samples.ndim for number in given]
    if len(spacing) not in (0, 1, len(axes)) or any(samples.shape[k] < edge_order + 1 for k in axes):
        raise ShapeError(
            "gradient lacks samples or spacings.",
            expected=f"{edge_order + 1} or more samples along each axis, and one spacing or {len(axes)}",
            got=f"shape {samples.shape} and {len(spacing)} spacings",
            fix="pass axis= to choose the axes",
        )
    steps = list(spacing) * len(axes) if len(spacing) == 1 else list(spacing) or [1.0] * len(axes)
    slopes = [_slope(samples, step, k, edge_order) for k, step in zip(axes, steps, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(f: Tensor, spacing: Any, axis: int, edge_order: int) -> Tensor:
    places = None if isinstance(spacing, (int, float)) else tensor(spacing)
    if places is not None and places.shape not in ((), (f.shape[axis],)):
        raise ShapeError(
            f"gradient got places of shape {places.shape}.",
            expected=f"a distance, or the {f.shape[axis]} places of the samples along axis {axis}",
            got=f"shape {places.shape}",
            fix="pass axis= to choose the axis; for the gradient of a program see polytape.GradientTape",
        )
    widths: Any = spacing if places is None else places
    before = behind = first = last = widths
    if places is not None and places.ndim:
        widths = _widths(places, None, f.ndim, axis - f.ndim)
        axis_of_widths = -(f.ndim - axis)
        before, behind = part(widths, axis_of_widths, 0, -1), part(widths, axis_of_widths, 1)
        first, last = part(widths, axis_of_widths, 0, 1), part(widths, axis_of_widths, -1)
    down, up = part(f, axis, 1, -1) - part(f, axis, 0, -2), part(f, axis, 2) - part(f, axis, 1, -1)
    if places is not None and places.ndim:
        inner = (down / before * behind + up / behind * before) / (before + behind)
    else:
        inner = (part(f, axis, 2) - part(f, axis, 0, -2)) / (2.0 * widths)
    start = (part(f, axis, 1, 2) - part(f, axis, 0, 1)) / first
    end = (part(f, axis, -1) - part(f, axis, -2, -1)) / last
    if edge_order == 2:  # the slope of the parabola through the three samples at the end
        second, before_last = first, last
        if places is not None and places.ndim:
            second, before_last = part(widths, axis_of_widths, 1, 2), part(widths, axis_of_widths, -2, -1)
        next_start = (part(f, axis, 2, 3) - part(f, axis, 1, 2)) / second
        next_end = (part(f, axis, -2, -1) - part(f, axis, -3, -2)) / before_last
        start = start - (next_start - start) * first / (first + second)
        end = end + (end - next_end) * last / (last + before_last)
    return concat([start, inner, end], axis)
