"""Rows of the optimizer updates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import optim
from ..case import Case
from ..makers import exactly, floats, integers, positive
from ..samples import error, sample

__all__ = ["CASES"]

_RATE = exactly(0.25)
_STEP = exactly(3, "int64")


def _sgd(x: Any, gradient: Any, learning_rate: Any) -> Any:
    return x - learning_rate * gradient


def _adam(
    x: Any,
    m: Any,
    v: Any,
    gradient: Any,
    learning_rate: Any,
    step: Any,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
) -> Any:
    m = m * beta1 + gradient * (1.0 - beta1)
    v = v * beta2 + gradient * gradient * (1.0 - beta2)
    m_hat, v_hat = m / (1.0 - beta1**step), v / (1.0 - beta2**step)
    return x - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def _slots(*shape: int) -> list[Any]:
    """Makers of the variable, both moments and the gradient."""
    return [floats(*shape), floats(*shape), positive(*shape), floats(*shape)]


CASES = [
    Case(
        optim.sgd_update,
        floats(2, 3),
        floats(2, 3),
        _RATE,
        reference=_sgd,
        scale=2.0,
        more=[sample(floats(*shape), floats(*shape), _RATE) for shape in ((), (1,), (0, 3), (2, 1, 3), (70_000,))],
        errors=[
            error(ShapeError, "the gradient has the wrong shape", floats(2, 3), floats(3), _RATE),
            error(ShapeError, "the learning_rate has the wrong shape", floats(3), floats(3), floats(3)),
            error(
                DTypeError, "the operands have different dtypes", floats(3), exactly([1.0, 2.0, 3.0], "float64"), _RATE
            ),
            error(DTypeError, "needs floating-point numbers", integers(3), integers(3), exactly(1, "int32")),
        ],
    ),
    Case(
        optim.adam_update,
        *_slots(2, 3),
        _RATE,
        _STEP,
        reference=_adam,
        result=("same", "same", "same"),
        # The body computes 1 - beta2**step in the operands' dtype, which loses digits in the first steps.
        ulp={"float32": 64.0, "float64": 64.0},
        scale=2.0,
        more=[
            *(sample(*_slots(*shape), _RATE, _STEP) for shape in ((), (1,), (0, 3), (2, 1, 3), (70_000,))),
            sample(*_slots(3), _RATE, exactly(1, "int32"), beta1=0.5, beta2=0.75, epsilon=0.125),
        ],
        errors=[
            error(ShapeError, "the gradient has the wrong shape", *_slots(2, 3)[:3], floats(3), _RATE, _STEP),
            error(ShapeError, "has the wrong shape", floats(2, 3), floats(3), *_slots(2, 3)[2:], _RATE, _STEP),
            error(ShapeError, "the learning_rate has the wrong shape", *_slots(3), floats(3), _STEP),
            error(DTypeError, "the operands have different dtypes", *_slots(3), exactly(0.5, "float64"), _STEP),
        ],
    ),
]
