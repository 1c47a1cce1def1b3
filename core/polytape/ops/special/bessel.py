"""Modified Bessel functions of the first kind, of order 0 and 1.

Half precision is computed in float32 and rounded once.
"""

from __future__ import annotations

import math
from typing import Final

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum, sign
from ..declaration import in_single, op
from ..exponential import exp, sqrt
from ..logic import equal, where
from .error import polynomial

__all__ = ["i0", "i0e", "i1", "i1e"]

_NEAR: Final = 8.0
# The power series in (x / 2)**2, highest power first. Its terms are positive, so no digits are lost.
_I0_NEAR: Final = tuple(1.0 / math.factorial(k) ** 2 for k in range(26, -1, -1))
_I1_NEAR: Final = tuple(1.0 / (math.factorial(k) * math.factorial(k + 1)) for k in range(26, -1, -1))
# Beyond 8, sqrt(x) * exp(-x) * i0(x) and the same for i1, in 16 / x - 1, highest power first: interpolation at
# Chebyshev points, with a relative error of 7e-17.
_I0_FAR: Final = (
    -7.06893851181878e-11, -1.9216763724933513e-11, 5.181936971288284e-10, 1.4672236659214398e-10,
    -1.7789375042917173e-09, -5.562201990080394e-10, 3.881151253996067e-09, 1.497880830187091e-09,
    -6.188265090497361e-09, -3.4857887470034955e-09, 7.58022133915272e-09, 7.540601378890834e-09,
    -5.4685974495866e-09, -1.3404241991980871e-08, -6.729724111923548e-09, 7.553516470355896e-09,
    2.1545177650836005e-08, 3.932602459703109e-08, 8.87225351128584e-08, 2.973598432479169e-07,
    1.4838475473607391e-06, 1.1143033791556743e-05, 0.00013621607439232746, 0.003360551983667854, 0.4021765094450081,
)  # fmt: skip
_I1_FAR: Final = (
    7.347992441734663e-11, 1.7502497778701306e-11, -5.388285995923524e-10, -1.342266320082222e-10,
    1.8513716745511988e-09, 5.146498826087142e-10, -4.047785403711858e-09, -1.4171698018664596e-09,
    6.4870195719816896e-09, 3.406636130196794e-09, -8.044231276166508e-09, -7.630751970065577e-09,
    6.040877342160988e-09, 1.4029693589852716e-08, 6.715795128085017e-09, -8.426622829598154e-09,
    -2.337059627111857e-08, -4.312935369971356e-08, -1.0001323461066435e-07, -3.483855609009937e-07,
    -1.8349101134666435e-06, -1.5038547201176271e-05, -0.00021923576383430274, -0.009749577193235728,
    0.38939845902587233,
)  # fmt: skip


def _series(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    half = maximum(minimum(x, _NEAR), -_NEAR) * 0.5
    return polynomial(half * half, coefficients)


def _far(y: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """The function times ``exp(-y)``, for ``y`` from 8."""
    y = maximum(y, _NEAR)
    return polynomial(16.0 / y - 1.0, coefficients) / sqrt(y)


def _grown(y: Tensor, scaled: Tensor) -> Tensor:
    """``scaled * exp(y)`` for ``y`` beyond 8, without overflow unless the result does."""
    largest = 720.0 if y.dtype.itemsize == 8 else 100.0
    root = exp(where(y > _NEAR, minimum(y, largest), 0.0) * 0.5)
    return where(y > largest, math.inf, scaled * root * root)


def _i0(x: Tensor) -> Tensor:
    y = abs(x)
    return where(y <= _NEAR, _series(x, _I0_NEAR), _grown(y, _far(y, _I0_FAR)))


def _i0e(x: Tensor) -> Tensor:
    y = abs(x)
    return where(y <= _NEAR, _series(x, _I0_NEAR) * exp(-y), _far(y, _I0_FAR))


def _i1(x: Tensor) -> Tensor:
    y = abs(x)
    far = _grown(y, _far(y, _I1_FAR))
    return where(y <= _NEAR, _series(x, _I1_NEAR) * (x * 0.5), where(x < 0, -far, far))


def _i1e(x: Tensor) -> Tensor:
    y = abs(x)
    far = _far(y, _I1_FAR)
    near = _series(x, _I1_NEAR) * (where(y <= _NEAR, x, 0.0) * 0.5) * exp(-y)
    return where(y <= _NEAR, near, where(x < 0, -far, far))


def _over(y: Tensor, x: Tensor) -> Tensor:
    """``y / x`` for ``i1``, or ``i1e``, of ``x``; 1/2 at 0."""
    return where(equal(x, 0), 0.5, y / where(equal(x, 0), 1.0, x))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def i0(x: TensorLike, /) -> Tensor:
    """Modified Bessel function of the first kind of order 0, elementwise.

    Source:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, section 9.6.
    """
    return in_single(_i0, x)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def i0e(x: TensorLike, /) -> Tensor:
    """``exp(-abs(x)) * i0(x)``, elementwise, which does not overflow.

    Source:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, section 9.6.
    """
    return in_single(_i0e, x)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def i1(x: TensorLike, /) -> Tensor:
    """Modified Bessel function of the first kind of order 1, elementwise.

    Source:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, section 9.6.
    """
    return in_single(_i1, x)


i1.gradient(x=lambda g, y, x: g * (i0(x) - _over(y, x)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def i1e(x: TensorLike, /) -> Tensor:
    """``exp(-abs(x)) * i1(x)``, elementwise, which does not overflow.

    Source:
        M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions, section 9.6.
    """
    return in_single(_i1e, x)


i1e.gradient(x=lambda g, y, x: g * (i0e(x) - sign(x) * y - _over(y, x)))


i0.gradient(x=lambda g, x: g * i1(x))
i0e.gradient(x=lambda g, y, x: g * (i1e(x) - sign(x) * y))
