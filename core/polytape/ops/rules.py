"""Shape and dtype rules, shared by the op declarations.

A dtype rule gets the operands' dtypes and the attributes it names; a shape rule their shapes and the attributes it
names. Both raise with a summary that core puts the op's name and operands before.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError, ShapeError

Shape = tuple[int, ...]

# --- dtypes ---------------------------------------------------------------------------------------------------------


def same_dtype(x: DType, *others: DType) -> DType:
    """The first operand's."""
    return x


def same_numeric(x: DType, *others: DType) -> DType:
    """The first operand's, which must be a number and no bool."""
    if dtypes.category(x) == dtypes.BOOL:
        raise DTypeError(
            "is not defined for bool.", expected="a numeric dtype", fix="cast it, for example to 'int32', first"
        )
    return x


def same_real(x: DType, *others: DType) -> DType:
    """The first operand's, which must be ordered: no complex one."""
    if dtypes.category(x) == dtypes.COMPLEX:
        raise DTypeError(
            "has no order on complex numbers.", expected="a real dtype", fix="compare real parts or magnitudes"
        )
    return x


def same_floating(x: DType, *others: DType) -> DType:
    """The first operand's, which must be floating (real or complex)."""
    if dtypes.category(x) < dtypes.FLOATING:
        raise DTypeError(
            "needs floating numbers.", expected="a floating dtype", fix="cast it with polytape.astype(x, 'float32')"
        )
    return x


def same_real_floating(x: DType, *others: DType) -> DType:
    """The first operand's, which must be real floating."""
    return same_real(same_floating(x))


def truth(*operands: DType) -> DType:
    """bool, whatever the operands."""
    return dtypes.bool_


def ordered_truth(x: DType, *others: DType) -> DType:
    """bool, from operands that have an order."""
    same_real(x)
    return dtypes.bool_


def logical(x: DType, *others: DType) -> DType:
    """bool, from bool operands."""
    if x is not dtypes.bool_:
        raise DTypeError("takes truth values only.", expected="bool operands", fix="compare first, for example x != 0")
    return dtypes.bool_


def index_dtype(x: DType) -> DType:
    """int64, from operands that have an order."""
    same_real(x)
    return dtypes.int64


def sum_dtype(x: DType, *, dtype: DType | None) -> DType:
    """The given one; else the operand's, small integers and bool widened to the default int32 (or uint32)."""
    if dtype is not None:
        return dtype
    if x.kind == "u":
        return x if x.itemsize >= 4 else dtypes.uint32
    if dtypes.category(x) < dtypes.FLOATING:
        return x if x.itemsize >= 4 else dtypes.int32
    return x


def given_dtype(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``."""
    return dtype


def given_floating(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be real floating."""
    if dtypes.category(dtype) != dtypes.FLOATING:
        raise DTypeError(
            f"cannot give {dtype}.", expected="a real floating dtype", fix="draw float32 and cast the result"
        )
    return dtype


def given_integer(*operands: DType, dtype: DType) -> DType:
    """The attribute ``dtype``, which must be an integer one."""
    if dtypes.category(dtype) != dtypes.INTEGER:
        raise DTypeError(f"cannot give {dtype}.", expected="an integer dtype", fix="draw int32 and cast the result")
    return dtype


def joined_dtype(*arrays: DType) -> DType:
    """The operands', of which there must be one."""
    if not arrays:
        # Dtype rules run first, so this is where an empty list is met.
        raise ShapeError(
            "concat([]): nothing to join.", expected="at least one tensor", got="none", fix="pass a non-empty list"
        )
    return arrays[0]


def second_dtype(x: DType, y: DType, *others: DType) -> DType:
    """The second operand's."""
    return y


# --- shapes ---------------------------------------------------------------------------------------------------------


def same_shape(x: Shape, *others: Shape) -> Shape:
    """The first operand's."""
    return x


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


def reduced(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """Without the reduced axes, or with size 1 there."""
    axes = normalise(axis, len(x))
    if keepdims:
        return tuple(1 if place in axes else extent for place, extent in enumerate(x))
    return tuple(extent for place, extent in enumerate(x) if place not in axes)


def reduced_nonempty(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """As `reduced`; the reduced axes must have elements."""
    if any(x[place] == 0 for place in normalise(axis, len(x))):
        raise ShapeError(
            "nothing to choose from.", expected="at least one element", got="an axis of size 0", fix="check the size"
        )
    return reduced(x, axis=axis, keepdims=keepdims)


def reduced_one(x: Shape, *, axis: Any, keepdims: bool) -> Shape:
    """As `reduced_nonempty`, by one axis or all."""
    if isinstance(axis, (tuple, list)):
        raise ShapeError("takes one axis.", expected="an int or None", got=repr(axis), fix="reshape the axes into one")
    return reduced_nonempty(x, axis=axis, keepdims=keepdims)


def along_axis(x: Shape, *, axis: Any) -> Shape:
    """The operand's shape, which must have that axis."""
    normalise(axis, len(x))
    return x


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
