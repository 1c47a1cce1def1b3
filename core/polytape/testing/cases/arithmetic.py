"""Rows of the arithmetic ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import arithmetic
from ..case import Case
from ..makers import NUMBERS, Maker, between, nonzero, numbers

__all__ = ["CASES"]


def _bases(*shape: int) -> Maker:
    return Maker("bases", shape, NUMBERS, between(0.5, 3.0), True)


def _exponents(*shape: int) -> Maker:
    # NumPy rejects negative integer powers of integers.
    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        return between(0.0 if dtype.kind in "iu" else -2.0, 2.0)(rng, shape, dtype)

    return Maker("exponents", shape, NUMBERS, draw, True)


def _quotient(dtype: str, attributes: dict[str, Any]) -> str:
    return "float32" if np.dtype(dtype if dtype != "bfloat16" else "float16").kind in "iu" else dtype


# A complex power is computed by log, multiplication and exp, whose errors add up.
_POWER_ULP = {"complex64": 32.0, "complex128": 32.0}

CASES = [
    Case(arithmetic.sign, signs=False),
    Case(arithmetic.add, near=[1e30]),
    Case(arithmetic.subtract, near=[1e30]),
    Case(arithmetic.multiply, near=[1e30, 1e-30]),
    Case(arithmetic.divide, numbers(2, 3), nonzero(2, 3), near=[1e30, 1e-30], result=_quotient),
    Case(arithmetic.power, _bases(2, 3), _exponents(2, 3), near=[3.0], ulp=_POWER_ULP),
    # The standard does not specify which of 0.0 and -0.0 is larger.
    Case(arithmetic.maximum, avoid="ties", signs=False),
    Case(arithmetic.minimum, avoid="ties", signs=False),
    Case(arithmetic.negative),
    Case(arithmetic.square, near=[1e30, 1e-30]),
    Case(arithmetic.abs, avoid="ties"),
]
