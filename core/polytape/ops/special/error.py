"""The error function and its relatives.

The bodies are rational approximations in Horner form. Half precision is computed in float32 and rounded once.
"""

from __future__ import annotations

import math
from typing import Final

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum
from ..declaration import in_single, op
from ..exponential import exp, log, log1p, sqrt
from ..logic import equal, where

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

# Cody (1969), highest power first: erf(x) / x in x**2 up to _SMALL, exp(x**2) * erfc(x) in x up to _LARGE, and
# (1 / sqrt(pi) - x * exp(x**2) * erfc(x)) * x**2 in 1 / x**2 above it.
_SMALL: Final = 0.46875
_LARGE: Final = 4.0
_ERF_TOP: Final = (
    1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3,
)  # fmt: skip
_ERF_BOTTOM: Final = (
    1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
)  # fmt: skip
_ERFC_TOP: Final = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_ERFC_BOTTOM: Final = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_REST_TOP: Final = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_REST_BOTTOM: Final = (
    1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip
# Wichura (1988), algorithm AS 241, PPND16, highest power first: the normal quantile around 1/2, and in two parts of
# the tail in sqrt(-log(p)).
_CENTRE_TOP: Final = (
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987,
    13731.69376550946, 1971.5909503065513, 133.14166789178438, 3.3871328727963665,
)  # fmt: skip
_CENTRE_BOTTOM: Final = (
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597,
    5394.196021424751, 687.1870074920579, 42.31333070160091, 1.0,
)  # fmt: skip
_TAIL_TOP: Final = (
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
)  # fmt: skip
_TAIL_BOTTOM: Final = (
    1.0507500716444169e-09, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1.0,
)  # fmt: skip
_FAR_TOP: Final = (
    2.0103343992922881e-07, 2.7115555687434876e-05, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
)  # fmt: skip
_FAR_BOTTOM: Final = (
    2.0442631033899397e-15, 1.421511758316446e-07, 1.8463183175100548e-05, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1.0,
)  # fmt: skip

_TWO_OVER_ROOT_PI: Final = 2.0 / math.sqrt(math.pi)
_ROOT_HALF: Final = math.sqrt(0.5)
_ROOT_TWO_PI: Final = math.sqrt(2.0 * math.pi)


def polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """The polynomial with these coefficients, highest power first, by Horner's rule."""
    y = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        y = y * x + coefficient
    return y


def _bell(y: Tensor, scale: float) -> Tensor:
    """``exp(-scale * y * y)`` for ``y >= 0``, without the rounding error of the square, which exp would magnify."""
    y = minimum(y, 40.0)  # where the result has underflowed, or overflowed
    # A multiple of 1/16: adding and subtracting this number rounds to the last place of their sum.
    shift = 1.5 * 2.0 ** (48 if y.dtype.itemsize == 8 else 19)
    coarse = (y + shift) - shift
    return exp(coarse * coarse * -scale) * exp((y - coarse) * (y + coarse) * -scale)


def _erf_near_0(x: Tensor) -> Tensor:
    x = maximum(minimum(x, _SMALL), -_SMALL)
    square = x * x
    return x * (polynomial(square, _ERF_TOP) / polynomial(square, _ERF_BOTTOM))


def _erfcx_rest(y: Tensor) -> Tensor:
    """``1 - sqrt(pi) * y * erfcx(y)`` for ``y >= 4``, the relative distance to its limit ``1 / (sqrt(pi) * y)``."""
    z = 1.0 / maximum(y, _LARGE)
    z = z * z
    return z * (polynomial(z, _REST_TOP) / polynomial(z, _REST_BOTTOM)) * math.sqrt(math.pi)


def _erfcx_beyond(y: Tensor) -> Tensor:
    """``exp(y**2) * erfc(y)`` for ``y > 0.46875``."""
    inner = minimum(y, _LARGE)
    middle = polynomial(inner, _ERFC_TOP) / polynomial(inner, _ERFC_BOTTOM)
    far = (1.0 - _erfcx_rest(y)) / maximum(y, _LARGE) * (0.5 * _TWO_OVER_ROOT_PI)
    return where(y <= _LARGE, middle, far)


def _erf(x: Tensor) -> Tensor:
    y = abs(x)
    tail = 1.0 - _bell(y, 1.0) * _erfcx_beyond(y)
    return where(y <= _SMALL, _erf_near_0(x), where(x < 0, -tail, tail))


def _erfc(x: Tensor) -> Tensor:
    y = abs(x)
    tail = _bell(y, 1.0) * _erfcx_beyond(y)
    return where(y <= _SMALL, 1.0 - _erf_near_0(x), where(x < 0, 2.0 - tail, tail))


def _erfcx(x: Tensor) -> Tensor:
    y = abs(x)
    beyond = _erfcx_beyond(y)
    near = minimum(y, _SMALL)
    mirrored = 2.0 * _bell(where(x < 0, y, 0), -1.0) - beyond
    return where(y <= _SMALL, exp(near * near) * (1.0 - _erf_near_0(x)), where(x < 0, mirrored, beyond))


def _ndtr(x: Tensor) -> Tensor:
    y = abs(x)
    scaled = y * _ROOT_HALF
    tail = _bell(y, 0.5) * _erfcx_beyond(scaled) * 0.5
    return where(scaled <= _SMALL, 0.5 + 0.5 * _erf_near_0(x * _ROOT_HALF), where(x < 0, tail, 1.0 - tail))


def _log_ndtr(x: Tensor) -> Tensor:
    # Above -1 no digits are lost: ndtr(x) is neither small, nor near 1 where log1p subtracts ndtr(-x) from it.
    upper = log1p(-_ndtr(-maximum(x, 0)))
    middle = log(_ndtr(maximum(x, -1.0)))
    far = minimum(x, -1.0)
    lower = log(_erfcx_beyond(minimum(far * -_ROOT_HALF, 1e30)) * 0.5) - far * far * 0.5
    return where(x > 0, upper, where(x < -1.0, lower, middle))


def _quantile(centre: Tensor, tail: Tensor) -> Tensor:
    """The normal quantile.

    Args:
        centre: the probability less 1/2, between -1/2 and 1/2.
        tail: the probability, or its complement if that is smaller; given apart since ``centre`` rounds it.
    """
    inner = maximum(minimum(centre, 0.425), -0.425)
    square = 0.180625 - inner * inner
    middle = inner * (polynomial(square, _CENTRE_TOP) / polynomial(square, _CENTRE_BOTTOM))
    root = sqrt(-log(where(tail > 0, minimum(tail, 0.5), 0.5)))
    near, far = minimum(root, 5.0) - 1.6, maximum(root, 5.0) - 5.0
    outer = where(
        root <= 5.0,
        polynomial(near, _TAIL_TOP) / polynomial(near, _TAIL_BOTTOM),
        polynomial(far, _FAR_TOP) / polynomial(far, _FAR_BOTTOM),
    )
    outer = where(tail > 0, outer, where(equal(tail, 0), math.inf, math.nan))
    return where(abs(centre) <= 0.425, middle, where(centre < 0, -outer, outer))


def _erfinv(x: Tensor) -> Tensor:
    return _quantile(x * 0.5, (1.0 - abs(x)) * 0.5) * _ROOT_HALF


def _ndtri(p: Tensor) -> Tensor:
    return _quantile(p - 0.5, minimum(p, 1.0 - p))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def erf(x: TensorLike, /) -> Tensor:
    """Error function ``2 / sqrt(pi) * integral of exp(-t**2) from 0 to x``, elementwise.

    Source:
        W. J. Cody (1969), Mathematics of Computation 23, pp. 631-637.
    """
    return in_single(_erf, x)


erf.gradient(x=lambda g, x: g * (exp(-(x * x)) * _TWO_OVER_ROOT_PI))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def erfc(x: TensorLike, /) -> Tensor:
    """``1 - erf(x)``, elementwise, accurate where it is small.

    Source:
        W. J. Cody (1969), Mathematics of Computation 23, pp. 631-637.
    """
    return in_single(_erfc, x)


erfc.gradient(x=lambda g, x: g * (exp(-(x * x)) * -_TWO_OVER_ROOT_PI))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def erfcx(x: TensorLike, /) -> Tensor:
    """``exp(x**2) * erfc(x)``, elementwise, which neither overflows nor underflows for positive ``x``.

    Source:
        W. J. Cody (1969), Mathematics of Computation 23, pp. 631-637.
    """
    return in_single(_erfcx, x)


@erfcx.gradient("x")
def _erfcx_back(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    # 2 * x * y tends to 2 / sqrt(pi); the rest is computed by itself where the difference would lose its digits.
    near = 2.0 * x * y - _TWO_OVER_ROOT_PI
    return g * where(x > _LARGE, _erfcx_rest(x) * -_TWO_OVER_ROOT_PI, near)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def erfinv(x: TensorLike, /) -> Tensor:
    """Inverse of `erf`, elementwise; infinite at -1 and 1, NaN beyond.

    Source:
        M. J. Wichura (1988), Applied Statistics 37, pp. 477-484, algorithm AS 241.
    """
    return in_single(_erfinv, x)


erfinv.gradient(x=lambda g, y: g * (exp(y * y) * (1.0 / _TWO_OVER_ROOT_PI)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def ndtr(x: TensorLike, /) -> Tensor:
    """Probability that a standard normal variable is at most ``x``, elementwise.

    Source:
        W. J. Cody (1969), Mathematics of Computation 23, pp. 631-637.
    """
    return in_single(_ndtr, x)


ndtr.gradient(x=lambda g, x: g * (exp(x * x * -0.5) * (1.0 / _ROOT_TWO_PI)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log_ndtr(x: TensorLike, /) -> Tensor:
    """``log(ndtr(x))``, elementwise, without underflow.

    Source:
        W. J. Cody (1969), Mathematics of Computation 23, pp. 631-637.
    """
    return in_single(_log_ndtr, x)


@log_ndtr.gradient("x")
def _log_ndtr_back(g: Tensor, x: Tensor) -> Tensor:
    # The density over ndtr: both underflow below -38, their common factor exp(-x**2 / 2) cancels in erfcx.
    lower = (2.0 / _ROOT_TWO_PI) / erfcx(minimum(x, 0) * -_ROOT_HALF)
    positive = maximum(x, 0)
    upper = exp(positive * positive * -0.5) * (1.0 / _ROOT_TWO_PI) / ndtr(positive)
    return g * where(x < 0, lower, upper)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def ndtri(p: TensorLike, /) -> Tensor:
    """Inverse of `ndtr`, elementwise; infinite at 0 and 1, NaN beyond.

    Source:
        M. J. Wichura (1988), Applied Statistics 37, pp. 477-484, algorithm AS 241.
    """
    return in_single(_ndtri, p)


ndtri.gradient(p=lambda g, y: g * (exp(y * y * 0.5) * _ROOT_TWO_PI))
