"""Rows of the activations that are made of pieces."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....ops.nn import rectifiers
from ...case import Case
from ...makers import exactly, floats, reals
from ...samples import Sample, sample

__all__ = ["CASES", "EDGES"]

# For ops with attributes, which the kit does not run on shapes and special values by itself.
EDGES = exactly([float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 0.5, -0.5, 3.0, -3.0, 6.0, 100.0, -100.0, 1e-3])
# For kernels that serve only large operands.
LARGE = [sample(reals(20, 16), smooth=False)]


def _samples(**attributes: Any) -> list[Sample]:
    """Special values, scalars, an empty operand, and other attributes than the defaults."""
    shapes = [sample(reals(), smooth=False), sample(reals(0)), sample(reals(2, 1, 3), smooth=False)]
    return [*shapes, *LARGE, sample(EDGES, smooth=False), sample(EDGES, smooth=False, **attributes)]


def _relu6(x: Any) -> Any:
    return np.minimum(np.maximum(x, 0), 6)


def _elu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _elu_gradient(incoming: Any, x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x > 0, incoming, incoming * (alpha * np.exp(np.minimum(x, 0))))


def _celu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def _leaky_relu(x: Any, *, negative_slope: float = 0.01) -> Any:
    return np.where(x > 0, x, x * negative_slope)


def _hard_tanh(x: Any, *, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    return np.minimum(np.maximum(x, min_val), max_val)


def _softshrink(x: Any, *, lambd: float = 0.5) -> Any:
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0))


def _hardshrink(x: Any, *, lambd: float = 0.5) -> Any:
    return np.where(np.abs(x) <= lambd, 0, x)


CASES = [
    Case(rectifiers.relu6, avoid="ties", signs=False, near=[3.0, 6.0, 7.0], reference=_relu6),
    Case(
        rectifiers.leaky_relu,
        avoid="ties",
        reference=_leaky_relu,
        more=[*_samples(negative_slope=0.25), sample(reals(2, 3), negative_slope=-2.0, smooth=False)],
    ),
    Case(
        rectifiers.leaky_relu_gradient,
        avoid="ties",
        reference=lambda g, x, *, negative_slope=0.01: np.where(x > 0, g, g * negative_slope),
        more=[sample(floats(), floats()), sample(floats(2, 3), floats(2, 3), negative_slope=0.25)],
    ),
    Case(rectifiers.prelu, avoid="ties", reference=lambda x, weight: np.where(x > 0, x, weight * x)),
    Case(
        rectifiers.elu,
        avoid="ties",
        reference=_elu,
        more=[*_samples(alpha=0.25), sample(reals(2, 3), alpha=2.0, smooth=False)],
    ),
    Case(
        rectifiers.elu_gradient,
        avoid="ties",
        near=[100.0, -100.0],
        reference=_elu_gradient,
        more=[
            sample(floats(), floats()),
            *(sample(floats(2, 3), floats(2, 3), alpha=alpha) for alpha in (0.25, 2.0)),
            sample(floats(20, 16), floats(20, 16), smooth=False),
        ],
    ),
    Case(
        rectifiers.selu,
        avoid="ties",
        near=[100.0, -100.0, 1e-3],
        reference=lambda x: 1.0507009873554805 * _elu(x, alpha=1.6732632423543772),
    ),
    Case(rectifiers.celu, avoid="ties", reference=_celu, more=_samples(alpha=0.25)),
    Case(
        rectifiers.hard_sigmoid,
        avoid="ties",
        near=[3.0, -3.0, 4.0, -2.5],
        signs=False,
        scale=1.0,
        reference=lambda x: _relu6(x + 3) / 6,
    ),
    Case(
        rectifiers.hard_tanh,
        avoid="ties",
        reference=_hard_tanh,
        more=_samples(min_val=-0.25, max_val=3.0),
    ),
    Case(
        rectifiers.hard_swish,
        avoid="ties",
        near=[3.0, -3.0, 4.0, -2.5],
        signs=False,
        scale=1.0,
        reference=lambda x: np.maximum(x, -3.0) * _relu6(x + 3) / 6,
    ),
    Case(rectifiers.softshrink, avoid="ties", reference=_softshrink, more=_samples(lambd=0.25)),
    Case(rectifiers.hardshrink, avoid="ties", reference=_hardshrink, more=_samples(lambd=0.25)),
]
