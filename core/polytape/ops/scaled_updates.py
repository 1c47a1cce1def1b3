"""Optimizer updates without bias corrections: those that scale the step by squared gradients, proximal ones, Lion.

The operands are those that `polytape.ops.optim` describes.
"""

from __future__ import annotations

from typing import NamedTuple

from ..tensors.tensor import Tensor
from .arithmetic import maximum, power, sign, square
from .declaration import op
from .exponential import sqrt
from .logic import where
from .update_rules import NOT_DIFFERENTIATED, RATE, narrowed, numbers, update_dtypes, update_shapes, widened

__all__: list[str] = []


class AdagradUpdate(NamedTuple):
    """The results of `adagrad_update` and `proximal_adagrad_update`."""

    x: Tensor
    accumulator: Tensor


class RMSPropUpdate(NamedTuple):
    """The results of `rmsprop_update`."""

    x: Tensor
    mean_square: Tensor
    velocity: Tensor


class CenteredRMSPropUpdate(NamedTuple):
    """The results of `centered_rmsprop_update`."""

    x: Tensor
    mean_square: Tensor
    mean_gradient: Tensor
    velocity: Tensor


class AdadeltaUpdate(NamedTuple):
    """The results of `adadelta_update`."""

    x: Tensor
    mean_square: Tensor
    mean_square_step: Tensor


class FtrlUpdate(NamedTuple):
    """The results of `ftrl_update`."""

    x: Tensor
    accumulator: Tensor
    linear: Tensor


class LionUpdate(NamedTuple):
    """The results of `lion_update`."""

    x: Tensor
    m: Tensor


@op(
    dtype=update_dtypes(2, step=False),
    shape=update_shapes(2, accumulator=None, **RATE, hyperparameters=(1,)),
    outputs=AdagradUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Adagrad",
)
def adagrad_update(
    x: Tensor, accumulator: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor
) -> AdagradUpdate:
    """``accumulator += g**2``, ``x -= learning_rate * g / (sqrt(accumulator) + epsilon)``.

    Args:
        x: floating[...]: the variable.
        accumulator: shape and dtype of ``x``: the sum of the squared gradients.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[1]: epsilon.
    Returns:
        The new ``x`` and ``accumulator``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        J. Duchi, E. Hazan, Y. Singer (2011), JMLR 12, pp. 2121-2159, figure 1 with diagonal matrices.
    """
    wide, accumulator, g, rate = widened(x, accumulator, gradient, learning_rate)
    (epsilon,) = numbers(hyperparameters, wide.dtype)
    accumulator = accumulator + square(g)
    return AdagradUpdate(*narrowed(x.dtype, wide - rate * g / (sqrt(accumulator) + epsilon), accumulator))


@op(
    dtype=update_dtypes(3, step=False),
    shape=update_shapes(3, mean_square=None, velocity=None, **RATE, hyperparameters=(3,)),
    outputs=RMSPropUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.RMSProp",
)
def rmsprop_update(
    x: Tensor, mean_square: Tensor, velocity: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor
) -> RMSPropUpdate:
    """The gradient divided by the root of the running mean of its square, with momentum.

    Args:
        x: floating[...]: the variable.
        mean_square, velocity: shape and dtype of ``x``.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: rho, momentum, epsilon. ``mean_square = rho * mean_square + (1 - rho) * g**2``,
            ``velocity = momentum * velocity + g / (sqrt(mean_square) + epsilon)``, ``x -= learning_rate * velocity``.
    Returns:
        The new ``x``, ``mean_square`` and ``velocity``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        T. Tieleman, G. Hinton (2012), COURSERA: Neural Networks for Machine Learning, lecture 6.5.
    """
    wide, mean_square, velocity, g, rate = widened(x, mean_square, velocity, gradient, learning_rate)
    rho, momentum, epsilon, take = numbers(hyperparameters, wide.dtype, 0)
    mean_square = rho * mean_square + take * square(g)
    velocity = momentum * velocity + g / (sqrt(mean_square) + epsilon)
    return RMSPropUpdate(*narrowed(x.dtype, wide - rate * velocity, mean_square, velocity))


@op(
    dtype=update_dtypes(4, step=False),
    shape=update_shapes(4, mean_square=None, mean_gradient=None, velocity=None, **RATE, hyperparameters=(3,)),
    outputs=CenteredRMSPropUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.RMSProp",
)
def centered_rmsprop_update(
    x: Tensor,
    mean_square: Tensor,
    mean_gradient: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    hyperparameters: Tensor,
) -> CenteredRMSPropUpdate:
    """As `rmsprop_update`, divided by the root of the gradient's running variance.

    Args:
        x: floating[...]: the variable.
        mean_square, mean_gradient, velocity: shape and dtype of ``x``. The variance is
            ``mean_square - mean_gradient**2``, and 0 where rounding makes that negative.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: rho, momentum, epsilon.
    Returns:
        The new ``x``, ``mean_square``, ``mean_gradient`` and ``velocity``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        A. Graves (2013), arXiv:1308.0850, equations 38-42.
    """
    wide, mean_square, mean_gradient, velocity, g, rate = widened(
        x, mean_square, mean_gradient, velocity, gradient, learning_rate
    )
    rho, momentum, epsilon, take = numbers(hyperparameters, wide.dtype, 0)
    mean_square = rho * mean_square + take * square(g)
    mean_gradient = rho * mean_gradient + take * g
    variance = maximum(mean_square - square(mean_gradient), 0.0)
    velocity = momentum * velocity + g / (sqrt(variance) + epsilon)
    return CenteredRMSPropUpdate(*narrowed(x.dtype, wide - rate * velocity, mean_square, mean_gradient, velocity))


@op(
    dtype=update_dtypes(3, step=False),
    shape=update_shapes(3, mean_square=None, mean_square_step=None, **RATE, hyperparameters=(2,)),
    outputs=AdadeltaUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Adadelta",
)
def adadelta_update(
    x: Tensor,
    mean_square: Tensor,
    mean_square_step: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    hyperparameters: Tensor,
) -> AdadeltaUpdate:
    """The gradient scaled by the running sizes of the steps and of the gradients.

    Args:
        x: floating[...]: the variable.
        mean_square, mean_square_step: shape and dtype of ``x``: running means of the squares of the gradient and of
            the step.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[2]: rho, epsilon. Epsilon is added to both means.
    Returns:
        The new ``x``, ``mean_square`` and ``mean_square_step``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        M. Zeiler (2012), arXiv:1212.5701, Algorithm 1.
    """
    wide, mean_square, mean_square_step, g, rate = widened(x, mean_square, mean_square_step, gradient, learning_rate)
    rho, epsilon, take = numbers(hyperparameters, wide.dtype, 0)
    mean_square = rho * mean_square + take * square(g)
    step = sqrt(mean_square_step + epsilon) / sqrt(mean_square + epsilon) * g
    mean_square_step = rho * mean_square_step + take * square(step)
    return AdadeltaUpdate(*narrowed(x.dtype, wide - rate * step, mean_square, mean_square_step))


@op(
    dtype=update_dtypes(3, step=False),
    shape=update_shapes(3, accumulator=None, linear=None, **RATE, hyperparameters=(3,)),
    outputs=FtrlUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Ftrl",
)
def ftrl_update(
    x: Tensor, accumulator: Tensor, linear: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor
) -> FtrlUpdate:
    """Follow the regularized leader: the minimum of all gradients so far, an L1 and an L2 penalty.

    Args:
        x: floating[...]: the variable.
        accumulator, linear: shape and dtype of ``x``: the sum of the squared gradients, and the linear term ``z``.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: learning_rate_power, l1, l2; the first is -0.5 in the source.
    Returns:
        The new ``x``, ``accumulator`` and ``linear``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        H. McMahan et al. (2013), KDD, Algorithm 1.
    """
    wide, before, linear, g, rate = widened(x, accumulator, linear, gradient, learning_rate)
    learning_rate_power, l1, l2 = numbers(hyperparameters, wide.dtype)
    after = before + square(g)
    root = power(after, -learning_rate_power)
    linear = linear + g - (root - power(before, -learning_rate_power)) / rate * wide
    shrunk = (sign(linear) * l1 - linear) / (root / rate + 2.0 * l2)
    y = where(abs(linear) > l1, shrunk, 0.0)
    return FtrlUpdate(*narrowed(x.dtype, y, after, linear))


def _shrunk(x: Tensor, rate: Tensor, l1: Tensor, l2: Tensor) -> Tensor:
    """The proximal operator of ``rate * (l1 * abs(x) + l2 / 2 * x**2)``."""
    return sign(x) * maximum(abs(x) - rate * l1, 0.0) / (1.0 + rate * l2)


@op(
    dtype=update_dtypes(1, step=False),
    shape=update_shapes(1, **RATE, hyperparameters=(2,)),
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.ProximalGradientDescent",
)
def proximal_sgd_update(x: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor) -> Tensor:
    """A step of gradient descent, then the proximal operator of an L1 and an L2 penalty.

    Args:
        x: floating[...]: the variable.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[2]: l1, l2.
    Returns:
        The new ``x``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        J. Duchi, Y. Singer (2009), JMLR 10, pp. 2899-2934, section 5.
    """
    wide, g, rate = widened(x, gradient, learning_rate)
    l1, l2 = numbers(hyperparameters, wide.dtype)
    (y,) = narrowed(x.dtype, _shrunk(wide - rate * g, rate, l1, l2))
    return y


@op(
    dtype=update_dtypes(2, step=False),
    shape=update_shapes(2, accumulator=None, **RATE, hyperparameters=(2,)),
    outputs=AdagradUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.ProximalAdagrad",
)
def proximal_adagrad_update(
    x: Tensor, accumulator: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor
) -> AdagradUpdate:
    """A step of Adagrad, then the proximal operator of an L1 and an L2 penalty.

    Args:
        x: floating[...]: the variable.
        accumulator: shape and dtype of ``x``, positive: the sum of the squared gradients.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[2]: l1, l2.
    Returns:
        The new ``x`` and ``accumulator``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        J. Duchi, Y. Singer (2009), JMLR 10, pp. 2899-2934; J. Duchi, E. Hazan, Y. Singer (2011), JMLR 12.
    """
    wide, accumulator, g, rate = widened(x, accumulator, gradient, learning_rate)
    l1, l2 = numbers(hyperparameters, wide.dtype)
    accumulator = accumulator + square(g)
    rate = rate / sqrt(accumulator)
    return AdagradUpdate(*narrowed(x.dtype, _shrunk(wide - rate * g, rate, l1, l2), accumulator))


@op(
    dtype=update_dtypes(2, step=False),
    shape=update_shapes(2, m=None, **RATE, hyperparameters=(3,)),
    outputs=LionUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Lion",
)
def lion_update(x: Tensor, m: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor) -> LionUpdate:
    """One step of Lion: ``x -= learning_rate * (sign(beta1 * m + (1 - beta1) * gradient) + weight_decay * x)``.

    Args:
        x: floating[...]: the variable.
        m: shape and dtype of ``x``: the running mean of the gradient, with decay beta2.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: beta1, beta2, weight_decay.
    Returns:
        The new ``x`` and ``m``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        X. Chen et al. (2023), NeurIPS, Algorithm 2.
    """
    wide, m, g, rate = widened(x, m, gradient, learning_rate)
    beta1, beta2, weight_decay, take1, take2 = numbers(hyperparameters, wide.dtype, 0, 1)
    direction = sign(m * beta1 + g * take1) + weight_decay * wide
    return LionUpdate(*narrowed(x.dtype, wide - rate * direction, m * beta2 + g * take2))
