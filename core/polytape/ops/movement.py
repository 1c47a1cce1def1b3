"""Primitives that move elements: strided slices, their replacement, taking and scattering along an axis.

Users index with ``x[key]``; `polytape.ops.indexing` says how such a key is made of these.
"""

from __future__ import annotations

from ..dtypes import INTEGER, DType, category
from ..errors import DTypeError, OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import maximum
from .creation import zeros
from .declaration import op, primitive, states
from .logic import equal
from .manipulation import astype, reshape

__all__ = ["take"]

Shape = tuple[int, ...]


def slice_sizes(start: Shape, stop: Shape, step: Shape) -> Shape:
    """The number of elements that a strided slice takes from each axis."""
    return tuple(len(range(a, b, k)) for a, b, k in zip(start, stop, step, strict=True))


@states(
    takes="[...]",
    returns="the number of elements in each axis's range",
    rejects="a range outside its axis",
    start="per axis, the first position, from 0.",
    stop="per axis, the end of the range, not included; -1 for a range that goes down to position 0.",
    step="per axis, the distance between positions, not 0.",
)
def _sliced(x: Shape, *, start: Shape, stop: Shape, step: Shape) -> Shape:
    if not len(x) == len(start) == len(stop) == len(step):
        raise ShapeError(
            "start, stop and step do not fit.",
            expected=f"{len(x)} numbers each, one per axis",
            got=f"{len(start)}, {len(stop)} and {len(step)}",
            fix="give a full range for an axis that is not sliced",
        )
    for size, a, b, k in zip(x, start, stop, step, strict=True):
        positions = range(a, b, k) if k else range(-1, 0)
        if positions and not (0 <= positions[0] < size and 0 <= positions[-1] < size):
            raise ShapeError(
                "a range leaves its axis.",
                expected=f"positions from 0 to {size - 1}, and a step that is not 0",
                got=f"start {a}, stop {b}, step {k}",
                fix="index with x[start:stop:step], which clips the range",
            )
    return slice_sizes(start, stop, step)


@op(dtype=dtype_rules.same_dtype, shape=_sliced, internal="x[start:stop:step]")
def slice_(x: TensorLike, /, *, start: Shape, stop: Shape, step: Shape) -> Tensor:
    """A strided block of ``x``.

    Source:
        StableHLO 1.0, ``slice``, with negative steps.
    """
    return primitive()


@slice_.gradient("x")
def _slice_back(g: Tensor, x_shape: Shape, start: Shape, stop: Shape, step: Shape) -> Tensor:
    g, start, step = ascending(g, start, step)
    return slice_update(zeros(x_shape, dtype=g.dtype, device=g.device), g, start=start, step=step)


def ascending(x: Tensor, start: Shape, step: Shape) -> tuple[Tensor, Shape, Shape]:
    """The same positions with positive steps, and the elements at them in that order."""
    if all(k > 0 for k in step):
        return x, start, step
    shape = x.shape
    x = slice_(
        x,
        start=tuple(0 if k > 0 or not size else size - 1 for size, k in zip(shape, step, strict=True)),
        stop=tuple(size if k > 0 or not size else -1 for size, k in zip(shape, step, strict=True)),
        step=tuple(1 if k > 0 or not size else -1 for size, k in zip(shape, step, strict=True)),
    )
    first = [a if k > 0 else a + max(size - 1, 0) * k for size, a, k in zip(shape, start, step, strict=True)]
    return x, tuple(first), tuple(abs(k) for k in step)


def _same_dtypes(x: DType, value: DType) -> DType:
    if x is not value:
        raise DTypeError("the dtypes differ.", expected=str(x), got=str(value), fix="cast the values first")
    return x


@states(
    returns="shape of ``x``",
    rejects="a block that does not fit into ``x``",
    start="per axis, the first position, from 0.",
    step="per axis, the distance between positions, above 0.",
)
def _updated(x: Shape, value: Shape, *, start: Shape, step: Shape) -> Shape:
    if not len(x) == len(value) == len(start) == len(step):
        raise ShapeError(
            "the block does not fit.",
            expected=f"a block with {len(x)} axes, and a start and a step for each",
            got=f"a block of shape {value}, {len(start)} starts and {len(step)} steps",
            fix="reshape the block first",
        )
    for size, count, a, k in zip(x, value, start, step, strict=True):
        if count and not (a >= 0 and k > 0 and a + (count - 1) * k < size):
            raise ShapeError(
                "the block does not fit.",
                expected=f"positions from 0 to {size - 1}, and a positive step",
                got=f"{count} positions from {a} by {k}",
                fix="index with x[key] = value, which checks the shapes",
            )
    return x


@op(dtype=_same_dtypes, shape=_updated, internal="x[start:stop:step] = value")
def slice_update(x: TensorLike, value: TensorLike, /, *, start: Shape, step: Shape) -> Tensor:
    """``x`` with a strided block replaced.

    Args:
        x: any dtype[...].
        value: dtype of ``x``, with as many axes: the block.
    Raises:
        ShapeError: a block that does not fit into ``x``. DTypeError: dtypes that differ.
    Source:
        StableHLO 1.0, ``dynamic_update_slice``, with static positions and steps.
    """
    return primitive()


def _block(x: Tensor, shape: Shape, start: Shape, step: Shape) -> Tensor:
    stop = tuple(a + count * k for a, count, k in zip(start, shape, step, strict=True))
    # The end of a range may not lie beyond the next position, but it may lie beyond the axis.
    return slice_(x, start=start, stop=stop, step=step)


@slice_update.gradient("x")
def _update_back(g: Tensor, value_shape: Shape, start: Shape, step: Shape) -> Tensor:
    return slice_update(g, zeros(value_shape, dtype=g.dtype, device=g.device), start=start, step=step)


@slice_update.gradient("value")
def _update_value_back(g: Tensor, value_shape: Shape, start: Shape, step: Shape) -> Tensor:
    return _block(g, value_shape, start, step)


def _scattered_dtype(x: DType, indices: DType, values: DType) -> DType:
    if category(indices) != INTEGER:
        raise DTypeError("indices must be integers.", expected="integers", got=str(indices), fix="cast them to 'int64'")
    return _same_dtypes(x, values)


@states(
    returns="shape of ``x``",
    rejects="values that do not match ``x`` and ``indices``, or another ``mode``",
    axis="the axis whose positions ``indices`` gives.",
    mode='what happens at a position: ``"add"``, ``"max"`` or ``"set"``.',
)
def _scattered(x: Shape, indices: Shape, values: Shape, *, axis: int, mode: str) -> Shape:
    shape_rules.along_axis(x, axis=axis)
    axis = axis % len(x)
    expected = (*x[:axis], *indices, *x[axis + 1 :])
    if len(indices) != 1 or values != expected:
        raise ShapeError(
            "the values do not match the indices.",
            expected=f"indices of rank 1, and values of shape {expected}",
            got=f"indices of shape {indices}, and values of shape {values}",
            fix="reshape or broadcast them first",
        )
    if mode not in ("add", "max", "set"):
        raise ShapeError(f"there is no mode {mode!r}.", expected="add, max or set", got=repr(mode), fix="name one")
    return x


@op(dtype=_scattered_dtype, shape=_scattered, internal="x[indices] = values, and the gradients of take")
def scatter(x: TensorLike, indices: TensorLike, values: TensorLike, /, *, axis: int = 0, mode: str = "add") -> Tensor:
    """``x`` with ``values`` added, or otherwise combined, at positions along an axis; the converse of `take`.

    Args:
        x: numeric[...].
        indices: integer[n]: positions, negative ones counted from the end; for ``"set"`` no position may occur twice.
        values: dtype of ``x``, whose shape has n at ``axis``.
        mode: ``"add"``: all values are added, in any order; ``"max"``: the largest stays; ``"set"``: the value.
    Raises:
        ShapeError: values that do not match ``x`` and ``indices``. DTypeError: indices that are not integers. On the
            host also OutOfRangeError, for a position that does not exist.
    Source:
        StableHLO 1.0, ``scatter``, along one axis.
    """
    return primitive()


@scatter.gradient("x", "values")
def _scatter_back(
    g: Tensor, x: Tensor, y: Tensor, indices: Tensor, values: Tensor, axis: int, mode: str
) -> tuple[Tensor, Tensor]:
    if mode == "add":
        return g, take(g, indices, axis=axis)
    if mode == "set":
        nothing = zeros(values.shape, dtype=g.dtype, device=g.device)
        return scatter(g, indices, nothing, axis=axis, mode="set"), take(g, indices, axis=axis)
    # Everything that ties for the maximum at a position shares its gradient equally.
    largest = astype(equal(x, y), g.dtype)
    among_values = astype(equal(values, take(y, indices, axis=axis)), g.dtype)
    share = g / maximum(scatter(largest, indices, among_values, axis=axis), 1)
    return largest * share, among_values * take(share, indices, axis=axis)


@states(
    takes="[...]",
    returns="{x} with the axis replaced by the axes of ``indices``",
    rejects="an axis that does not exist, or None for an operand of several axes",
    axis="the axis to take from; it may be left out for an operand of rank 1.",
)
def _taken(x: Shape, indices: Shape, *, axis: int | None) -> Shape:
    if axis is None and len(x) == 1:
        axis = 0
    shape_rules.along_axis(x, axis=axis)
    axis = axis % len(x)  # type: ignore[operator]  # along_axis rejects None
    if x[axis] == 0 and shape_rules.count(indices):
        raise OutOfRangeError(
            "there are no elements to take.", expected="an axis with elements", got=f"shape {x}", fix="check the size"
        )
    return (*x[:axis], *indices, *x[axis + 1 :])


def _taken_dtype(x: DType, indices: DType) -> DType:
    if category(indices) != INTEGER:
        raise DTypeError("indices must be integers.", expected="integers", got=str(indices), fix="cast them to 'int64'")
    return x


@op(dtype=_taken_dtype, shape=_taken)
def take(x: TensorLike, indices: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """The elements at positions along an axis.

    Args:
        x: any dtype[...].
        indices: integer[...], of any rank; negative ones count from the end.
    Raises:
        ShapeError: an axis that does not exist. DTypeError: indices that are not integers. OutOfRangeError: a position
            that does not exist, on the host; other devices may take another element.
    """
    return primitive()


@take.gradient("x")
def _take_back(g: Tensor, indices: Tensor, x_shape: Shape, axis: int | None) -> Tensor:
    axis = 0 if axis is None else axis % len(x_shape)
    count = shape_rules.count(indices.shape)
    rows = reshape(g, (*x_shape[:axis], count, *x_shape[axis + 1 :]))
    positions = reshape(indices, count)
    return scatter(zeros(x_shape, dtype=g.dtype, device=g.device), positions, rows, axis=axis)
