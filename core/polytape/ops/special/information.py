"""Functions of information theory: products with logarithms that are 0 at 0, and log-odds."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import abs, maximum, minimum
from ..declaration import converted, in_single, op
from ..exponential import exp, log, log1p
from ..logic import equal, isfinite, logical_and, where
from ..manipulation import reshape, stop_gradient
from ..reduction import max, sum

__all__ = ["entr", "kl_div", "logit", "logsumexp", "rel_entr", "xlog1py", "xlogy"]

Axis = int | tuple[int, ...] | None


def _is_zero_times_number(x1: Tensor, x2: Tensor) -> Tensor:
    """Where ``x1`` is 0 and ``x2`` is not NaN."""
    return logical_and(equal(x1, 0), equal(x2, x2))


def _xlogy(x1: Tensor, x2: Tensor) -> Tensor:
    zero = _is_zero_times_number(x1, x2)
    return where(zero, 0, x1 * log(where(zero, 1, x2)))


def _xlog1py(x1: Tensor, x2: Tensor) -> Tensor:
    zero = _is_zero_times_number(x1, x2)
    return where(zero, 0, x1 * log1p(where(zero, 0, x2)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def xlogy(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 * log(x2)``, elementwise; 0 where ``x1`` is 0, unless ``x2`` is NaN.

    Where ``x1`` is 0 its gradient is ``log(x2)``, or 0 if ``x2 <= 0``.

    Source:
        SciPy 1.17, ``scipy.special.xlogy``.
    """
    return in_single(_xlogy, x1, x2)


@xlogy.gradient("x1")
def _xlogy_factor(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g * log(where(logical_and(equal(x1, 0), x2 <= 0), 1, x2))


@xlogy.gradient("x2")
def _xlogy_argument(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g * (x1 / where(_is_zero_times_number(x1, x2), 1, x2))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def xlog1py(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """``x1 * log(1 + x2)``, elementwise; 0 where ``x1`` is 0, unless ``x2`` is NaN.

    Where ``x1`` is 0 its gradient is ``log(1 + x2)``, or 0 if ``x2 <= -1``.

    Source:
        SciPy 1.17, ``scipy.special.xlog1py``.
    """
    return in_single(_xlog1py, x1, x2)


@xlog1py.gradient("x1")
def _xlog1py_factor(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g * log1p(where(logical_and(equal(x1, 0), x2 <= -1), 0, x2))


@xlog1py.gradient("x2")
def _xlog1py_argument(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g * (x1 / (where(_is_zero_times_number(x1, x2), 0, x2) + 1))


def _entr(x: Tensor) -> Tensor:
    return where(x < 0, -math.inf, where(equal(x, 0), 0, -x * log(where(x <= 0, 1, x))))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def entr(x: TensorLike, /) -> Tensor:
    """Entropy ``-x * log(x)``, elementwise; 0 at 0, -inf below.

    Source:
        S. Boyd, L. Vandenberghe (2004), Convex Optimization, section 3.1.5.
    """
    return in_single(_entr, x)


entr.gradient(x=lambda g, x: where(x < 0, 0, g * (-log(where(x < 0, 1, x)) - 1)))


def _is_moderate(x: Tensor) -> Tensor:
    """Where positive numbers are normal numbers in float32."""
    return logical_and(x > 1e-30, x < 1e30)


def _rel_entr(x1: Tensor, x2: Tensor) -> Tensor:
    inside = logical_and(x1 > 0, x2 > 0)
    numerator, denominator = where(inside, x1, 1), where(inside, x2, 1)
    # Near 1 the quotient has lost the digits in which it differs from 1; far from it, it could over- or underflow.
    change = (numerator - denominator) / denominator
    close = abs(change) < 0.5
    quotient = numerator / denominator
    moderate = _is_moderate(quotient)
    logarithm = where(moderate, log(where(moderate, quotient, 1)), log(numerator) - log(denominator))
    logarithm = where(close, log1p(where(close, change, 0)), logarithm)
    value = where(logical_and(equal(x1, 0), x2 >= 0), 0, where(inside, numerator * logarithm, math.inf))
    return where(logical_and(equal(x1, x1), equal(x2, x2)), value, math.nan)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def rel_entr(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Relative entropy ``x1 * log(x1 / x2)``, elementwise; 0 where ``x1 == 0 <= x2``, inf where either is negative.

    It is also inf where ``x1 > 0 == x2``. The gradient is 0 wherever the result is infinite.

    Source:
        S. Boyd, L. Vandenberghe (2004), Convex Optimization, section 3.1.5.
    """
    return in_single(_rel_entr, x1, x2)


@rel_entr.gradient("x1")
def _rel_entr_first(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    inside = logical_and(x1 >= 0, x2 > 0)
    return where(inside, g * (log(where(inside, x1, 1)) - log(where(inside, x2, 1)) + 1), 0)


@rel_entr.gradient("x2")
def _rel_entr_second(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    inside = logical_and(x1 >= 0, x2 > 0)
    return where(inside, -g * (x1 / where(inside, x2, 1)), 0)


def _kl_div(x1: Tensor, x2: Tensor) -> Tensor:
    from .incomplete import less_log1p  # this family is loaded only when it is used

    value = _rel_entr(x1, x2)
    value = where(isfinite(value), value - x1 + x2, value)
    # Where x1 and x2 are close, the terms cancel: the result is x1 * (change - log(1 + change)).
    inside = logical_and(logical_and(x1 > 0, x1 < math.inf), logical_and(x2 > 0, x2 < math.inf))
    first = where(inside, x1, 1)
    quotient = where(inside, x2, 1) / first
    moderate = _is_moderate(quotient)
    change = where(moderate, (where(inside, x2, 1) - first) / first, 0)
    direct = first * less_log1p(change, where(moderate, quotient, 1))
    return where(logical_and(inside, moderate), direct, value)


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.broadcast, elementwise=True, floating=True)
def kl_div(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Kullback-Leibler divergence ``x1 * log(x1 / x2) - x1 + x2``, elementwise; `rel_entr` where that is infinite.

    Source:
        S. Boyd, L. Vandenberghe (2004), Convex Optimization, section 3.1.5.
    """
    return in_single(_kl_div, x1, x2)


@kl_div.gradient("x1")
def _kl_div_first(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    inside = logical_and(x1 >= 0, x2 > 0)
    return where(inside, g * (log(where(inside, x1, 1)) - log(where(inside, x2, 1))), 0)


@kl_div.gradient("x2")
def _kl_div_second(g: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    inside = logical_and(x1 >= 0, x2 > 0)
    return where(inside, g * (1 - x1 / where(inside, x2, 1)), where(logical_and(equal(x1, 0), equal(x2, 0)), g, 0))


def _logit(x: Tensor) -> Tensor:
    middle = maximum(minimum(x, 0.65), 0.35)  # where log would lose the digits in which its argument differs from 1
    inside = logical_and(x > 0, x < 1)
    number = where(inside, x, 0.5)
    edge = where(equal(x, 0), -math.inf, where(equal(x, 1), math.inf, math.nan))
    near = log1p((middle - 0.5) * 2 / (1 - middle))
    return where(equal(x, middle), near, where(inside, log(number / (1 - number)), edge))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True, floating=True)
def logit(x: TensorLike, /) -> Tensor:
    """Log-odds ``log(x / (1 - x))``, elementwise: the inverse of `polytape.nn.sigmoid`; NaN outside [0, 1].

    Source:
        J. Berkson (1944), Journal of the American Statistical Association 39, pp. 357-365.
    """
    return in_single(_logit, x)


logit.gradient(x=lambda g, x: g / (x * (1 - x)))


@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.reduced, floating=True)
def logsumexp(x: TensorLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over axes, without overflow; -inf, with gradient 0, if no element is above -inf.

    Source:
        P. Blanchard, D. Higham, N. Higham (2021), IMA Journal of Numerical Analysis 41, pp. 2311-2330.
    """
    x = converted(x)
    if not x.size:
        return sum(x, axis, keepdims=keepdims) - math.inf
    return in_single(_logsumexp(axis, keepdims), x)


def _logsumexp(axis: Axis, keepdims: bool) -> Callable[[Tensor], Tensor]:
    def compute(x: Tensor) -> Tensor:
        largest = stop_gradient(max(x, axis, keepdims=True))
        # minimum has an effect only where the largest element is infinite, beside which exp could overflow.
        total = sum(exp(minimum(x - where(isfinite(largest), largest, 0), 0)), axis, keepdims=True)
        y = where(equal(total, 0), -math.inf, log(where(equal(total, 0), 1, total)) + largest)
        return y if keepdims else reshape(y, shape_rules.reduced(x.shape, axis=axis, keepdims=False))

    return compute


@logsumexp.gradient("x")
def _logsumexp_back(g: Tensor, y: Tensor, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    if not keepdims:
        kept = shape_rules.reduced(x.shape, axis=axis, keepdims=True)
        g, y = reshape(g, kept), reshape(y, kept)
    return g * exp(x - where(equal(y, -math.inf), 0, y))
