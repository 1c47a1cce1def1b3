"""Optimizer updates, each one op, so that a backend can run it as one kernel over the variable's own buffer."""

from __future__ import annotations

from typing import NamedTuple

from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor
from . import dtype_rules
from .arithmetic import square
from .declaration import op
from .exponential import sqrt
from .manipulation import astype

__all__: list[str] = []

Shape = tuple[int, ...]
_NOT_DIFFERENTIATED = "an optimizer's update is not differentiated"


class AdamUpdate(NamedTuple):
    """The results of `adam_update`."""

    x: Tensor
    m: Tensor
    v: Tensor


def _alike(x: DType, *others: DType) -> DType:
    for other in others:
        if other is not x:
            raise DTypeError(
                "updates in one dtype.", expected=f"{x} everywhere", got=str(other), fix="cast the gradient first"
            )
    return dtype_rules.same_real_floating(x)


def _alike_shape(x: Shape, gradient: Shape, learning_rate: Shape) -> Shape:
    if x == gradient and not learning_rate:
        return x  # each training step asks, and the loop below takes 1 us
    for name, got, wanted in (("gradient", gradient, x), ("learning_rate", learning_rate, ())):
        if got != wanted:
            raise ShapeError(
                f"the {name} does not fit.", expected=f"shape {wanted}", got=f"shape {got}", fix="reshape it first"
            )
    return x


@op(dtype=_alike, shape=_alike_shape, no_gradient=_NOT_DIFFERENTIATED, internal="polytape.optim.SGD")
def sgd_update(x: Tensor, gradient: Tensor, learning_rate: Tensor) -> Tensor:
    """``x - learning_rate * gradient``.

    Args:
        x: floating[...]: the variable.
        gradient: of the same shape and dtype.
        learning_rate: dtype of ``x``[].
    Returns:
        Shape and dtype of ``x``.
    Raises:
        ShapeError, DTypeError: operands that are not alike.
    Source:
        H. Robbins, S. Monro (1951), Annals of Mathematical Statistics 22 (3), pp. 400-407.
    """
    return x - learning_rate * gradient


def _adam_dtype(
    x: DType, m: DType, v: DType, gradient: DType, learning_rate: DType, step: DType
) -> tuple[DType, DType, DType]:
    dtype = _alike(x, m, v, gradient, learning_rate)
    return dtype, dtype, dtype


def _adam_shape(
    x: Shape, m: Shape, v: Shape, gradient: Shape, learning_rate: Shape, step: Shape
) -> tuple[Shape, Shape, Shape]:
    if x == m == v == gradient and not learning_rate and not step:
        return x, x, x
    for moment in (m, v):
        _alike_shape(x, moment, step)
    _alike_shape(x, gradient, learning_rate)
    return x, x, x


@op(
    dtype=_adam_dtype,
    shape=_adam_shape,
    outputs=AdamUpdate,
    no_gradient=_NOT_DIFFERENTIATED,
    internal="polytape.optim.Adam",
)
def adam_update(
    x: Tensor,
    m: Tensor,
    v: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    step: Tensor,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
) -> AdamUpdate:
    """One step of Adam: the variable and both moments.

    Args:
        x: floating[...]: the variable.
        m, v: first and second moment, alike.
        gradient: alike.
        learning_rate: dtype of ``x``[].
        step: integer[]: which step this is, from 1.
        beta1, beta2: decay of the moments.
        epsilon: added to the root of the second moment.
    Returns:
        The new ``x``, ``m`` and ``v``.
    Raises:
        ShapeError, DTypeError: operands that are not alike.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 1.
    """
    t = astype(step, x.dtype)
    m = m * beta1 + gradient * (1.0 - beta1)
    v = v * beta2 + square(gradient) * (1.0 - beta2)
    m_hat = m / (1.0 - beta1**t)
    v_hat = v / (1.0 - beta2**t)
    return AdamUpdate(x - learning_rate * m_hat / (sqrt(v_hat) + epsilon), m, v)
