"""Rows of the bits of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError
from ...ops import representation
from ..case import Case
from ..makers import Maker, between, each, exactly, floats, integers, whole
from ..samples import error, sample

__all__ = ["CASES"]


def _bits(x: Any, *, dtype: str) -> Any:
    source = {"int32": "float32", "int64": "float64", "float32": "int32"}[dtype]
    return x.astype(source).view(dtype)


def _singles(*shape: int) -> Maker:
    return Maker("singles", shape, ("float32",), between(-2.0, 2.0), True)


def _nextafter(x1: Any, x2: Any) -> Any:
    return np.nextafter(x1.astype("float32"), x2.astype("float32"))


def _signbit(x: Any) -> Any:
    return np.signbit(x) if x.dtype.kind == "f" else x < 0


def _frexp(x: Any) -> Any:
    mantissa, exponent = np.frexp(x)
    return mantissa, np.where(np.isfinite(x), exponent, 0)


def _wide_exponents(dtype: str, *numbers: int) -> Any:
    """Numbers beside exponents beyond the range of every dtype, whose sum with a bias overflows."""
    return sample(
        exactly([1.0, -1.5, 0.0, float("inf"), float("nan")][: len(numbers)]), exactly(numbers, dtype), smooth=False
    )


_SUBNORMAL = [1e-45, -3e-39, 1.2e-38, 3e38, 6e-8, 1e-40]

CASES = [
    Case(
        representation.bitcast,
        exactly([1.0, -0.0, 3.5], "float32"),
        dtype="int32",
        reference=_bits,
        result=lambda dtype, attributes: attributes["dtype"],
        more=[
            sample(exactly([1.0, -2.0], "float64"), dtype="int64"),
            sample(exactly([1065353216, -1], "int32"), dtype="float32"),
            sample(exactly(-2.5, "float32"), dtype="int32"),
            sample(exactly(np.zeros((0, 2)), "float64"), dtype="int64"),
        ],
        errors=[error(DTypeError, "cannot read the bits", floats(2), dtype="int64")],
    ),
    Case(representation.signbit, floats(2, 3), result="bool", more=[sample(whole(3))], reference=_signbit),
    Case(representation.copysign, avoid="ties", gradient="the gradient by x2 is 0, and by x1 it has a kink"),
    Case(
        representation.nextafter,
        _singles(2, 3),
        _singles(2, 3),
        reference=_nextafter,
        ulp=0.0,
        more=[
            sample(
                exactly([1.0, -1.0, 0.0, -0.0, 1.0, float("nan")], "float32"),
                exactly([2.0, 2.0, 1.0, -1.0, 1.0, 1.0], "float32"),
            ),
            sample(exactly([1e-45, 3e38, float("inf")], "float32"), exactly([-1.0, float("inf"), 0.0], "float32")),
        ],
    ),
    Case(
        representation.frexp,
        floats(2, 3, low=1.1, high=1.9),
        reference=_frexp,
        result=("same", "int32"),
        ulp=0.0,
        near=_SUBNORMAL,
        more=[sample(each([5e-324, 1e-310, -1.7e308], "float64"), smooth=False)],
    ),
    Case(
        representation.ldexp,
        floats(2, 3),
        integers(2, 3, low=-5, high=9),
        reference=lambda x1, x2: np.ldexp(x1, np.clip(x2, -5000, 5000).astype(int)),
        near=_SUBNORMAL,
        ulp=0.0,
        more=[
            _wide_exponents("int64", 2**62, -(2**62), 2**40, -(2**40), 5),
            _wide_exponents("int32", 2**31 - 1, -(2**31), 70_000, -70_000, 0),
            _wide_exponents("int8", 127, -128, 3, 3, 3),
            _wide_exponents("uint8", 255, 130, 3, 3, 3),
            _wide_exponents("uint64", 2**64 - 1, 2**63, 3, 3, 3),
            sample(
                each([1.9999999, 1.0, 3.0, 1e-38, 1.5, 1e38, 1e-45], "float32"),
                exactly([-126, -149, -150, 130, -149, -250, 270], "int32"),
                smooth=False,
            ),
            sample(each([1.9999999, 3.0, 5e-324], "float64"), exactly([-1023, -1075, 2090], "int64"), smooth=False),
        ],
        errors=[
            error(DTypeError, "only for integers", floats(2), floats(2)),
            error(DTypeError, "needs floating-point", integers(2), integers(2)),
        ],
    ),
]
