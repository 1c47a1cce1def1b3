"""Cotangents: brought to a shape, a dtype, a device.

A cotangent may be smaller than what it is the gradient of, as long as it broadcasts to it: a mean's is one number.
"""

from __future__ import annotations

from typing import Any

from ..registry.tensor_type import TensorType
from ..tensors.tensor import Tensor, operators
from .record import wrap

__all__ = ["adapted", "expanded", "unbroadcast", "zeros_like"]

Shape = tuple[int, ...]


def expanded(g: Tensor, shape: Any) -> Tensor:
    """A cotangent in the full shape."""
    if g.array.shape == shape:
        return g
    found: Tensor = operators.broadcast_to(g, shape)
    return found


def unbroadcast(g: Tensor, shape: Shape, full: Shape) -> Tensor:
    """Sum a gradient of shape ``full`` (or of a smaller one that stands for it) down to ``shape``."""
    have: Shape = g.array.shape
    if shape == full:
        return g
    lead = len(full) - len(shape)
    offset = len(full) - len(have)
    axes: list[int] = []
    count = 1
    for axis, extent in enumerate(full):
        if axis >= lead and shape[axis - lead] == extent:
            continue
        if axis >= offset and have[axis - offset] == extent:
            if extent != 1:
                axes.append(axis - offset)
        else:
            count *= extent
    if axes:
        whole = len(axes) == len(have) and not shape
        g = operators.sum.operate(g) if whole else operators.sum(g, axis=tuple(axes), keepdims=True)
    if count != 1:
        g = g * float(count)
    have = g.array.shape
    if len(have) > len(shape):
        lead = len(have) - len(shape)
        g = operators.reshape(g, have[lead:])
    return g


def adapted(g: Tensor, tensor_type: TensorType) -> Tensor:
    """A gradient in its operand's dtype and on its device."""
    if g.type.dtype is not tensor_type.dtype:
        g = operators.astype(g, tensor_type.dtype)
    if g.type.device is not tensor_type.device:
        g = operators.to_device(g, tensor_type.device)
    return g


def zeros_like(x: Tensor) -> Tensor:
    """The gradient of an unconnected source where zeros are asked for."""
    return expanded(wrap(x.type.scalar(0.0), x.type, None), x.array.shape)
