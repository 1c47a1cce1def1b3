"""Optimizer updates. Each is a single op, so that a backend can run it as one kernel on the variable's own buffer.

The operands of an update are the variable and its slots, whose new values it returns, then the gradient, the learning
rate, for some the number of the step, and the other hyperparameters as one vector. These are operands, not attributes,
since a program may change them at each step, and an attribute of a traced op is fixed.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ..dtypes import INTEGER, DType, category
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor
from . import dtype_rules
from .arithmetic import maximum, power, square
from .declaration import op, states
from .exponential import sqrt
from .logic import equal, where
from .manipulation import astype, reshape
from .movement import scatter
from .update_rules import (
    NOT_DIFFERENTIATED,
    RATE,
    Shape,
    bias_corrections,
    narrowed,
    numbers,
    update_dtypes,
    update_shapes,
    widened,
)

__all__: list[str] = []


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


@op(
    dtype=update_dtypes(1, step=False, hyperparameters=False),
    shape=update_shapes(1, **RATE),
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
    shape=update_shapes(2, velocity=None, **RATE, hyperparameters=(2,)),
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
    shape=update_shapes(3, m=None, v=None, **RATE, step=(), hyperparameters=(4,)),
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
    shape=update_shapes(4, m=None, v=None, v_max=None, **RATE, step=(), hyperparameters=(4,)),
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
    shape=update_shapes(3, m=None, u=None, **RATE, step=(), hyperparameters=(3,)),
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
    shape=update_shapes(4, m=None, v=None, product=(), **RATE, step=(), hyperparameters=(4,)),
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


# --- for updates of several variables at once, and of some rows -------------------------------------------------------


@states(
    takes="[n]",
    returns="``shape``",
    rejects="another rank, and a part that ends after the operand",
    start="position of the part's first element in ``x``.",
    shape="of the part.",
)
def _part(x: Shape, *, start: int, shape: Shape) -> Shape:
    if len(x) != 1 or not 0 <= start <= x[0] - prod(shape):
        raise ShapeError(
            "the part is not inside the operand.",
            expected=f"shape [n] with n of at least start + {prod(shape)}",
            got=f"shape {x} and start={start}",
            fix="pass the position and the shape of a part of a flat tensor",
        )
    return shape


@op(dtype=dtype_rules.same_dtype, shape=_part, no_gradient=NOT_DIFFERENTIATED, internal="polytape.optim.Optimizer")
def flat_part(x: Tensor, *, start: int, shape: Shape) -> Tensor:
    """The elements of a flat tensor from ``start`` on, in the shape ``shape``.

    Args:
        x: any dtype[n].
    Source:
        The views of PyTorch 2.13, ``torch._utils._unflatten_dense_tensors``.
    """
    return reshape(x[start : start + prod(shape)], shape)


def _rows_dtype(x: DType, indices: DType, rows: DType) -> DType:
    if rows is not x or category(indices) != INTEGER:
        raise DTypeError(
            "the rows cannot be set.",
            expected=f"integers as indices, and rows of {x}",
            got=f"{indices} and {rows}",
            fix="cast them first",
        )
    return x


def _rows_shape(x: Shape, indices: Shape, rows: Shape) -> Shape:
    if not x or len(indices) != 1 or rows != (*indices, *x[1:]):
        raise ShapeError(
            "the rows have the wrong shape.",
            expected="x[n, ...], indices[k] and rows[k, ...] with the same axes after the first",
            got=f"shapes {x}, {indices} and {rows}",
            fix="reshape them",
        )
    return x


@op(dtype=_rows_dtype, shape=_rows_shape, no_gradient=NOT_DIFFERENTIATED, internal="polytape.optim.Optimizer")
def set_rows(x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """``x`` with some rows replaced.

    Args:
        x: any dtype[n, ...].
        indices: integer[k]: the positions of the rows, each once or with equal rows; negative ones count from the end.
        rows: dtype of ``x``, shape [k, ...].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError, DTypeError: operands of other shapes or dtypes. On the host also OutOfRangeError, for a position
            that does not exist.
    Source:
        PyTorch 2.13, ``torch.Tensor.index_copy_`` along the first axis.
    """
    return scatter(x, indices, rows, axis=0, mode="set")
