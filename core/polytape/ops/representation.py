"""The bits of numbers: signs, neighbours, mantissas and exponents, elementwise."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from .. import dtypes
from ..dtypes import DType
from ..errors import DTypeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import abs, maximum, minimum
from .declaration import converted, op, primitive, states
from .logic import equal, greater, less, not_equal, where

__all__ = ["Frexp", "copysign", "frexp", "ldexp", "nextafter", "signbit"]

Shape = tuple[int, ...]


@states(returns="``dtype``", rejects="``dtype`` has another size", dtype="of the result, of the same size.")
def _same_size(x: DType, *, dtype: DType) -> DType:
    if dtype.itemsize != x.itemsize:
        raise DTypeError(
            f"cannot read the bits as {dtype}.",
            expected=f"a dtype of {x.itemsize} bytes",
            got=f"{dtype} of {dtype.itemsize} bytes",
            fix="use polytape.astype to convert values",
        )
    return dtype


@op(
    dtype=_same_size,
    shape=shape_rules.same_shape,
    no_gradient="bits are not differentiable",
    internal="polytape.signbit and polytape.nextafter",
)
def bitcast(x: TensorLike, /, *, dtype: Any) -> Tensor:
    """The same bits, read as another dtype.

    Source:
        StableHLO 1.0, ``bitcast_convert``.
    """
    return primitive()


_INTEGERS: Final = {1: dtypes.int8, 2: dtypes.int16, 4: dtypes.int32, 8: dtypes.int64}


def bits_of(x: Tensor) -> Tensor:
    """The bits of a floating tensor as a signed integer, whose sign is that of the number."""
    return bitcast(x, dtype=_INTEGERS[x.dtype.itemsize])


@op(
    dtype=dtype_rules.ordered_truth,
    shape=shape_rules.same_shape,
    elementwise=True,
    no_gradient="its result is a bool",
)
def signbit(x: TensorLike, /) -> Tensor:
    """Whether the sign bit is set, elementwise: true for negative numbers and -0.0, also for NaN with that bit."""
    x = converted(x)
    return less(bits_of(x) if dtypes.category(x.dtype) == dtypes.FLOATING else x, 0)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def copysign(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The magnitude of ``x1`` with the sign of ``x2``, elementwise; the gradient by ``x2`` is 0."""
    x1, x2 = converted(x1), converted(x2)
    return where(signbit(x1) ^ signbit(x2), -x1, x1)


copysign.gradient(x1=lambda g, x1, x2: where(signbit(x1) ^ signbit(x2), -g, g))


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    floating=True,
    no_gradient="its result is a rounding error away from a constant or from x1",
)
def nextafter(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The next number after ``x1`` towards ``x2``, elementwise; ``x2`` if they are equal."""
    x1, x2 = converted(x1), converted(x2)
    bits = bits_of(x1)
    upwards = (x1 < x2) ^ (x1 < 0)  # away from 0, where the bits of the next number are larger by 1
    stepped = bitcast(where(upwards, bits + 1, bits - 1), dtype=x1.dtype)
    smallest = copysign(bitcast(bits * 0 + 1, dtype=x1.dtype), x2)
    y = where(equal(x1, x2), x2, where(equal(x1, 0), smallest, stepped))
    return where(equal(x1, x1) & equal(x2, x2), y, x1 + x2)


class Frexp(NamedTuple):
    """The result of `frexp`: ``x == mantissa * 2 ** exponent``."""

    mantissa: Tensor
    exponent: Tensor


@states(takes="real floating", returns="``mantissa``: dtype of {x}, ``exponent``: int32", rejects="not real floating")
def _frexp_dtypes(x: DType) -> tuple[DType, DType]:
    return dtype_rules.same_real_floating(x), dtypes.int32


@states(returns="same")
def _frexp_shapes(x: Shape) -> tuple[Shape, Shape]:
    return x, x


# The width of the mantissa and the exponent of 1, as stored; half precision is computed in float32.
_FORMATS: Final = {4: (23, 127), 8: (52, 1023)}


@op(dtype=_frexp_dtypes, shape=_frexp_shapes, elementwise=True, outputs=Frexp)
def frexp(x: TensorLike, /) -> Frexp:
    """``x`` as ``mantissa * 2 ** exponent`` with ``0.5 <= |mantissa| < 1``, elementwise.

    For 0, infinity and NaN, ``mantissa`` is ``x`` and ``exponent`` is 0. The gradient takes ``exponent`` as a constant.

    Returns:
        ``mantissa``: shape and dtype of ``x``; ``exponent``: shape of ``x``, int32.
    Source:
        ISO C, ``frexp``.
    """
    from .manipulation import astype

    x = converted(x)
    if x.dtype.itemsize == 2:
        wide = frexp(astype(x, dtypes.float32))
        return Frexp(astype(wide.mantissa, x.dtype), wide.exponent)
    width, bias = _FORMATS[x.dtype.itemsize]
    small = less(abs(x), 2.0 ** (1 - bias))
    bits = bits_of(where(small, x * 2.0 ** (width + 1), x))
    stored = (bits >> width) & (2 * bias + 1)
    # Where the stored exponent is replaced by that of 0.5, the mantissa remains.
    mantissa = bitcast(bits - ((stored - (bias - 1)) << width), dtype=x.dtype)
    exponent = stored - (bias - 1) - where(small, width + 1, 0)
    regular = less(abs(x), math.inf) & not_equal(x, 0)
    return Frexp(where(regular, mantissa, x), astype(where(regular, exponent, 0), dtypes.int32))


@frexp.gradient("x")
def _frexp_back(g: Frexp, y: Frexp) -> Tensor | None:
    return None if g.mantissa is None else ldexp(g.mantissa, -y.exponent)


@states(takes="real floating", returns="dtype of ``x1``", rejects="``x1`` is not real floating, or ``x2`` no integer")
def _ldexp_dtype(x1: DType, x2: DType) -> DType:
    dtype_rules.same_integer(x2)
    return dtype_rules.same_real_floating(x1)


@op(dtype=_ldexp_dtype, shape=shape_rules.broadcast, elementwise=True, promotes=())
def ldexp(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 * 2 ** x2``, elementwise and rounded once, also where ``2 ** x2`` would overflow.

    Args:
        x1: real floating[...].
        x2: integer[...], broadcast with ``x1``.
    Source:
        ISO C, ``ldexp``.
    """
    from .manipulation import astype

    x1, x2 = converted(x1), converted(x2)
    if x1.dtype.itemsize == 2:
        return astype(ldexp(astype(x1, dtypes.float32), x2), x1.dtype)
    width, bias = _FORMATS[x1.dtype.itemsize]
    limit = 2 * bias + 2 * width  # beyond it every result is 0 or infinite
    n = minimum(x2 if x2.dtype.itemsize >= 4 else astype(x2, dtypes.int32), limit)
    n = astype(maximum(n, -limit) if n.dtype.kind == "i" else n, _INTEGERS[x1.dtype.itemsize])
    # Three factors, since one would overflow or vanish. After a factor that may round a subnormal number, the next is
    # so small that the result is 0, so nothing is rounded twice.
    least = width + 1 - (bias - 1)
    for _ in range(2):
        step = where(greater(n, bias), bias, where(less(n, 1 - bias), least, n - n))
        x1, n = x1 * _power_of_2(step, x1.dtype), n - step
    return x1 * _power_of_2(minimum(maximum(n, 1 - bias), bias), x1.dtype)


def _power_of_2(n: Tensor, dtype: DType) -> Tensor:
    """2 to the power of a normal exponent."""
    width, bias = _FORMATS[dtype.itemsize]
    return bitcast((n + bias) << width, dtype=dtype)


ldexp.gradient(x1=lambda g, x2: ldexp(g, x2))
