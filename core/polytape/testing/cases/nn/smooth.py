"""Rows of the smooth activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....ops.nn import smooth
from ...case import Case
from ...makers import floats, reals
from ...samples import Sample, sample
from .activations import sigmoid
from .rectifiers import EDGES

__all__ = ["CASES"]


def _softplus(x: Any) -> Any:
    x = np.asarray(x, "float64")
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _below(x: Any) -> Any:
    """The probability that a standard normal number is below ``x``."""
    return np.asarray(np.vectorize(lambda t: math.erfc(-t / math.sqrt(2)) / 2, otypes=["float64"])(x))


def _gelu(x: Any, *, approximate: bool = False) -> Any:
    x = np.asarray(x, "float64")
    inner = np.clip(x, -1000.0, 1000.0)
    if approximate:
        return np.maximum(x, -1000.0) * sigmoid(2 * math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3))
    return np.maximum(x, -1000.0) * _below(x)


def _gelu_gradient(incoming: Any, x: Any, *, approximate: bool = False) -> Any:
    x = np.clip(x, -1000.0, 1000.0)
    if not approximate:
        return incoming * (_below(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))
    scale = 2 * math.sqrt(2 / math.pi)
    t = scale * (x + 0.044715 * x**3)
    return incoming * sigmoid(t) * (1 + x * scale * (1 + 3 * 0.044715 * x**2) * sigmoid(-t))


def _silu_gradient(incoming: Any, x: Any) -> Any:
    x = np.clip(x, -1000.0, 1000.0)
    return incoming * sigmoid(x) * (1 + x * sigmoid(-x))


def _mish(x: Any) -> Any:
    x = np.asarray(x, "float64")
    return np.maximum(x, -1000.0) * np.tanh(np.where(x < -30, np.exp(np.minimum(x, 0)), _softplus(x)))


def _softsign(x: Any) -> Any:
    return np.where(np.isinf(x), np.sign(x), x / (1.0 + np.abs(x)))


_MANY = sample(floats(20, 16), smooth=False)  # for kernels that serve only large operands
_MANY_ELEMENTS = floats(20, 16, low=-6.0, high=6.0)
_LARGE_SIZE = floats(300, 300, low=-6.0, high=6.0)  # for kernels that work in blocks


def _gelu_samples(*others: Any) -> list[Sample]:
    """Samples of gelu, or of its gradient, whose first operand is then made by ``others``."""

    def of(maker: Any, **attributes: Any) -> Sample:
        return sample(*(floats(*maker.shape) for _ in others), maker, **attributes)

    made = floats if others else reals
    shapes = [of(made(), smooth=False), of(made(0)), of(made(2, 1, 3)), of(made(2, 3), approximate=True)]
    large = [of(_LARGE_SIZE, smooth=False), of(_LARGE_SIZE, smooth=False, approximate=True)]
    large += [of(_MANY_ELEMENTS, smooth=False)]
    return [*shapes, *large, of(EDGES, smooth=False), of(EDGES, smooth=False, approximate=True)]


# Below -87, the factor exp(x) of a result is subnormal in float32 and has lost digits.
_FAR = [-80.0, -20.0, -8.0, 8.0, 20.0, 100.0]
# The rounding of x * x, or of the argument of tanh, is magnified by its size, in the reference too.
_GELU_ULP: Any = {"float32": 48.0, "float64": 128.0}

CASES = [
    Case(smooth.softplus, more=[_MANY], near=_FAR, reference=_softplus),
    Case(smooth.log_sigmoid, near=_FAR, reference=lambda x: -_softplus(-np.asarray(x, "float64"))),
    Case(smooth.gelu, more=_gelu_samples(), reference=_gelu, ulp=_GELU_ULP),
    Case(
        smooth.gelu_gradient,
        floats(2, 3),
        floats(2, 3),
        more=_gelu_samples(floats),
        reference=_gelu_gradient,
        ulp=8.0,
        scale=1.0,
    ),
    Case(
        smooth.silu,
        more=[_MANY],
        near=_FAR,
        reference=lambda x: np.maximum(np.asarray(x, "float64"), -1000.0) * sigmoid(x),
    ),
    Case(
        smooth.silu_gradient,
        more=[sample(floats(20, 16), floats(20, 16), smooth=False)],
        near=[-8.0, 8.0, 100.0],
        reference=_silu_gradient,
        ulp=8.0,
        scale=1.0,
    ),
    Case(smooth.mish, near=_FAR, reference=_mish, ulp=8.0),
    Case(smooth.softsign, near=[1e6, -1e-6], reference=_softsign),
    Case(smooth.tanhshrink, near=_FAR, signs=False, scale=1.0, reference=lambda x: x - np.tanh(x)),
]
