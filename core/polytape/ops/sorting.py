"""Sorting, the largest elements, and searching in sorted sequences."""

from __future__ import annotations

from typing import NamedTuple

from .. import dtypes
from ..dtypes import DType
from ..errors import OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .cumulative import part
from .declaration import converted, op, primitive, states
from .gathering import add_along_axis, take_along_axis
from .indexing import getitem
from .keys import Key
from .logic import equal, less, logical_and, logical_not, logical_or, not_equal, where
from .manipulation import broadcast_to, concat, permute_dims, reshape
from .reduction import count_nonzero

__all__ = [
    "TopK",
    "argpartition",
    "argsort",
    "argwhere",
    "flatnonzero",
    "lexsort",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "top_k",
]

Shape = tuple[int, ...]
_FLAT = Key([("array",)])
_INDEX = "its result is an index"


@states(takes="any dtype", returns="int64")
def _index_dtype(x: DType, *others: DType) -> DType:
    return dtypes.int64


@op(dtype=_index_dtype, shape=shape_rules.along_axis, no_gradient=_INDEX)
def argsort(x: TensorLike, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort ``x`` along an axis; equal elements keep their order.

    NaN counts as the largest number, and complex numbers are ordered by their real, then by their imaginary parts.

    Args:
        descending: whether the largest elements come first.
        stable: has no effect: the order is always stable.
    """
    return primitive()


@op(dtype=dtype_rules.same_dtype, shape=shape_rules.along_axis)
def sort(x: TensorLike, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along an axis.

    NaN counts as the largest number, and complex numbers are ordered by their real, then by their imaginary parts.

    Args:
        descending: whether the largest elements come first.
        stable: has no effect: the order is always stable.
    """
    return take_along_axis(converted(x), argsort(x, axis, descending=descending), axis=axis)


@sort.gradient("x")
def _sort_back(g: Tensor, x: Tensor, axis: int, descending: bool) -> Tensor:
    order = argsort(x, axis, descending=descending)
    # The order is a permutation, so each sum has one term.
    return add_along_axis(g, order, size=x.shape[axis], axis=axis)


class TopK(NamedTuple):
    """The result of `top_k`.

    Attributes:
        values: the elements, sorted.
        indices: int64, where they are along the axis.
    """

    values: Tensor
    indices: Tensor


@states(takes="real", returns="dtype of {x}, and int64", rejects="``x`` is complex")
def _top_dtypes(x: DType) -> tuple[DType, DType]:
    return dtype_rules.same_real(x), dtypes.int64


@states(
    takes="[...]",
    returns="shape of {x} with ``k`` elements along ``axis``",
    rejects="an axis that does not exist or has fewer than ``k`` elements",
    k="how many elements to take.",
    axis="the axis to work along.",
)
def _top_shapes(x: Shape, *, k: int, axis: int) -> tuple[Shape, Shape]:
    shape_rules.along_axis(x, axis=axis)
    axis = axis % len(x)
    if not 0 <= k <= x[axis]:
        raise ShapeError(
            f"cannot take {k} elements.", expected=f"k from 0 to {x[axis]}", got=f"k={k}", fix="check the axis"
        )
    shape = (*x[:axis], k, *x[axis + 1 :])
    return shape, shape


@op(dtype=_top_dtypes, shape=_top_shapes, outputs=TopK)
def top_k(x: TensorLike, k: int, /, axis: int = -1, *, largest: bool = True) -> TopK:
    """The ``k`` largest elements along an axis, in descending order, and their indices; of equal ones the first.

    NaN counts as the largest number.

    Args:
        largest: False for the smallest elements, in ascending order.
    Source:
        PyTorch 2.13, ``torch.topk``.
    """
    x = converted(x)
    indices = part(argsort(x, axis, descending=largest), axis, 0, k)
    return TopK(take_along_axis(x, indices, axis=axis), indices)


@top_k.gradient("x")
def _top_back(g: TopK, y: TopK, x_shape: Shape, axis: int) -> Tensor | None:
    return None if g.values is None else add_along_axis(g.values, y.indices, size=x_shape[axis], axis=axis)


@states(takes="real", returns="int64", rejects="complex")
def _search_dtype(x1: DType, x2: DType) -> DType:
    dtype_rules.same_real(x1)
    return dtypes.int64


@states(returns="shape of ``x2``", rejects="``x1`` is not of rank 1, or an unknown ``side``")
def _search_shape(x1: Shape, x2: Shape, *, side: str) -> Shape:
    if len(x1) != 1:
        raise ShapeError(
            "the sorted sequence must have one axis.", expected="x1 of rank 1", got=f"shape {x1}", fix="reshape it"
        )
    if side not in ("left", "right"):
        raise OutOfRangeError(
            f"there is no side {side!r}.", expected="'left' or 'right'", got=repr(side), fix="pass one of them"
        )
    return x2


@op(dtype=_search_dtype, shape=_search_shape, promotes=("x1", "x2"), no_gradient=_INDEX)
def searchsorted_(x1: TensorLike, x2: TensorLike, /, *, side: str = "left") -> Tensor:
    """Where the elements of ``x2`` belong in the sorted ``x1``; users call `searchsorted`.

    Args:
        x1: real[n], in ascending order, NaN last; promoted together with ``x2``.
        x2: real[...].
        side: as for `searchsorted`.
    """
    from .creation import zeros  # this family is loaded only when it is used

    x1, x2 = converted(x1), converted(x2)
    size = x1.shape[0]
    found = zeros(x2.shape, dtype=dtypes.int64, device=x2.device)
    step = 1 << size.bit_length() >> 1
    while step:  # a binary search of all elements at once: ``found`` elements of x1 belong before each one
        further = found + step
        inside = less(further, size + 1)
        other = getitem(x1, [where(inside, further, size) - 1], key=_FLAT)
        before = _before(other, x2) if side == "left" else logical_not(_before(x2, other))
        found = where(logical_and(inside, before), further, found)
        step //= 2
    return found


def _before(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether ``x1`` comes before ``x2`` in the order in which NaN is the largest number."""
    smaller = less(x1, x2)
    if dtypes.category(x1.dtype) != dtypes.FLOATING:
        return smaller
    return logical_or(smaller, logical_and(not_equal(x2, x2), equal(x1, x1)))


def searchsorted(x1: TensorLike, x2: TensorLike, /, *, side: str = "left", sorter: TensorLike | None = None) -> Tensor:
    """Where the elements of ``x2`` belong in the sorted ``x1``: before which of its elements.

    Args:
        x1: real[n], in ascending order, NaN last.
        x2: real[...]; promoted together with ``x1``.
        side: ``"left"`` for the position before equal elements, ``"right"`` for the one behind them.
        sorter: integer[n], the indices that sort ``x1``, if it is not sorted.
    Returns:
        int64, shape of ``x2``; from 0 to n.
    Raises:
        ShapeError: ``x1`` is not of rank 1. DTypeError: complex operands. OutOfRangeError: an unknown ``side``.
    Source:
        Array API standard 2025.12, ``searchsorted``.
    """
    if sorter is not None:
        from ..dispatch.convert import asarray

        x1 = asarray(x1)[sorter]
    return searchsorted_(x1, x2, side=side)


def partition(x: Tensor, kth: int, /, *, axis: int = -1) -> Tensor:
    """The elements along an axis with the one of rank ``kth`` in its place, smaller ones before and larger ones behind.

    The other elements are in order as well, which the function does not promise.

    Args:
        x: any dtype[...].
        kth: a rank, from 0 on; negative ones count from the end.
        axis: the axis to work along.
    Source:
        NumPy 2.4, ``numpy.partition``.
    """
    _check_rank(x, kth, axis)
    return sort(x, axis)


def argpartition(x: Tensor, kth: int, /, *, axis: int = -1) -> Tensor:
    """The indices of the elements in the order of `partition`.

    Args:
        x: any dtype[...].
        kth: a rank, from 0 on; negative ones count from the end.
        axis: the axis to work along.
    Source:
        NumPy 2.4, ``numpy.argpartition``.
    """
    _check_rank(x, kth, axis)
    return argsort(x, axis)


def _check_rank(x: Tensor, kth: int, axis: int) -> None:
    size = shape_rules.along_axis(x.shape, axis=axis)[axis]
    if not -size <= kth < size:
        raise OutOfRangeError(
            f"there is no element of rank {kth}.",
            expected=f"kth from {-size} to {size - 1}",
            got=str(kth),
            fix="check the size of the axis",
        )


def lexsort(keys: Tensor | tuple[Tensor, ...] | list[Tensor], /, *, axis: int = -1) -> Tensor:
    """The indices that sort by several keys: by the last one, where it is equal by the last but one, and so on.

    Args:
        keys: any dtype[...], of the same shape; or a tensor whose first axis counts the keys.
        axis: the axis of the keys to work along.
    Returns:
        int64, shape of a key.
    Source:
        NumPy 2.4, ``numpy.lexsort``.
    """
    first, *others = [keys[index] for index in range(len(keys))]
    order = argsort(first, axis)
    for key in others:
        order = take_along_axis(order, argsort(take_along_axis(key, order, axis=axis), axis), axis=axis)
    return order


def _positions_shape(x: Shape, *, size: int) -> Shape:
    return (len(x), size)


@op(dtype=_index_dtype, shape=_positions_shape, no_gradient=_INDEX)
def nonzero_(x: TensorLike, /, *, size: int) -> Tensor:
    """The indices of the first ``size`` elements that differ from 0, 0 where there are fewer; users call `nonzero`.

    Args:
        x: any dtype[...].
        size: how many indices to return.
    Returns:
        int64[rank of ``x``, ``size``].
    """
    from .creation import arange_, zeros  # this family is loaded only when it is used

    x = converted(x)
    true = not_equal(reshape(x, -1), 0)
    count, rank = true.shape[0], x.ndim
    if not count or not rank:
        return zeros((rank, size), dtype=dtypes.int64, device=x.device)
    padding = arange_(0, size, 1, dtype=dtypes.int64, device=x.device)
    # Sorted by whether they are 0, the elements that are not come first, in their order.
    order = argsort(equal(true, False))
    picked = getitem(order, [where(less(padding, count), padding, 0)], key=_FLAT)
    picked = where(less(padding, count_nonzero(true)), picked, 0)
    rows = []
    for index, extent in enumerate(x.shape):
        numbers = arange_(0, extent, 1, dtype=dtypes.int64, device=x.device)
        column = broadcast_to(reshape(numbers, (extent, *(1,) * (rank - 1 - index))), x.shape)
        rows.append(reshape(getitem(reshape(column, -1), [picked], key=_FLAT), (1, size)))
    return concat(rows, 0)


def _nonzero(x: TensorLike, size: int | None) -> Tensor:
    return nonzero_(x, size=int(count_nonzero(x)) if size is None else size)


def nonzero(x: TensorLike, /, *, size: int | None = None) -> tuple[Tensor, ...]:
    """The indices of the elements that differ from 0, in row-major order.

    Args:
        x: any dtype[...].
        size: the number of indices to return, filled with 0 if there are fewer; default: as many as there are elements
            that differ from 0, which are counted on the host.
    Returns:
        An int64 tensor for each axis of ``x``; with it, ``x[nonzero(x)]`` are the elements.
    Raises:
        ShapeError: ``x`` has rank 0. TraceError: ``size`` is None inside a traced function.
    Source:
        Array API standard 2025.12, ``nonzero``.
    """
    found = _nonzero(x, size)
    if not found.shape[0]:
        raise ShapeError(
            "nonzero cannot index a tensor of rank 0.", expected="rank 1 or more", got="rank 0", fix="reshape(x, 1)"
        )
    return tuple(found[index] for index in range(found.shape[0]))


def flatnonzero(x: TensorLike, /, *, size: int | None = None) -> Tensor:
    """The positions of the elements that differ from 0 in the flattened ``x``.

    Args:
        x: any dtype[...].
        size: as for `nonzero`.
    Returns:
        int64[n].
    Raises:
        TraceError: ``size`` is None inside a traced function.
    Source:
        NumPy 2.4, ``numpy.flatnonzero``.
    """
    return _nonzero(reshape(x, -1), size)[0]


def argwhere(x: TensorLike, /, *, size: int | None = None) -> Tensor:
    """The indices of the elements that differ from 0, one row per element, in row-major order.

    Args:
        x: any dtype[...].
        size: as for `nonzero`.
    Returns:
        int64[n, rank of ``x``].
    Raises:
        TraceError: ``size`` is None inside a traced function.
    Source:
        NumPy 2.4, ``numpy.argwhere``.
    """
    return permute_dims(_nonzero(x, size), (1, 0))
