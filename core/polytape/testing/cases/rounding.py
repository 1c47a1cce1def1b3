"""Rows of rounding and integer division."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops import rounding
from ..case import Case
from ..makers import REALS, Maker, between, complexes, each, exactly
from ..samples import sample

__all__ = ["CASES"]

_JUMPS = "it jumps at multiples of the divisor; tests/core/ops/test_rounding.py checks the gradient between them"
_HALVES = sample(exactly([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 8388609.0, -0.25]), signs=True)
_ZERO = sample(each([5, -5, 0, 127, -128], "int8"), each([0, 0, 0, -1, -1], "int8"))
_MIXED = sample(each([7, -7, 7, -7], "int32"), each([3, 3, -3, -3], "int32"))


def _divisors(*shape: int) -> Maker:
    return Maker("divisors", shape, REALS, between(-3.0, 3.0, away=0.5), True)


def _dividends(*shape: int) -> Maker:
    return Maker("dividends", shape, REALS, between(-9.0, 9.0), True)


def _rounded(fn: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: x if x.dtype.kind in "iu" else fn(x)


def _defined(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A reference for integers too, whose division by 0 gives 0."""

    def reference(x1: Any, x2: Any) -> Any:
        if x1.dtype.kind not in "iu":
            return fn(x1, x2)
        return np.where(x2 == 0, 0, fn(x1, np.where(x2 == 0, 1, x2)))

    return reference


def _wrapped(x1: Any, x2: Any) -> Any:
    y = _defined(np.floor_divide)(x1, x2)
    # -128 // -1 is 128, which wraps in int8.
    return np.where((y == 128) & (x1 == -128), -128, y) if x1.dtype.kind == "i" else y


CASES = [
    Case(rounding.floor, reference=_rounded(np.floor), more=[_HALVES]),
    Case(rounding.ceil, reference=_rounded(np.ceil), more=[_HALVES]),
    Case(rounding.trunc, reference=_rounded(np.trunc), more=[_HALVES]),
    Case(rounding.round, reference=_rounded(np.round), more=[_HALVES, sample(complexes(4))]),
    Case(
        rounding.fmod,
        _dividends(2, 3),
        _divisors(2, 3),
        reference=_defined(np.fmod),
        gradient=_JUMPS,
        near=[1e30, 0.1],
        more=[_ZERO, _MIXED],
    ),
    Case(
        rounding.floor_divide,
        _dividends(2, 3),
        _divisors(2, 3),
        reference=_wrapped,
        near=[0.1],
        more=[_ZERO, _MIXED],
    ),
    Case(
        rounding.remainder,
        _dividends(2, 3),
        _divisors(2, 3),
        reference=_defined(np.remainder),
        gradient=_JUMPS,
        near=[0.1],
        more=[_ZERO, _MIXED],
    ),
]
