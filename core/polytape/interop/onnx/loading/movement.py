"""Nodes that create, move and select elements."""

from __future__ import annotations

import itertools
import math
from typing import Any

import polytape as pt

from .registry import as_dtype, constant, integer, integers, node

# --- creation ---------------------------------------------------------------------------------------------------------


@node("Constant")
def _constant_node(
    *, value: Any = None, value_float: float | None = None, value_int: int | None = None,
    value_floats: list[float] | None = None, value_ints: list[int] | None = None,
) -> Any:  # fmt: skip
    if value is not None:
        return constant(value)
    if value_float is not None or value_floats is not None:
        return constant(value_floats if value_float is None else value_float, pt.float32)
    return constant(value_ints if value_int is None else value_int, pt.int64)


@node("ConstantOfShape", host="shape")
def _constant_of_shape(shape: Any, *, value: Any = None) -> Any:
    number, dtype = (0.0, pt.float32) if value is None else (value.item(), value.dtype)
    return pt.full(tuple(integers(shape)), number, dtype=dtype)


@node("EyeLike", by_shape=True)
def _eye_like(x: Any, *, dtype: int | None = None, k: int = 0) -> Any:
    return pt.eye(*x.shape, k=k, dtype=x.dtype if dtype is None else as_dtype(dtype))


@node("Range", host="start limit delta")
def _arange(start: Any, limit: Any, delta: Any, *, stash_type: int = 1) -> Any:
    return pt.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


@node("Shape", by_shape=True)
def _shape(x: Any, *, start: int = 0, end: int | None = None) -> Any:
    return constant(x.shape[start:end], pt.int64)


@node("Size", by_shape=True)
def _size(x: Any) -> Any:
    return constant(math.prod(x.shape), pt.int64)


@node("OneHot", host="depth")
def _one_hot(indices: Any, depth: Any, values: Any, *, axis: int = -1) -> Any:
    count = integer(depth)
    indices = pt.astype(indices, pt.int64)
    hot = pt.one_hot(pt.where(indices < 0, indices + count, indices), count, axis=axis, dtype=pt.bool)
    return pt.where(hot, values[1], values[0])


@node("Trilu", host="k")
def _trilu(x: Any, k: Any = 0, *, upper: int = 1) -> Any:
    return (pt.triu if upper else pt.tril)(x, k=0 if k is None else integer(k))


# --- shapes -----------------------------------------------------------------------------------------------------------


@node("Concat")
def _concat(*xs: Any, axis: int) -> Any:
    return pt.concat(xs, axis=axis)


@node("Expand", host="shape")
def _expand(x: Any, shape: Any) -> Any:
    return pt.broadcast_to(x, pt.broadcast_shapes(x.shape, tuple(integers(shape))))


@node("Flatten")
def _flatten(x: Any, *, axis: int = 1) -> Any:
    axis = axis + x.ndim if axis < 0 else axis
    return pt.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@node("Reshape", host="shape")
def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    sizes = integers(shape)
    if not allowzero:  # a 0 copies the operand's size
        sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return pt.reshape(x, tuple(sizes))


@node("Squeeze", host="axes")
def _squeeze(x: Any, axes: Any = None) -> Any:
    return pt.squeeze(x, tuple(i for i, n in enumerate(x.shape) if n == 1) if axes is None else tuple(integers(axes)))


@node("Unsqueeze", host="axes")
def _unsqueeze(x: Any, axes: Any) -> Any:
    return pt.expand_dims(x, tuple(integers(axes)))


@node("Transpose")
def _transpose(x: Any, *, perm: list[int] | None = None) -> Any:
    return pt.permute_dims(x, tuple(reversed(range(x.ndim))) if perm is None else tuple(perm))


@node("Tile", host="repeats")
def _tile(x: Any, repeats: Any) -> Any:
    return pt.tile(x, tuple(integers(repeats)))


@node("Split", host="split")
def _split(x: Any, split: Any = None, *, axis: int = 0, num_outputs: int | None = None, run: Any) -> tuple[Any, ...]:
    return tuple(parts(x, split, axis, num_outputs or run.outputs))


def parts(x: Any, split: Any, axis: int, count: int) -> list[Any]:
    """``x`` in parts of the sizes ``split``, or in ``count`` parts of which the last may be smaller."""
    length = x.shape[axis]
    sizes = [math.ceil(length / count)] * count if split is None else integers(split)
    bounds = [min(n, length) for n in itertools.accumulate([0, *sizes])]
    before = (slice(None),) * (axis % x.ndim)
    return [x[(*before, slice(start, stop))] for start, stop in itertools.pairwise(bounds)]


@node("Slice", host="starts ends axes steps")
def _slice_node(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    key = [slice(None)] * x.ndim
    bounds = [integers(starts), integers(ends)]
    chosen = range(len(bounds[0])) if axes is None else integers(axes)
    strides = [1] * len(bounds[0]) if steps is None else integers(steps)
    for axis, start, stop, step in zip(chosen, *bounds, strides, strict=True):
        # A stop before the first element, which Python would count from the end.
        before_all = step < 0 and stop < -x.shape[axis]
        key[axis] = slice(start, None if before_all else stop, step)
    return x[tuple(key)]


@node("Pad", host="pads axes")
def _pad(
    x: Any, pads: Any, constant_value: Any = None, axes: Any = None, *, mode: str = "constant", value: float = 0.0
) -> Any:
    numbers = integers(pads)
    chosen = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in integers(axes)]
    pairs = dict(zip(chosen, zip(numbers, numbers[len(chosen) :], strict=False), strict=True))
    widths = [pairs.get(axis, (0, 0)) for axis in range(x.ndim)]
    cut = tuple(slice(-min(before, 0), n + min(after, 0)) for (before, after), n in zip(widths, x.shape, strict=True))
    widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    if mode != "constant":
        return pt.pad(x[cut], widths, mode=mode)
    if constant_value is None:
        return pt.pad(x[cut], widths, constant_values=value)
    # The value may be a tensor that is not known yet: the padded places are where a padded mask is 0.
    inside = pt.pad(pt.ones(x[cut].shape, dtype=pt.bool), widths, constant_values=False)
    return pt.where(inside, pt.pad(x[cut], widths), pt.reshape(constant_value, ()))


@node("CenterCropPad", host="shape")
def _center_crop_pad(x: Any, shape: Any, *, axes: list[int] | None = None) -> Any:
    for axis, size in zip(range(x.ndim) if axes is None else axes, integers(shape), strict=True):
        n = x.shape[axis]
        before = (slice(None),) * (axis % x.ndim)
        if n > size:
            start = (n - size) // 2
            x = x[(*before, slice(start, start + size))]
        elif n < size:
            widths = [(0, 0)] * x.ndim
            widths[axis] = ((size - n) // 2, size - n - (size - n) // 2)
            x = pt.pad(x, widths)
    return x


# --- positions --------------------------------------------------------------------------------------------------------


@node("Gather")
def _gather(x: Any, indices: Any, *, axis: int = 0) -> Any:
    return pt.take(x, indices, axis=axis)


@node("ArrayFeatureExtractor")
def _array_feature_extractor(x: Any, indices: Any) -> Any:
    return pt.take(x, pt.reshape(indices, (-1,)), axis=-1)


@node("GatherElements")
def _gather_elements(x: Any, indices: Any, *, axis: int = 0) -> Any:
    return pt.take_along_axis(_cropped(x, indices, axis), indices, axis=axis)


def _cropped(x: Any, indices: Any, axis: int) -> Any:
    """``x`` without the rows that no index can name: along other axes, an index stands for itself."""
    axis %= x.ndim
    return x[tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(indices.shape))]


@node("GatherND")
def _gather_nd(x: Any, indices: Any, *, batch_dims: int = 0) -> Any:
    return x[_key(x, indices, batch_dims)]


def _key(x: Any, indices: Any, batch_dims: int = 0) -> tuple[Any, ...]:
    """The key of ``x`` that rows of indices mean, below some leading axes that both share."""
    rank = indices.ndim - 1
    batch = []
    for axis in range(batch_dims):
        sizes = [1] * rank
        sizes[axis] = x.shape[axis]
        batch.append(pt.reshape(pt.arange(x.shape[axis]), tuple(sizes)))
    return (*batch, *(indices[..., i] for i in range(indices.shape[-1])))


def _combined(old: Any, key: Any, values: Any, reduction: str) -> Any:
    """``old`` with values put, added, ... at the places of a key of integer tensors."""
    if reduction == "none":
        new = pt.identity(old)
        new[key] = values
        return new
    # One row per update: the flat position, then a reduction by segments of what falls on one place.
    places = pt.reshape(pt.arange(math.prod(old.shape), dtype=pt.int64), old.shape)[key]
    flat, rows = pt.reshape(old, (-1,)), pt.reshape(pt.broadcast_to(values, places.shape), (-1,))
    places = pt.concat([pt.arange(flat.shape[0], dtype=pt.int64), pt.reshape(places, (-1,))])
    op = {"add": pt.segment_sum, "mul": pt.segment_prod, "max": pt.segment_max, "min": pt.segment_min}[reduction]
    new = op(pt.concat([flat, rows]), places, num_segments=flat.shape[0])
    return pt.astype(pt.reshape(new, old.shape), old.dtype)


@node("ScatterND")
def _scatter_nd(x: Any, indices: Any, updates: Any, *, reduction: str = "none") -> Any:
    return _combined(x, _key(x, indices), updates, reduction)


@node("Scatter", "ScatterElements")
def _scatter_elements(x: Any, indices: Any, updates: Any, *, axis: int = 0, reduction: str = "none") -> Any:
    axis %= x.ndim
    if all(n == x.shape[i] for i, n in enumerate(indices.shape) if i != axis):
        mode = {"none": "set", "mul": "multiply"}.get(reduction, reduction)
        return pt.put_along_axis(x, indices, updates, axis=axis, mode=mode)
    # Fewer rows of indices than of elements: the others stay.
    key: list[Any] = []
    for i, n in enumerate(indices.shape):
        sizes = [1] * x.ndim
        sizes[i] = n
        key.append(indices if i == axis else pt.reshape(pt.arange(n), tuple(sizes)))
    return _combined(x, tuple(key), updates, reduction)


@node("TensorScatter")
def _tensor_scatter(cache: Any, update: Any, write_indices: Any = None, *, mode: str = "linear", axis: int = -2) -> Any:
    axis %= cache.ndim
    batch, length = cache.shape[0], update.shape[axis]
    first = pt.zeros(batch, dtype=pt.int64) if write_indices is None else write_indices
    rows = pt.reshape(first, (-1, 1)) + pt.arange(length, dtype=pt.int64)
    if mode == "circular":
        rows = rows % cache.shape[axis]
    rows = pt.reshape(rows, (batch, *(length if i == axis else 1 for i in range(1, cache.ndim))))
    return pt.put_along_axis(cache, pt.broadcast_to(rows, update.shape), update, axis=axis)


@node("Compress", reads="condition")
def _compress(x: Any, condition: Any, *, axis: int | None = None) -> Any:
    return pt.compress(condition, x, axis=axis)


@node("NonZero", reads="x")
def _nonzero(x: Any) -> Any:
    return pt.stack(pt.nonzero(x))


@node("ReverseSequence")
def _reverse_sequence(x: Any, sequence_lens: Any, *, batch_axis: int = 1, time_axis: int = 0) -> Any:
    return pt.reverse_sequence(x, sequence_lens, axis=time_axis, batch_axis=batch_axis)


@node("DepthToSpace")
def _depth_to_space(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    if mode == "DCR":
        return pt.nn.depth_to_space(x, blocksize, data_format="channels_first")
    return pt.nn.pixel_shuffle(x, blocksize, data_format="channels_first")


@node("SpaceToDepth")
def _space_to_depth(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    if mode == "DCR":
        return pt.nn.space_to_depth(x, blocksize, data_format="channels_first")
    return pt.nn.pixel_unshuffle(x, blocksize, data_format="channels_first")
