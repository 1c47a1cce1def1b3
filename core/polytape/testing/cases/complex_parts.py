"""Rows of complex numbers and their parts."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ...ops import complex_parts
from ..case import Case
from ..makers import Maker, between, complexes, each, floats
from ..samples import sample

__all__ = ["CASES", "at_limits", "on_the_cut"]

_CUT = [complex(-1.0, 0.0), complex(-1.0, -0.0), 1j, -1j, complex(float("-inf"), 2.0)]


def on_the_cut() -> Any:
    """A sample of numbers at the negative real axis, where the sign of a zero decides on which side they are."""
    return sample(each(_CUT, "complex64", "complex128"), smooth=False)


# Of two infinite parts, the standard leaves the signs of some results open.
_FINITE, _INFINITE = [0.0, -0.0, 1.0, -2.5], [math.inf, -math.inf]
_LIMITS = [
    complex(a, b)
    for first, second in ((_FINITE, _INFINITE), (_INFINITE, _FINITE), (_FINITE[:2], _FINITE[:2]))
    for a, b in itertools.product(first, second)
]


def at_limits(*left_out: complex) -> Any:
    """A sample of complex zeros, and of numbers with one infinite part; the signs of zeros are compared.

    Args:
        left_out: numbers without it.
    """
    numbers = [x for x in _LIMITS if str(x) not in map(str, left_out)]
    return sample(each(numbers, "complex64", "complex128"), smooth=False, signs=True)


def _parts(*shape: int) -> Maker:
    return Maker("parts", shape, ("float32", "float64"), between(-2.0, 2.0), True)


def _complex(real: Any, imag: Any) -> Any:
    y = np.empty(np.broadcast_shapes(real.shape, imag.shape), complex)
    y.real, y.imag = real, imag
    return y


def _part(dtype: str, attributes: Any) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def _floating_part(dtype: str, attributes: Any) -> str:
    return _part(dtype, attributes) if dtype[0] in "fcb" else "float32"


CASES = [
    Case(
        complex_parts.complex_,
        _parts(2, 3),
        _parts(2, 3),
        reference=_complex,
        result=lambda dtype, attributes: {"float32": "complex64", "float64": "complex128"}[dtype],
        signs=False,
    ),
    Case(complex_parts.real, result=_part),
    Case(complex_parts.imag, result=_part, signs=False),
    Case(complex_parts.conj, more=[sample(complexes(4))]),
    Case(
        complex_parts.angle,
        complexes(2, 3),
        result=_floating_part,
        more=[sample(floats(5)), on_the_cut()],
    ),
]
