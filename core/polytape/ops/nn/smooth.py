"""Smooth activation functions that are not logistic: softplus, gelu, silu and their kin."""

from __future__ import annotations

import math
from typing import Final

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum, multiply, square
from ..declaration import converted, in_single, op
from ..exponential import exp, log1p
from ..logic import where
from ..trigonometric import tanh
from .activations import sigmoid

__all__ = ["gelu", "log_sigmoid", "mish", "silu", "softplus", "softsign", "tanhshrink"]

# Below -_FAR, the functions that approach 0 are 0 in float64; they use -_FAR there, since -inf * 0 would be NaN.
_FAR: Final = 1000.0
_ROOT_TWO_PI: Final = math.sqrt(2.0 * math.pi)
# The argument of tanh in the approximate form of gelu is _LINEAR * (x + _CUBIC * x**3).
_LINEAR: Final = math.sqrt(2.0 / math.pi)
_CUBIC: Final = 0.044715


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def softplus(x: TensorLike, /) -> Tensor:
    """``log(1 + exp(x))``, elementwise: a smooth relu.

    Source:
        C. Dugas, Y. Bengio, F. Belisle, C. Nadeau, R. Garcia (2001), NeurIPS 13, pp. 472-478.
    """
    return in_single(_softplus, x)


def _softplus(x: TensorLike) -> Tensor:
    # max(x, 0) carries the large part, so that exp never gets a positive number.
    return maximum(x, 0) + log1p(exp(-abs(x)))


softplus.gradient(x=lambda g, x: g * sigmoid(x))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def log_sigmoid(x: TensorLike, /) -> Tensor:
    """``log(sigmoid(x))``, elementwise, also where sigmoid(x) would underflow.

    Source:
        The logistic function; P.-F. Verhulst (1845).
    """
    return -softplus(-converted(x))


log_sigmoid.gradient(x=lambda g, x: g * sigmoid(-x))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def gelu(x: TensorLike, /, *, approximate: bool = False) -> Tensor:
    """``x`` times the probability that a standard normal number is below ``x``, elementwise; 0 at -inf.

    Args:
        approximate: whether to compute ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`` instead, which
            differs by up to 5e-4.
    Source:
        D. Hendrycks, K. Gimpel (2016), Gaussian error linear units, arXiv:1606.08415.
    """
    return in_single(_gelu_by_tanh if approximate else _gelu, x)


def _gelu(x: TensorLike) -> Tensor:
    from ..special.error import ndtr  # this family is loaded only when it is used

    return maximum(x, -_FAR) * ndtr(x)


def _gelu_by_tanh(x: TensorLike) -> Tensor:
    # (1 + tanh(t)) / 2 = sigmoid(2 * t), which keeps the digits of small results.
    inner = _inside(x)
    return maximum(x, -_FAR) * sigmoid(inner * (square(inner) * (2.0 * _LINEAR * _CUBIC) + 2.0 * _LINEAR))


def _inside(x: TensorLike) -> Tensor:
    """``x``, but -_FAR below that number and _FAR above."""
    return minimum(maximum(x, -_FAR), _FAR)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of gelu",
)
def gelu_gradient(incoming: TensorLike, x: TensorLike, /, *, approximate: bool = False) -> Tensor:
    """``incoming`` times the derivative of gelu at ``x``, elementwise: the gradient of gelu in one kernel.

    Args:
        approximate: as for `gelu`.
    Source:
        As for `gelu`.
    """
    return in_single(_gelu_back_by_tanh if approximate else _gelu_back, incoming, x)


gelu.gradient(x=lambda g, x, approximate: gelu_gradient(g, x, approximate=approximate))


def _gelu_back(incoming: TensorLike, x: TensorLike) -> Tensor:
    from ..special.error import ndtr  # this family is loaded only when it is used

    inner = _inside(x)
    return multiply(incoming, ndtr(x) + inner * (exp(square(inner) * -0.5) / _ROOT_TWO_PI))


def _gelu_back_by_tanh(incoming: TensorLike, x: TensorLike) -> Tensor:
    inner = _inside(x)
    squared = square(inner)
    t = inner * (squared * (2.0 * _LINEAR * _CUBIC) + 2.0 * _LINEAR)
    slope = squared * (6.0 * _LINEAR * _CUBIC) + 2.0 * _LINEAR
    return multiply(incoming, sigmoid(t) * (inner * slope * sigmoid(-t) + 1.0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def silu(x: TensorLike, /) -> Tensor:
    """``x * sigmoid(x)``, elementwise, also called swish; 0 at -inf.

    Source:
        S. Elfwing, E. Uchibe, K. Doya (2018), Neural Networks 107, pp. 3-11.
    """
    return in_single(lambda x: maximum(x, -_FAR) * sigmoid(x), x)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of silu",
)
def silu_gradient(incoming: TensorLike, x: TensorLike, /) -> Tensor:
    """``incoming * sigmoid(x) * (1 + x * sigmoid(-x))``, elementwise: the gradient of silu in one kernel.

    Source:
        As for `silu`.
    """
    return in_single(_silu_back, incoming, x)


silu.gradient(x=lambda g, x: silu_gradient(g, x))


def _silu_back(incoming: TensorLike, x: TensorLike) -> Tensor:
    inner = _inside(x)
    return multiply(incoming, sigmoid(inner) * (inner * sigmoid(-inner) + 1.0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def mish(x: TensorLike, /) -> Tensor:
    """``x * tanh(softplus(x))``, elementwise; 0 at -inf.

    Source:
        D. Misra (2020), BMVC, arXiv:1908.08681.
    """
    return in_single(lambda x: maximum(x, -_FAR) * _tanh_of_softplus(x), x)


def _tanh_of_softplus(x: TensorLike) -> Tensor:
    # With e = exp(x), tanh(log(1 + e)) is e * (e + 2) / (e * (e + 2) + 2); for x > 0, both terms are divided by e * e.
    x = converted(x)
    e = exp(-abs(x))
    top = where(x > 0, e * 2.0 + 1.0, e * (e + 2.0))
    return top / (top + where(x > 0, e * e * 2.0, 2.0))


@mish.gradient("x")
def _mish_back(g: Tensor, x: Tensor) -> Tensor:
    inner = _inside(x)
    t = _tanh_of_softplus(inner)
    return g * (t + inner * ((1.0 - t * t) * sigmoid(inner)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def softsign(x: TensorLike, /) -> Tensor:
    """``x / (1 + |x|)``, elementwise; -1 and 1 at the infinities.

    Source:
        J. Bergstra, G. Desjardins, P. Lamblin, Y. Bengio (2009), Quadratic polynomials learn better image features.
    """
    return in_single(_softsign, x)


def _softsign(x: TensorLike) -> Tensor:
    x = minimum(maximum(x, -1e30), 1e30)
    return x / (abs(x) + 1.0)


@softsign.gradient("x")
def _softsign_back(g: Tensor, x: Tensor) -> Tensor:
    r = 1.0 / (abs(x) + 1.0)
    return g * r * r


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def tanhshrink(x: TensorLike, /) -> Tensor:
    """``x - tanh(x)``, elementwise; the absolute error near 0 is that of the difference.

    Source:
        PyTorch 2.13, ``torch.nn.functional.tanhshrink``.
    """
    return in_single(lambda x: converted(x) - tanh(x), x)


tanhshrink.gradient(x=lambda g, x: g * square(tanh(x)))
