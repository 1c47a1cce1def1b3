"""Ops that rearrange, join, copy or cast elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..device import Device
from ..dispatch.convert import asarray
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import converted, op, primitive

__all__ = ["astype", "broadcast_to", "concat", "identity", "permute_dims", "reshape", "stop_gradient", "to"]

Shape = tuple[int, ...]


@op(dtype=dtype_rules.same_dtype, shape=shape_rules.reshaped, accepts=("copy",))
def reshape(x: TensorLike, /, shape: int | Shape | list[int], *, copy: bool | None = None) -> Tensor:
    """The same elements, in the same order, in another shape.

    Args:
        copy: has no effect: a tensor's array is never written, so whether it is shared makes no difference.
    """
    return primitive()


reshape.gradient(x=lambda g, x_shape: reshape(g, x_shape))


@op(dtype=dtype_rules.same_dtype, shape=shape_rules.permuted)
def permute_dims(x: TensorLike, /, axes: Shape) -> Tensor:
    """``x`` with its axes in another order."""
    return primitive()


@permute_dims.gradient("x")
def _permute_back(g: Tensor, axes: Shape) -> Tensor:
    inverse = [0] * len(axes)
    for position, axis in enumerate(axes):
        inverse[axis] = position
    return permute_dims(g, tuple(inverse))


# Declared elementwise so that core sums the gradient over the repeated axes, as for any operand that was broadcast.
@op(dtype=dtype_rules.same_dtype, shape=shape_rules.broadcast_to_shape, elementwise=True, promotes=())
def broadcast_to(x: TensorLike, /, shape: Shape) -> Tensor:
    """``x`` repeated along its axes of size 1 and along new leading axes."""
    return primitive()


broadcast_to.gradient(x=lambda g: g)


@op(dtype=dtype_rules.joined_dtype, shape=shape_rules.joined, promotes=("arrays",))
def concat(arrays: Sequence[TensorLike], /, axis: int | None = 0) -> Tensor:
    """Join tensors along an axis.

    Args:
        arrays: any dtype[...], of the same shape except along ``axis``; promoted together.
    Returns:
        The operands' shape, with the sizes along ``axis`` added.
    """
    return primitive()


@concat.gradient("arrays")
def _concat_back(g: Tensor, index: int, shapes: list[Shape], axis: int | None) -> Tensor:
    if axis is None:
        start = sum(shape_rules.count(shape) for shape in shapes[:index])
        return reshape(g[start : start + shape_rules.count(shapes[index])], shapes[index])
    axis = axis % len(shapes[0])
    start = sum(shape[axis] for shape in shapes[:index])
    return g[(slice(None),) * axis + (slice(start, start + shapes[index][axis]),)]


@op(dtype=dtype_rules.given_dtype, shape=shape_rules.same_shape)
def astype_(x: TensorLike, dtype: Any, /) -> Tensor:
    """``x`` cast to another dtype."""
    return primitive()


astype_.gradient(x=lambda g: g)  # core casts the gradient to the operand's dtype


def astype(x: TensorLike, dtype: Any, /, *, copy: bool = True, device: Device | str | None = None) -> Tensor:
    """``x`` cast to another dtype; differentiable between floating dtypes.

    Args:
        x: any dtype[...].
        dtype: the new dtype.
        copy: has no effect: a tensor's array is never written, so whether it is shared makes no difference.
        device: where the result goes; default: it stays on the device of ``x``.
    Returns:
        Shape of ``x``, ``dtype``.
    Raises:
        DTypeError: ``dtype`` is not a tensor dtype, or it is real and ``x`` is complex.
    Source:
        Array API standard 2025.12, ``astype``.
    """
    y = astype_(x, dtype)
    return y if device is None else y.to_device(device)


def to(
    x: TensorLike,
    /,
    *targets: Any,
    dtype: Any = None,
    device: Device | str | None = None,
    copy: bool = False,
    non_blocking: bool = False,
) -> Tensor:
    """``x`` on a device and in a dtype: ``x.to("gpu")``, ``x.to("float64")``, or ``x.to(other)``.

    Args:
        x: any dtype[...].
        targets: a device, a dtype, one of each, or a tensor whose device and dtype are taken.
        dtype, device: the same by name.
        copy, non_blocking: have no effect: a tensor's array is never written, and a backend copies as it can.
    Returns:
        Shape of ``x``.
    Raises:
        DTypeError: a target that is neither a device nor a dtype. DeviceError: there is no such device.
    Source:
        PyTorch, ``Tensor.to``.
    """
    for target in targets:
        if isinstance(target, Tensor):
            dtype, device = target.dtype, target.device
        elif isinstance(target, Device) or (isinstance(target, str) and target not in dtypes.NAMES):
            device = target
        else:
            dtype = target
    y = x if isinstance(x, Tensor) else asarray(x)
    if device is not None:
        y = y.to_device(device)
    return y if dtype is None else astype_(y, dtype)


@op(dtype=dtype_rules.same_dtype, shape=shape_rules.same_shape, no_gradient="that is its purpose")
def stop_gradient(x: TensorLike, /) -> Tensor:
    """``x``, with no gradient flowing back through it.

    Source:
        TensorFlow 1.7, ``tf.stop_gradient``.
    """
    return converted(x)


@op(dtype=dtype_rules.same_dtype, shape=shape_rules.same_shape)
def identity(x: TensorLike, /) -> Tensor:
    """``x`` as a new tensor; for a variable, its current value.

    Source:
        TensorFlow 1.7, ``tf.identity``.
    """
    return converted(x)


identity.gradient(x=lambda g: g)
