"""Unique elements and set operations. The number of results depends on the data and is read on the host."""

from __future__ import annotations

from typing import NamedTuple

from .. import dtypes
from ..dtypes import DType
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .cumulative import cumulative_sum, part
from .declaration import converted, op, states
from .logic import equal, logical_and, logical_not, logical_or, not_equal, where
from .manipulation import concat, reshape
from .movement import take
from .rearranging import flip, moveaxis
from .reduction import any
from .sorting import argsort, flatnonzero, lexsort, searchsorted_, sort

__all__ = [
    "UniqueAll",
    "UniqueCounts",
    "UniqueInverse",
    "intersect1d",
    "isin",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """The result of `unique_all`.

    Attributes:
        values: [n], the different elements, in ascending order.
        indices: int64[n], where each occurs first in the flattened operand.
        inverse_indices: int64, in the operand's shape: which of the values each element is equal to.
        counts: int64[n], how often each occurs.
    """

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """The result of `unique_counts`; see `UniqueAll`."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """The result of `unique_inverse`; see `UniqueAll`."""

    values: Tensor
    inverse_indices: Tensor


def _first(ordered: Tensor, equal_nan: bool) -> Tensor:
    """Whether each element of a sorted tensor differs from the one before it, along the last axis."""
    from .creation import ones  # this family is loaded only when it is used

    before, now = part(ordered, -1, 0, -1), part(ordered, -1, 1)
    new = not_equal(now, before)
    if equal_nan:
        new = logical_and(new, logical_or(equal(now, now), equal(before, before)))
    start = ones((*ordered.shape[:-1], min(ordered.shape[-1], 1)), dtype=dtypes.bool_, device=ordered.device)
    return concat([start, new], -1)


def _all_parts(x: TensorLike, equal_nan: bool) -> UniqueAll:
    given = _tensor(x)
    flat = reshape(given, -1)
    order = argsort(flat)
    indices, inverse, counts = _groups(order, _first(flat[order], equal_nan))
    return UniqueAll(flat[indices], indices, reshape(inverse, given.shape), counts)


def _groups(order: Tensor, first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What sorting has found: the position of the first element of each group, each element's group, their sizes.

    Args:
        order: int64[n], the positions in ascending order, equal ones as they were.
        first: bool[n], whether each of the sorted elements begins a group.
    """
    from .creation import full  # this family is loaded only when it is used

    starts = flatnonzero(first)
    group = cumulative_sum(first, dtype=dtypes.int64) - 1
    end = full(1, order.shape[0], dtype=dtypes.int64, device=order.device)
    bounds = concat([starts, end], 0)
    return order[starts], group[argsort(order)], part(bounds, 0, 1) - part(bounds, 0, 0, -1)


def _slices(x: TensorLike, axis: int, equal_nan: bool) -> UniqueAll:
    """The parts of `unique_all` for the slices along an axis, in lexicographic order."""
    from .creation import zeros  # this family is loaded only when it is used

    given = _tensor(x)
    shape_rules.along_axis(given.shape, axis=axis)
    n = given.shape[axis]
    # One row per element of the slices, so that the first one decides before the others.
    rows = moveaxis(given, axis, -1)
    rows = reshape(rows, (shape_rules.count(rows.shape[:-1]), n))
    if rows.shape[0] == 0:  # slices without elements are equal
        rows = zeros((1, n), device=given.device)
    order = lexsort(flip(rows, axis=0))
    first = any(_first(take(rows, order, axis=1), equal_nan), 0)
    indices, inverse, counts = _groups(order, first)
    return UniqueAll(take(given, indices, axis=axis), indices, inverse, counts)


def _tensor(x: TensorLike) -> Tensor:
    from ..dispatch.convert import asarray  # for operands that are not tensors

    return asarray(x)


def _values(x: TensorLike, equal_nan: bool) -> Tensor:
    ordered = sort(reshape(_tensor(x), -1))
    return ordered[flatnonzero(_first(ordered, equal_nan))]


def unique_all(x: TensorLike, /) -> UniqueAll:
    """The different elements, where they occur, and how often. Each NaN is a value of its own; -0 is equal to 0.

    Args:
        x: any dtype[...].
    Returns:
        The named tuple (values, indices, inverse_indices, counts).
    Raises:
        TraceError: inside a traced function.
    Source:
        Array API standard 2025.12, ``unique_all``.

    Example:
        >>> import polytape as pt
        >>> pt.unique_all(pt.asarray([3, 1, 3])).counts.tolist()
        [1, 2]
    """
    return _all_parts(x, False)


def unique_counts(x: TensorLike, /) -> UniqueCounts:
    """The different elements and how often they occur. Each NaN is a value of its own; -0 is equal to 0.

    Args:
        x: any dtype[...].
    Returns:
        The named tuple (values, counts), as for `unique_all`.
    Raises:
        TraceError: inside a traced function.
    Source:
        Array API standard 2025.12, ``unique_counts``.
    """
    found = _all_parts(x, False)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: TensorLike, /) -> UniqueInverse:
    """The different elements, and which of them each element is. Each NaN is a value of its own; -0 is equal to 0.

    Args:
        x: any dtype[...].
    Returns:
        The named tuple (values, inverse_indices), as for `unique_all`.
    Raises:
        TraceError: inside a traced function.
    Source:
        Array API standard 2025.12, ``unique_inverse``.
    """
    found = _all_parts(x, False)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: TensorLike, /) -> Tensor:
    """The different elements, in ascending order. Each NaN is a value of its own; -0 is equal to 0.

    Args:
        x: any dtype[...].
    Returns:
        [n], dtype of ``x``.
    Raises:
        TraceError: inside a traced function.
    Source:
        Array API standard 2025.12, ``unique_values``.
    """
    return _values(x, False)


def unique(
    x: TensorLike,
    /,
    *,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    equal_nan: bool = True,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements, in ascending order, and on request the other parts of `unique_all`.

    Args:
        x: any dtype[...].
        return_index, return_inverse, return_counts: which other parts to return.
        axis: None for elements. An axis for the slices along it, in lexicographic order; the inverse then has one
            position per slice.
        equal_nan: whether all NaN are one value; for slices, too.
    Returns:
        The values; a tuple, in the order of the arguments, if other parts are requested.
    Raises:
        TraceError: inside a traced function. ShapeError: an axis that does not exist.
    Source:
        NumPy 2.4, ``numpy.unique``, which has ``equal_nan`` for elements only.

    Example:
        >>> import polytape as pt
        >>> pt.unique(pt.asarray([[2, 1], [0, 3], [2, 1]]), axis=0).tolist()
        [[0, 3], [2, 1]]
    """
    if axis is None and not (return_index or return_inverse or return_counts):
        return _values(x, equal_nan)
    found = _all_parts(x, equal_nan) if axis is None else _slices(x, axis, equal_nan)
    if not (return_index or return_inverse or return_counts):
        return found.values
    asked = zip(found, (True, return_index, return_inverse, return_counts), strict=True)
    return tuple(value for value, wanted in asked if wanted)


@states(takes="any dtype", returns="bool")
def _membership(x1: DType, x2: DType) -> DType:
    return dtypes.bool_


@states(returns="shape of ``x1``")
def _first_shape(x1: tuple[int, ...], x2: tuple[int, ...]) -> tuple[int, ...]:
    return x1


@op(dtype=_membership, shape=_first_shape, promotes=("x1", "x2"), no_gradient="its result is piecewise constant")
def isin(x1: TensorLike, x2: TensorLike, /, *, invert: bool = False) -> Tensor:
    """Whether each element of ``x1`` is equal to one of ``x2``. NaN is equal to nothing.

    Args:
        x1, x2: any dtype[...], promoted together.
        invert: whether to negate the result.
    """
    x1, x2 = converted(x1), reshape(converted(x2), -1)
    size = x2.shape[0]
    if size <= _FEW or dtypes.category(x2.dtype) == dtypes.COMPLEX:  # complex numbers cannot be searched by less
        found = any(equal(reshape(x1, (*x1.shape, 1)), x2), -1)
    else:
        ordered = sort(x2)
        place = searchsorted_(ordered, x1)
        found = equal(ordered[where(equal(place, size), 0, place)], x1)
    return logical_not(found) if invert else found


_FEW = 8  # so many elements are compared with each one faster than by searching


def intersect1d(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The different elements that are in both tensors, in ascending order.

    Args:
        x1, x2: any dtype[...].
    Returns:
        [n], dtype of ``x1``.
    Raises:
        TraceError: inside a traced function.
    Source:
        NumPy 2.4, ``numpy.intersect1d``.
    """
    values = _values(x1, True)
    return values[flatnonzero(isin(values, x2))]


def union1d(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The different elements that are in either tensor, in ascending order.

    Args:
        x1, x2: any dtype[...].
    Returns:
        [n], the promoted dtype.
    Raises:
        TraceError: inside a traced function.
    Source:
        NumPy 2.4, ``numpy.union1d``.
    """
    return _values(concat([_tensor(x1), _tensor(x2)], None), True)


def setdiff1d(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The different elements of ``x1`` that are not in ``x2``, in ascending order.

    Args:
        x1, x2: any dtype[...].
    Returns:
        [n], dtype of ``x1``.
    Raises:
        TraceError: inside a traced function.
    Source:
        NumPy 2.4, ``numpy.setdiff1d``.
    """
    values = _values(x1, True)
    return values[flatnonzero(isin(values, x2, invert=True))]


def setxor1d(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The different elements that are in one of the tensors only, in ascending order.

    Args:
        x1, x2: any dtype[...].
    Returns:
        [n], the promoted dtype.
    Raises:
        TraceError: inside a traced function.
    Source:
        NumPy 2.4, ``numpy.setxor1d``.
    """
    return sort(concat([setdiff1d(x1, x2), setdiff1d(x2, x1)], 0))
