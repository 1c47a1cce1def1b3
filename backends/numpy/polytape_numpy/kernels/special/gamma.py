"""lgamma and digamma of float32, computed in float64, where one formula has enough digits near the zeros too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from polytape.backend import Kernel

from ..quiet import silent

__all__ = ["kernels"]

Array = Any

_FEW: Final = 128  # elements; the calls below take as long as 128 of the C library
_BLOCK: Final = 8192  # elements, whose intermediate results stay in the cache
_SHIFT: Final = 8  # arguments below it are raised by it, where the series have errors below 1e-16
_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)
# B(2 k) / (2 k (2 k - 1)), and B(2 k) / (2 k): the series of Stirling's formula and of its derivative.
_STIRLING: Final = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_DERIVATIVE: Final = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the gamma family: none on a device, whose own elementwise kernels are faster."""
    if xp.__name__ != "numpy":
        return []
    return [
        Kernel("lgamma", _lgamma(xp), dtypes=("float32",), fresh=True),
        Kernel("digamma", _applied(xp, _digamma_of(xp)), dtypes=("float32",), fresh=True),
    ]


def _applied(xp: Any, compute: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The kernel that computes in float64, by blocks."""

    def kernel(x: Array) -> Array:
        flat = x.reshape(-1)
        y = xp.empty_like(flat)
        for start in range(0, flat.size, _BLOCK):
            y[start : start + _BLOCK] = compute(flat[start : start + _BLOCK].astype("float64"))
        return y.reshape(x.shape)

    return silent(xp, kernel)


def _series(coefficients: tuple[float, ...], z: Array) -> Array:
    y = z * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        y += coefficient
        y *= z
    y += coefficients[0]
    return y


def _lgamma(xp: Any) -> Callable[[Array], Array]:
    general = _applied(xp, _lgamma_of(xp))

    def few(x: Array) -> Array:
        return xp.array([math.lgamma(number) for number in x.reshape(-1).tolist()], x.dtype).reshape(x.shape)

    quietly = silent(xp, few)

    def lgamma(x: Array) -> Array:
        if x.size <= _FEW:
            try:
                return quietly(x)
            except ValueError:  # a pole
                pass
        return general(x)

    return lgamma


def _lgamma_of(xp: Any) -> Callable[[Array], Array]:
    log, where, floor, sin = xp.log, xp.where, xp.floor, xp.sin

    def of_size(y: Array) -> Array:
        near = y < _SHIFT
        factor = y.copy()
        for k in range(1, _SHIFT):
            factor *= y + k
        z = y + near * _SHIFT
        inverse = 1 / z
        value = (z - 0.5) * (log(z) - 1) + _series(_STIRLING, inverse * inverse) * inverse
        value += _HALF_LOG_TWO_PI - 0.5
        value -= log(where(near, factor, 1.0))
        return where((y == 1) | (y == 2), 0.0, value)  # otherwise 2e-15

    def lgamma_of(x: Array) -> Array:
        y = abs(x)
        value = of_size(y)
        below = (x < 0) & (y < math.inf)
        if below.any():
            # gamma(x) gamma(-x) = -pi / (x sin(pi x))
            size = y[below]
            sine = abs(sin((size - floor(size)) * math.pi)) * size
            value[below] = log(math.pi / sine) - value[below]
        return value

    return lgamma_of


def _digamma_of(xp: Any) -> Callable[[Array], Array]:
    log, where, copysign, floor, tan = xp.log, xp.where, xp.copysign, xp.floor, xp.tan

    def of_positive(y: Array) -> Array:
        near = y < _SHIFT
        z = y + near * _SHIFT
        inverse = 1 / z
        square = inverse * inverse
        value = log(z) - inverse * 0.5 - _series(_DERIVATIVE, square) * square
        quotients = 1 / y
        for k in range(1, _SHIFT):
            quotients += 1 / (y + k)
        value -= where(near, quotients, 0.0)
        return value

    def digamma_of(x: Array) -> Array:
        value = of_positive(abs(x))
        below = x <= 0
        if below.any():
            # digamma(-y) = digamma(y) + 1 / y + pi / tan(pi y)
            size = -x[below]
            apart = size - floor(size + 0.5)
            value[below] += 1 / size + math.pi / tan(where(apart == 0, math.nan, apart) * math.pi)
            zero = x == 0
            value[zero] = copysign(math.inf, -x[zero])
        return value

    return digamma_of
