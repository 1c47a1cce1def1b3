"""Rows: cumulative sums, products and extremes, and differences along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...ops import cumulative
from ..case import Case
from ..makers import anything, counts, each, exactly, floating, floats, integers
from ..samples import error, sample
from .reduction import EXACT_PRODUCT, sum_dtype

__all__ = ["CASES"]

_NAN = float("nan")
_INF = float("inf")


def _accumulated(function: Any, initial: int) -> Callable[..., Any]:
    def reference(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
        axis = axis or 0
        y = function(x, axis=axis)
        shape = list(x.shape)
        shape[axis] = 1
        return np.concatenate([np.full(shape, initial, y.dtype), y], axis) if include_initial else y

    return reference


def _records(ufunc: Any) -> Callable[..., Any]:
    return lambda x, *, axis=-1: ufunc.accumulate(x, axis=axis)


_TIED = exactly([1.0, 3.0, 3.0, 2.0, 4.0, -1.0, -1.0])
_BROKEN = exactly([1.0, 3.0, _NAN, 5.0, -_INF])
_SAMPLES = [
    sample(anything(2, 3, 4), axis=1),
    sample(floating(2, 3), axis=0, include_initial=True),
    sample(floats(2, 3), axis=-1, include_initial=True),
    sample(floating(5)),
    sample(floating(5), include_initial=True),
    sample(floats(0), include_initial=True),
    sample(floats(2, 0), axis=1),
    sample(floats(0, 3), axis=1),
    sample(floats(37, low=0.7, high=1.3)),
    sample(integers(4, 5, low=-9, dtype="int8"), axis=0, dtype="float64"),
    sample(exactly([100, 101, 102, 103], "int8"), dtype="float32"),  # the operand is cast, not the sums
    sample(each([20, 21, 22], "int8", "uint8")),  # their product does not fit
    # Integers of 16 bits wrap, which sums and products in a floating dtype do not.
    sample(exactly(np.full(1001, 32767), "int16"), dtype="int16"),
    sample(exactly(np.full(1001, 65535), "uint16"), dtype="uint16"),
    sample(exactly([1.0, 0.0, 2.0, 0.0, -3.0])),
    sample(exactly([1.0, _NAN, 2.0]), smooth=False),
    sample(exactly([1.0, _INF, -2.0]), smooth=False),
]
_ERRORS = [
    error(ShapeError, "an axis is needed", floats(2, 3), axis=None),
    error(ShapeError, "there is no axis 2", floats(2, 3), axis=2),
    error(ShapeError, "there is no axis", floats(), axis=0),
]


def _other_products(x: Any, *, axis: int = -1) -> Any:
    count = x.shape[axis]
    rows = [np.prod(np.delete(x, k, axis), axis) for k in range(count)]
    return np.stack(rows, axis) if count else x


def _product_gradient(incoming: Any, x: Any, *, axis: int = -1) -> Any:
    g, x = np.moveaxis(incoming, axis, -1), np.moveaxis(x, axis, -1)
    y = np.zeros_like(x)
    for j in range(x.shape[-1]):
        one = x.copy()
        one[..., j] = 1
        y[..., j] = (g * np.cumprod(one, -1))[..., j:].sum(-1)
    return np.moveaxis(y, -1, axis)


_ZEROS = exactly([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [-2.0, 1.5, 0.5]])
CASES: list[Case] = [
    Case(
        cumulative.other_products,
        floats(3, 4),
        reference=_other_products,
        ulp=16,
        more=[
            sample(floats(2, 3, 2), axis=1),
            sample(floats(5, low=0.5, high=2.0), axis=0),
            sample(_ZEROS),
            sample(_ZEROS, axis=0),
            sample(exactly([1.0, _INF, 2.0]), smooth=False),
            sample(exactly([1.0, _NAN, 2.0]), smooth=False),
            sample(floats(2, 0)),
            sample(floats(0, 3)),
            sample(floats(2, 1)),
        ],
        errors=[error(ShapeError, "there is no axis 2", floats(2, 3), axis=2)],
    ),
    Case(
        cumulative.cumulative_prod_gradient,
        floats(3, 4),
        floats(3, 4, low=0.5, high=2.0),
        reference=_product_gradient,
        ulp=16,
        scale=4.0,
        more=[
            sample(floats(2, 3, 2), floats(2, 3, 2), axis=1),
            sample(floats(5), floats(5), axis=0),
            sample(floats(3, 3), _ZEROS),
            sample(floats(3, 3), _ZEROS, axis=0),
            sample(floats(2, 0), floats(2, 0)),
            sample(floats(0, 3), floats(0, 3)),
            sample(floats(2, 1), floats(2, 1)),
            sample(floats(2, 150, low=0.5), floats(2, 150, low=0.97, high=1.03)),
            sample(floats(3, 100, low=0.5), exactly(np.where(np.arange(300) % 50 == 7, 0.0, 1.0625).reshape(3, 100))),
        ],
        errors=[
            error(ShapeError, "there is no axis 2", floats(2, 3), floats(2, 3), axis=2),
            error(ShapeError, "the shapes differ", floats(2, 3), floats(3)),
        ],
    ),
    Case(
        cumulative.cumulative_sum,
        anything(3, 4),
        axis=-1,
        more=[
            *_SAMPLES,
            sample(exactly(np.ones(4096))),  # in half precision 2048 + 1 is 2048
            sample(each(np.ones(300), "bool")),  # more than int8 holds
        ],
        reference=_accumulated(np.cumsum, 0),
        result=sum_dtype,
        scale=16.0,
        errors=_ERRORS,
        large=[sample(counts(150_001)), sample(counts(300, 500), axis=0), sample(counts(300, 500), axis=1)],
    ),
    Case(
        cumulative.cumulative_prod,
        anything(3, 4),
        axis=-1,
        more=[*_SAMPLES, sample(floats(20, 16, low=0.8, high=1.2), axis=-1, smooth=False)],
        reference=_accumulated(np.cumprod, 1),
        result=sum_dtype,
        ulp=24.0,
        errors=_ERRORS,
        large=[sample(EXACT_PRODUCT)],
    ),
    Case(
        cumulative.cumulative_max,
        avoid="ties",
        more=[sample(_TIED, smooth=False), sample(_BROKEN, smooth=False), sample(floats(37))],
        reference=_records(np.maximum),
        large=[sample(counts(150_001)), sample(counts(300, 500), axis=0), sample(counts(300, 500), axis=1)],
    ),
    Case(
        cumulative.cumulative_min,
        avoid="ties",
        more=[sample(_TIED, smooth=False), sample(_BROKEN, smooth=False), sample(floats(37))],
        reference=_records(np.minimum),
        large=[sample(counts(150_001)), sample(counts(300, 500), axis=0), sample(counts(300, 500), axis=1)],
    ),
    Case(
        cumulative.logcumsumexp,
        more=[
            sample(exactly([-1e4, 1e4, 3.0, 1e4]), smooth=False),
            sample(exactly([-_INF, -_INF, 1.0, _INF, 2.0]), smooth=False),
            sample(_BROKEN, smooth=False),
            sample(floats(37)),
        ],
        reference=_records(np.logaddexp),
        ulp=16.0,
        scale=4.0,
    ),
]
