"""Shape rules, shared by the op declarations.

A shape rule takes the operands' shapes and the attributes that it reads, and returns the result's shape. Core prefixes
the summary of an error with the op's name and operands.
"""

from __future__ import annotations

from operator import index
from typing import Any

from ..errors import DTypeError, OutOfRangeError, ShapeError
from .declaration import states

Shape = tuple[int, ...]


@states(takes="[...]", returns="same")
def same_shape(x: Shape, *others: Shape) -> Shape:
    """The first operand's shape."""
    return x


@states(returns="``shape``", rejects="``shape`` is not a valid shape", shape="size of each axis.")
def given_shape(*operands: Shape, shape: Any) -> Shape:
    """The attribute ``shape``."""
    return as_shape(shape)


def as_shape(shape: Any) -> Shape:
    """The shape that an int or a sequence of ints describes."""
    try:
        result = (shape.__index__(),) if hasattr(shape, "__index__") else tuple(n.__index__() for n in shape)
    except (AttributeError, TypeError):
        raise ShapeError(
            f"shape={shape!r} is not a valid shape.",
            expected="an int or a tuple of ints",
            got=repr(shape),
            fix="pass a tuple such as (2, 3)",
        ) from None
    if any(extent < 0 for extent in result):
        raise ShapeError(
            "a size is negative.", expected="sizes of 0 or more", got=f"shape {result}", fix="pass the actual sizes"
        )
    return result


@states(takes="[...]", returns="same", rejects="shapes that do not broadcast")
def broadcast(*operands: Shape | None) -> Shape:
    """The shape that the operands broadcast to (array API standard 2025.12, "Broadcasting"); None for an absent one."""
    shapes = [shape for shape in operands if shape is not None]
    rank = max(len(shape) for shape in shapes)
    result: list[int] = []
    for axis in range(-rank, 0):
        extent = 1
        for shape in shapes:
            if len(shape) >= -axis and shape[axis] != 1:
                if extent not in (1, shape[axis]):
                    raise ShapeError(
                        "the shapes do not broadcast.",
                        expected="from the right, sizes that are equal or 1",
                        got=f"{extent} and {shape[axis]} in axis {axis}",
                        fix="reshape one operand, or insert an axis of size 1",
                    )
                extent = shape[axis]
        result.append(extent)
    return tuple(result)


def axes_of(axis: Any) -> list[int]:
    """An axis argument, an int or a sequence, as a list of ints."""
    try:
        return [index(number) for number in axis] if isinstance(axis, (tuple, list)) else [index(axis)]
    except TypeError:
        kinds = sorted({type(x).__name__ for x in (axis if isinstance(axis, (tuple, list)) else (axis,))})
        raise DTypeError(
            "an axis is not an int.",
            expected="ints, such as axis=0 or axis=(0, 1)",
            got=f"values of type {', '.join(kinds)}",
            fix="count axes from 0, or backwards from -1; several operands are one list",
        ) from None


def normalise(axis: Any, rank: int) -> tuple[int, ...]:
    """An axis argument (None, an int or a sequence) as sorted non-negative axes."""
    if axis is None:
        return tuple(range(rank))
    axes: list[int] = []
    for number in axes_of(axis):
        if not -rank <= number < rank:
            raise OutOfRangeError(
                f"there is no axis {number}.",
                expected=f"an axis from {-rank} to {rank - 1}" if rank else "no axis, for an operand of rank 0",
                got=repr(axis),
                fix="count axes from 0, or backwards from -1",
            )
        axes.append(number % rank)
    if len(set(axes)) != len(axes):
        raise ShapeError("an axis is named twice.", expected="distinct axes", got=repr(axis), fix="name each axis once")
    return tuple(sorted(axes))


@states(
    takes="[...]",
    returns="{x} without the reduced axes",
    rejects="an axis that does not exist",
    axis="axes to reduce; None means all axes.",
    keepdims="whether to keep the reduced axes, with size 1.",
)
def reduced(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """The operand's shape without the reduced axes, or with size 1 for them."""
    axes = normalise(axis, len(x))
    if keepdims:
        return tuple(1 if index in axes else extent for index, extent in enumerate(x))
    return tuple(extent for index, extent in enumerate(x) if index not in axes)


@states(
    takes="[...]",
    returns="{x} without the reduced axes",
    rejects="an axis that does not exist or has no elements",
    axis="axes to reduce; None means all axes.",
    keepdims="whether to keep the reduced axes, with size 1.",
)
def reduced_nonempty(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """Like `reduced`, for reduced axes that must have elements."""
    if any(x[index] == 0 for index in normalise(axis, len(x))):
        raise ShapeError(
            "there are no elements to choose from.",
            expected="at least one element",
            got="an axis of size 0",
            fix="check the size first",
        )
    return reduced(x, axis=axis, keepdims=keepdims)


@states(
    takes="[...]",
    returns="{x} without the reduced axis",
    rejects="an axis that does not exist or has no elements",
    axis="the axis to reduce; None flattens {x} first.",
    keepdims="whether to keep the reduced axis, with size 1.",
)
def reduced_one(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """Like `reduced_nonempty`, for a single axis or all of them."""
    if isinstance(axis, (tuple, list)):
        raise ShapeError(
            "takes a single axis.", expected="an int or None", got=repr(axis), fix="reshape these axes into one first"
        )
    return reduced_nonempty(x, axis=axis, keepdims=keepdims)


@states(takes="[...]", returns="same", rejects="an axis that does not exist", axis="the axis to work along.")
def along_axis(x: Shape, *, axis: Any) -> Shape:
    """The operand's shape, in which the axis must exist."""
    if isinstance(axis, (tuple, list)) or axis is None:
        raise ShapeError(
            "takes a single axis.", expected="an int", got=repr(axis), fix="reshape these axes into one first"
        )
    normalise(axis, len(x))
    return x


@states(
    returns="[..., m, n], without m for a row vector and without n for a column vector",
    rejects="inner sizes that differ, or an operand of rank 0",
)
def contracted(x1: Shape, x2: Shape) -> Shape:
    """The shape of a matrix product (array API standard 2025.12, ``matmul``)."""
    if not x1 or not x2:
        raise ShapeError(
            "a number has no rows or columns.",
            expected="operands with at least one axis",
            got=f"shapes {x1} and {x2}",
            fix="multiply by a number with * instead",
        )
    k1, k2 = x1[-1], x2[-2] if len(x2) > 1 else x2[0]
    if k1 != k2:
        raise ShapeError(
            "the inner sizes differ.",
            expected="x1[..., m, k] and x2[..., k, n] with the same k",
            got=f"k = {k1} in x1 and k = {k2} in x2",
            fix="transpose one operand, or reshape it so that the inner sizes agree",
        )
    return (*broadcast(x1[:-2], x2[:-2]), *x1[-2:-1], *(x2[-1:] if len(x2) > 1 else ()))


@states(
    takes="[...]",
    returns="``shape``",
    rejects="the number of elements would change",
    shape="the new sizes; one of them may be -1 and is then computed.",
)
def reshaped(x: Shape, *, shape: Any) -> Shape:
    """The attribute ``shape``, with a single -1 replaced by the size that fits."""
    try:
        sizes = tuple(index(n) for n in shape) if isinstance(shape, (tuple, list)) else (index(shape),)
    except TypeError:
        raise ShapeError(
            f"shape={shape!r} is not a valid shape.",
            expected="ints, one of which may be -1",
            got=repr(shape),
            fix="pass a tuple such as (2, -1)",
        ) from None
    if any(n < -1 for n in sizes):
        raise ShapeError(
            "a size is negative.",
            expected="sizes of 0 or more, or a single -1",
            got=f"shape {sizes}",
            fix="write -1 for the size that is to be computed",
        )
    total = count(x)
    known = count(tuple(n for n in sizes if n != -1))
    unknown_axes = sizes.count(-1)
    if unknown_axes == 1 and known and total % known == 0:
        return tuple(total // known if n == -1 else n for n in sizes)
    if unknown_axes or known != total:
        raise ShapeError(
            "the number of elements would change.",
            expected=f"a shape with {total} elements; one size may be -1",
            got=f"shape {sizes}",
            fix="pass sizes whose product is the number of elements",
        )
    return sizes


def count(shape: Shape) -> int:
    """The number of elements."""
    total = 1
    for extent in shape:
        total *= extent
    return total


@states(
    takes="[...]",
    returns="the permuted shape",
    rejects="``axes`` is not a permutation",
    axes="the axes of {x}, in the order they have in the result.",
)
def permuted(x: Shape, *, axes: Any) -> Shape:
    """The operand's shape with its axes in the order ``axes``."""
    order = tuple(axes_of(axes))
    if sorted(axis % len(x) if -len(x) <= axis < len(x) else -1 for axis in order) != list(range(len(x))):
        raise ShapeError(
            f"axes={order} is not a permutation.",
            expected=f"each axis from 0 to {len(x) - 1} once",
            got=f"axes {order}",
            fix="name every axis exactly once",
        )
    return tuple(x[axis] for axis in order)


@states(takes="[...]", returns="``shape``", rejects="{x} does not broadcast to ``shape``", shape="the new sizes.")
def broadcast_to_shape(x: Shape, *, shape: Any) -> Shape:
    """The attribute ``shape``, to which the operand must broadcast."""
    target = as_shape(shape)
    if len(x) > len(target) or broadcast(x, target) != target:
        raise ShapeError(
            "the operand does not broadcast to that shape.",
            expected="from the right, sizes that are equal or 1",
            got=f"{x} to {target}",
            fix="reshape it first",
        )
    return target


@states(
    takes="[...]",
    returns="the operands' shape, with the sizes along ``axis`` added",
    rejects="shapes that differ along another axis, or an empty sequence",
    axis="the axis to join along; None flattens the operands first.",
)
def joined(*arrays: Shape, axis: Any) -> Shape:
    """The shape of the operands joined along ``axis``, or flattened and joined if it is None."""
    if axis is None:
        return (sum(count(shape) for shape in arrays),)
    first = arrays[0]
    (joined_axis,) = normalise(axis, len(first)) or (-1,)
    for shape in arrays:
        if (
            joined_axis < 0
            or len(shape) != len(first)
            or any(a != b for index, (a, b) in enumerate(zip(shape, first, strict=True)) if index != joined_axis)
        ):
            raise ShapeError(
                "the shapes differ outside the joined axis.",
                expected=f"shapes equal to {first} except along axis {axis}",
                got=f"shape {shape}",
                fix="reshape them to match first",
            )
    total = sum(shape[joined_axis] for shape in arrays)
    return (*first[:joined_axis], total, *first[joined_axis + 1 :])
