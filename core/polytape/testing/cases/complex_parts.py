"""Rows of complex numbers and their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import complex_parts
from ..case import Case
from ..makers import Maker, between, complexes, floats
from ..samples import sample

__all__ = ["CASES"]


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
    Case(complex_parts.angle, complexes(2, 3), result=_floating_part, more=[sample(floats(5))]),
]
