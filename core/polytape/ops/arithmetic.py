"""Elementwise arithmetic: operands broadcast, and core sums gradients over the axes that were broadcast."""

from __future__ import annotations

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .declaration import converted, op, primitive
from .logic import equal, larger_share, not_equal, where

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

_REAL = ("integral", "real floating")
_PIECEWISE = "its result is piecewise constant"


def conjugate(x: Tensor) -> Tensor:
    """The factor of a gradient rule: the gradient of a holomorphic function is ``g`` times its conjugate derivative."""
    if x.dtype.kind != "c":
        return x
    from .complex_parts import conj  # this family is loaded only when it is used

    return conj(x)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def sign(x: TensorLike, /) -> Tensor:
    """-1, 0 or 1 according to the sign of ``x``, elementwise; NaN where ``x`` is NaN; ``x / |x|`` for complex numbers.

    No gradient flows through the sign of real numbers. That of complex numbers has one, which is 0 at 0.
    """
    x = converted(x)
    if x.dtype.kind == "c":
        return where(equal(x, 0), 0, x / abs(x))
    if x.dtype.kind == "u":
        return where(x > 0, 1, x)
    return where(x > 0, 1, where(x < 0, -1, where(equal(x, 0), 0, x)))  # the last x is NaN


@sign.gradient("x")
def _sign_back(g: Tensor, x: Tensor) -> Tensor | None:
    if x.dtype.kind != "c":
        return None
    # The part of g along x changes only the magnitude, which is constant.
    from .complex_parts import real  # this family is loaded only when it is used

    size = abs(x)
    zero = equal(size, 0)
    size = where(zero, 1, size)
    y = x / size
    return where(zero, 0, (g - y * real(g * conjugate(y))) / size)


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


multiply.gradient(x1=lambda g, x2: g * conjugate(x2), x2=lambda g, x1: g * conjugate(x1))


@op(dtype=dtype_rules.same_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 / x2``, elementwise; integers are divided as float32."""
    return primitive()


divide.gradient(x1=lambda g, x2: g / conjugate(x2), x2=lambda g, y, x2: -(g * conjugate(y)) / conjugate(x2))


def _check_exponent(position: int, number: int, dtype: DType) -> None:
    if position == 1 and dtypes.category(dtype) == dtypes.INTEGER:
        raise DTypeError(
            f"power cannot raise integers to {number}.",
            expected="an exponent of 0 or more, or a floating base",
            got=f"a base of {dtype}",
            fix=f"cast the base first: polytape.astype(x, 'float32') ** {number}",
        )


@op(
    dtype=dtype_rules.same_numeric,
    shape=shape_rules.broadcast,
    elementwise=True,
    numbers=_check_exponent,
    primitive_for=_REAL,
)
def power(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 ** x2``, elementwise. The gradient with respect to ``x2`` is 0 where ``x1 <= 0``.

    Where an integer is raised to a negative element of an integer tensor, the result is ``1 / x1 ** -x2`` without its
    fraction, and 0 for ``x1 == 0``.

    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: bool operands, or an integer tensor raised to a negative
            Python integer.
    Source:
        Array API standard 2025.12, ``pow``.
    """
    from .complex_bodies import complex_power  # this module is loaded only when it is used

    return complex_power(converted(x1), converted(x2))


@power.gradient("x1")
def _power_base(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    # x ** 0 is constant, but x2 * x1 ** (x2 - 1) would be 0 * 0 ** -1 = NaN at 0. The conditions concern only the
    # exponents, of which there is usually one.
    constant = equal(x2, 0)
    return g * conjugate(where(constant, 0, x2) * x1 ** where(constant, 0, x2 - 1))


@power.gradient("x2")
def _power_exponent(g: Tensor, y: Tensor, x1: Tensor) -> Tensor:
    from .exponential import log  # this family is loaded only when it is used

    if x1.dtype.kind == "c":
        nonzero = not_equal(x1, 0)
        return g * conjugate(y * where(nonzero, log(where(nonzero, x1, 1)), 0))
    return g * y * where(x1 > 0, log(where(x1 > 0, x1, 1)), 0)


@op(dtype=dtype_rules.same_real, shape=shape_rules.broadcast, elementwise=True)
def maximum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The larger of ``x1`` and ``x2``, elementwise; NaN where either is NaN.

    Where the operands are equal, each receives half of the gradient; where either is NaN, both receive all of it.
    """
    return primitive()


maximum.gradient(
    x1=lambda g, x1, x2: larger_share(g, x1, x2),
    x2=lambda g, x1, x2: larger_share(g, x2, x1),
)


@op(dtype=dtype_rules.same_real, shape=shape_rules.broadcast, elementwise=True)
def minimum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The smaller of ``x1`` and ``x2``, elementwise; NaN where either is NaN.

    Where the operands are equal, each receives half of the gradient; where either is NaN, both receive all of it.
    """
    return primitive()


minimum.gradient(
    x1=lambda g, x1, x2: larger_share(g, x2, x1),
    x2=lambda g, x1, x2: larger_share(g, x1, x2),
)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def negative(x: TensorLike, /) -> Tensor:
    """``-x``, elementwise."""
    return primitive()


negative.gradient(x=lambda g: -g)


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def square(x: TensorLike, /) -> Tensor:
    """``x * x``, elementwise."""
    return multiply(x, x)


# g may have shape (), for example the gradient of a mean; doubling it is then cheaper than doubling x.
square.gradient(x=lambda g, x: (g * 2.0) * conjugate(x))


@op(dtype=dtype_rules.magnitude, shape=shape_rules.same_shape, elementwise=True, primitive_for=_REAL)
def abs(x: TensorLike, /) -> Tensor:
    """``|x|``, elementwise; its gradient at 0 is 0."""
    from .complex_parts import imag, real  # these families are loaded only when they are used
    from .trigonometric import hypot

    return hypot(real(converted(x)), imag(converted(x)))


@abs.gradient("x")
def _abs_back(g: Tensor, x: Tensor) -> Tensor:
    if x.dtype.kind != "c":
        return g * sign(x)
    size = abs(x)  # and not sign(x), which has no gradient
    return g * (x / where(equal(size, 0), 1, size))
