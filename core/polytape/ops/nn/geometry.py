"""Sizes, strides and paddings of windows, as convolutions and pools take them, and padding itself.

Declares no ops and has no public names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from ... import dtypes
from ...dispatch.convert import asarray
from ...dtypes import DType
from ...errors import OutOfRangeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..creation import full
from ..manipulation import astype
from ..movement import slice_update

__all__: list[str] = []

Shape = tuple[int, ...]
PerAxis = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]
Pairs = tuple[tuple[int, int], ...]
T = TypeVar("T")


def remembered(fn: Callable[..., T]) -> Callable[..., T]:
    """``fn``, whose results are kept for arguments of ints, strings and tuples of them: a look-up takes 1 us.

    Other arguments may equal these and yet be rejected, as 2.0 is where 2 is not.
    """
    kept = lru_cache(maxsize=1024)(fn)

    def call(*arguments: Any) -> T:
        return kept(*arguments) if _is_plain(arguments) else fn(*arguments)

    return call


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is tuple:
        return all([type(part) is int or _is_plain(part) for part in value])
    return kind is int or kind is str or value is None


def tensors(*xs: TensorLike) -> tuple[Tensor, ...]:
    """Operands as tensors; those that are not go to the device of the first that is."""
    if all([isinstance(x, Tensor) for x in xs]):
        return xs  # type: ignore[return-value]  # a list is tested, since a loop with assert takes longer
    device = next((x.device for x in xs if isinstance(x, Tensor)), None)
    return tuple(x if isinstance(x, Tensor) else asarray(x, device=device) for x in xs)


def per_axis(name: str, value: PerAxis, count: int, least: int = 1) -> Shape:
    """An attribute that is one number for all axes or a sequence of one per axis, as a tuple.

    Raises:
        ShapeError: another number of numbers. OutOfRangeError: one below ``least``.
    """
    numbers = (value,) * count if isinstance(value, (int, np.integer)) else tuple(value)
    if len(numbers) != count:
        raise ShapeError(
            f"{name} does not fit.", expected=f"one int, or {count}: one per axis", got=repr(value), fix="pass one int"
        )
    if any(number < least for number in numbers):
        raise OutOfRangeError(
            f"{name} is too small.", expected=f"numbers of {least} or more", got=repr(value), fix="pass a larger number"
        )
    return tuple(int(number) for number in numbers)


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """The zeros on both sides of an axis for which ceil(size / stride) windows fit, as TensorFlow places them."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def paddings(padding: Padding, sizes: Shape, window: Shape, stride: Shape) -> Pairs:
    """A padding argument as a pair per axis, before and after.

    Args:
        padding: ``"valid"``, ``"same"``, an int for both sides of all axes, or per axis an int or a pair.
        sizes, window, stride: per axis; the window with its dilation.
    Raises:
        ShapeError: another string, or another number of axes. OutOfRangeError: a negative number.
    """
    if padding == "valid":
        return ((0, 0),) * len(sizes)
    if padding == "same":
        return tuple(same_padding(*axis) for axis in zip(sizes, window, stride, strict=True))
    if isinstance(padding, str):
        raise ShapeError(
            f"there is no padding {padding!r}.",
            expected="'valid', 'same', an int, or an int or a pair per axis",
            got=repr(padding),
            fix="pass one of these",
        )
    if isinstance(padding, (int, np.integer)):
        padding = (int(padding),) * len(sizes)
    pairs = [(number, number) if isinstance(number, (int, np.integer)) else tuple(number) for number in padding]
    if len(pairs) != len(sizes):
        raise ShapeError(
            "padding does not fit.",
            expected=f"an int or a pair for each of {len(sizes)} axes",
            got=repr(padding),
            fix="pass one int for all axes",
        )
    checked = [per_axis("padding", pair, 2, least=0) for pair in pairs]
    return tuple((before, after) for before, after in checked)


def spatial_axes(rank: int, data_format: str) -> Shape:
    """The axes of a tensor of ``rank`` that are neither batch nor channels.

    Raises:
        ShapeError: another ``data_format``, or a rank without such axes.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ShapeError(
            f"there is no data format {data_format!r}.",
            expected="'channels_last' or 'channels_first'",
            got=repr(data_format),
            fix="pass 'channels_last' for NHWC, 'channels_first' for NCHW",
        )
    if rank < 3:
        raise ShapeError(
            "there is no axis to slide along.",
            expected="a batch axis, a channel axis, and at least one more",
            got=f"rank {rank}",
            fix="insert the missing axes of size 1",
        )
    return tuple(range(1, rank - 1)) if data_format == "channels_last" else tuple(range(2, rank))


def extent(size: int, dilation: int) -> int:
    """The length of ``size`` elements that are ``dilation`` apart."""
    return (size - 1) * dilation + 1 if size else 0


def padded(x: Tensor, padding: Pairs, dilation: Shape, fill: float = 0) -> Tensor:
    """``x`` with elements added around it, or cut off if ``padding`` is negative, and ``dilation`` - 1 in between."""
    sizes = [extent(*axis) for axis in zip(x.shape, dilation, strict=True)]
    shape = tuple(max(size + before + after, 0) for size, (before, after) in zip(sizes, padding, strict=True))
    if all(pair == (0, 0) for pair in padding) and shape == x.shape:
        return x
    block, start = [], []
    for n, size, (before, _), step in zip(x.shape, shape, padding, dilation, strict=True):
        first = max(0, -(before // step))  # the first element that is not cut off
        stop = min(n, max(0, -((before - size) // step)))
        block.append(slice(first, max(stop, first)))
        start.append(max(0, before + first * step) if stop > first else 0)
    around = full(shape, fill, dtype=x.dtype, device=x.device)
    return slice_update(around, x[tuple(block)], start=tuple(start), step=dilation)


def widened(x: Tensor) -> Tensor:
    """``x`` in the precision in which it is summed: float32 if it has half precision."""
    return astype(x, dtypes.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x


def lowest(dtype: DType) -> float:
    """The lowest number of a real dtype."""
    return int(np.iinfo(dtype).min) if dtype.kind in "iu" else -float("inf")
