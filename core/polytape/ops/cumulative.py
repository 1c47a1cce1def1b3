"""Cumulative sums, products and extremes, and differences along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..errors import OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import conjugate, maximum, minimum, multiply, subtract
from .declaration import converted, op, primitive, states
from .logic import equal, greater, less, logical_and, logical_or, not_equal, where
from .manipulation import astype, concat, reshape

__all__ = ["cumulative_max", "cumulative_min", "cumulative_prod", "cumulative_sum", "diff", "logcumsumexp"]

Shape = tuple[int, ...]


@states(
    takes="[...]",
    returns="shape of {x}, with one more element along ``axis`` if ``include_initial``",
    rejects="an axis that does not exist, or none for an operand of rank other than 1",
    axis="the axis to work along; may be None for an operand of rank 1.",
    include_initial="whether to put the result for no elements first.",
)
def accumulated(x: Shape, *, axis: Any, include_initial: bool) -> Shape:
    """The operand's shape, one longer along the axis with ``include_initial``."""
    if axis is None:
        if len(x) != 1:
            raise ShapeError(
                "an axis is needed.",
                expected="an axis, or an operand of rank 1",
                got=f"rank {len(x)}",
                fix="pass axis=0, or reshape(x, -1) first",
            )
        axis = 0
    shape_rules.along_axis(x, axis=axis)
    if not include_initial:
        return x
    axis = axis % len(x)
    return (*x[:axis], x[axis] + 1, *x[axis + 1 :])


@states(
    takes="[...]",
    returns="shape of {x}",
    rejects="shapes that differ, or an axis that does not exist",
    axis="the axis to work along.",
)
def _same_along_axis(incoming: Shape, x: Shape, *, axis: int) -> Shape:
    if incoming != x:
        raise ShapeError("the shapes differ.", expected=f"shape {x}", got=f"shape {incoming}", fix="broadcast them")
    return shape_rules.along_axis(x, axis=axis)


def part(x: Tensor, axis: int, start: int | None = None, stop: int | None = None, step: int | None = None) -> Tensor:
    """``x[start:stop:step]`` along an axis."""
    axis = axis % x.ndim
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def flipped(x: Tensor, axis: int) -> Tensor:
    """``x`` in the opposite order along an axis."""
    return part(x, axis, step=-1)


def edge(x: Tensor, axis: int, number: complex, count: int = 1) -> Tensor:
    """``number`` in the shape of ``count`` slices of ``x`` across an axis."""
    from .creation import full  # this family is loaded only when it is used

    axis = axis % x.ndim
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return full(shape, number, dtype=x.dtype, device=x.device)


@op(dtype=dtype_rules.sum_dtype, shape=accumulated)
def cumulative_sum(
    x: TensorLike, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Sums of the elements up to each one, along an axis.

    Args:
        dtype: in which to sum, and of the result; default: the dtype of ``x``, but int32 or uint32 for bool and for
            integers below 32 bits.
    """
    return primitive()


@cumulative_sum.gradient("x")
def _cumulative_sum_back(g: Tensor, axis: int | None, include_initial: bool) -> Tensor:
    axis = axis or 0
    g = part(g, axis, 1) if include_initial else g
    return flipped(cumulative_sum(flipped(g, axis), axis), axis)


@op(dtype=dtype_rules.sum_dtype, shape=accumulated)
def cumulative_prod(
    x: TensorLike, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Products of the elements up to each one, along an axis. The gradient is exact also where elements are 0.

    Args:
        dtype: in which to multiply, and of the result; default: the dtype of ``x``, but int32 or uint32 for bool and
            for integers below 32 bits.
    """
    x = converted(x)
    axis = axis or 0
    own = dtype_rules.sum_dtype(x.dtype, dtype=None) if dtype is None else dtypes.lookup(dtype)
    # In half precision, each product would be rounded.
    y = astype(x, dtypes.float32 if own.itemsize == 2 and own.kind not in "iu" else own)
    y = astype(_doubled(y, axis, multiply), own)
    return concat([edge(y, axis, 1), y], axis) if include_initial else y


def exclusive_products(x: Tensor, axis: int = -1) -> Tensor:
    """The products of the elements before each one."""
    return part(cumulative_prod(x, axis, include_initial=True), axis, 0, -1)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.along_axis, floating=True, internal="the gradient of prod")
def other_products(x: TensorLike, /, axis: int = -1) -> Tensor:
    """The product of all elements but the one itself, along an axis; exact also where elements are 0.

    Source:
        A division of the product of all by each element would be 0 / 0 at 0, so those before it and those after it are
        multiplied: G. Blelloch (1990), Prefix sums and their applications, section 1.
    """
    x = converted(x)
    return exclusive_products(x, axis) * flipped(exclusive_products(flipped(x, axis), axis), axis)


@cumulative_prod.gradient("x")
def _cumulative_prod_back(g: Tensor, x: Tensor, dtype: Any, axis: int | None, include_initial: bool) -> Tensor:
    axis = axis or 0
    g = part(g, axis, 1) if include_initial else g
    return cumulative_prod_gradient(g, conjugate(astype(x, g.dtype)), axis)


@op(
    dtype=dtype_rules.same_floating,
    shape=_same_along_axis,
    promotes=("incoming", "x"),
    floating=True,
    internal="the gradient of cumulative_prod",
)
def cumulative_prod_gradient(incoming: TensorLike, x: TensorLike, /, axis: int = -1) -> Tensor:
    """The sums of ``incoming`` times the products up to each element, divided by the element that ``x`` is at.

    Args:
        incoming: floating[...], the gradient of the products.
        x: floating[...], of the shape of ``incoming``.
    Source:
        A reverse-mode gradient as a linear recurrence; G. Blelloch (1990), Prefix sums and their applications,
        section 1.4.
    """
    g, x = converted(incoming), converted(x)
    # The gradient is the product of the elements before j, times R[j] = g[j] + x[j + 1] * R[j + 1]. A division of the
    # results by x[j] would be 0 / 0 at 0.
    total, factor = g, concat([part(x, axis, 1), edge(x, axis, 0)], axis) if x.shape[axis] else x
    step = 1
    while step < x.shape[axis]:
        ahead = part(total, axis, step) * part(factor, axis, 0, -step)
        total = concat([part(total, axis, 0, -step) + ahead, part(total, axis, -step)], axis)
        longer = part(factor, axis, 0, -step) * part(factor, axis, step)
        factor = concat([longer, edge(x, axis, 0, step)], axis)
        step *= 2
    return exclusive_products(x, axis) * total


def _doubled(x: Tensor, axis: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The results of an associative ``combine`` of the elements up to each one: each pass doubles their number."""
    step = 1
    while step < x.shape[axis]:
        x = concat([part(x, axis, 0, step), combine(part(x, axis, 0, -step), part(x, axis, step))], axis)
        step *= 2
    return x


@op(dtype=dtype_rules.same_real, shape=shape_rules.along_axis)
def cumulative_max(x: TensorLike, /, axis: int = -1) -> Tensor:
    """The largest of the elements up to each one, along an axis; NaN from the first NaN on.

    The gradient goes to the first of equal elements.

    Source:
        PyTorch 2.13, ``torch.cummax``.
    """
    return _doubled(converted(x), axis, maximum)


@op(dtype=dtype_rules.same_real, shape=shape_rules.along_axis)
def cumulative_min(x: TensorLike, /, axis: int = -1) -> Tensor:
    """The smallest of the elements up to each one, along an axis; NaN from the first NaN on.

    The gradient goes to the first of equal elements.

    Source:
        PyTorch 2.13, ``torch.cummin``.
    """
    return _doubled(converted(x), axis, minimum)


cumulative_max.gradient(x=lambda g, x, y, axis: _record_back(g, x, y, axis, greater))
cumulative_min.gradient(x=lambda g, x, y, axis: _record_back(g, x, y, axis, less))


def _record_back(g: Tensor, x: Tensor, y: Tensor, axis: int, surpasses: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The gradient of each result, added to the element that it is equal to."""
    from .creation import arange_  # this family is loaded only when it is used
    from .gathering import add_along_axis

    axis = axis % x.ndim
    size = x.shape[axis]
    if size < 2:
        return g
    before, now = part(y, axis, 0, -1), part(x, axis, 1)
    new = logical_or(surpasses(now, before), logical_and(not_equal(now, now), equal(before, before)))
    numbers = arange_(1, size, 1, dtype=dtypes.int64, device=x.device)
    numbers = where(new, reshape(numbers, (size - 1, *(1,) * (x.ndim - 1 - axis))), 0)
    positions = cumulative_max(concat([edge(numbers, axis, 0), numbers], axis), axis)
    return add_along_axis(g, positions, size=size, axis=axis)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.along_axis, floating=True)
def logcumsumexp(x: TensorLike, /, axis: int = -1) -> Tensor:
    """``log(cumulative_sum(exp(x)))`` along an axis, without overflow.

    Source:
        PyTorch 2.13, ``torch.logcumsumexp``.
    """
    from .exponential import logaddexp  # this family is loaded only when it is used

    return _doubled(converted(x), axis, logaddexp)


def diff(
    x: TensorLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    """The differences between neighbours along an axis, ``n`` times.

    Args:
        x: any dtype[...]; for bool, whether the neighbours differ.
        axis: the axis to work along.
        n: how often to take differences, 0 or more; 0 gives ``x``.
        prepend, append: tensors, or numbers, to put before and behind ``x`` first.
    Returns:
        Dtype of ``x``; its shape with ``n`` elements fewer along ``axis``.
    Raises:
        ShapeError: an axis that does not exist. OutOfRangeError: a negative ``n``.
    Source:
        Array API standard 2025.12, ``diff``; NumPy 2.4 for bool.
    """
    from ..dispatch.convert import asarray  # for operands that are not tensors

    if n < 0:
        raise OutOfRangeError("diff cannot run backwards.", expected="n of 0 or more", got=f"n={n}", fix="use a sum")
    y = asarray(x)
    shape_rules.along_axis(y.shape, axis=axis)
    if n == 0:
        return y  # without the pieces, as in NumPy
    pieces = [
        edge(y, axis, piece) if isinstance(piece, (int, float, complex)) else asarray(piece)
        for piece in (prepend, y, append)
        if piece is not None
    ]
    y = concat(pieces, axis) if len(pieces) > 1 else y
    for _ in range(n):
        combine = not_equal if y.dtype is dtypes.bool_ else subtract
        y = combine(part(y, axis, 1), part(y, axis, 0, -1))
    return y
