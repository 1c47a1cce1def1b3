"""Ops that move elements around without changing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensors.tensor import Tensor, TensorLike
from . import rules
from .declaration import op, primitive

__all__ = ["astype", "broadcast_to", "concat", "identity", "permute_dims", "reshape", "stop_gradient"]

Shape = tuple[int, ...]


@op(dtype=rules.same_dtype, shape=rules.reshaped)
def reshape(x: TensorLike, /, shape: int | Shape | list[int]) -> Tensor:
    """The same elements, in order, in another shape.

    Args:
        x: any dtype[...].
        shape: the new sizes; one may be -1, which is worked out.
    Returns:
        ``shape``, dtype of ``x``.
    Raises:
        ShapeError: the number of elements would change.
    Source:
        Array API standard 2024.12, ``reshape``.
    """
    return primitive()


reshape.gradient(x=lambda g, x_shape: reshape(g, x_shape))


@op(dtype=rules.same_dtype, shape=rules.permuted)
def permute_dims(x: TensorLike, /, axes: Shape) -> Tensor:
    """Axes in another order.

    Args:
        x: any dtype[...].
        axes: for each axis of the result, which axis of ``x`` it is.
    Returns:
        The permuted shape, dtype of ``x``.
    Raises:
        ShapeError: ``axes`` is no permutation.
    Source:
        Array API standard 2024.12, ``permute_dims``.
    """
    return primitive()


@permute_dims.gradient("x")
def _permute_back(g: Tensor, axes: Shape) -> Tensor:
    inverse = [0] * len(axes)
    for place, axis in enumerate(axes):
        inverse[axis] = place
    return permute_dims(g, tuple(inverse))


# Declared elementwise so that core sums its gradient back down, as for any operand that was broadcast.
@op(dtype=rules.same_dtype, shape=rules.broadcast_to_shape, elementwise=True, promotes=())
def broadcast_to(x: TensorLike, /, shape: Shape) -> Tensor:
    """Elements repeated along axes of size 1, and along new axes in front.

    Args:
        x: any dtype[...].
        shape: the new sizes.
    Returns:
        ``shape``, dtype of ``x``.
    Raises:
        ShapeError: ``x`` does not broadcast to ``shape``.
    Source:
        Array API standard 2024.12, ``broadcast_to``.
    """
    return primitive()


broadcast_to.gradient(x=lambda g: g)


@op(dtype=rules.joined_dtype, shape=rules.joined, promotes=("arrays",))
def concat(arrays: Sequence[TensorLike], /, *, axis: int | None = 0) -> Tensor:
    """Tensors behind each other along an axis.

    Args:
        arrays: any dtype[...], of one shape but for ``axis``; promoted together.
        axis: the axis to join along; None: flattened.
    Returns:
        The shapes, added up along ``axis``.
    Raises:
        ShapeError: shapes that differ elsewhere, or no tensor at all.
    Source:
        Array API standard 2024.12, ``concat``.
    """
    return primitive()


@concat.gradient("arrays")
def _concat_back(g: Tensor, index: int, shapes: list[Shape], axis: int | None) -> Tensor:
    if axis is None:
        start = sum(rules.count(shape) for shape in shapes[:index])
        return reshape(g[start : start + rules.count(shapes[index])], shapes[index])
    place = axis % len(shapes[0])
    start = sum(shape[place] for shape in shapes[:index])
    return g[(slice(None),) * place + (slice(start, start + shapes[index][place]),)]


@op(dtype=rules.given_dtype, shape=rules.same_shape)
def astype(x: TensorLike, dtype: Any, /) -> Tensor:
    """Elements as another dtype.

    Args:
        x: any dtype[...].
        dtype: the new dtype.
    Returns:
        Shape of ``x``, ``dtype``.
    Raises:
        DTypeError: ``dtype`` is none that tensors have.
    Source:
        Array API standard 2024.12, ``astype``.
    """
    return primitive()


astype.gradient(x=lambda g: g)  # core casts it to the operand's dtype


@op(dtype=rules.same_dtype, shape=rules.same_shape, no_gradient="that is its purpose")
def stop_gradient(x: TensorLike, /) -> Tensor:
    """``x``, with no gradient flowing back through it.

    Args:
        x: any dtype[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        Nothing of its own.
    Source:
        TensorFlow 1.7, ``tf.stop_gradient``.
    """
    return primitive()


@op(dtype=rules.same_dtype, shape=rules.same_shape)
def identity(x: TensorLike, /) -> Tensor:
    """``x`` as a tensor of its own: a variable's value now.

    Args:
        x: any dtype[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        Nothing of its own.
    Source:
        TensorFlow 1.7, ``tf.identity``.
    """
    return primitive()


identity.gradient(x=lambda g: g)
