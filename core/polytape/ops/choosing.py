"""Functions that choose among tensors, and that leave out, insert or keep elements."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int
from typing import Any, TypeAlias

import numpy as np

from ..dispatch.convert import asarray
from ..errors import OutOfRangeError, ShapeError, TraceError
from ..tensors.tensor import Symbol, Tensor, TensorLike, describe
from . import shape_rules
from .creation import at_diagonal
from .gathering import take_along_axis
from .joining import broadcast_arrays, stack
from .logic import equal, where
from .manipulation import astype_, broadcast_to, concat, reshape
from .movement import take
from .rearranging import expand_dims, flatten, together

__all__ = ["choose", "compress", "delete", "extract", "fill_diagonal", "insert", "select"]

Positions: TypeAlias = "int | slice | Sequence[int] | TensorLike"


def select(conditions: Sequence[TensorLike], choices: Sequence[TensorLike], /, default: TensorLike = 0) -> Tensor:
    """For each element, the choice whose condition is the first to hold.

    Args:
        conditions: bool[...] each.
        choices: any dtype[...], one per condition; all broadcast and promoted together.
        default: where no condition holds.
    Raises:
        ShapeError: no conditions, or another number of choices.
    Source:
        NumPy, ``select``.
    """
    if not conditions or len(conditions) != len(choices):
        raise ShapeError(
            "select: the choices do not match the conditions.",
            expected="one condition or more, and a choice for each",
            got=f"{len(conditions)} conditions and {len(choices)} choices",
            fix="pass two lists of the same length",
        )
    y: Any = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        y = where(condition, choice, y)
    result: Tensor = y
    return result


def choose(indices: TensorLike, choices: Sequence[TensorLike], /) -> Tensor:
    """For each element, the one at its place in the choice that its index names.

    Args:
        indices: integer[...]; negative ones count from the end.
        choices: any dtype[...]; all broadcast with ``indices``, and promoted together.
    Raises:
        ShapeError: no choices, or shapes that do not broadcast. DTypeError: indices that are not integers. On the host
            also OutOfRangeError, for a choice that does not exist.
    Source:
        NumPy, ``choose``.
    """
    index, *tensors = broadcast_arrays(indices, *choices)
    return take_along_axis(stack(tensors), expand_dims(index, 0), axis=0)[0]


def compress(condition: TensorLike, x: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """The elements along an axis for which a condition holds.

    Args:
        condition: bool[n]; if the axis has more elements, the others are left out.
        x: any dtype[...].
        axis: the axis; None flattens ``x`` first.
    Returns:
        As many elements along the axis as the condition holds for; they are counted on the host.
    Raises:
        ShapeError: an axis that does not exist. TraceError: in a traced function.
    Source:
        NumPy, ``compress``.
    """
    from .sorting import flatnonzero  # this family is loaded only when it is used

    x = flatten(x) if axis is None else asarray(x)
    return take(x, flatnonzero(condition), axis=0 if axis is None else axis)


def extract(condition: TensorLike, x: TensorLike, /) -> Tensor:
    """The elements of ``x`` for which a condition holds, as a vector.

    Args:
        condition: bool, of as many elements as ``x``.
        x: any dtype[...].
    Raises:
        TraceError: in a traced function.
    Source:
        NumPy, ``extract``.
    """
    return compress(condition, x)


def _host(positions: Positions, what: str) -> Any:
    """Positions as NumPy uses them: an int, a slice, or an array of integers or bools."""
    if isinstance(positions, slice):
        return positions
    if isinstance(positions, Tensor):
        if isinstance(positions.array, Symbol):
            raise TraceError(
                f"{what} cannot read {describe(positions)} inside a traced function.",
                expected="positions that are known when the function is traced",
                got="a tensor that is computed later",
                fix="pass them as integers, or call the function outside",
            )
        positions = positions.numpy()
    array = np.asarray(positions)
    return array.astype("int64") if not array.size else array


def _order(what: str, size: int, run: Any) -> Any:
    """The result of ``run``, with NumPy's error for a position that does not exist as ours."""
    try:
        return run()
    except IndexError as error:
        raise OutOfRangeError(
            f"{what}: a position does not exist.",
            expected=f"positions from {-size} to {size - 1}",
            got=str(error),
            fix="check the size of the axis",
        ) from None


def delete(x: TensorLike, positions: Positions, /, *, axis: int | None = None) -> Tensor:
    """``x`` without the elements at positions along an axis.

    Args:
        x: any dtype[...].
        positions: an integer, a slice, or several integers, or a bool per element; they are read on the host.
        axis: the axis; None flattens ``x`` first.
    Raises:
        ShapeError: an axis that does not exist. OutOfRangeError: a position that does not exist. TraceError: positions
            in a tensor of a traced function.
    Source:
        NumPy, ``delete``.
    """
    x, place = _along(x, axis)
    size = x.shape[place]
    chosen = _host(positions, "delete")
    kept = _order("delete", size, lambda: np.delete(np.arange(size), chosen))
    return take(x, asarray(kept, device=x.device), axis=place)


def insert(x: TensorLike, positions: Positions, values: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """``x`` with values inserted before positions along an axis.

    Args:
        x: any dtype[...].
        positions: an integer, a slice, or several integers; they are read on the host.
        values: cast to the dtype of ``x``, and broadcast to its shape with one element per position along the axis. At
            a single position, values with as many axes as ``x`` may have several.
        axis: the axis; None flattens ``x`` first.
    Raises:
        ShapeError: an axis that does not exist, or values that do not broadcast. OutOfRangeError: a position that does
            not exist. TraceError: positions in a tensor of a traced function.
    Source:
        NumPy, ``insert``.
    """
    x, place = _along(x, axis)
    new = asarray(values, device=x.device)
    new = new if new.dtype is x.dtype else astype_(new, x.dtype)
    size = x.shape[place]
    chosen = _host(positions, "insert")
    single = not isinstance(chosen, slice) and chosen.ndim == 0
    others = (*x.shape[:place], *x.shape[place + 1 :])
    if single and new.ndim < x.ndim:
        new = expand_dims(broadcast_to(new, others), place)
    if single:
        chosen, count = int(chosen), new.shape[place]
    else:
        count = len(range(*chosen.indices(size))) if isinstance(chosen, slice) else chosen.size
    new = broadcast_to(new, (*x.shape[:place], count, *x.shape[place + 1 :]))
    added = np.arange(size, size + count)
    order = _order("insert", size, lambda: np.insert(np.arange(size), chosen, added))
    return take(concat([x, new], axis=place), asarray(order, device=x.device), axis=place)


def _along(x: TensorLike, axis: int | None) -> tuple[Tensor, int]:
    """The tensor, flattened if ``axis`` is None, and the axis from 0."""
    if axis is None:
        return flatten(x), 0
    x = asarray(x)
    shape_rules.along_axis(x.shape, axis=axis)
    return x, as_int(axis) % x.ndim


def fill_diagonal(x: TensorLike, value: TensorLike, /, *, offset: int = 0) -> Tensor:
    """Matrices with the elements on a diagonal replaced.

    Args:
        x: any dtype[..., m, n]; it is not changed.
        value: a number, or a vector of the length of the diagonal; cast to the dtype of ``x``.
        offset: how many columns to the right the diagonal begins; rows down if it is negative.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError: fewer than two axes, or values of another length.
    Source:
        NumPy, ``fill_diagonal``, which changes its operand.
    """
    x, new = together(x, value)
    if x.ndim < 2 or new.ndim > 1:
        raise ShapeError(
            f"fill_diagonal takes matrices and a number or a vector, not shapes {x.shape} and {new.shape}.",
            expected="two axes or more, and at most one",
            got=f"{x.ndim} and {new.ndim} axes",
            fix="reshape them first",
        )
    new = new if new.dtype is x.dtype else astype_(new, x.dtype)
    row, column = at_diagonal(x.shape, offset, x.device)
    if new.ndim:
        rows, columns = x.shape[-2:]
        first = max(-offset, 0)
        count = max(min(rows - first, columns - max(offset, 0)), 0)
        new = broadcast_to(new, (count,))
        # The vector as a column of all rows; those outside the diagonal are not used.
        new = concat([broadcast_to(new[:1], (first,)), new, broadcast_to(new[:1], (rows - first - count,))], axis=0)
        new = reshape(new, (rows, 1))
    return where(equal(row, column), new, x)
