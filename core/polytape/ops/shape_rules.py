"""Shape rules, shared by the op declarations.

A shape rule gets the operands' shapes and the attributes it names, and returns the result's shape. An error's summary
is completed with the op's name and operands.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from .declaration import states

Shape = tuple[int, ...]


@states(takes="[...]", returns="same")
def same_shape(x: Shape, *others: Shape) -> Shape:
    """The first operand's."""
    return x


@states(returns="``shape``", rejects="``shape`` is not a shape", shape="size of each axis.")
def given_shape(*operands: Shape, shape: Any) -> Shape:
    """The attribute ``shape``."""
    return as_shape(shape)


def as_shape(shape: Any) -> Shape:
    """A shape given as an int or a sequence of ints."""
    try:
        found = (shape.__index__(),) if hasattr(shape, "__index__") else tuple(n.__index__() for n in shape)
    except (AttributeError, TypeError):
        raise ShapeError(
            f"shape={shape!r} is no shape.", expected="an int or a tuple of ints", got=repr(shape), fix="write (2, 3)"
        ) from None
    if any(extent < 0 for extent in found):
        raise ShapeError(
            "a negative size.", expected="sizes of 0 or more", got=f"shape {found}", fix="give the actual sizes"
        )
    return found


@states(takes="[...]", returns="same", rejects="shapes that do not broadcast")
def broadcast(*shapes: Shape) -> Shape:
    """The shape operands broadcast to (array API standard 2024.12, "Broadcasting")."""
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


def normalise(axis: Any, rank: int) -> tuple[int, ...]:
    """An axis argument (None, an int, a tuple) as sorted non-negative axes."""
    if axis is None:
        return tuple(range(rank))
    found: list[int] = []
    for one in axis if isinstance(axis, (tuple, list)) else (axis,):
        if not hasattr(one, "__index__") or not -rank <= one < rank:
            raise ShapeError(
                f"there is no axis {one!r}.",
                expected=f"an axis from {-rank} to {rank - 1}" if rank else "no axis, for an operand of rank 0",
                got=repr(axis),
                fix="count axes from 0, or from -1 backwards",
            )
        found.append(one % rank)
    if len(set(found)) != len(found):
        raise ShapeError(
            "an axis is named twice.", expected="different axes", got=repr(axis), fix="name each axis once"
        )
    return tuple(sorted(found))


@states(
    takes="[...]",
    returns="{x} without the reduced axes",
    rejects="an axis that does not exist",
    axis="axes to reduce; None: all.",
    keepdims="whether reduced axes stay with size 1.",
)
def reduced(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """Without the reduced axes, or with size 1 there."""
    axes = normalise(axis, len(x))
    if keepdims:
        return tuple(1 if place in axes else extent for place, extent in enumerate(x))
    return tuple(extent for place, extent in enumerate(x) if place not in axes)


@states(
    takes="[...]",
    returns="{x} without the reduced axes",
    rejects="an axis that does not exist or has no elements",
    axis="axes to reduce; None: all.",
    keepdims="whether reduced axes stay with size 1.",
)
def reduced_nonempty(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """As `reduced`; the reduced axes must have elements."""
    if any(x[place] == 0 for place in normalise(axis, len(x))):
        raise ShapeError(
            "nothing to choose from.", expected="at least one element", got="an axis of size 0", fix="check the size"
        )
    return reduced(x, axis=axis, keepdims=keepdims)


@states(
    takes="[...]",
    returns="{x} without the reduced axis",
    rejects="an axis that does not exist or has no elements",
    axis="the axis; None: of {x} flattened.",
    keepdims="whether the reduced axis stays with size 1.",
)
def reduced_one(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """As `reduced_nonempty`, by one axis or all."""
    if isinstance(axis, (tuple, list)):
        raise ShapeError("takes one axis.", expected="an int or None", got=repr(axis), fix="reshape the axes into one")
    return reduced_nonempty(x, axis=axis, keepdims=keepdims)


@states(takes="[...]", returns="same", rejects="an axis that does not exist", axis="the axis to work along.")
def along_axis(x: Shape, *, axis: Any) -> Shape:
    """The operand's shape, which must have that axis."""
    normalise(axis, len(x))
    return x


@states(
    returns="[..., m, n], without the axes of a row or column",
    rejects="inner sizes that differ, or a number as operand",
)
def contracted(x1: Shape, x2: Shape) -> Shape:
    """A matrix product's shape (array API standard 2024.12, ``matmul``)."""
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
    shape="the new sizes; one may be -1, which is computed.",
)
def reshaped(x: Shape, *, shape: Any) -> Shape:
    """The attribute ``shape``, one -1 in it filled in."""
    try:
        wanted = tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    except (TypeError, ValueError):
        raise ShapeError(
            f"shape={shape!r} is no shape.",
            expected="ints, one of which may be -1",
            got=repr(shape),
            fix="write (2, -1)",
        ) from None
    size = count(x)
    known = count(tuple(n for n in wanted if n != -1))
    open_axes = wanted.count(-1)
    if open_axes == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in wanted)
    if open_axes or known != size or any(n < 0 for n in wanted):
        raise ShapeError(
            "the number of elements would change.",
            expected=f"a shape of {size} elements, one size may be -1",
            got=f"shape {wanted}",
            fix="give sizes whose product is the number of elements",
        )
    return wanted


def count(shape: Shape) -> int:
    """Number of elements."""
    total = 1
    for extent in shape:
        total *= extent
    return total


@states(
    takes="[...]",
    returns="the permuted shape",
    rejects="``axes`` is not a permutation",
    axes="for each axis of the result, the axis of {x} it is.",
)
def permuted(x: Shape, *, axes: Any) -> Shape:
    """The axes in the given order."""
    order = tuple(axes)
    if sorted(place % len(x) if -len(x) <= place < len(x) else -1 for place in order) != list(range(len(x))):
        raise ShapeError(
            "axes are no permutation.",
            expected=f"each axis from 0 to {len(x) - 1} once",
            got=f"axes {order}",
            fix="name every axis exactly once",
        )
    return tuple(x[place] for place in order)


@states(takes="[...]", returns="``shape``", rejects="{x} does not broadcast to ``shape``", shape="the new sizes.")
def broadcast_to_shape(x: Shape, *, shape: Any) -> Shape:
    """The attribute ``shape``, to which the operand must broadcast."""
    wanted = as_shape(shape)
    if len(x) > len(wanted) or broadcast(x, wanted) != wanted:
        raise ShapeError(
            "does not broadcast to that shape.",
            expected="from the right, sizes that are equal or 1",
            got=f"{x} to {wanted}",
            fix="reshape it first",
        )
    return wanted


@states(
    takes="[...]",
    returns="the shapes, added up along ``axis``",
    rejects="shapes that differ elsewhere, or no tensor at all",
    axis="the axis to join along; None: flattened.",
)
def joined(*arrays: Shape, axis: Any) -> Shape:
    """Operands behind each other along ``axis``, or flattened for None."""
    if axis is None:
        return (sum(count(shape) for shape in arrays),)
    first = arrays[0]
    (place,) = normalise(axis, len(first)) or (-1,)
    for shape in arrays:
        if (
            place < 0
            or len(shape) != len(first)
            or any(a != b for where, (a, b) in enumerate(zip(shape, first, strict=True)) if where != place)
        ):
            raise ShapeError(
                "the shapes differ beside the joined axis.",
                expected=f"shapes equal to {first} but for axis {axis}",
                got=f"shape {shape}",
                fix="reshape them alike first",
            )
    total = sum(shape[place] for shape in arrays)
    return (*first[:place], total, *first[place + 1 :])
