"""Rows of the Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.fft import transforms
from ...case import Case
from ...makers import Maker, between, exactly, floats
from ...samples import Sample, error, sample

__all__ = ["CASES"]

_REAL = ("float32", "float64")


def _signals(*shape: int) -> Maker:
    return Maker("signals", shape, _REAL, between(-2.0, 2.0), True)


def _spectra(*shape: int) -> Maker:
    return Maker("spectra", shape, (*_REAL, "complex64", "complex128"), between(-2.0, 2.0), True)


def _complex(dtype: str, attributes: Any) -> str:
    return {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)


def _real(dtype: str, attributes: Any) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def _samples(maker: Any) -> list[Sample]:
    return [
        sample(maker(1)),
        sample(maker(7)),
        sample(maker(2, 5, 3), axis=1, norm="ortho"),
        sample(maker(6), n=4, norm="forward"),
        sample(maker(6), n=9),
        sample(maker(36), smooth=False),
        sample(maker(2, 257), smooth=False),
        sample(maker(0, 4)),
    ]


_ERRORS = [
    error(ShapeError, "there is no axis 2", floats(2, 3), axis=2),
    error(ShapeError, "takes a single axis", floats(2, 3), axis=(0, 1)),
    error(ShapeError, "no points to transform", floats(2, 3), n=0),
    error(ShapeError, "there is no norm", floats(3), norm="forwards"),
    error(DTypeError, "half precision", exactly([1.0], "float16")),
]
# Of sums of 257 numbers, and more for the bodies.
_ULP = dict.fromkeys(("float32", "complex64", "float64", "complex128"), 16.0)


def _row(name: str, maker: Any, result: Any, more: list[Sample]) -> Case:
    op, reference = getattr(transforms, name), getattr(np.fft, name)
    return Case(op, maker(3, 4), reference=reference, result=result, more=more, errors=_ERRORS, ulp=_ULP, scale=32.0)


CASES = [
    _row("fft", _spectra, _complex, _samples(_spectra)),
    _row("ifft", _spectra, _complex, _samples(_spectra)),
    _row("rfft", _signals, _complex, _samples(_signals)),
    _row(
        "irfft",
        _spectra,
        _real,
        [
            sample(_spectra(4)),
            sample(_spectra(4), n=7),
            sample(_spectra(2, 4, 3), axis=1, norm="ortho"),
            sample(_spectra(6), n=4, norm="forward"),
            sample(_spectra(3), n=9),
            sample(_spectra(1), n=1),
            sample(_spectra(2, 129), n=257, smooth=False),
        ],
    ),
]
