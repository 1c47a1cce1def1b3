"""Trigonometric and hyperbolic functions, elementwise."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive

__all__ = ["tanh"]


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def tanh(x: TensorLike, /) -> Tensor:
    """Hyperbolic tangent, elementwise."""
    return primitive()


tanh.gradient(x=lambda g, y: g * (1.0 - y * y))
