"""Rows of the elementwise ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import elementwise
from ..case import Case, error
from ..makers import NUMBERS, Maker, between, booleans, floating, floats, integers, nonzero, numbers, positive, reals

__all__ = ["CASES"]

_APART = error(ShapeError, "the shapes do not broadcast", floats(2, 3), floats(4))
_BOOL = error(DTypeError, "is not defined for bool", booleans(3), booleans(3))
_ONE_BOOL = error(DTypeError, "is not defined for bool", booleans(3))
_INTEGERS = error(DTypeError, "needs floating numbers", integers(3))
_COMPLEX = error(DTypeError, "has no order on complex numbers", numbers(3), varied="complex64")
_TWO_COMPLEX = error(DTypeError, "has no order on complex numbers", numbers(3), numbers(3), varied="complex64")


def _bases(*shape: int) -> Maker:
    return Maker("bases", shape, NUMBERS, between(0.5, 3.0), True)


def _exponents(*shape: int) -> Maker:
    # NumPy refuses negative integer powers of integers.
    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        return between(0.0 if dtype.kind in "iu" else -2.0, 2.0)(rng, shape, dtype)

    return Maker("exponents", shape, NUMBERS, draw, True)


def _above_minus_one(*shape: int) -> Maker:
    return floats(*shape, low=-0.7, high=3.0)


def _quotient(dtype: str, attributes: dict[str, Any]) -> str:
    return "float32" if np.dtype(dtype if dtype != "bfloat16" else "float16").kind in "iu" else dtype


# A complex power is exp(x2 log(x1)): three functions' errors add up.
_POWER_ULP = {"complex64": 32.0, "complex128": 32.0}

CASES = [
    Case(elementwise.sign, reals(2, 3), signs=False, errors=[_COMPLEX]),
    Case(elementwise.add, numbers(2, 3), numbers(2, 3), near=[1e30], errors=[_APART, _BOOL]),
    Case(elementwise.subtract, numbers(2, 3), numbers(2, 3), near=[1e30], errors=[_APART, _BOOL]),
    Case(elementwise.multiply, numbers(2, 3), numbers(2, 3), near=[1e30, 1e-30], errors=[_APART, _BOOL]),
    Case(elementwise.divide, numbers(2, 3), nonzero(2, 3), near=[1e30, 1e-30], result=_quotient, errors=[_APART]),
    Case(elementwise.power, _bases(2, 3), _exponents(2, 3), near=[3.0], ulp=_POWER_ULP, errors=[_APART, _BOOL]),
    # Which of 0.0 and -0.0 is larger, the standard leaves open.
    Case(elementwise.maximum, reals(2, 3), reals(2, 3), avoid="ties", signs=False, errors=[_APART, _TWO_COMPLEX]),
    Case(elementwise.minimum, reals(2, 3), reals(2, 3), avoid="ties", signs=False, errors=[_APART, _TWO_COMPLEX]),
    Case(elementwise.negative, numbers(2, 3), errors=[_ONE_BOOL]),
    Case(elementwise.square, numbers(2, 3), near=[1e30, 1e-30], errors=[_ONE_BOOL]),
    Case(elementwise.abs, reals(2, 3), avoid="ties", errors=[_COMPLEX]),
    Case(elementwise.exp, floating(2, 3), near=[-100.0, 88.0, 100.0, 1e-8], errors=[_INTEGERS]),
    Case(elementwise.log, positive(2, 3), near=[1e-30, 1e30, 0.999], errors=[_INTEGERS]),
    Case(elementwise.log1p, _above_minus_one(2, 3), near=[1e-30, 1e-8, 1e30, -0.999], errors=[_INTEGERS]),
    Case(elementwise.tanh, floating(2, 3), near=[1e-8, 20.0, -20.0], errors=[_INTEGERS]),
    Case(elementwise.sqrt, positive(2, 3), near=[1e-30, 1e30], errors=[_INTEGERS]),
]
