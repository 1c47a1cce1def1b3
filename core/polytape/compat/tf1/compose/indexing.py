"""Masks, partitions, scattering, sets and histograms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import generator, integers, same, tensor
from .arrays import gathered_by_rows, is_slices, unsorted, unsorted_sqrt_n

__all__ = [
    "bins_of",
    "checked",
    "chosen",
    "clipped",
    "clipped_by_average",
    "clipped_together",
    "confusions",
    "cropped_at_random",
    "dense_of",
    "difference",
    "distinct",
    "drawn",
    "histogram_of",
    "inverse_permutation",
    "length_mask",
    "masked",
    "norm_of_all",
    "partitioned",
    "picked_segments",
    "picked_sqrt_n",
    "positions",
    "same_bits",
    "scattered",
    "slices_or_tensor",
    "steps_of",
    "stitched",
    "with_elements",
    "with_rows",
]


class Unique(NamedTuple):
    """The distinct values in the order in which they appear first, and for each element the place of its value."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """As `Unique`, and how often each value occurs."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment]  # TensorFlow's name; it hides tuple.count


class ListDiff(NamedTuple):
    """The values that are not in the other list, and their places."""

    out: Tensor
    idx: Tensor


def slices_or_tensor(value: Any) -> Any:
    """A tensor; IndexedSlices and None as they are."""
    return value if value is None or is_slices(value) else tensor(value)


def norm_of_all(parts: Sequence[Any]) -> Tensor:
    """`tf.global_norm`, which takes the rows of IndexedSlices as they are, also if one occurs several times."""
    return pt.optim.global_norm([_values(part) for part in parts])


def clipped_together(parts: Sequence[Any], clip_norm: Any, use_norm: Any) -> tuple[list[Any], Tensor]:
    """`tf.clip_by_global_norm`, by the norm of `norm_of_all`."""
    clipped, norm = pt.optim.clip_by_global_norm([_values(part) for part in parts], clip_norm, use_norm)
    pairs = zip(parts, clipped, strict=True)
    return [pt.IndexedSlices(x, part.indices, part.dense_shape) if is_slices(part) else x for part, x in pairs], norm


def _values(part: Any) -> Any:
    return part.values if is_slices(part) else None if part is None else tensor(part)


def masked(x: Tensor, mask: Tensor, axis: int) -> Tensor:
    """`tf.boolean_mask`: the slices of ``x`` for which the mask, which covers axes from ``axis`` on, is true.

    Raises:
        ValueError: the mask has no axes, or other sizes than ``x``.
    """
    if mask.ndim == 0:
        raise ValueError("mask cannot be scalar.")
    if x.shape[axis : axis + mask.ndim] != mask.shape:
        raise ValueError(f"Shapes {x.shape[axis : axis + mask.ndim]} and {mask.shape} are incompatible")
    key: tuple[Any, ...] = (*[slice(None)] * axis, mask)
    return x[key]


def chosen(condition: Any, x: Any, y: Any) -> Tensor:
    """`tf.where`: the places where the condition holds, or elements of ``x`` where it holds and of ``y`` elsewhere.

    Raises:
        ValueError: only one of both is given.
    """
    mask = tensor(condition, "bool") if not isinstance(condition, Tensor) else condition
    if x is None and y is None:
        return pt.astype(pt.argwhere(mask), "int64")
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    first, second = same(x, y)
    if first.shape != second.shape:
        raise _unequal("where", first, second)
    if mask.ndim == 1 and first.ndim > 1:
        mask = pt.reshape(mask, (-1,) + (1,) * (first.ndim - 1))
    elif mask.shape != first.shape and mask.ndim:
        raise _unequal("where", mask, first)
    return pt.where(mask, first, second)


def _unequal(name: str, x: Tensor, y: Tensor) -> Exception:
    return invalid(
        f"{name} of {x.shape} and {y.shape}.",
        expected="operands of the same shape; TensorFlow's where does not broadcast",
        got=f"{x.shape} and {y.shape}",
        fix="x + tf.zeros_like(y) gives both one shape",
    )


def partitioned(data: Tensor, partitions: Tensor, count: int) -> list[Tensor]:
    """`tf.dynamic_partition`: for each number, the elements of ``data`` with that number."""
    if partitions.size and not 0 <= int(pt.min(partitions)) <= int(pt.max(partitions)) < count:
        raise invalid(
            "dynamic_partition got a partition that does not exist.",
            expected=f"numbers from 0 to {count - 1}",
            got=f"numbers from {int(pt.min(partitions))} to {int(pt.max(partitions))}",
            fix="raise num_partitions",
        )
    return [data[pt.equal(partitions, number)] for number in range(count)]


def stitched(indices: Any, data: Any) -> Tensor:
    """`tf.dynamic_stitch`: rows of several tensors in the places that the indices name; the last of several wins."""
    places = [tensor(item) for item in indices]
    rows = same(*data)
    rest = rows[0].shape[places[0].ndim :]
    joined = pt.concat([pt.reshape(row, (place.size, *rest)) for row, place in zip(rows, places, strict=True)])
    numbers = [number for place in places for number in pt.flatten(place).tolist()]
    last = {number: position for position, number in enumerate(numbers)}
    length = max(numbers, default=-1) + 1
    result = pt.take(joined, tensor([last.get(number, 0) for number in range(length)]), axis=0)
    missing = [number not in last for number in range(length)]
    if any(missing):
        form = (length,) + (1,) * len(rest)
        result = pt.where(pt.reshape(pt.asarray(missing), form), pt.zeros_like(result), result)
    return result


def scattered(indices: Tensor, updates: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`tf.scatter_nd`: zeros, with updates added at the places that the rows of indices name."""
    depth = indices.shape[-1]
    outer, inner = shape[:depth], shape[depth:]
    if updates.shape != (*indices.shape[:-1], *inner):
        raise invalid(
            f"scatter_nd cannot add updates of {updates.shape} at indices of {indices.shape}.",
            expected=f"updates of shape {(*indices.shape[:-1], *inner)}",
            got=f"shape {updates.shape}",
            fix="one update per row of indices, of the shape of what the row selects",
        )
    if indices.size:
        for axis, extent in enumerate(outer):
            column = indices[..., axis]
            if not 0 <= int(pt.min(column)) <= int(pt.max(column)) < extent:
                raise invalid(
                    f"scatter_nd has an index that is outside of the shape {shape}.",
                    expected=f"indices from 0 to {extent - 1} on axis {axis}",
                    got=f"indices from {int(pt.min(column))} to {int(pt.max(column))}",
                    fix="enlarge the shape, or leave the update out",
                )
    strides = [math.prod(outer[axis + 1 :]) for axis in range(depth)]
    flat = pt.sum(indices * pt.asarray(strides, indices.dtype), axis=-1, dtype=indices.dtype)
    rows = pt.reshape(updates, (flat.size, *inner))
    result = pt.segment_sum(rows, pt.flatten(flat), num_segments=math.prod(outer))
    return pt.reshape(result, shape)


def with_elements(ref: Any, indices: Tensor, updates: Any, sign: int) -> Any:
    """`tf.scatter_nd_update` and its kin: the variable, with new elements, or with ``sign * updates`` added to them."""
    old = ref.read_value()
    values = pt.broadcast_to(tensor(updates, old.dtype), (*indices.shape[:-1], *old.shape[indices.shape[-1] :]))
    if sign:
        return ref.assign(old + sign * scattered(indices, values, old.shape))
    gathered_by_rows(old, indices)  # raises for indices that are out of range
    old[tuple([indices[..., axis] for axis in range(indices.shape[-1])])] = values
    return ref.assign(old)


def with_rows(ref: Any, indices: Tensor, updates: Any, sign: int) -> Any:
    """`tf.scatter_update` and its kin: as `with_elements` for whole slices along the first axis."""
    return with_elements(ref, pt.expand_dims(indices, indices.ndim), updates, sign)


def dense_of(indices: Tensor, shape: tuple[int, ...], values: Any, default: Any) -> Tensor:
    """`tf.sparse_to_dense`: the values at the indices, ``default`` elsewhere."""
    rows = pt.reshape(indices, (-1, 1)) if indices.ndim < 2 else indices
    numbers, filler = same(values, default)
    numbers = pt.broadcast_to(numbers, (rows.shape[0],))
    hits = scattered(rows, pt.ones(numbers.shape, dtype="int32"), shape)
    if bool(pt.any(hits > 1)):
        raise invalid("sparse_to_dense has an index twice.", "distinct indices", "a repeated index", "remove it")
    return pt.where(hits > 0, scattered(rows, numbers, shape), filler)


def picked_segments(op: Callable[..., Tensor], data: Tensor, indices: Tensor, ids: Tensor, count: Any) -> Tensor:
    """Segments of the rows of ``data`` that the indices name."""
    length = int(ids[-1]) + 1 if count is None and ids.size else int(count or 0)
    return unsorted(op, pt.take(data, indices, axis=0), ids, length)


def picked_sqrt_n(data: Tensor, indices: Tensor, ids: Tensor, count: Any) -> Tensor:
    """Sums of picked rows by segment, divided by the square roots of the numbers of rows."""
    length = int(ids[-1]) + 1 if count is None and ids.size else int(count or 0)
    return unsorted_sqrt_n(pt.take(data, indices, axis=0), ids, length)


def distinct(x: Tensor, index_dtype: Any, counted: bool) -> Any:
    """`tf.unique` and `tf.unique_with_counts`.

    Raises:
        InvalidArgumentError: ``x`` does not have one axis.
    """
    if x.ndim != 1:
        raise invalid("unique expects a 1D vector.", "one axis", f"{x.ndim} axes", "tf.reshape(x, [-1])")
    found = pt.unique_all(x)
    order = pt.argsort(found.indices)  # polytape sorts by value, TensorFlow by first place
    places = pt.astype(pt.take(pt.argsort(order), found.inverse_indices, axis=0), index_dtype)
    values = pt.take(found.values, order, axis=0)
    if not counted:
        return Unique(values, places)
    return UniqueWithCounts(values, places, pt.astype(pt.take(found.counts, order, axis=0), index_dtype))


def difference(x: Tensor, y: Tensor, index_dtype: Any) -> ListDiff:
    """`tf.setdiff1d`: the elements of ``x`` that are not in ``y``, in order."""
    kept = pt.flatnonzero(pt.isin(x, y, invert=True))
    return ListDiff(pt.take(x, kept, axis=0), pt.astype(kept, index_dtype))


def inverse_permutation(x: Tensor) -> Tensor:
    """The permutation that undoes ``x``."""
    if sorted(x.tolist()) != list(range(x.size)):
        raise invalid("not a permutation.", f"the numbers 0 to {x.size - 1}", str(x.tolist()), "remove duplicates")
    return pt.astype(pt.argsort(x), x.dtype)


def positions(indices: Tensor, dims: tuple[int, ...]) -> Tensor:
    """`tf.unravel_index`: the positions along each axis of flat indices."""
    rows, rest = [], indices
    for extent in reversed(dims):
        rows.append(rest % extent)
        rest = rest // extent
    return pt.stack(rows[::-1])


def steps_of(x: Any) -> Tensor:
    """The differences of neighbours of the flattened tensor."""
    flat = pt.flatten(tensor(x))
    return flat[1:] - flat[:-1]


def length_mask(lengths: Tensor, maxlen: Any, dtype: Any) -> Tensor:
    """`tf.sequence_mask`: for each length, ones at the first places."""
    limit = (int(pt.max(lengths)) if lengths.size else 0) if maxlen is None else int(maxlen)
    mask = pt.arange(limit, dtype=lengths.dtype) < pt.expand_dims(lengths, lengths.ndim)
    return pt.astype(mask, dtype)


def confusions(labels: Any, predictions: Any, classes: Any, dtype: Any, weights: Any) -> Tensor:
    """`tf.confusion_matrix`: how often each label got each prediction, or the sum of weights."""
    rows, columns = (pt.astype(tensor(item), "int64") for item in (labels, predictions))
    rows, columns = (pt.squeeze(x, -1) if x.ndim > y.ndim else x for x, y in ((rows, columns), (columns, rows)))
    for name, item in (("labels", rows), ("predictions", columns)):
        if item.size and int(pt.min(item)) < 0:
            raise invalid(f"`{name}` contains negative values", "class numbers", str(int(pt.min(item))), "mask them")
    count = max((int(pt.max(item)) + 1 for item in (rows, columns) if item.size), default=0)
    if classes is not None:
        if count > int(classes):
            raise invalid("`labels` or `predictions` out of bound", f"< {int(classes)}", str(count - 1), "more classes")
        count = int(classes)
    amounts = pt.ones(rows.shape, dtype=dtype) if weights is None else pt.astype(tensor(weights), dtype)
    return scattered(pt.stack([rows, columns], axis=1), amounts, (count, count))


def bins_of(values: Any, limits: Any, count: int, dtype: Any) -> Tensor:
    """`tf.histogram_fixed_width_bins`: the bin of each value; values outside go to the first and last bin."""
    x, ends = same(values, limits)
    low, high = ends[0], ends[1]
    if not bool(low < high):
        raise invalid("value_range must be rising.", "value_range[0] < value_range[1]", str(ends.tolist()), "swap them")
    scaled = pt.floor(pt.astype(count * (pt.astype(x, "float64") - low) / (high - low), "float64"))
    return pt.astype(pt.clip(scaled, 0, count - 1), dtype)


def histogram_of(values: Any, limits: Any, count: int, dtype: Any) -> Tensor:
    """`tf.histogram_fixed_width`: the number of values in each bin."""
    return pt.astype(pt.bincount(pt.flatten(bins_of(values, limits, count, pt.int32)), length=count), dtype)


def clipped(t: Any, norm: Any, axes: Any) -> Any:
    """`tf.clip_by_norm`: by the norm of all elements, or of slices along axes."""
    if axes is None:
        return pt.optim.clip_by_norm(slices_or_tensor(t), norm)
    x = tensor(t)
    length = pt.sqrt(pt.sum(pt.square(x), axis=tuple(integers(axes)), keepdims=True))
    return x * (norm / pt.maximum(length, tensor(norm, x.dtype)))


def clipped_by_average(x: Tensor, norm: Any) -> Tensor:
    """`tf.clip_by_average_norm`: by the norm divided by the number of elements."""
    return pt.optim.clip_by_norm(x, tensor(norm, x.dtype) * x.size)


def checked(x: Tensor, message: str) -> Tensor:
    """`tf.check_numerics`: the tensor; raises InvalidArgumentError if it has NaN or infinite elements."""
    found = [kind for kind, test in (("Inf", pt.isinf), ("NaN", pt.isnan)) if bool(pt.any(test(x)))]
    if found:
        raise invalid(f"{message} : Tensor had {' and '.join(found)} values")
    return pt.identity(x)


def drawn(logits: Tensor, count: int, seed: Any, dtype: Any) -> Tensor:
    """`tf.multinomial`: ``count`` class numbers for each row of logits."""
    rows = pt.expand_dims(logits, 1)
    return pt.random.categorical(rows, (logits.shape[0], count), dtype=dtype, generator=generator(seed))


def cropped_at_random(x: Tensor, size: tuple[int, ...], seed: Any) -> Tensor:
    """`tf.random_crop`: a block of a size, from a random place."""
    if len(size) != x.ndim or any(want > have for want, have in zip(size, x.shape, strict=True)):
        raise invalid(f"random_crop of {x.shape} to {size}.", "a size that fits", str(size), "make it smaller")
    key = []
    for want, have in zip(size, x.shape, strict=True):
        start = int(pt.random.integers(0, have - want + 1, (), generator=generator(seed)))
        key.append(slice(start, start + want))
    return x[tuple(key)]


def same_bits(x: Tensor, dtype: Any) -> Tensor:
    """`tf.bitcast`: the same bytes as another dtype; has no gradient."""
    host, ours, theirs = x.numpy(), x.dtype.itemsize, dtype.itemsize
    if theirs > ours:
        if not x.ndim or x.shape[-1] * ours != theirs:
            raise invalid(
                f"bitcast of {x.shape} to {dtype}.", f"a last axis of {theirs // ours}", str(x.shape), "reshape"
            )
        return pt.asarray(host.copy().view(dtype)[..., 0])
    if theirs < ours:
        return pt.asarray(host[..., None].copy().view(dtype))
    return pt.asarray(host.copy().view(dtype))
