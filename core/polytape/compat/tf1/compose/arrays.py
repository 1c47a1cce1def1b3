"""Compositions of ops that create, join, index and rearrange."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import first, integers, real, same, sizes, tensor, tensors

__all__ = [
    "constant_of",
    "counted",
    "flipped",
    "gathered",
    "gathered_by_rows",
    "is_slices",
    "one_hot_of",
    "parts",
    "rolled",
    "segments",
    "sliced",
    "spaced",
    "squeezed",
    "stacked",
    "transposed",
    "unsorted",
    "unsorted_sqrt_n",
    "unstacked",
]


def is_slices(value: Any) -> bool:
    """Whether ``value`` is an IndexedSlices."""
    return isinstance(value, pt.IndexedSlices)


def flipped(x: Tensor, axis: Any) -> Tensor:
    """``x`` in reverse order along axes."""
    return pt.flip(x, axis=tuple(integers(axis)))


def _in_range(indices: Tensor, extent: int) -> None:
    """Reject negative indices, which polytape counts from the end."""
    if indices.size and not indices._is_symbolic() and int(pt.min(indices)) < 0:
        raise invalid(
            f"an index {int(pt.min(indices))} is not in [0, {extent}).",
            expected=f"indices from 0 to {extent - 1}",
            got=str(int(pt.min(indices))),
            fix="TensorFlow has no negative indices in gather; add the size",
        )


def gathered(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Slices of ``x`` along an axis; ``indices`` may have any number of axes."""
    _in_range(indices, x.shape[axis] if x.ndim else 0)
    return pt.take(x, indices, axis=axis)


def gathered_by_rows(x: Tensor, indices: Tensor) -> Tensor:
    """`tf.gather_nd`: ``x[i, j, ...]`` for each row ``[i, j, ...]`` of indices."""
    depth = indices.shape[-1]
    if depth > x.ndim:
        raise invalid(
            f"gather_nd needs index rows of at most {x.ndim} numbers.",
            expected=f"indices of shape [..., {x.ndim}] or less",
            got=f"shape {indices.shape}",
            fix="index one axis per number",
        )
    if depth == 0:
        return pt.broadcast_to(x, (*indices.shape[:-1], *x.shape))
    _in_range(indices, min(x.shape[:depth]))
    return x[tuple([indices[..., axis] for axis in range(depth)])]


def one_hot_of(indices: Tensor, depth: int, on: Any, off: Any, axis: int, dtype: Any) -> Tensor:
    """`tf.one_hot`: ``on`` at the indices, ``off`` elsewhere."""
    if on is None and off is None:
        wanted = pt.float32 if dtype is None else dtype
        hot = pt.one_hot(indices, depth, axis=axis)
        return pt.astype(hot, wanted)
    wanted = first(dtype, tensor(first(on, off)).dtype)
    mask = pt.astype(pt.one_hot(indices, depth, axis=axis), "bool")
    return pt.where(mask, tensor(first(on, 1), wanted), tensor(first(off, 0), wanted))


def stacked(values: Any, axis: int) -> Tensor:
    """`tf.stack`: tensors of one shape along a new axis; a list of numbers is one tensor of the dtype of all."""
    if any(isinstance(value, Tensor) for value in values):
        return pt.stack(tensors(values), axis=axis)
    return pt.moveaxis(tensor(values), 0, axis)


def segments(ids: Any) -> int:
    """The number of sorted segments: the last id plus 1."""
    found = tensor(ids)
    return int(found[-1]) + 1 if found.size else 0


def unsorted(op: Callable[..., Tensor], data: Tensor, ids: Tensor, count: int) -> Tensor:
    """A reduction of segments in any order; elements with a negative id are left out."""
    rest = data.shape[ids.ndim :]
    flat, rows = pt.flatten(ids), pt.reshape(data, (ids.size, *rest))
    # One more segment takes the elements that are left out.
    result = op(rows, pt.where(flat < 0, count, flat), num_segments=count + 1)[:count]
    if data.dtype.kind == "f" and op in (pt.segment_max, pt.segment_min):
        limits = pt.finfo(data.dtype)  # TensorFlow's value of an empty segment, where polytape has an infinity
        return pt.clip(result, limits.min, limits.max)
    return result


def unsorted_sqrt_n(data: Tensor, ids: Tensor, count: int) -> Tensor:
    """Sums of segments, divided by the square roots of the numbers of their elements."""
    sums = unsorted(pt.segment_sum, real(data), ids, count)
    sizes_of = unsorted(pt.segment_sum, pt.ones(ids.shape, dtype=data.dtype), ids, count)
    return sums / pt.sqrt(pt.maximum(pt.reshape(sizes_of, (count,) + (1,) * (sums.ndim - 1)), 1.0))


def sliced(x: Tensor, begin: list[int], size: list[int]) -> Tensor:
    """`tf.slice`: ``size`` elements from ``begin``; the size -1 takes the rest."""
    if not len(begin) == len(size) == x.ndim:
        raise invalid(
            f"slice of {x.shape} needs a begin and a size per axis.",
            expected=f"{x.ndim} numbers each",
            got=f"begin={begin}, size={size}",
            fix="give 0 and -1 for an axis that stays whole",
        )
    key = []
    for extent, start, length in zip(x.shape, begin, size, strict=True):
        stop = extent if length == -1 else start + length
        if not 0 <= start <= stop <= extent:
            raise invalid(
                f"slice of {x.shape} from {begin} with size {size} is not inside the tensor.",
                expected="0 <= begin <= begin + size <= extent on each axis",
                got=f"begin {start} and size {length} on an axis of {extent}",
                fix="shorten the slice",
            )
        key.append(slice(start, stop))
    return x[tuple(key)]


def spaced(start: Any, stop: Any, count: int) -> Tensor:
    """`tf.linspace`: numbers at equal distances, both ends included."""
    low, high = map(real, same(start, stop))
    if count <= 0:
        raise invalid("linspace needs a positive number of points.", "num > 0", str(count), "ask for at least one")
    if count == 1:
        return pt.reshape(low, (1,))
    steps = pt.linspace(0.0, 1.0, count, dtype=low.dtype)
    result: Tensor = low + steps * (high - low)
    return result


def parts(x: Tensor, sections: Any, axis: int) -> list[Tensor]:
    """`tf.split`: into a number of equal parts, or into parts of the given sizes, of which one may be -1."""
    if not hasattr(sections, "__iter__") or (isinstance(sections, Tensor) and sections.ndim == 0):
        return list(pt.split(x, int(sections), axis=axis))
    wanted = integers(sections)
    if -1 in wanted:
        wanted[wanted.index(-1)] = x.shape[axis] - sum(wanted) - 1
    if sum(wanted) != x.shape[axis] or min(wanted, default=0) < 0:
        raise invalid(
            f"split of {x.shape} into {wanted} along axis {axis}.",
            expected=f"sizes that add up to {x.shape[axis]}",
            got=f"{wanted}, together {sum(wanted)}",
            fix="one size may be -1: it takes the rest",
        )
    borders = [sum(wanted[: index + 1]) for index in range(len(wanted) - 1)]
    return list(pt.split(x, borders, axis=axis)) if borders else [pt.identity(x)]


def squeezed(x: Tensor, axis: Any) -> Tensor:
    """``x`` without axes of size 1: all of them, or those named."""
    if axis is None or axis == ():
        axis = tuple([index for index, extent in enumerate(x.shape) if extent == 1])
    return pt.squeeze(x, axis)


def transposed(x: Tensor, perm: Any, conjugate: bool) -> Tensor:
    """``x`` with its axes in another order, by default reversed."""
    order = tuple(range(x.ndim))[::-1] if perm is None else sizes(perm)
    result = pt.permute_dims(x, order)
    return pt.conj(result) if conjugate else result


def unstacked(x: Tensor, num: Any, axis: int) -> list[Tensor]:
    """The slices of ``x`` along an axis."""
    if num is not None and int(num) != x.shape[axis]:
        raise invalid(
            f"unstack of {x.shape} into {num} along axis {axis}.",
            expected=f"num={x.shape[axis]}, or none",
            got=f"num={num}",
            fix="leave num out",
        )
    return list(pt.unstack(x, axis=axis))


def rolled(x: Tensor, shift: list[int], axis: list[int]) -> Tensor:
    """`tf.manip.roll`: an axis may be named more than once; its shifts add up."""
    by_axis: dict[int, int] = {}
    for distance, index in zip(shift, axis, strict=True):
        by_axis[index] = by_axis.get(index, 0) + distance
    return pt.roll(x, tuple(by_axis.values()), axis=tuple(by_axis))


def constant_of(value: Any, dtype: Any, shape: Any) -> Tensor:
    """`tf.constant`: a tensor of ``value``'s elements in the given shape; a single element fills it.

    Raises:
        TypeError: the shape has another number of elements.
    """
    found = tensor(value, dtype) if not isinstance(value, Tensor) else value
    if shape is None:
        return found
    extents = sizes(shape)
    count = math.prod(extents)
    if found.size == count:
        return pt.reshape(found, extents)
    if found.size == 1:
        return pt.broadcast_to(pt.reshape(found, ()), extents)
    raise TypeError(
        f"Eager execution of tf.constant with unsupported shape (value has {found.size} elements, shape is {extents} "
        f"with {count} elements)."
    )


def counted(start: Any, limit: Any, delta: Any, dtype: Any) -> Tensor:
    """`tf.range`: numbers from start to limit, exclusive, in the dtype that all three have, or the widest of them."""
    bounds = [tensor(value) for value in ((0, start, delta) if limit is None else (start, limit, delta))]
    order = [pt.int32, pt.int64, pt.float32, pt.float64]
    wanted = dtype if dtype is not None else max([bound.dtype for bound in bounds], key=order.index)
    low, high, step = [pt.astype(bound, wanted).item() for bound in bounds]
    if step == 0 or (high - low) * step < 0:
        raise invalid(
            f"range({low}, {high}, {step}) has no end.",
            expected="a delta that leads from start to limit",
            got=f"delta={step}",
            fix="change the sign of delta",
        )
    return pt.arange(low, high, step, dtype=wanted)
