"""Further elementwise functions of arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

from .. import dtypes
from ..dispatch.convert import asarray
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs, conjugate, maximum, minimum, multiply, power
from .declaration import converted, op
from .logic import equal, greater, less, not_equal, where

__all__ = [
    "clip",
    "deg2rad",
    "float_power",
    "fmax",
    "fmin",
    "gcd",
    "heaviside",
    "lcm",
    "lerp",
    "logaddexp2",
    "nan_to_num",
    "positive",
    "rad2deg",
    "reciprocal",
    "sinc",
]


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.same_shape, elementwise=True)
def positive(x: TensorLike, /) -> Tensor:
    """``+x``, elementwise: ``x`` itself."""
    return converted(x)


positive.gradient(x=lambda g: g)


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def reciprocal(x: TensorLike, /) -> Tensor:
    """``1 / x``, elementwise."""
    return 1.0 / converted(x)


reciprocal.gradient(x=lambda g, y: -(g * conjugate(y * y)))


@op(dtype=dtype_rules.same_real, shape=shape_rules.broadcast, elementwise=True)
def clip_(x: TensorLike, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """``x`` limited to the range from ``min`` to ``max``, in the promoted dtype; users call `clip`.

    Args:
        min, max: real[...]; None for no bound.
    """
    y = converted(x)
    if min is not None:
        y = maximum(y, min)
    return y if max is None else minimum(y, max)


@clip_.gradient("x")
def _clip_back(g: Tensor, x: Tensor, min: Tensor | None, max: Tensor | None) -> Tensor:
    if min is not None:
        g = where(less(x, min), 0, g)
    return g if max is None else where(greater(x, max), 0, g)


@clip_.gradient("min")
def _clip_low(g: Tensor, x: Tensor, min: Tensor, max: Tensor | None) -> Tensor:
    below = less(x, min)
    if max is not None:
        below = below & ~greater(min, max)
    return where(below, g, 0)


@clip_.gradient("max")
def _clip_high(g: Tensor, x: Tensor, min: Tensor | None, max: Tensor) -> Tensor:
    above = greater(x if min is None else maximum(x, min), max)
    return where(above, g, 0)


def clip(x: TensorLike, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """``x`` limited to the range from ``min`` to ``max``, elementwise; NaN where any of them is NaN.

    Where ``min`` is above ``max``, the result is ``max``. The gradient by ``x`` is 1 on the bounds and 0 outside; a
    bound has the gradient where it is the result.

    Args:
        x: real[...].
        min, max: real[...], broadcast with ``x``; None for no bound.
    Returns:
        The broadcast shape, dtype of ``x``.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: complex operands.
    Source:
        Array API standard 2025.12, ``clip``.
    """
    x = asarray(x)
    y = clip_(x, min, max)
    if y.dtype is x.dtype:
        return y
    from .manipulation import astype

    # A bound of a wider dtype is compared in that dtype, and need not be representable in that of x.
    return astype(y, x.dtype)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    floating=True,
    no_gradient="its result is piecewise constant",
)
def heaviside(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """0 where ``x1 < 0``, 1 where ``x1 > 0``, ``x2`` where ``x1`` is 0, NaN where it is NaN; elementwise.

    Source:
        NumPy, ``heaviside``.
    """
    x1 = converted(x1)
    return where(equal(x1, 0), x2, where(x1 < 0, 0, where(x1 > 0, 1, x1)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def sinc(x: TensorLike, /) -> Tensor:
    """``sin(pi x) / (pi x)``, elementwise; 1 at 0.

    Source:
        NumPy, ``sinc``.
    """
    from .trigonometric import sin  # this family is loaded only when it is used

    x = converted(x)
    angle, sign = _half_turns(x)
    # pi * x overflows for the largest numbers; for small ones, only this divisor has the rounding error of the angle.
    far = abs(x) > 1
    scaled = where(far, x, where(far, 0, x) * math.pi)
    zero = equal(scaled, 0)
    y = sign * sin(angle) / where(zero, 1, scaled)
    return where(zero, 1, where(far, y * (1.0 / math.pi), y))


def _half_turns(x: Tensor) -> tuple[Tensor, Tensor]:
    """``pi x`` less the nearest multiple of ``pi``, without overflow, and -1 for an odd multiple."""
    from .rounding import floor, round

    nearest = round(x)
    return (x - nearest) * math.pi, 1 - 2 * (nearest - 2 * floor(nearest * 0.5))


@sinc.gradient("x")
def _sinc_back(g: Tensor, x: Tensor) -> Tensor:
    from .trigonometric import cos, sin

    # Near 0 the difference of two large terms has no digits left; the series has an error of x ** 5.
    near = abs(x) < (3e-3 if x.dtype.itemsize == 8 else 6e-2)
    far = where(near, 1, x)
    angle, sign = _half_turns(x)
    slope = sign * (cos(angle) - sin(angle) / far * (1.0 / math.pi)) / far
    scaled = where(near, x, 0) * math.pi
    squared = scaled * scaled
    series = scaled * (-1.0 / 3.0 + squared * (1.0 / 30.0 - squared * (1.0 / 840.0)))
    return g * where(near, series * math.pi, slope)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def deg2rad(x: TensorLike, /) -> Tensor:
    """Degrees as radians, elementwise.

    Source:
        NumPy, ``deg2rad``.
    """
    return converted(x) * (math.pi / 180.0)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def rad2deg(x: TensorLike, /) -> Tensor:
    """Radians as degrees, elementwise.

    Source:
        NumPy, ``rad2deg``.
    """
    return converted(x) * (180.0 / math.pi)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def lerp(x1: TensorLike, x2: TensorLike, weight: TensorLike, /) -> Tensor:
    """``x1 + weight * (x2 - x1)``, elementwise; exactly ``x1`` at weight 0 and ``x2`` at weight 1.

    Source:
        NumPy, ``quantile``, which interpolates in this way; PyTorch, ``lerp``.
    """
    x1, x2, weight = converted(x1), converted(x2), converted(weight)
    difference = x2 - x1
    return where(less(weight, 0.5), x1 + weight * difference, x2 - difference * (1.0 - weight))


def float_power(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 ** x2`` in floating-point numbers, elementwise: integers and bools are cast to float32.

    Args:
        x1, x2: any dtype[...], broadcast and promoted together.
    Raises:
        ShapeError: shapes that do not broadcast.
    Source:
        NumPy, ``float_power``, which always computes in float64.
    """
    return power(multiply(x1, 1.0), multiply(x2, 1.0))


def nan_to_num(
    x: TensorLike, /, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``x`` with NaN and infinities replaced, elementwise; no gradient flows to the replaced elements.

    Args:
        x: any dtype[...]; in a complex tensor the parts are replaced.
        nan: in place of NaN.
        posinf, neginf: in place of infinities; default: the largest and the smallest finite number.
    Returns:
        Shape and dtype of ``x``.
    Source:
        NumPy, ``nan_to_num``.
    """
    from ..inspection import finfo
    from .complex_parts import complex_, imag, is_complex, real

    x = asarray(x)
    if is_complex(x):
        parts = (nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in (real(x), imag(x)))
        joined: Tensor = complex_(*parts)
        return joined
    if dtypes.category(x.dtype) != dtypes.FLOATING:
        return positive(x) if dtypes.category(x.dtype) == dtypes.INTEGER else x
    limits = finfo(x.dtype)
    y = where(not_equal(x, x), nan, x)
    y = where(equal(y, math.inf), limits.max if posinf is None else posinf, y)
    return where(equal(y, -math.inf), limits.min if neginf is None else neginf, y)


def _without_nan(x1: TensorLike, x2: TensorLike, choose: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    from .rearranging import together  # this family is loaded only when it is used

    x1, x2 = together(x1, x2)
    return where(not_equal(x1, x1), x2, where(not_equal(x2, x2), x1, choose(x1, x2)))


def fmax(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The larger operand, elementwise; NaN only where both are NaN.

    Args:
        x1, x2: real[...], promoted together; shapes broadcast.
    Source:
        NumPy 2.4, ``numpy.fmax``.
    """
    return _without_nan(x1, x2, maximum)


def fmin(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The smaller operand, elementwise; NaN only where both are NaN.

    Args:
        x1, x2: real[...], promoted together; shapes broadcast.
    Source:
        NumPy 2.4, ``numpy.fmin``.
    """
    return _without_nan(x1, x2, minimum)


def logaddexp2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``log2(2**x1 + 2**x2)``, elementwise, without overflow.

    Args:
        x1, x2: real[...], promoted together; shapes broadcast. Integers are cast to float32.
    Source:
        NumPy 2.4, ``numpy.logaddexp2``.
    """
    from .exponential import exp2, log1p
    from .rearranging import together
    from .statistics import floating  # these families are loaded only when they are used

    x1, x2 = (floating(x) for x in together(x1, x2))
    same = equal(x1, x2)  # also infinities, whose difference is NaN
    gap = where(same, 0, abs(x1 - where(same, 0, x2)))
    return maximum(x1, x2) + log1p(exp2(-gap)) * (1.0 / math.log(2.0))


_INTEGERS = "integers have no gradient"


@op(dtype=dtype_rules.same_integer, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def gcd(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The greatest common divisor, elementwise; 0 if both are 0.

    Source:
        NumPy, ``gcd``.
    """
    from .rounding import remainder

    a, b = abs(converted(x1)), abs(converted(x2))
    # Euclid's algorithm takes at most one step per Fibonacci number in the dtype: 1.44 steps a bit.
    for _ in range(int(1.45 * 8 * a.dtype.itemsize) + 2):
        a, b = where(equal(b, 0), a, b), remainder(a, b)
    return a


@op(dtype=dtype_rules.same_integer, shape=shape_rules.broadcast, elementwise=True, no_gradient=_INTEGERS)
def lcm(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The least common multiple, elementwise; 0 if one of them is 0.

    Source:
        NumPy, ``lcm``.
    """
    from .rounding import floor_divide

    x1, x2 = abs(converted(x1)), abs(converted(x2))
    return floor_divide(x1, gcd(x1, x2)) * x2
