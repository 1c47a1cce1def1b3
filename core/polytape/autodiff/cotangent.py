"""Conversion of cotangents to a shape, a dtype or a device.

A cotangent may have a smaller shape than its value, as long as it broadcasts to the value's shape. For example, the
gradient of a mean with respect to its operand is one number for all elements.
"""

from __future__ import annotations

from typing import Any

from ..dtypes import COMPLEX
from ..registry.tensor_type import TensorType
from ..tensors.tensor import Tensor, operators
from .record import wrap

__all__ = ["adapted", "expanded", "unbroadcast", "zeros_like"]

Shape = tuple[int, ...]


def expanded(g: Tensor, shape: Any) -> Tensor:
    """A cotangent broadcast to the full shape."""
    if g.array.shape == shape:
        return g
    result: Tensor = operators.broadcast_to(g, shape)
    return result


def unbroadcast(g: Tensor, shape: Shape, full: Shape) -> Tensor:
    """Sum a gradient of shape ``full`` (or of a smaller shape that broadcasts to it) down to ``shape``."""
    actual: Shape = g.array.shape
    if shape == full:
        return g
    lead = len(full) - len(shape)
    offset = len(full) - len(actual)
    axes: list[int] = []
    count = 1
    for axis, extent in enumerate(full):
        if axis >= lead and shape[axis - lead] == extent:
            continue
        if axis >= offset and actual[axis - offset] == extent:
            if extent != 1:
                axes.append(axis - offset)
        else:
            count *= extent
    if axes:
        whole = len(axes) == len(actual) and not shape
        g = operators.sum.operate(g) if whole else operators.sum(g, axis=tuple(axes), keepdims=True)
    if count != 1:
        g = g * float(count)
    actual = g.array.shape
    if len(actual) > len(shape):
        lead = len(actual) - len(shape)
        g = operators.reshape(g, actual[lead:])
    return g


def adapted(g: Tensor, tensor_type: TensorType) -> Tensor:
    """A gradient converted to the dtype and device of its operand; that of a real operand is real."""
    if g.type.category == COMPLEX and tensor_type.category < COMPLEX:
        g = operators.real(g)
    if g.type.dtype is not tensor_type.dtype:
        g = operators.astype(g, tensor_type.dtype)
    if g.type.device is not tensor_type.device:
        g = operators.to_device(g, tensor_type.device)
    return g


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of the shape, dtype and device of ``x``: its gradient if the target does not depend on it."""
    return expanded(wrap(x.type.scalar(0.0), x.type, None), x.array.shape)
