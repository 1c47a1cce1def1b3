"""Functions and ops that join, split, repeat, roll and broadcast tensors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import index as as_int

import numpy as np

from ..dispatch.convert import asarray
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, states
from .manipulation import broadcast_to, concat, reshape
from .rearranging import expand_dims, together

__all__ = [
    "array_split",
    "broadcast_arrays",
    "broadcast_shapes",
    "meshgrid",
    "repeat",
    "roll",
    "split",
    "stack",
    "tile",
    "unstack",
]

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


@states(
    takes="[...]",
    returns="the operands' shape, with a new axis",
    rejects="shapes that differ, an axis that the result does not have, or an empty sequence",
    axis="where the new axis is in the result.",
)
def _stacked(*arrays: Shape, axis: int) -> Shape:
    first = arrays[0]
    (place,) = shape_rules.normalise(as_int(axis), len(first) + 1)
    for shape in arrays:
        if shape != first:
            raise ShapeError(
                "the shapes differ.",
                expected=f"operands of shape {first}",
                got=f"shape {shape}",
                fix="broadcast or reshape them first",
            )
    return (*first[:place], len(arrays), *first[place:])


@op(dtype=dtype_rules.joined_dtype, shape=_stacked, promotes=("arrays",))
def stack(arrays: Sequence[TensorLike], /, *, axis: int = 0) -> Tensor:
    """Join tensors along a new axis.

    Args:
        arrays: any dtype[...], of the same shape; promoted together.
    """
    return concat([expand_dims(x, axis) for x in arrays], axis=axis)


@stack.gradient("arrays")
def _stack_back(g: Tensor, index: int, axis: int) -> Tensor:
    return g[(*(slice(None),) * (axis % g.ndim), index)]


def unstack(x: TensorLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The tensors that `stack` would join to ``x``.

    Args:
        x: any dtype[...].
        axis: the axis to take apart.
    Returns:
        As many tensors as the axis has elements.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        Array API standard 2025.12, ``unstack``.
    """
    x = asarray(x)
    shape_rules.along_axis(x.shape, axis=axis)
    lead = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*lead, k)] for k in range(x.shape[axis]))


def array_split(x: TensorLike, sections: int | Sequence[int], /, *, axis: int = 0) -> list[Tensor]:
    """``x`` in several parts along an axis, whose sizes may differ by one.

    Args:
        x: any dtype[...].
        sections: the number of parts, or the positions where parts after the first begin.
        axis: the axis to split.
    Raises:
        ShapeError: an axis that does not exist, or less than one part.
    Source:
        NumPy, ``array_split``.
    """
    x = asarray(x)
    shape_rules.along_axis(x.shape, axis=axis)
    size, lead = x.shape[axis], (slice(None),) * (axis % x.ndim)
    if isinstance(sections, (list, tuple)):
        bounds = [0, *[as_int(place) for place in sections], size]
    else:
        count = as_int(sections)  # type: ignore[arg-type]  # not a sequence here
        if count < 1:
            raise ShapeError(
                "a split needs a part.", expected="1 or more", got=str(count), fix="pass the number of parts"
            )
        bounds = [part * (size // count) + min(part, size % count) for part in range(count + 1)]
    return [x[(*lead, slice(start, stop))] for start, stop in pairwise(bounds)]


def split(x: TensorLike, sections: int | Sequence[int], /, *, axis: int = 0) -> list[Tensor]:
    """``x`` in several parts along an axis.

    Args:
        x: any dtype[...].
        sections: the number of equal parts, or the positions where parts after the first begin.
        axis: the axis to split.
    Raises:
        ShapeError: an axis that does not exist, or that cannot be split into equal parts.
    Source:
        NumPy, ``split``.
    """
    x = asarray(x)
    shape_rules.along_axis(x.shape, axis=axis)
    if not isinstance(sections, (list, tuple)) and x.shape[axis] % max(as_int(sections), 1):  # type: ignore[arg-type]
        raise ShapeError(
            f"split cannot divide {x.shape[axis]} elements into {sections} equal parts.",
            expected="a number that divides the size of the axis",
            got=str(sections),
            fix="use polytape.array_split, or pass the positions where the parts begin",
        )
    return array_split(x, sections, axis=axis)


@states(
    takes="[...]",
    returns="same",
    rejects="an axis that does not exist, or shifts of another number than axes",
    shift="by how many places, for each axis.",
    axis="the axes; None rolls the flattened elements.",
)
def _rolled(x: Shape, *, shift: int | tuple[int, ...], axis: Axis) -> Shape:
    if axis is not None:
        for place in shape_rules.axes_of(axis):
            shape_rules.normalise(place, len(x))
    if isinstance(shift, tuple) and len(shift) != (1 if axis is None else len(shape_rules.axes_of(axis))):
        raise ShapeError(
            "shifts and axes differ.",
            expected="a shift per axis",
            got=f"shift={shift}, axis={axis}",
            fix="pass as many",
        )
    return x


@op(dtype=dtype_rules.same_dtype, shape=_rolled)
def roll(x: TensorLike, /, shift: int | tuple[int, ...], *, axis: Axis = None) -> Tensor:
    """``x`` with its elements moved along axes; those that leave at the end return at the beginning."""
    x = asarray(x)
    if axis is None:
        return reshape(roll(reshape(x, x.size), shift, axis=0), x.shape)
    axes = shape_rules.axes_of(axis)
    shifts = [as_int(n) for n in shift] if isinstance(shift, tuple) else [as_int(shift)] * len(axes)
    for number, distance in zip(axes, shifts, strict=True):
        place = number % x.ndim
        size = x.shape[place]
        if size and distance % size:
            lead, cut = (slice(None),) * place, size - distance % size
            x = concat([x[(*lead, slice(cut, None))], x[(*lead, slice(None, cut))]], axis=place)
    return x


@roll.gradient("x")
def _roll_back(g: Tensor, shift: int | tuple[int, ...], axis: Axis) -> Tensor:
    return roll(g, tuple(-n for n in shift) if isinstance(shift, tuple) else -shift, axis=axis)


def tile(x: TensorLike, repetitions: int | tuple[int, ...], /) -> Tensor:
    """Copies of ``x`` side by side.

    Args:
        x: any dtype[...].
        repetitions: how many copies along each axis; shorter shapes and tuples are filled up with 1 at the front.
    Raises:
        ShapeError: a negative number of copies.
    Source:
        Array API standard 2025.12, ``tile``.
    """
    x = asarray(x)
    counts = shape_rules.as_shape(repetitions)
    rank = max(x.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    shape = (1,) * (rank - x.ndim) + x.shape
    spread = broadcast_to(
        reshape(x, tuple(n for size in shape for n in (1, size))),
        tuple(n for count, size in zip(counts, shape, strict=True) for n in (count, size)),
    )
    return reshape(spread, tuple(count * size for count, size in zip(counts, shape, strict=True)))


def repeat(x: TensorLike, repeats: int | TensorLike | Sequence[int], /, *, axis: int | None = None) -> Tensor:
    """Each element of ``x`` several times.

    Args:
        x: any dtype[...].
        repeats: how often; one number, or one per element along the axis, which are read on the host.
        axis: the axis along which elements are repeated; None flattens ``x`` first.
    Raises:
        ShapeError: an axis that does not exist, numbers of another size, or a negative number.
        TraceError: numbers in a tensor of a traced function.
    Source:
        Array API standard 2025.12, ``repeat``.
    """
    from .movement import take  # this family is loaded only when it is used

    x = asarray(x)
    if axis is None:
        x, axis = reshape(x, x.size), 0
    shape_rules.along_axis(x.shape, axis=axis)
    axis = axis % x.ndim
    size = x.shape[axis]
    counts = np.asarray(repeats)
    if counts.ndim > 1 or counts.size not in (1, size) or (counts < 0).any():
        raise ShapeError(
            "repeat: the numbers do not fit.",
            expected=f"one number of 0 or more, or {size} of them",
            got=f"{counts.tolist()}",
            fix="pass a number for each element along the axis",
        )
    if counts.size == 1:
        count = int(counts.reshape(-1)[0])
        wide = broadcast_to(expand_dims(x, axis + 1), (*x.shape[: axis + 1], count, *x.shape[axis + 1 :]))
        return reshape(wide, (*x.shape[:axis], size * count, *x.shape[axis + 1 :]))
    positions = np.repeat(np.arange(size), counts)
    return take(x, asarray(positions, device=x.device), axis=axis)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that tensors of these shapes broadcast to.

    Raises:
        ShapeError: they do not broadcast.
    Source:
        Array API standard 2025.12, ``broadcast_shapes``.
    """
    return shape_rules.broadcast(*(shape_rules.as_shape(shape) for shape in shapes)) if shapes else ()


def broadcast_arrays(*arrays: TensorLike) -> tuple[Tensor, ...]:
    """The tensors, each broadcast to the common shape.

    Raises:
        ShapeError: they do not broadcast.
    Source:
        Array API standard 2025.12, ``broadcast_arrays``.
    """
    tensors = together(*arrays)
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x if x.shape == shape else broadcast_to(x, shape) for x in tensors)


def meshgrid(*arrays: TensorLike, indexing: str = "xy") -> tuple[Tensor, ...]:
    """The coordinates of a grid: each vector broadcast along the axes of the others.

    Args:
        arrays: any dtype[n] each: the coordinates along one axis; a number counts as a vector of one.
        indexing: ``"xy"``: the first two axes are exchanged, as for pictures; ``"ij"``: they are not.
    Returns:
        One tensor per vector, of the shape of the grid.
    Raises:
        ShapeError: an operand with several axes, or another ``indexing``.
    Source:
        Array API standard 2025.12, ``meshgrid``.
    """
    tensors = together(*arrays)
    if indexing not in ("xy", "ij") or any(x.ndim > 1 for x in tensors):
        raise ShapeError(
            "meshgrid takes vectors, and indexing='xy' or 'ij'.",
            expected="operands with one axis",
            got=f"shapes {[x.shape for x in tensors]}, indexing={indexing!r}",
            fix="flatten the operands",
        )
    rank = len(tensors)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    sizes = [0] * rank
    for place, x in zip(places, tensors, strict=True):
        sizes[place] = x.size
    grid = []
    for place, x in zip(places, tensors, strict=True):
        along = tuple(x.size if axis == place else 1 for axis in range(rank))
        grid.append(broadcast_to(reshape(x, along), tuple(sizes)))
    return tuple(grid)
