"""Elementwise arithmetic: operands broadcast, and core sums gradients over the axes that were broadcast."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import op, primitive
from .logic import where

__all__ = [
    "abs",
    "add",
    "divide",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "power",
    "sign",
    "square",
    "subtract",
]

_PIECEWISE = "its result is piecewise constant"


@op(dtype=dtype_rules.same_real, shape=shape_rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def sign(x: TensorLike, /) -> Tensor:
    """-1, 0 or 1 according to the sign of ``x``, elementwise."""
    return primitive()


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.broadcast, elementwise=True)
def add(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 + x2``, elementwise."""
    return primitive()


add.gradient(x1=lambda g: g, x2=lambda g: g)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.broadcast, elementwise=True)
def subtract(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 - x2``, elementwise."""
    return primitive()


subtract.gradient(x1=lambda g: g, x2=lambda g: -g)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.broadcast, elementwise=True, one_is_neutral=True)
def multiply(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 * x2``, elementwise."""
    return primitive()


multiply.gradient(x1=lambda g, x2: g * x2, x2=lambda g, x1: g * x1)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 / x2``, elementwise; integers are divided as float32."""
    return primitive()


divide.gradient(x1=lambda g, x2: g / x2, x2=lambda g, y, x2: -(g * y) / x2)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.broadcast, elementwise=True)
def power(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 ** x2``, elementwise. The gradient with respect to ``x2`` is 0 where ``x1 <= 0``.

    Source:
        Array API standard 2024.12, ``pow``.
    """
    return primitive()


@power.gradient("x1")
def _power_base(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    # x ** 0 is constant, but x2 * x1 ** (x2 - 1) would be 0 * 0 ** -1 = NaN at 0.
    return g * where(x2 == 0, 0, x2 * x1 ** where(x2 == 0, 1, x2 - 1))


@power.gradient("x2")
def _power_exponent(g: Tensor, y: Tensor, x1: Tensor) -> Tensor:
    from .exponential import log  # this family is loaded only when it is used

    return g * y * where(x1 > 0, log(where(x1 > 0, x1, 1)), 0)


@op(dtype=dtype_rules.same_real, shape=shape_rules.broadcast, elementwise=True)
def maximum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The larger of ``x1`` and ``x2``, elementwise; NaN where either is NaN.

    Where the operands are equal, ``x1`` receives the whole gradient.
    """
    return primitive()


maximum.gradient(
    x1=lambda g, x1, x2: where(x1 >= x2, g, 0),
    x2=lambda g, x1, x2: where(x1 >= x2, 0, g),
)


@op(dtype=dtype_rules.same_real, shape=shape_rules.broadcast, elementwise=True)
def minimum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The smaller of ``x1`` and ``x2``, elementwise; NaN where either is NaN.

    Where the operands are equal, ``x1`` receives the whole gradient.
    """
    return primitive()


minimum.gradient(
    x1=lambda g, x1, x2: where(x1 <= x2, g, 0),
    x2=lambda g, x1, x2: where(x1 <= x2, 0, g),
)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def negative(x: TensorLike, /) -> Tensor:
    """``-x``, elementwise."""
    return primitive()


negative.gradient(x=lambda g: -g)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def square(x: TensorLike, /) -> Tensor:
    """``x * x``, elementwise."""
    return primitive()


# g may have shape (), for example the gradient of a mean; doubling it is then cheaper than doubling x.
square.gradient(x=lambda g, x: (g * 2.0) * x)


@op(dtype=dtype_rules.same_real, shape=shape_rules.same_shape, elementwise=True)
def abs(x: TensorLike, /) -> Tensor:
    """``|x|``, elementwise; its gradient at 0 is 0."""
    return primitive()


abs.gradient(x=lambda g, x: g * sign(x))
