"""Rows of the optimizer updates with and without momentum: gradient descent, Adam and its relatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import optim
from ..case import Case
from ..makers import Maker, exactly, floats, integers, positive
from ..samples import ErrorSample, Sample, error, sample

__all__ = ["CASES", "RATE", "SHAPES", "update_errors", "update_operands", "update_samples"]

RATE = exactly(0.25)
STEP = exactly(3, "int64")
SHAPES = ((), (1,), (0, 3), (2, 1, 3), (70_000,))


def update_samples(slots: list[Any], *scalars: Maker, gradient: Any = floats) -> list[Sample]:
    """Samples of an update of variables of several shapes; ``slots`` are makers of makers, or makers of scalars."""
    return [sample(*update_operands(shape, slots, gradient), *scalars) for shape in SHAPES]


def update_operands(shape: tuple[int, ...], slots: list[Any], gradient: Any = floats) -> list[Maker]:
    """Makers of the variable, its slots and the gradient."""
    return [floats(*shape), *(slot if isinstance(slot, Maker) else slot(*shape) for slot in slots), gradient(*shape)]


def update_errors(slots: list[Any], *scalars: Maker) -> list[ErrorSample]:
    """Calls with one operand of a wrong shape or dtype; ``scalars`` are the rate, possibly the step, and the vector."""
    operands = update_operands((2, 3), slots)
    double = exactly(np.ones((2, 3)), "float64")
    return [
        error(ShapeError, "the gradient has the wrong shape", *operands[:-1], floats(3), *scalars),
        error(ShapeError, "has the wrong shape", operands[0], floats(3), *operands[2:], *scalars),
        error(ShapeError, "the learning_rate has the wrong shape", *operands, floats(2, 3), *scalars[1:]),
        error(ShapeError, "the hyperparameters has the wrong shape", *operands, *scalars[:-1], floats(9)),
        error(DTypeError, "the operands have different dtypes", *operands[:-1], double, *scalars),
        error(DTypeError, "the hyperparameters have the wrong dtype", *operands, *scalars[:-1], integers(1)),
    ]


def _sgd(x: Any, gradient: Any, learning_rate: Any) -> Any:
    return x - learning_rate * gradient


def _momentum(x: Any, velocity: Any, gradient: Any, rate: Any, hyperparameters: Any, *, nesterov: bool = False) -> Any:
    momentum, weight_decay = hyperparameters
    g = gradient + weight_decay * x
    velocity = momentum * velocity + g
    return x - rate * (momentum * velocity + g if nesterov else velocity), velocity


def _moments(m: Any, v: Any, gradient: Any, beta1: Any, beta2: Any) -> tuple[Any, Any]:
    return m * beta1 + gradient * (1.0 - beta1), v * beta2 + gradient * gradient * (1.0 - beta2)


def _adam(x: Any, m: Any, v: Any, gradient: Any, rate: Any, step: Any, hyperparameters: Any) -> Any:
    return _amsgrad(x, m, v, np.zeros_like(v), gradient, rate, step, hyperparameters)[:3]


def _amsgrad(x: Any, m: Any, v: Any, v_max: Any, gradient: Any, rate: Any, step: Any, hyperparameters: Any) -> Any:
    beta1, beta2, epsilon, weight_decay = hyperparameters
    m, v = _moments(m, v, gradient, beta1, beta2)
    v_max = np.maximum(v_max, v)
    m_hat, v_hat = m / (1.0 - beta1**step), v_max / (1.0 - beta2**step)
    return x - rate * weight_decay * x - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v, v_max


def _adamax(x: Any, m: Any, u: Any, gradient: Any, rate: Any, step: Any, hyperparameters: Any) -> Any:
    beta1, beta2, epsilon = hyperparameters
    m, u = m * beta1 + gradient * (1.0 - beta1), np.maximum(u * beta2, abs(gradient) + epsilon)
    return x - rate * m / (1.0 - beta1**step) / u, m, u


def _nadam(x: Any, m: Any, v: Any, product: Any, gradient: Any, rate: Any, step: Any, hyperparameters: Any) -> Any:
    beta1, beta2, epsilon, decay = hyperparameters
    mu, after = (beta1 * (1.0 - 0.5 * 0.96 ** (decay * t)) for t in (step, step + 1))
    product = mu * product if step > 1 else mu
    m, v = _moments(m, v, gradient, beta1, beta2)
    m_hat = after * m / (1.0 - product * after) + (1.0 - mu) * gradient / (1.0 - product)
    return x - rate * m_hat / (np.sqrt(v / (1.0 - beta2**step)) + epsilon), m, v, product


def _with_rows(x: Any, indices: Any, rows: Any) -> Any:
    y = x.copy()
    y[indices] = rows
    return y


# 1 - beta**step loses digits in the first steps if the hyperparameters have single precision.
_ULP = {"float32": 64.0, "float64": 64.0}
_ADAM = exactly([0.9, 0.999, 1e-7, 0.125], "float32")
_OTHERS = exactly([0.5, 0.75, 0.125, 0.0], "float32")
_FIRST = exactly(1, "int32")

CASES = [
    Case(
        optim.sgd_update,
        floats(2, 3),
        floats(2, 3),
        RATE,
        reference=_sgd,
        scale=2.0,
        more=[sample(floats(*shape), floats(*shape), RATE) for shape in SHAPES],
        errors=[
            error(ShapeError, "the gradient has the wrong shape", floats(2, 3), floats(3), RATE),
            error(ShapeError, "the learning_rate has the wrong shape", floats(3), floats(3), floats(3)),
            error(
                DTypeError, "the operands have different dtypes", floats(3), exactly([1.0, 2.0, 3.0], "float64"), RATE
            ),
            error(DTypeError, "needs floating-point numbers", integers(3), integers(3), exactly(1, "int32")),
        ],
    ),
    Case(
        optim.momentum_update,
        *update_operands((2, 3), [floats]),
        RATE,
        exactly([0.75, 0.125], "float32"),
        reference=_momentum,
        result=("same", "same"),
        ulp=8.0,
        scale=4.0,
        more=[
            *update_samples([floats], RATE, exactly([0.75, 0.125], "float32")),
            sample(*update_operands((3,), [floats]), RATE, exactly([0.9, 0.0], "float32"), nesterov=True),
            sample(*update_operands((70_000,), [floats]), RATE, exactly([0.5, 0.25], "float32"), nesterov=True),
        ],
        errors=update_errors([floats], RATE, exactly([0.75, 0.125], "float32")),
    ),
    Case(
        optim.adam_update,
        *update_operands((2, 3), [floats, positive]),
        RATE,
        STEP,
        _ADAM,
        reference=_adam,
        result=("same", "same", "same"),
        ulp=_ULP,
        scale=2.0,
        more=[
            *update_samples([floats, positive], RATE, STEP, _ADAM),
            sample(*update_operands((3,), [floats, positive]), RATE, _FIRST, _OTHERS),
        ],
        errors=update_errors([floats, positive], RATE, STEP, _ADAM),
    ),
    Case(
        optim.amsgrad_update,
        *update_operands((2, 3), [floats, positive, positive]),
        RATE,
        STEP,
        _ADAM,
        reference=_amsgrad,
        result=("same", "same", "same", "same"),
        ulp=_ULP,
        scale=2.0,
        more=[
            *update_samples([floats, positive, positive], RATE, STEP, _ADAM),
            sample(*update_operands((3,), [floats, positive, positive]), RATE, _FIRST, _OTHERS),
        ],
        errors=update_errors([floats, positive, positive], RATE, STEP, _ADAM),
    ),
    Case(
        optim.adamax_update,
        *update_operands((2, 3), [floats, positive]),
        RATE,
        STEP,
        exactly([0.9, 0.999, 1e-3], "float32"),
        reference=_adamax,
        result=("same", "same", "same"),
        ulp=_ULP,
        scale=4.0,
        more=[
            *update_samples([floats, positive], RATE, STEP, exactly([0.9, 0.999, 1e-3], "float32")),
            sample(*update_operands((3,), [floats, positive]), RATE, _FIRST, exactly([0.5, 0.75, 0.125], "float32")),
        ],
        errors=update_errors([floats, positive], RATE, STEP, exactly([0.9, 0.999, 1e-3], "float32")),
    ),
    Case(
        optim.nadam_update,
        *update_operands((2, 3), [floats, positive, exactly(0.75)]),
        RATE,
        STEP,
        exactly([0.9, 0.999, 1e-7, 0.004], "float32"),
        reference=_nadam,
        result=("same", "same", "same", "same"),
        ulp=_ULP,
        scale=2.0,
        more=[
            *update_samples(
                [floats, positive, exactly(0.75)], RATE, STEP, exactly([0.9, 0.999, 1e-7, 0.25], "float32")
            ),
            sample(*update_operands((3,), [floats, positive, exactly(0.0)]), RATE, _FIRST, _OTHERS),
        ],
        errors=update_errors([floats, positive, exactly(0.75)], RATE, STEP, _ADAM),
    ),
    Case(
        optim.flat_part,
        floats(12),
        start=3,
        shape=(2, 3),
        reference=lambda x, *, start, shape: x[start : start + math.prod(shape)].reshape(shape),
        result="same",
        more=[
            sample(floats(5), start=0, shape=(5,)),
            sample(floats(5), start=5, shape=(0, 2)),
            sample(floats(5), start=4, shape=()),
        ],
        errors=[
            error(ShapeError, "the part is not inside the operand", floats(5), start=3, shape=(3,)),
            error(ShapeError, "the part is not inside the operand", floats(5), start=2, shape=(2, 2)),
            error(ShapeError, "the part is not inside the operand", floats(2, 3), start=0, shape=(2,)),
        ],
    ),
    Case(
        optim.set_rows,
        floats(4, 3),
        exactly([2, -4], "int64"),
        floats(2, 3),
        reference=_with_rows,
        result="same",
        more=[
            sample(floats(5), exactly([4, 0, 1], "int32"), floats(3)),
            sample(floats(5, 2), exactly(np.zeros(0), "int64"), floats(0, 2)),
            sample(floats(3, 0, 2), exactly([1], "int64"), floats(1, 0, 2)),
        ],
        errors=[
            error(ShapeError, "the rows have the wrong shape", floats(4, 3), exactly([1], "int64"), floats(3)),
            error(ShapeError, "the rows have the wrong shape", floats(4, 3), exactly([[1]], "int64"), floats(1, 3)),
            error(DTypeError, "the rows cannot be set", floats(4), floats(2), floats(2)),
        ],
    ),
]
