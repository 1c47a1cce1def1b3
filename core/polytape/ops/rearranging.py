"""Functions that insert, remove, move and reverse axes.

They call `polytape.reshape`, `polytape.permute_dims` or ``x[key]``; backends that have views do not copy then.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int

from .. import dtypes
from ..dispatch.convert import asarray
from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .manipulation import permute_dims, reshape

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "expand_dims",
    "flatten",
    "flip",
    "moveaxis",
    "rot90",
    "squeeze",
    "swapaxes",
    "transpose",
]

Axis = int | tuple[int, ...] | None


def together(*arrays: TensorLike) -> list[Tensor]:
    """The operands as tensors.

    Host data goes to the device of the first tensor among them, and a Python number is weak beside it, as in an op.
    """
    first = next((x for x in arrays if isinstance(x, Tensor)), None)
    tensors = []
    for x in arrays:
        if first is None or isinstance(x, Tensor):
            tensors.append(asarray(x))
        elif isinstance(x, (bool, int, float, complex)):
            tensors.append(asarray(x, dtype=dtypes.weak_promote(first.dtype, x), device=first.device))
        else:
            tensors.append(asarray(x, device=first.device))
    return tensors


def expand_dims(x: TensorLike, /, axis: int | tuple[int, ...] = 0) -> Tensor:
    """``x`` with new axes of size 1.

    Args:
        x: any dtype[...].
        axis: where the new axes are in the result.
    Returns:
        The shape with the new axes, dtype of ``x``.
    Raises:
        ShapeError: an axis that the result does not have, or that is named twice.
    Source:
        Array API standard 2025.12, ``expand_dims``.
    """
    x = asarray(x)
    axes = shape_rules.axes_of(axis)
    places = shape_rules.normalise(tuple(axes), x.ndim + len(axes))
    sizes = list(x.shape)
    for place in places:
        sizes.insert(place, 1)
    return reshape(x, tuple(sizes))


def squeeze(x: TensorLike, /, axis: Axis = None) -> Tensor:
    """``x`` without axes of size 1.

    Args:
        x: any dtype[...].
        axis: the axes to remove; default: all that have size 1.
    Returns:
        The shape without these axes, dtype of ``x``.
    Raises:
        ShapeError: an axis that does not exist, or whose size is not 1.
    Source:
        Array API standard 2025.12, ``squeeze``.
    """
    x = asarray(x)
    if axis is None:
        return reshape(x, tuple(size for size in x.shape if size != 1))
    axes = shape_rules.normalise(tuple(shape_rules.axes_of(axis)), x.ndim)
    wrong = [place for place in axes if x.shape[place] != 1]
    if wrong:
        raise ShapeError(
            f"squeeze cannot remove axis {wrong[0]} of shape {x.shape}.",
            expected="an axis of size 1",
            got=f"size {x.shape[wrong[0]]}",
            fix="select an element with x[..., 0], or reduce the axis",
        )
    return reshape(x, tuple(size for place, size in enumerate(x.shape) if place not in axes))


def flatten(x: TensorLike, /) -> Tensor:
    """The elements of ``x`` in row-major order, as a vector.

    Args:
        x: any dtype[...].
    Returns:
        [number of elements], dtype of ``x``.
    Source:
        NumPy, ``ndarray.flatten``.
    """
    x = asarray(x)
    return reshape(x, x.size)


def moveaxis(x: TensorLike, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Tensor:
    """``x`` with some axes moved to other places; the others keep their order.

    Args:
        x: any dtype[...].
        source, destination: the axes and where they are in the result.
    Raises:
        ShapeError: axes that do not exist, that are named twice, or of different numbers.
    Source:
        Array API standard 2025.12, ``moveaxis``.
    """
    x = asarray(x)
    sources, destinations = shape_rules.axes_of(source), shape_rules.axes_of(destination)
    shape_rules.normalise(tuple(sources), x.ndim)
    shape_rules.normalise(tuple(destinations), x.ndim)
    if len(sources) != len(destinations):
        raise ShapeError(
            "moveaxis: source and destination differ.",
            expected="as many destinations as sources",
            got=f"{len(sources)} and {len(destinations)}",
            fix="name a destination for each axis",
        )
    sources = [axis % x.ndim for axis in sources]
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for place, axis in sorted(zip((d % x.ndim for d in destinations), sources, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, tuple(order))


def swapaxes(x: TensorLike, axis1: int, axis2: int, /) -> Tensor:
    """``x`` with two axes exchanged.

    Args:
        x: any dtype[...].
        axis1, axis2: the axes.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        NumPy, ``swapaxes``.
    """
    x = asarray(x)
    (first,) = shape_rules.normalise(axis1, x.ndim) or (0,)
    (second,) = shape_rules.normalise(axis2, x.ndim) or (0,)
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    return permute_dims(x, tuple(order))


def flip(x: TensorLike, /, *, axis: Axis = None) -> Tensor:
    """``x`` with the elements along axes in reverse order.

    Args:
        x: any dtype[...].
        axis: the axes to reverse; default: all.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        Array API standard 2025.12, ``flip``.
    """
    x = asarray(x)
    axes = shape_rules.normalise(axis, x.ndim)
    if not axes:
        return x
    return x[tuple(slice(None, None, -1) if place in axes else slice(None) for place in range(x.ndim))]


def rot90(x: TensorLike, /, *, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """``x`` rotated by 90 degrees in the plane of two axes, from the first towards the second.

    Args:
        x: any dtype[...], with at least two axes.
        k: how often.
        axes: the plane.
    Raises:
        ShapeError: axes that do not exist, or that are equal.
    Source:
        NumPy, ``rot90``.
    """
    x = asarray(x)
    shape_rules.normalise(tuple(axes), x.ndim)
    first, second = axes
    turns = as_int(k) % 4
    if turns == 2:
        return flip(x, axis=(first, second))
    if turns == 1:
        return swapaxes(flip(x, axis=second), first, second)
    return flip(swapaxes(x, first, second), axis=second) if turns else x


def atleast_1d(x: TensorLike, /) -> Tensor:
    """``x``, or a vector of one element if it has no axes.

    Source:
        NumPy, ``atleast_1d``.
    """
    x = asarray(x)
    return x if x.ndim else reshape(x, 1)


def atleast_2d(x: TensorLike, /) -> Tensor:
    """``x`` with at least two axes; new ones come first.

    Source:
        NumPy, ``atleast_2d``.
    """
    x = asarray(x)
    return x if x.ndim > 1 else reshape(x, (1, x.size))


def atleast_3d(x: TensorLike, /) -> Tensor:
    """``x`` with at least three axes: a vector becomes [1, n, 1], a matrix [m, n, 1].

    Source:
        NumPy, ``atleast_3d``.
    """
    x = asarray(x)
    if x.ndim > 2:
        return x
    return reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, x.size, 1))


def transpose(x: TensorLike, /, axes: int | Sequence[int] | None = None, *others: int) -> Tensor:
    """``x`` with its axes in another order.

    Args:
        x: any dtype[...].
        axes, others: the axes of ``x`` in their new order, as a tuple or one by one; default: in reverse order.
    Returns:
        The sizes in the new order, dtype of ``x``.
    Raises:
        ShapeError: ``axes`` is not a permutation of the axes, or two numbers that PyTorch would exchange.
    Source:
        NumPy, ``transpose``; `permute_dims` and `matrix_transpose` are the array API standard's.
    """
    x = asarray(x)
    if axes is None:
        order = tuple(reversed(range(x.ndim)))
    else:
        order = (*shape_rules.axes_of(axes if isinstance(axes, int) else tuple(axes)), *others)
    # For PyTorch these two would exchange axes; for NumPy they are all axes in their new order. Where results differ:
    if others and len(order) == 2 and (x.ndim > 2 or [axis % 2 for axis in order] == [0, 1]):
        raise ShapeError(
            f"transpose got two axes for shape {x.shape}.",
            expected=f"all {x.ndim} axes in a new order",
            got=str(order),
            fix=f"use polytape.swapaxes(x, {order[0]}, {order[1]}) to exchange two axes",
        )
    return permute_dims(x, order)
