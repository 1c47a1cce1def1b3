"""Exponentials, logarithms and roots, elementwise."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive

__all__ = ["exp", "log", "log1p", "sqrt"]


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def exp(x: TensorLike, /) -> Tensor:
    """``e ** x``, elementwise."""
    return primitive()


exp.gradient(x=lambda g, y: g * y)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log(x: TensorLike, /) -> Tensor:
    """Natural logarithm, elementwise; -inf at 0, NaN below."""
    return primitive()


log.gradient(x=lambda g, x: g / x)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log1p(x: TensorLike, /) -> Tensor:
    """``log(1 + x)``, elementwise, accurate near 0."""
    return primitive()


log1p.gradient(x=lambda g, x: g / (x + 1.0))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def sqrt(x: TensorLike, /) -> Tensor:
    """Square root, elementwise; NaN below 0."""
    return primitive()


sqrt.gradient(x=lambda g, y: (g * 0.5) / y)
