"""Rows of the arithmetic ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import arithmetic
from ..case import Case
from ..makers import NUMBERS, Maker, between, each, exactly, floats, nonzero, numbers
from ..samples import sample

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")
_SIGNED = ("int8", "int16", "int32", "int64")
_INVERSES = sample(
    each([-1, -1, -1, 1, 1, 2, 2, -2, 0, 3], *_SIGNED), each([-1, -2, 0, -3, -2, -1, 0, -3, 2, 2], *_SIGNED)
)


_LIMITS = exactly([-0.0, 0.0, _INF, -_INF, _NAN, 1.5, -0.75, 3.0] * 9)
_MANY_LIMITS = exactly(np.resize([-0.0, 0.0, _INF, 1.5, 4.0, -2.0], 2500))
_MANY_BELOW = exactly(np.resize([-_INF, 1.5, 4.0], 2500))


def _bases(*shape: int) -> Maker:
    return Maker("bases", shape, NUMBERS, between(0.5, 3.0), True)


def _exponents(*shape: int) -> Maker:
    # Negative powers of integers are samples of their own.
    def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        return between(0.0 if dtype.kind in "iu" else -2.0, 2.0)(rng, shape, dtype)

    return Maker("exponents", shape, NUMBERS, draw, True)


def _signed(*shape: int, low: float) -> Maker:
    return Maker(f"signed from {low}", shape, _SIGNED, between(low, 3.0), True)


def _power(x1: Any, x2: Any) -> Any:
    if x1.dtype.kind != "i":
        # NumPy takes the square root if all exponents are one element 0.5; its results for -0 and -inf are others.
        return np.power(x1, np.broadcast_to(x2, (2, *np.broadcast_shapes(x1.shape, x2.shape))).copy())[0]
    inverse = np.where(np.abs(x1) == 1, np.where(x2 % 2, x1, 1), 0)
    return np.where(x2 < 0, inverse, np.power(x1, np.maximum(x2, 0)))


def _part(dtype: str, attributes: Any) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


# The square of a part overflows or underflows; an infinite part makes the modulus infinite, whatever the other is.
_SIZES = [
    3e30 + 4e30j,
    -3e-30 + 4e-30j,
    complex(_INF, _NAN),
    complex(_NAN, -_INF),
    complex(-0.0, -0.0),
    complex(_NAN, 1),
]
# A complex power is computed by log, multiplication and exp, whose errors add up.
_POWER_ULP = {"complex64": 32.0, "complex128": 32.0}

_SOME_NAN = exactly(np.where(np.arange(3000) % 7 == 3, _NAN, np.cos(np.arange(3000.0) ** 2)))
_BOUNDED = [
    sample(*operands)
    for bound in (0.25, _NAN, _INF)
    for operands in ((_SOME_NAN, exactly(bound)), (exactly(bound), _SOME_NAN))
]

CASES = [
    Case(arithmetic.sign, signs=False),
    Case(arithmetic.add, near=[1e30]),
    Case(arithmetic.subtract, near=[1e30]),
    Case(arithmetic.multiply, near=[1e30, 1e-30]),
    Case(arithmetic.divide, numbers(2, 3), nonzero(2, 3), near=[1e30, 1e-30]),
    Case(
        arithmetic.power,
        _bases(2, 3),
        _exponents(2, 3),
        near=[3.0],
        more=[
            sample(_signed(9, low=-2.0), _signed(9, low=-3.0)),
            _INVERSES,
            # Whole exponents, for which a kernel may multiply or divide, also of large arrays alone.
            *(sample(_LIMITS, exactly(e), smooth=False, signs=True) for e in (2.0, 3.0, -1.0, -2.0)),
            *(sample(floats(80), exactly(e), smooth=False) for e in (0.0, 1.0, 5.0, -3.0)),
            *(sample(_LIMITS, exactly(e), smooth=False, signs=True) for e in (0.5, [0.5])),
            sample(exactly(-0.0), exactly(0.5), smooth=False, signs=True),
        ],
        large=[
            sample(maker, exactly(e), signs=True)
            for maker in (_MANY_LIMITS, _MANY_BELOW, floats(2500).of("float32"), floats(2500).of("float64"))
            for e in (0.5, -0.5, 1.5)
        ],
        reference=_power,
        ulp=_POWER_ULP,
    ),
    # The standard does not specify which of 0.0 and -0.0 is larger.
    Case(arithmetic.maximum, avoid="ties", signs=False, large=_BOUNDED),
    Case(arithmetic.minimum, avoid="ties", signs=False, large=_BOUNDED),
    Case(arithmetic.negative),
    Case(arithmetic.square, near=[1e30, 1e-30]),
    Case(
        arithmetic.abs,
        avoid="ties",
        result=_part,
        more=[sample(each(_SIZES, "complex64", "complex128"), smooth=False)],
    ),
]
