"""Optimizer updates. Each is a single op, so that a backend can run it as one kernel on the variable's own buffer."""

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


def _update_dtype(x: DType, *operands: DType) -> DType:
    for dtype in operands:
        if dtype is not x:
            raise DTypeError(
                "the operands have different dtypes.",
                expected=f"{x} for every operand",
                got=str(dtype),
                fix="cast the gradient first",
            )
    return dtype_rules.same_real_floating(x)


def _update_shape(x: Shape, gradient: Shape, learning_rate: Shape) -> Shape:
    if x == gradient and not learning_rate:
        return x  # this runs in every training step, and the loop below takes 1 us
    for name, shape, expected in (("gradient", gradient, x), ("learning_rate", learning_rate, ())):
        if shape != expected:
            raise ShapeError(
                f"the {name} has the wrong shape.",
                expected=f"shape {expected}",
                got=f"shape {shape}",
                fix="reshape it first",
            )
    return x


@op(dtype=_update_dtype, shape=_update_shape, no_gradient=_NOT_DIFFERENTIATED, internal="polytape.optim.SGD")
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


def _adam_dtype(
    x: DType, m: DType, v: DType, gradient: DType, learning_rate: DType, step: DType
) -> tuple[DType, DType, DType]:
    dtype = _update_dtype(x, m, v, gradient, learning_rate)
    return dtype, dtype, dtype


def _adam_shape(
    x: Shape, m: Shape, v: Shape, gradient: Shape, learning_rate: Shape, step: Shape
) -> tuple[Shape, Shape, Shape]:
    if x == m == v == gradient and not learning_rate and not step:
        return x, x, x
    for moment in (m, v):
        _update_shape(x, moment, step)
    _update_shape(x, gradient, learning_rate)
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
    """One step of Adam: the new values of the variable and both moments.

    Args:
        x: floating[...]: the variable.
        m, v: shape and dtype of ``x``: the first and second moment.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        step: integer[]: the number of this step, from 1.
        beta1, beta2: decay rates of the moments.
        epsilon: added to the square root of the second moment.
    Returns:
        The new ``x``, ``m`` and ``v``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        D. Kingma, J. Ba (2015), ICLR, Algorithm 1.
    """
    t = astype(step, x.dtype)
    m = m * beta1 + gradient * (1.0 - beta1)
    v = v * beta2 + square(gradient) * (1.0 - beta2)
    m_hat = m / (1.0 - beta1**t)
    v_hat = v / (1.0 - beta2**t)
    return AdamUpdate(x - learning_rate * m_hat / (sqrt(v_hat) + epsilon), m, v)
