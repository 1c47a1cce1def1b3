"""Elementwise ops: operands broadcast, core sums gradients back down."""

from __future__ import annotations

from ..tensors.tensor import Tensor, TensorLike
from . import rules
from .declaration import op, primitive
from .logic import where

__all__ = [
    "abs",
    "add",
    "divide",
    "exp",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "power",
    "sign",
    "sqrt",
    "square",
    "subtract",
    "tanh",
]

_PIECEWISE = "its result is constant between jumps"


@op(dtype=rules.same_real, shape=rules.same_shape, elementwise=True, no_gradient=_PIECEWISE)
def sign(x: TensorLike, /) -> Tensor:
    """-1, 0 or 1 by the sign of ``x``, elementwise.

    Args:
        x: real numeric[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is complex.
    Source:
        Array API standard 2024.12, ``sign``.
    """
    return primitive()


@op(dtype=rules.same_numeric, shape=rules.broadcast, elementwise=True)
def add(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 + x2``, elementwise.

    Args:
        x1, x2: numeric[...], broadcast and promoted together.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool operands.
    Source:
        Array API standard 2024.12, ``add``.
    """
    return primitive()


add.gradient(x1=lambda g: g, x2=lambda g: g)


@op(dtype=rules.same_numeric, shape=rules.broadcast, elementwise=True)
def subtract(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 - x2``, elementwise.

    Args:
        x1, x2: numeric[...], broadcast and promoted together.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool operands.
    Source:
        Array API standard 2024.12, ``subtract``.
    """
    return primitive()


subtract.gradient(x1=lambda g: g, x2=lambda g: -g)


@op(dtype=rules.same_numeric, shape=rules.broadcast, elementwise=True, one_is_neutral=True)
def multiply(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 * x2``, elementwise.

    Args:
        x1, x2: numeric[...], broadcast and promoted together.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool operands.
    Source:
        Array API standard 2024.12, ``multiply``.
    """
    return primitive()


multiply.gradient(x1=lambda g, x2: g * x2, x2=lambda g, x1: g * x1)


@op(dtype=rules.same_floating, shape=rules.broadcast, elementwise=True, floating=True)
def divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 / x2``, elementwise; integers are divided as float32.

    Args:
        x1, x2: numeric[...], broadcast and promoted together.
    Returns:
        The broadcast shape, the promoted floating dtype.
    Raises:
        ShapeError: shapes that do not broadcast.
    Source:
        Array API standard 2024.12, ``divide``.
    """
    return primitive()


divide.gradient(x1=lambda g, x2: g / x2, x2=lambda g, y, x2: -(g * y) / x2)


@op(dtype=rules.same_numeric, shape=rules.broadcast, elementwise=True)
def power(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 ** x2``, elementwise.

    Args:
        x1, x2: numeric[...], broadcast and promoted together. The gradient by ``x2`` is 0 where ``x1 <= 0``.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool operands.
    Source:
        Array API standard 2024.12, ``pow``.
    """
    return primitive()


@power.gradient("x1")
def _power_base(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    # x ** 0 is constant: 0 * 0 ** -1 would be NaN at 0.
    return g * where(x2 == 0, 0, x2 * x1 ** where(x2 == 0, 1, x2 - 1))


@power.gradient("x2")
def _power_exponent(g: Tensor, y: Tensor, x1: Tensor) -> Tensor:
    return g * y * where(x1 > 0, log(where(x1 > 0, x1, 1)), 0)


@op(dtype=rules.same_real, shape=rules.broadcast, elementwise=True)
def maximum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The larger of ``x1`` and ``x2``, elementwise; NaN where either is.

    Args:
        x1, x2: real[...], broadcast and promoted together. Where they are equal the gradient goes to ``x1``.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``maximum``.
    """
    return primitive()


maximum.gradient(
    x1=lambda g, x1, x2: where(x1 >= x2, g, 0),
    x2=lambda g, x1, x2: where(x1 >= x2, 0, g),
)


@op(dtype=rules.same_real, shape=rules.broadcast, elementwise=True)
def minimum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The smaller of ``x1`` and ``x2``, elementwise; NaN where either is.

    Args:
        x1, x2: real[...], broadcast and promoted together. Where they are equal the gradient goes to ``x1``.
    Returns:
        The broadcast shape, the promoted dtype.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2024.12, ``minimum``.
    """
    return primitive()


minimum.gradient(
    x1=lambda g, x1, x2: where(x1 <= x2, g, 0),
    x2=lambda g, x1, x2: where(x1 <= x2, 0, g),
)


@op(dtype=rules.same_numeric, shape=rules.same_shape, elementwise=True)
def negative(x: TensorLike, /) -> Tensor:
    """``-x``, elementwise.

    Args:
        x: numeric[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is bool.
    Source:
        Array API standard 2024.12, ``negative``.
    """
    return primitive()


negative.gradient(x=lambda g: -g)


@op(dtype=rules.same_numeric, shape=rules.same_shape, elementwise=True)
def square(x: TensorLike, /) -> Tensor:
    """``x * x``, elementwise.

    Args:
        x: numeric[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is bool.
    Source:
        Array API standard 2024.12, ``square``.
    """
    return primitive()


square.gradient(x=lambda g, x: (g * 2.0) * x)  # a mean's gradient is one number: double that, not x


@op(dtype=rules.same_real, shape=rules.same_shape, elementwise=True)
def abs(x: TensorLike, /) -> Tensor:
    """``|x|``, elementwise; its gradient at 0 is 0.

    Args:
        x: real[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is complex.
    Source:
        Array API standard 2024.12, ``abs``.
    """
    return primitive()


abs.gradient(x=lambda g, x: g * sign(x))


@op(dtype=rules.same_floating, shape=rules.same_shape, elementwise=True)
def exp(x: TensorLike, /) -> Tensor:
    """``e ** x``, elementwise.

    Args:
        x: floating[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is not floating.
    Source:
        Array API standard 2024.12, ``exp``.
    """
    return primitive()


exp.gradient(x=lambda g, y: g * y)


@op(dtype=rules.same_floating, shape=rules.same_shape, elementwise=True)
def log(x: TensorLike, /) -> Tensor:
    """Natural logarithm, elementwise; -inf at 0, NaN below.

    Args:
        x: floating[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is not floating.
    Source:
        Array API standard 2024.12, ``log``.
    """
    return primitive()


log.gradient(x=lambda g, x: g / x)


@op(dtype=rules.same_floating, shape=rules.same_shape, elementwise=True)
def log1p(x: TensorLike, /) -> Tensor:
    """``log(1 + x)``, elementwise, exact near 0.

    Args:
        x: floating[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is not floating.
    Source:
        Array API standard 2024.12, ``log1p``.
    """
    return primitive()


log1p.gradient(x=lambda g, x: g / (x + 1.0))


@op(dtype=rules.same_floating, shape=rules.same_shape, elementwise=True)
def tanh(x: TensorLike, /) -> Tensor:
    """Hyperbolic tangent, elementwise.

    Args:
        x: floating[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is not floating.
    Source:
        Array API standard 2024.12, ``tanh``.
    """
    return primitive()


tanh.gradient(x=lambda g, y: g * (1.0 - y * y))


@op(dtype=rules.same_floating, shape=rules.same_shape, elementwise=True)
def sqrt(x: TensorLike, /) -> Tensor:
    """Square root, elementwise; NaN below 0.

    Args:
        x: floating[...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        DTypeError: ``x`` is not floating.
    Source:
        Array API standard 2024.12, ``sqrt``.
    """
    return primitive()


sqrt.gradient(x=lambda g, y: (g * 0.5) / y)
