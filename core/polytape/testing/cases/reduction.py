"""Rows of the reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...ops import reduction
from ..case import Case
from ..makers import Maker, anything, counts, each, exactly, floating, floats, integers, reals
from ..samples import Sample, error, sample

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")
_TALL = floats(20_000, 3, low=0.5, high=1.5)
_TIED = [[1.0, 3.0, 3.0], [2.0, 2.0, -1.0]]

# Integers of 16 bits wrap, which sums and products in a floating dtype do not.
_WRAPPING = [
    sample(exactly(np.full(1001, 32767), "int16"), dtype="int16"),
    sample(exactly(np.full(1001, 65535), "uint16"), dtype="uint16"),
]


def _terms(*shape: int) -> Maker:
    """Numbers of float32 near 1, whose sums are inaccurate if they are added one after the other."""
    return floats(*shape, low=0.5, high=1.5).of("float32")


_MANY_ROWS = [
    sample(_terms(150_001, 2), axis=0),  # all rows are joined to longer ones, and some are left over
    sample(_terms(1030, 1500), axis=0, keepdims=True),
    sample(_terms(70_001, 2), axis=0, dtype="float64"),
    sample(_terms(2, 3, 3001), axis=-1),
    sample(_terms(5, 5000), axis=1, keepdims=True),
    sample(_terms(60, 50, 3), axis=(0, 1)),
    sample(_terms(3000, 2, 3), axis=1),
    sample(_terms(1100, 3, 3, 2), axis=(1, 3)),
    sample(_terms(2, 140_001, 2), axis=-2),
    sample(_terms(2, 300, 300, 2), axis=(1, 2)),
    sample(_terms(2, 50, 3000, 2), axis=(-4, -2), keepdims=True),
    Sample([_terms(2, 70_001, 3)], {"axis": 1}, layout="transposed"),
    Sample([_terms(40, 9, 3000)], {"axis": (0, 2)}, layout="transposed"),
    Sample([_terms(600, 500)], {}, layout="transposed"),
    sample(counts(70_001, 2).of("complex64"), axis=0),
    sample(counts(3000, 3).of("complex64"), axis=1),
]
_LARGE = [sample(counts(150_001)), sample(counts(300, 500), axis=0), sample(counts(300, 500), axis=-1)]
_PEAK = np.cos(np.arange(150_001.0))
_PEAK[[140_000, 140_001]] = -2.0, 2.0  # at positions that need more than 16 bits
# Many rows, also with NaN in one of the last; axes that are adjacent, and that are not.
_WITH_NAN = np.cos(np.arange(3903.0) ** 2).reshape(1301, 3)
_WITH_NAN[-1] = 2.0, _NAN, -2.0
_SHORT_ROWS = [
    sample(exactly(_WITH_NAN), axis=0),
    sample(exactly(_WITH_NAN), axis=1),
    sample(exactly(np.resize(_WITH_NAN, (70, 90))), axis=-1),
    sample(reals(2, 601, 5), axis=1, keepdims=True),
    sample(reals(8000, 10), axis=-1, keepdims=True),
    sample(reals(9, 10, 250), axis=2),
    sample(reals(70, 20, 2), axis=1),
    sample(reals(70, 9, 10), axis=(2, 1)),
    sample(reals(300, 2, 4), axis=(0, 2)),
    Sample([reals(300, 20)], {"axis": 0}, layout="transposed"),
]
_EXTREMES = [*_LARGE, sample(exactly(_PEAK))]
# Factors whose products are exact and stay within the range of half precision.
_FACTORS = np.resize([2.0, 0.5, -1.0, 4.0, 0.25, 1.0, -1.0], 150_000)
EXACT_PRODUCT = exactly(_FACTORS)


def _leaving_the_range(factor: float) -> Sample:
    """Factors whose product is 1 in the order of memory, and 0 or infinite for every 512th of them."""
    factors = np.ones(5000)
    factors[[0, 512]], factors[[1, 514]] = factor, 1 / factor
    return sample(each(factors, "float64"))


_PRODUCTS = [
    sample(EXACT_PRODUCT),
    sample(EXACT_PRODUCT, keepdims=True),
    sample(each(_FACTORS, "complex64")),
    *[sample(exactly(_FACTORS.reshape(300, 500)), axis=axis) for axis in (0, 1)],
    sample(each(np.where(np.arange(5000) % 1000 == 7, 10, 1), "int8"), dtype="float64"),
    _leaving_the_range(1e200),
    _leaving_the_range(1e-200),
]
_TRUTH = [
    sample(exactly([[0.0, -0.0, 0.0], [_NAN, 0.0, 0.0], [1.0, 1.0, -_INF]]), axis=1),
    sample(exactly([0, 256], "int32")),
]
_SPREAD = [
    sample(floating(4, 5), axis=0),
    sample(floats(4, 5), axis=1, correction=1),
    sample(floats(4, 5), axis=(0, 1), correction=0.5, keepdims=True),
    sample(_TALL, axis=0),
    sample(floats(7, 90), correction=1.0, keepdims=True),
    sample(floats(300), axis=-1),
    sample(exactly([3.0]), correction=1.0, smooth=False),
    sample(exactly([3.0, 4.0]), correction=3.0, smooth=False),
    sample(exactly([10000.0, 10001.0, 10002.0])),
    sample(exactly([-400.0, 400.0])),  # in half precision, the variance overflows and its root does not
    sample(exactly([1.0, _NAN]), smooth=False),
    sample(exactly([1.0, _INF]), smooth=False),
]


def _sum(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


def _mean(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (x.size / total.size) if total.size else total  # np.mean warns if there are no elements


def _prod(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return np.prod(x, axis=axis, keepdims=keepdims)


def _var(x: Any, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    left = x.size // max(_mean(x, axis=axis).size, 1) - correction
    distance = x - _mean(x, axis=axis, keepdims=True)
    return np.sum(np.abs(distance) ** 2, axis=axis, keepdims=keepdims) / np.float64(max(left, 0.0))


def _std(x: Any, **attributes: Any) -> Any:
    return np.sqrt(_var(x, **attributes))


def _real_dtype(dtype: str, attributes: dict[str, Any]) -> str:
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    return real if real.startswith(("bfloat", "float")) else "float32"


def sum_dtype(dtype: str, attributes: dict[str, Any]) -> str:
    """The dtype of a sum of elements of ``dtype``."""
    if "dtype" in attributes:
        return str(attributes["dtype"])
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


CASES = [
    Case(
        reduction.sum,
        more=[
            sample(floats(300)),
            sample(floats(), axis=()),
            sample(exactly(np.ones(4096))),  # in half precision 2048 + 1 is 2048
            *[sample(_TALL, axis=axis) for axis in (0, -2)],  # added row after row in float32, an error of 1e-5
            sample(integers(4, 5, low=-9, dtype="int8"), dtype="float64"),
            *_WRAPPING,
            sample(floats(4), dtype="float64"),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0, -_INF]), smooth=False),
        ],
        reference=_sum,
        result=sum_dtype,
        scale=16.0,
        errors=[error(ShapeError, "there is no axis", floats(3), axis=1)],
        large=[*_LARGE, *_MANY_ROWS],
    ),
    Case(
        reduction.mean,
        more=[
            sample(floating(300)),
            sample(exactly(np.ones(4096))),
            sample(_TALL, axis=0),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0]), smooth=False),
        ],
        reference=_mean,
        scale=2.0,
        large=_LARGE,
    ),
    Case(
        reduction.max,
        avoid="ties",
        more=[
            sample(exactly(_TIED), axis=1, smooth=False),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([-_INF, -1.0]), smooth=False),
        ],
        large=[*_EXTREMES, *_SHORT_ROWS],
    ),
    Case(
        reduction.argmax,
        more=[
            sample(exactly(_TIED), axis=1),
            sample(exactly([1.0, _NAN, 2.0])),
            sample(exactly([-_INF, _INF, _INF])),
        ],
        large=_EXTREMES,
    ),
    Case(
        reduction.min,
        avoid="ties",
        more=[
            sample(exactly(_TIED), axis=1, smooth=False),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 1.0]), smooth=False),
        ],
        large=[*_EXTREMES, *_SHORT_ROWS],
    ),
    Case(
        reduction.argmin,
        more=[
            sample(exactly(_TIED), axis=0),
            sample(exactly([1.0, _NAN, 0.0, _NAN])),
            sample(exactly([_INF, -_INF, -_INF])),
            sample(exactly([-127, -128], "int8")),
        ],
        large=_EXTREMES,
    ),
    Case(reduction.any, more=_TRUTH, large=_LARGE),
    Case(reduction.all, more=_TRUTH, large=_LARGE),
    Case(reduction.count_nonzero, more=_TRUTH, large=_LARGE),
    Case(
        reduction.prod,
        floating(4, 3),
        axis=1,
        more=[
            sample(anything(2, 3), axis=0),
            *_WRAPPING,
            sample(floats(37, low=0.5, high=1.5)),
            # Rounded after each factor, these are far off: in bfloat16, and in float16 along the first axis.
            sample(exactly(np.full(600, 1 + 2.0**-7))),
            sample(exactly(np.full((300, 2), 1 + 2.0**-10)), axis=0),
            sample(exactly([0.0, 2.0, -3.0])),
            sample(exactly([[0.0, 2.0, 0.0], [1.0, 3.0, 2.0]]), axis=-1),
            sample(integers(4, 5, low=-9, dtype="int8"), dtype="float64"),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(exactly([_INF, 0.0]), smooth=False),
        ],
        reference=_prod,
        result=sum_dtype,
        ulp=24.0,
        large=_PRODUCTS,
    ),
    Case(reduction.var, more=_SPREAD, reference=_var, ulp=16.0, result=_real_dtype, large=_LARGE),
    Case(
        reduction.std,
        more=[*_SPREAD, sample(exactly([2.0, 2.0, 2.0]), smooth=False)],
        reference=_std,
        ulp=16.0,
        result=_real_dtype,
        large=_LARGE,
    ),
]
