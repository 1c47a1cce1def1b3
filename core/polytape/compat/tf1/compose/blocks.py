"""Padding, slices by masks, blocks of space, and matrices with given diagonals."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import integers, sizes
from ..shapes import TensorShape, as_shape

__all__ = [
    "banded",
    "blocked",
    "contracted",
    "diagonal_matrices",
    "identity_matrices",
    "inner_diagonal",
    "joint_shape",
    "needed_paddings",
    "norm_of",
    "outer_diagonal",
    "padded",
    "patches",
    "qr_of",
    "strided",
    "svd_of",
    "unblocked",
    "with_diagonal",
]


class Qr(NamedTuple):
    """The factors of a QR decomposition."""

    q: Tensor
    r: Tensor


def _pairs(value: Any, count: int) -> list[tuple[int, int]]:
    """Paddings or crops as pairs of ints."""
    numbers = value.tolist() if hasattr(value, "tolist") else value
    found = [(int(before), int(after)) for before, after in numbers]
    if len(found) != count:
        raise invalid(f"{len(found)} pairs for {count} axes.", f"{count} pairs", str(found), "give a pair per axis")
    return found


def padded(x: Tensor, paddings: Any, mode: str, value: Any) -> Tensor:
    """`tf.pad`.

    Raises:
        ValueError: the mode is not CONSTANT, REFLECT or SYMMETRIC.
    """
    kind = mode.upper()
    if kind not in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        raise ValueError(f"Unknown padding mode: {mode}")
    widths = tuple(_pairs(paddings, x.ndim))
    if kind == "CONSTANT":
        filler = value.item() if hasattr(value, "item") else value
        return pt.pad(x, widths, "constant", constant_values=filler)
    return pt.pad(x, widths, kind.lower())


def strided(x: Tensor, begin: Any, end: Any, strides: Any, masks: tuple[int, int, int, int, int]) -> Tensor:
    """`tf.strided_slice`, with its masks of bits."""
    starts, stops = integers(begin), integers(end)
    steps = [1] * len(starts) if strides is None else integers(strides)
    begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask = masks
    key: list[Any] = []
    for index, (start, stop, step) in enumerate(zip(starts, stops, steps, strict=True)):
        bit = 1 << index
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_mask & bit:
            key.append(start)
        else:
            key.append(slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return x[tuple(key)]


def blocked(x: Tensor, block: list[int], paddings: Any) -> Tensor:
    """`tf.space_to_batch_nd`: blocks of the axes after the first become entries of the first."""
    rank = len(block)
    widths = _pairs(paddings, rank)
    wide = pt.pad(x, ((0, 0), *widths, *[(0, 0)] * (x.ndim - rank - 1)))
    form = [wide.shape[0]]
    for extent, size in zip(wide.shape[1 : rank + 1], block, strict=True):
        if extent % size:
            raise invalid(
                f"space_to_batch of an axis of {extent} with padding.",
                expected=f"a multiple of the block size {size}",
                got=str(extent),
                fix="pad more; tf.required_space_to_batch_paddings says how much",
            )
        form += [extent // size, size]
    rest = wide.shape[rank + 1 :]
    order = [*range(2, 2 * rank + 1, 2), 0, *range(1, 2 * rank, 2), *range(2 * rank + 1, 2 * rank + 1 + len(rest))]
    moved = pt.permute_dims(pt.reshape(wide, (*form, *rest)), tuple(order))
    return pt.reshape(moved, (wide.shape[0] * math.prod(block), *form[1::2], *rest))


def unblocked(x: Tensor, block: list[int], crops: Any) -> Tensor:
    """`tf.batch_to_space_nd`: the inverse of `blocked`."""
    rank = len(block)
    cuts = _pairs(crops, rank)
    batch, spatial, rest = x.shape[0], x.shape[1 : rank + 1], x.shape[rank + 1 :]
    if batch % math.prod(block):
        raise invalid("batch_to_space needs whole blocks.", f"a multiple of {math.prod(block)}", str(batch), "pad")
    open_form = pt.reshape(x, (*block, batch // math.prod(block), *spatial, *rest))
    order = [rank]
    for axis in range(rank):
        order += [rank + 1 + axis, axis]
    order += list(range(2 * rank + 1, 2 * rank + 1 + len(rest)))
    sizes_of = [extent * size for extent, size in zip(spatial, block, strict=True)]
    whole = pt.reshape(pt.permute_dims(open_form, tuple(order)), (batch // math.prod(block), *sizes_of, *rest))
    key = [slice(before, extent - after) for (before, after), extent in zip(cuts, sizes_of, strict=True)]
    return whole[(slice(None), *key)]


def needed_paddings(shape: list[int], block: list[int], base: Any) -> tuple[Tensor, Tensor]:
    """`tf.required_space_to_batch_paddings`: the paddings, and the crops that undo what they add."""
    given = [(0, 0)] * len(block) if base is None else _pairs(base, len(block))
    paddings, crops = [], []
    for extent, size, (before, after) in zip(shape, block, given, strict=True):
        more = -(before + extent + after) % size
        paddings.append((before, after + more))
        crops.append((0, more))
    return pt.asarray(paddings), pt.asarray(crops)


def patches(x: Tensor, window: list[int], strides: list[int], rates: list[int], padding: str) -> Tensor:
    """`tf.extract_image_patches`: the patch at each place, flattened into the channels.

    Raises:
        ValueError: the padding is not SAME or VALID.
    """
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"The value of padding must be 'SAME' or 'VALID', got {padding!r}.")
    size, step, rate = window[1:3], strides[1:3], rates[1:3]
    if padding == "SAME":
        widths = []
        for extent, length, stride, gap in zip(x.shape[1:3], size, step, rate, strict=True):
            reach = (length - 1) * gap + 1
            need = max((-(-extent // stride) - 1) * stride + reach - extent, 0)
            widths.append((need // 2, need - need // 2))
        x = pt.pad(x, ((0, 0), *widths, (0, 0)))
    found = pt.nn.windows(x, tuple(size), stride=tuple(step), dilation=tuple(rate), axes=(1, 2))
    moved = pt.permute_dims(found, (0, 1, 2, 4, 5, 3))
    return pt.reshape(moved, (*moved.shape[:3], math.prod(moved.shape[3:])))


def outer_diagonal(x: Tensor) -> Tensor:
    """`tf.diag`: a tensor with twice the axes that is ``x`` on its diagonal."""
    return pt.reshape(pt.diag(pt.flatten(x)), (*x.shape, *x.shape))


def inner_diagonal(x: Tensor) -> Tensor:
    """`tf.diag_part`: the inverse of `outer_diagonal`."""
    half = x.shape[: x.ndim // 2]
    if x.ndim % 2 or not x.ndim or (*half, *half) != x.shape:
        raise invalid(f"diag_part of {x.shape}.", "a shape that repeats its first half", str(x.shape), "reshape it")
    count = math.prod(half)
    return pt.reshape(pt.diagonal(pt.reshape(x, (count, count))), half)


def _mask(rows: int, columns: int, lower: int, upper: int) -> Tensor:
    """The places at most ``lower`` below and ``upper`` above the diagonal; a negative number is no limit."""
    distance = pt.expand_dims(pt.arange(rows), 1) - pt.arange(columns)
    return pt.logical_and(distance <= (rows if lower < 0 else lower), -distance <= (columns if upper < 0 else upper))


def banded(x: Tensor, lower: int, upper: int) -> Tensor:
    """`tf.matrix_band_part`: zeros outside of a band about the diagonal."""
    return pt.where(_mask(x.shape[-2], x.shape[-1], lower, upper), x, pt.zeros_like(x))


def diagonal_matrices(x: Tensor) -> Tensor:
    """`tf.matrix_diag`: matrices with these diagonals."""
    size = x.shape[-1]
    wide = pt.broadcast_to(pt.expand_dims(x, x.ndim), (*x.shape, size))
    return pt.where(_mask(size, size, 0, 0), wide, pt.zeros_like(wide))


def with_diagonal(x: Tensor, diagonal: Tensor) -> Tensor:
    """`tf.matrix_set_diag`: matrices with their diagonals replaced."""
    rows, columns = x.shape[-2:]
    if diagonal.shape != (*x.shape[:-2], min(rows, columns)):
        raise invalid(
            f"matrix_set_diag of {x.shape} with a diagonal of {diagonal.shape}.",
            expected=f"shape {(*x.shape[:-2], min(rows, columns))}",
            got=f"shape {diagonal.shape}",
            fix="give one diagonal per matrix",
        )
    long = pt.pad(diagonal, ((0, 0),) * (diagonal.ndim - 1) + ((0, rows - min(rows, columns)),))
    return pt.where(_mask(rows, columns, 0, 0), pt.broadcast_to(pt.expand_dims(long, long.ndim), x.shape), x)


def identity_matrices(rows: int, columns: Any, batch: Any, dtype: Any) -> Tensor:
    """`tf.eye`: identity matrices."""
    found = pt.eye(rows, None if columns is None else int(columns), dtype=dtype)
    return found if batch is None else pt.broadcast_to(found, (*sizes(batch), *found.shape))


def joint_shape(first: Any, second: Any) -> TensorShape:
    """`tf.broadcast_static_shape`: the shape that both broadcast to.

    Raises:
        ValueError: they do not broadcast together.
    """
    x, y = as_shape(first), as_shape(second)
    if x.dims is None or y.dims is None:
        return TensorShape(None)
    axes = []
    for one, other in itertools.zip_longest(reversed(x.as_list()), reversed(y.as_list()), fillvalue=1):
        if one == 1 or one == other:
            axes.append(other)
        elif other == 1 or other is None:
            axes.append(one)
        elif one is None:
            axes.append(other)
        else:
            raise ValueError(f"Incompatible shapes for broadcasting: {x} and {y}")
    return TensorShape(axes[::-1])


def contracted(x: Tensor, y: Tensor, axes: Any) -> Tensor:
    """`tf.tensordot`: ``axes`` is a number of axes, or a pair of axes or lists of axes."""
    spec = axes.tolist() if hasattr(axes, "tolist") else axes
    if isinstance(spec, (list, tuple)):
        left, right = spec
        spec = (tuple(integers(left)), tuple(integers(right)))
    return pt.tensordot(x, y, axes=spec)


def svd_of(x: Tensor, full: bool, vectors: bool) -> Any:
    """`tf.svd`: singular values, left and right singular vectors as columns."""
    if not vectors:
        return pt.linalg.svdvals(x)
    found = pt.linalg.svd(x, full_matrices=full)
    return found.S, found.U, pt.conj(pt.matrix_transpose(found.Vh))


def qr_of(x: Tensor, full: bool) -> Qr:
    """`tf.qr`."""
    return Qr(*pt.linalg.qr(x, mode="complete" if full else "reduced"))


def norm_of(x: Tensor, order: Any, axis: Any, keepdims: bool) -> Tensor:
    """`tf.norm`: of all elements, of vectors along an axis, or of matrices along two.

    Raises:
        ValueError: an order or axes that TensorFlow does not have.
    """
    if isinstance(axis, (tuple, list)) and len(axis) == 2:
        pair = tuple(integers(axis))
        if pair[0] == pair[1]:
            raise ValueError("'axis' must be None, an integer, or a tuple of 2 unique integers")
        if order not in ("euclidean", "fro", 1, math.inf):
            raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, inf], got {order}")
        moved = pt.moveaxis(x, pair, (-2, -1))
        kind = "fro" if order == "euclidean" else order
        result = pt.linalg.matrix_norm(moved, ord=kind)
        return pt.expand_dims(result, tuple([index % x.ndim for index in pair])) if keepdims else result
    if axis is not None and not isinstance(axis, int):
        raise ValueError("'axis' must be None, an integer, or a tuple of 2 unique integers")
    if order != "euclidean" and (isinstance(order, (str, complex)) or order <= 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {order}")
    kind = 2 if order == "euclidean" else order
    return pt.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=kind)
