"""Activation functions that are made of pieces. At the joints, the gradient is that of the flat or the lower piece."""

from __future__ import annotations

from typing import Final

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum, multiply
from ..declaration import converted, in_single, op
from ..exponential import exp, expm1
from ..logic import less, less_equal, where

__all__ = [
    "celu",
    "elu",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "hardshrink",
    "leaky_relu",
    "prelu",
    "relu6",
    "selu",
    "softshrink",
]

_SELU_ALPHA: Final = 1.6732632423543772
_SELU_SCALE: Final = 1.0507009873554805


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def relu6(x: TensorLike, /) -> Tensor:
    """``min(max(x, 0), 6)``, elementwise; its gradient at 0 and at 6 is 0.

    Source:
        A. Krizhevsky (2010), Convolutional deep belief networks on CIFAR-10.
    """
    return minimum(maximum(x, 0), 6)


relu6.gradient(x=lambda g, x: where(_between(x, 0.0, 6.0), g, 0))


def _between(x: Tensor, low: float, high: float) -> Tensor:
    return (x > low) & (x < high)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def leaky_relu(x: TensorLike, /, *, negative_slope: float = 0.01) -> Tensor:
    """``x`` where it is positive, ``negative_slope * x`` elsewhere, elementwise.

    Args:
        negative_slope: the slope for negative numbers, and of the gradient at 0.
    Source:
        A. Maas, A. Hannun, A. Ng (2013), ICML workshop on deep learning for audio, speech and language processing.
    """
    x = converted(x)
    return where(x > 0, x, x * negative_slope)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of leaky_relu",
)
def leaky_relu_gradient(incoming: TensorLike, x: TensorLike, /, *, negative_slope: float = 0.01) -> Tensor:
    """``incoming`` times the derivative of leaky_relu at ``x``: the gradient of leaky_relu in one kernel.

    Args:
        negative_slope: as for `leaky_relu`.
    Source:
        As for `leaky_relu`.
    """
    g = converted(incoming)
    return where(converted(x) > 0, g, g * negative_slope)


leaky_relu.gradient(x=lambda g, x, negative_slope: leaky_relu_gradient(g, x, negative_slope=negative_slope))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def prelu(x: TensorLike, weight: TensorLike, /) -> Tensor:
    """``x`` where it is positive, ``weight * x`` elsewhere, elementwise, with a slope that is learned.

    One slope per channel has shape (channels,) if the channels are the last axis of ``x``, and (channels, 1, 1) for
    images of shape [n, channels, height, width].

    Source:
        K. He, X. Zhang, S. Ren, J. Sun (2015), ICCV, pp. 1026-1034.
    """
    x = converted(x)
    return where(x > 0, x, multiply(weight, x))


prelu.gradient(
    x=lambda g, x, weight: where(x > 0, g, g * weight),
    weight=lambda g, x: where(x > 0, 0, g * x),
)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def elu(x: TensorLike, /, *, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere, elementwise.

    Args:
        alpha: the negative of the limit for small ``x``.
    Source:
        D.-A. Clevert, T. Unterthiner, S. Hochreiter (2016), ICLR, arXiv:1511.07289.
    """
    # expm1 gets no positive number, for which it would overflow.
    return in_single(lambda x: where(x > 0, x, expm1(minimum(x, 0)) * alpha), x)


@op(
    dtype=dtype_rules.same_real_floating,
    shape=shape_rules.broadcast,
    elementwise=True,
    internal="the gradient of elu",
)
def elu_gradient(incoming: TensorLike, x: TensorLike, /, *, alpha: float = 1.0) -> Tensor:
    """``incoming`` times the derivative of elu at ``x``, elementwise: the gradient of elu in one kernel.

    Args:
        alpha: as for `elu`.
    Source:
        As for `elu`.
    """
    return in_single(lambda g, x: where(x > 0, g, g * (exp(where(x > 0, 0, x)) * alpha)), incoming, x)


elu.gradient(x=lambda g, x, alpha: elu_gradient(g, x, alpha=alpha))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def selu(x: TensorLike, /) -> Tensor:
    """``1.0507 * elu(x, alpha=1.67326)``, elementwise: the layers of a deep network then normalise themselves.

    Source:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter (2017), NeurIPS, arXiv:1706.02515.
    """
    alpha = _SELU_ALPHA * _SELU_SCALE
    return in_single(lambda x: where(x > 0, x * _SELU_SCALE, expm1(minimum(x, 0)) * alpha), x)


@selu.gradient("x")
def _selu_back(g: Tensor, x: Tensor) -> Tensor:
    slope = exp(where(x > 0, 0, x)) * (_SELU_ALPHA * _SELU_SCALE)
    return g * where(x > 0, _SELU_SCALE, slope)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def celu(x: TensorLike, /, *, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere, elementwise.

    Args:
        alpha: the negative of the limit for small ``x``; not 0. The gradient at 0 is 1 for each ``alpha``.
    Source:
        J. Barron (2017), Continuously differentiable exponential linear units, arXiv:1704.07483.
    """
    return in_single(lambda x: where(x > 0, x, expm1(minimum(x, 0) / alpha) * alpha), x)


celu.gradient(x=lambda g, x, alpha: where(x > 0, g, g * exp(where(x > 0, 0, x) / alpha)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def hard_sigmoid(x: TensorLike, /) -> Tensor:
    """``relu6(x + 3) / 6``, elementwise; its gradient at -3 and at 3 is 0.

    Source:
        M. Courbariaux, Y. Bengio, J.-P. David (2015), NeurIPS, arXiv:1511.00363; with these limits A. Howard et al.
        (2019), ICCV, arXiv:1905.02244.
    """
    return in_single(lambda x: minimum(maximum(x + 3, 0), 6) / 6, x)


hard_sigmoid.gradient(x=lambda g, x: where(less(abs(x), 3), g / 6, 0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def hard_tanh(x: TensorLike, /, *, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``min(max(x, min_val), max_val)``, elementwise; its gradient at the limits is 0.

    Args:
        min_val, max_val: the limits.
    Source:
        R. Collobert (2004), Large scale machine learning, thesis, Universite de Paris VI.
    """
    return minimum(maximum(x, min_val), max_val)


hard_tanh.gradient(x=lambda g, x, min_val, max_val: where(_between(x, min_val, max_val), g, 0))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def hard_swish(x: TensorLike, /) -> Tensor:
    """``x * relu6(x + 3) / 6``, elementwise; its gradient is 0 at -3 and 1 at 3.

    Source:
        A. Howard et al. (2019), Searching for MobileNetV3, ICCV, arXiv:1905.02244.
    """
    # The first factor is finite where the second one is 0.
    return in_single(lambda x: maximum(x, -3) * (minimum(maximum(x + 3, 0), 6) / 6), x)


@hard_swish.gradient("x")
def _hard_swish_back(g: Tensor, x: Tensor) -> Tensor:
    return g * where(x <= -3, 0, where(x >= 3, 1, x / 3 + 0.5))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def softshrink(x: TensorLike, /, *, lambd: float = 0.5) -> Tensor:
    """``x`` moved towards 0 by ``lambd``, and 0 where that would change its sign, elementwise.

    Args:
        lambd: the distance, 0 or more. The gradient where ``|x| == lambd`` is 0.
    Source:
        D. Donoho (1995), IEEE Transactions on Information Theory 41 (3), pp. 613-627.
    """
    x = converted(x)
    return x - minimum(maximum(x, -lambd), lambd)


softshrink.gradient(x=lambda g, x, lambd: where(less_equal(abs(x), lambd), 0, g))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def hardshrink(x: TensorLike, /, *, lambd: float = 0.5) -> Tensor:
    """``x``, but 0 where ``|x| <= lambd``, elementwise.

    Args:
        lambd: the limit, 0 or more.
    Source:
        D. Donoho, I. Johnstone (1994), Biometrika 81 (3), pp. 425-455.
    """
    x = converted(x)
    return where(less_equal(abs(x), lambd), 0, x)


hardshrink.gradient(x=lambda g, x, lambd: where(less_equal(abs(x), lambd), 0, g))
