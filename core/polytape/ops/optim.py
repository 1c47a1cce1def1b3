"""Optimizer updates. Each is a single op, so that a backend can run it as one kernel on the variable's own buffer.

The operands of an update are the variable and its slots, whose new values it returns, then the gradient, the learning
rate, for some the number of the step, and the other hyperparameters as one vector. These are operands, not attributes,
since a program may change them at each step, and an attribute of a traced op is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..dtypes import FLOATING, DType, category, float32
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor
from . import dtype_rules
from .arithmetic import maximum, power, square
from .declaration import op
from .exponential import sqrt
from .logic import equal, where
from .manipulation import astype

__all__: list[str] = []

Shape = tuple[int, ...]
NOT_DIFFERENTIATED = "an optimizer's update is not differentiated"


class AdamUpdate(NamedTuple):
    """The results of `adam_update`."""

    x: Tensor
    m: Tensor
    v: Tensor


class AmsgradUpdate(NamedTuple):
    """The results of `amsgrad_update`."""

    x: Tensor
    m: Tensor
    v: Tensor
    v_max: Tensor


class AdamaxUpdate(NamedTuple):
    """The results of `adamax_update`."""

    x: Tensor
    m: Tensor
    u: Tensor


class NadamUpdate(NamedTuple):
    """The results of `nadam_update`."""

    x: Tensor
    m: Tensor
    v: Tensor
    product: Tensor


class MomentumUpdate(NamedTuple):
    """The results of `momentum_update`."""

    x: Tensor
    velocity: Tensor


# --- rules, also of the updates in `scaled_updates` -------------------------------------------------------------------


def update_dtypes(outputs: int, step: bool, hyperparameters: bool = True) -> Callable[..., Any]:
    """The dtype rule of an update with this many outputs: variable, slots, gradient and rate have one dtype."""
    others = int(step) + int(hyperparameters)

    def rule(*operands: DType) -> Any:
        x = operands[0]
        for dtype in operands[1 : len(operands) - others]:
            if dtype is not x:
                raise DTypeError(
                    "the operands have different dtypes.",
                    expected=f"{x} for every operand",
                    got=str(dtype),
                    fix="cast the gradient first",
                )
        if hyperparameters and category(operands[-1]) != FLOATING:
            raise DTypeError(
                "the hyperparameters have the wrong dtype.",
                expected="a real floating dtype",
                got=str(operands[-1]),
                fix="cast them to 'float32' or 'float64'",
            )
        dtype = dtype_rules.same_real_floating(x)
        return dtype if outputs == 1 else (dtype,) * outputs

    return rule


def update_shapes(outputs: int, **expected: Shape | None) -> Callable[..., Any]:
    """The shape rule of an update: per operand after the variable its shape, None for the variable's own."""
    names, declared = tuple(expected), tuple(expected.values())

    def rule(x: Shape, *shapes: Shape) -> Any:
        wanted = tuple([x if shape is None else shape for shape in declared])
        if shapes != wanted:
            position = next(k for k, (a, b) in enumerate(zip(shapes, wanted, strict=True)) if a != b)
            raise ShapeError(
                f"the {names[position]} has the wrong shape.",
                expected=f"shape {wanted[position]}",
                got=f"shape {shapes[position]}",
                fix="reshape it first",
            )
        return x if outputs == 1 else (x, *wanted[: outputs - 1])

    return rule


# --- for bodies: arithmetic in at least float32, where beta2 = 0.999 and an epsilon of 1e-8 are representable ---------


def widened(*operands: Tensor) -> tuple[Tensor, ...]:
    """The operands in the dtype in which an update computes: float32 in place of a 16-bit dtype."""
    dtype = operands[0].dtype
    return tuple(astype(x, float32 if dtype.itemsize < 4 else dtype) for x in operands)


def narrowed(dtype: DType, *results: Tensor) -> tuple[Tensor, ...]:
    """The results in the variable's dtype."""
    return tuple(astype(x, dtype) for x in results)


def numbers(hyperparameters: Tensor, dtype: DType, *negated: int) -> tuple[Tensor, ...]:
    """The hyperparameters as tensors of shape (), then ``1 - h`` for each of these positions.

    The differences are computed before the cast: 1 - 0.999 has four wrong digits in float32.
    """
    hyperparameters = _precise(hyperparameters, dtype)
    values = [hyperparameters[position] for position in range(hyperparameters.shape[0])]
    return narrowed(dtype, *values, *(1.0 - values[position] for position in negated))


def _precise(hyperparameters: Tensor, dtype: DType) -> Tensor:
    """The hyperparameters, in ``dtype`` if that has more digits."""
    return astype(hyperparameters, dtype) if hyperparameters.dtype.itemsize < dtype.itemsize else hyperparameters


def bias_corrections(hyperparameters: Tensor, step: Tensor, dtype: DType, *positions: int) -> tuple[Tensor, ...]:
    """``1 - h**step`` for the hyperparameters at these positions."""
    hyperparameters = _precise(hyperparameters, dtype)
    t = astype(step, hyperparameters.dtype)
    return narrowed(dtype, *(1.0 - power(hyperparameters[position], t) for position in positions))


# --- the updates ------------------------------------------------------------------------------------------------------

_RATE: dict[str, Any] = {"gradient": None, "learning_rate": ()}


@op(
    dtype=update_dtypes(1, step=False, hyperparameters=False),
    shape=update_shapes(1, **_RATE),
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.SGD",
)
def sgd_update(x: Tensor, gradient: Tensor, learning_rate: Tensor) -> Tensor:
    """``x - learning_rate * gradient``.

    Args:
        x: floating[...]: the variable.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        H. Robbins, S. Monro (1951), Annals of Mathematical Statistics 22 (3), pp. 400-407.
    """
    return x - learning_rate * gradient


@op(
    dtype=update_dtypes(2, step=False),
    shape=update_shapes(2, velocity=None, **_RATE, hyperparameters=(2,)),
    outputs=MomentumUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.SGD",
)
def momentum_update(
    x: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    hyperparameters: Tensor,
    *,
    nesterov: bool = False,
) -> MomentumUpdate:
    """Gradient descent with momentum: ``velocity = momentum * velocity + g``, ``x -= learning_rate * velocity``.

    Args:
        x: floating[...]: the variable.
        velocity, gradient: shape and dtype of ``x``. ``g`` above is ``gradient + weight_decay * x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[2]: momentum, weight_decay.
        nesterov: subtract ``learning_rate * (momentum * velocity + g)`` instead.
    Returns:
        The new ``x`` and ``velocity``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        I. Sutskever et al. (2013), ICML, equations 1-4, with the learning rate outside the velocity.
    """
    wide, velocity, g, rate = widened(x, velocity, gradient, learning_rate)
    momentum, weight_decay = numbers(hyperparameters, wide.dtype)
    g = g + weight_decay * wide
    velocity = momentum * velocity + g
    step = momentum * velocity + g if nesterov else velocity
    return MomentumUpdate(*narrowed(x.dtype, wide - rate * step, velocity))


@op(
    dtype=update_dtypes(3, step=True),
    shape=update_shapes(3, m=None, v=None, **_RATE, step=(), hyperparameters=(4,)),
    outputs=AdamUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Adam",
)
def adam_update(
    x: Tensor, m: Tensor, v: Tensor, gradient: Tensor, learning_rate: Tensor, step: Tensor, hyperparameters: Tensor
) -> AdamUpdate:
    """One step of Adam or AdamW: the new values of the variable and both moments.

    Args:
        x: floating[...]: the variable.
        m, v: shape and dtype of ``x``: the first and second moment.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        step: integer[]: the number of this step, from 1.
        hyperparameters: floating[4]: beta1, beta2, epsilon, weight_decay. Epsilon is added to the square root of the
            second moment; ``learning_rate * weight_decay * x`` is subtracted first.
    Returns:
        The new ``x``, ``m`` and ``v``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 1. Weight decay: I. Loshchilov, F. Hutter (2019), ICLR, Algorithm 2.
    """
    wide, m, v, g, rate = widened(x, m, v, gradient, learning_rate)
    beta1, beta2, epsilon, weight_decay, take1, take2 = numbers(hyperparameters, wide.dtype, 0, 1)
    first, second = bias_corrections(hyperparameters, step, wide.dtype, 0, 1)
    m = m * beta1 + g * take1
    v = v * beta2 + square(g) * take2
    decayed = wide - rate * weight_decay * wide
    return AdamUpdate(*narrowed(x.dtype, decayed - rate * (m / first) / (sqrt(v / second) + epsilon), m, v))


@op(
    dtype=update_dtypes(4, step=True),
    shape=update_shapes(4, m=None, v=None, v_max=None, **_RATE, step=(), hyperparameters=(4,)),
    outputs=AmsgradUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Adam",
)
def amsgrad_update(
    x: Tensor,
    m: Tensor,
    v: Tensor,
    v_max: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    step: Tensor,
    hyperparameters: Tensor,
) -> AmsgradUpdate:
    """As `adam_update`, with the largest second moment so far in place of the second moment.

    Args:
        x: floating[...]: the variable.
        m, v, v_max: shape and dtype of ``x``: the moments, and the largest second moment.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        step: integer[]: the number of this step, from 1.
        hyperparameters: floating[4]: beta1, beta2, epsilon, weight_decay.
    Returns:
        The new ``x``, ``m``, ``v`` and ``v_max``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        S. Reddi, S. Kale, S. Kumar (2018), ICLR, Algorithm 2, with Adam's bias corrections.
    """
    wide, m, v, v_max, g, rate = widened(x, m, v, v_max, gradient, learning_rate)
    beta1, beta2, epsilon, weight_decay, take1, take2 = numbers(hyperparameters, wide.dtype, 0, 1)
    first, second = bias_corrections(hyperparameters, step, wide.dtype, 0, 1)
    m = m * beta1 + g * take1
    v = v * beta2 + square(g) * take2
    v_max = maximum(v_max, v)
    decayed = wide - rate * weight_decay * wide
    y = decayed - rate * (m / first) / (sqrt(v_max / second) + epsilon)
    return AmsgradUpdate(*narrowed(x.dtype, y, m, v, v_max))


@op(
    dtype=update_dtypes(3, step=True),
    shape=update_shapes(3, m=None, u=None, **_RATE, step=(), hyperparameters=(3,)),
    outputs=AdamaxUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Adamax",
)
def adamax_update(
    x: Tensor, m: Tensor, u: Tensor, gradient: Tensor, learning_rate: Tensor, step: Tensor, hyperparameters: Tensor
) -> AdamaxUpdate:
    """One step of Adamax: Adam with the infinity norm of the gradients so far in place of the second moment.

    Args:
        x: floating[...]: the variable.
        m, u: shape and dtype of ``x``: the first moment and the exponentially weighted infinity norm.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        step: integer[]: the number of this step, from 1.
        hyperparameters: floating[3]: beta1, beta2, epsilon. Epsilon is added to the size of the gradient.
    Returns:
        The new ``x``, ``m`` and ``u``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 2.
    """
    wide, m, u, g, rate = widened(x, m, u, gradient, learning_rate)
    beta1, beta2, epsilon, take1 = numbers(hyperparameters, wide.dtype, 0)
    (first,) = bias_corrections(hyperparameters, step, wide.dtype, 0)
    m = m * beta1 + g * take1
    u = maximum(u * beta2, abs(g) + epsilon)
    return AdamaxUpdate(*narrowed(x.dtype, wide - rate * (m / first) / u, m, u))


@op(
    dtype=update_dtypes(4, step=True),
    shape=update_shapes(4, m=None, v=None, product=(), **_RATE, step=(), hyperparameters=(4,)),
    outputs=NadamUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.optim.Nadam",
)
def nadam_update(
    x: Tensor,
    m: Tensor,
    v: Tensor,
    product: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    step: Tensor,
    hyperparameters: Tensor,
) -> NadamUpdate:
    """One step of Nadam: Adam with Nesterov's momentum.

    Args:
        x: floating[...]: the variable.
        m, v: shape and dtype of ``x``: the first and second moment.
        product: dtype of ``x``, shape (): the product of the momenta ``mu`` of all steps so far; not used
            in the first step.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        step: integer[]: the number of this step, from 1.
        hyperparameters: floating[4]: beta1, beta2, epsilon, momentum_decay. The momentum of step t is
            ``mu(t) = beta1 * (1 - 0.5 * 0.96**(momentum_decay * t))``.
    Returns:
        The new ``x``, ``m``, ``v`` and ``product``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        T. Dozat (2016), ICLR workshop, Algorithm 2, with the momentum schedule of its section 3.
    """
    wide, m, v, product, g, rate = widened(x, m, v, product, gradient, learning_rate)
    beta1, beta2, epsilon, momentum_decay, take1, take2 = numbers(hyperparameters, wide.dtype, 0, 1)
    (second,) = bias_corrections(hyperparameters, step, wide.dtype, 1)
    t = astype(step, wide.dtype)
    mu = beta1 * (1.0 - 0.5 * power(0.96, momentum_decay * t))
    next_mu = beta1 * (1.0 - 0.5 * power(0.96, momentum_decay * (t + 1.0)))
    product = where(equal(t, 1.0), mu, product * mu)
    m = m * beta1 + g * take1
    v = v * beta2 + square(g) * take2
    direction = (1.0 - mu) / (1.0 - product) * g + next_mu / (1.0 - product * next_mu) * m
    return NadamUpdate(*narrowed(x.dtype, wide - rate * direction / (sqrt(v / second) + epsilon), m, v, product))
