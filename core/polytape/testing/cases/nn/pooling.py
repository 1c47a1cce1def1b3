"""Rows: pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import pooling
from ...case import Case
from ...makers import booleans, exactly, floats, numbers, reals
from ...samples import error, sample
from .convolution import windows

__all__ = ["CASES"]

_INF = float("inf")
_NAN = float("nan")


def _padded(x: Any, padding: Any, axes: Any, fill: Any) -> Any:
    pairs = dict(zip(axes, padding, strict=True))
    widths = [pairs.get(axis, (0, 0)) for axis in range(x.ndim)]
    return np.pad(x, widths, constant_values=fill)


def _inside(x: Any, *, size: Any, stride: Any, padding: Any, axes: Any, dilation: Any = (), fill: Any = 0) -> Any:
    x = _padded(x, padding, axes, fill)
    x = windows(x, size=size, stride=stride, dilation=dilation or (1,) * len(axes), axes=axes)
    return x.reshape(*x.shape[: x.ndim - len(axes)], np.prod(size))


def _max_pool(x: Any, **attributes: Any) -> Any:
    # The kit gives the references int64 and uint64, whose lowest numbers are not below those of the operand.
    fill = -_INF if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    return _inside(x, fill=fill, **attributes).max(-1)


def _avg_pool(x: Any, *, count_include_pad: bool, **attributes: Any) -> Any:
    total = _inside(x, **attributes).sum(-1)
    if count_include_pad:
        return total / np.prod(attributes["size"])
    return total / _inside(np.ones(x.shape), **attributes).sum(-1)


def _max_pool_gradient(incoming: Any, x: Any, result: Any, **attributes: Any) -> Any:
    fill = -_INF
    rows = _inside(x, fill=fill, **attributes)
    places = _inside(np.arange(1.0, x.size + 1).reshape(x.shape), **attributes)
    y = np.zeros(x.size)
    for index in np.ndindex(incoming.shape):
        for element, place in zip(rows[index], places[index], strict=True):
            if place and (element == result[index] or np.isnan(element)):
                y[int(place) - 1] += incoming[index]
                break
    return y.reshape(x.shape)


def _with(**attributes: Any) -> dict[str, Any]:
    return {"size": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,), "axes": (1,), **attributes}


def _average(**attributes: Any) -> dict[str, Any]:
    plain = {"size": (2,), "stride": (2,), "padding": ((0, 0),), "axes": (1,), "count_include_pad": False}
    return {**plain, **attributes}


_SQUARE: Any = {"size": (2, 3), "stride": (2, 1), "axes": (1, 2)}
_AROUND: Any = {**_SQUARE, "padding": ((1, 0), (1, 2))}
_APART: Any = {**_SQUARE, "padding": ((0, 0), (1, 0)), "dilation": (2, 1)}
_TIED = exactly([[1.0, 3.0, 3.0, 2.0, 2.0, 2.0]])
_LOWEST = exactly([[-_INF, -_INF, 1.0]])
_BAD = error(ShapeError, "a window is longer than its axis", floats(2, 3), **_with(size=(4,)))

CASES = [
    Case(
        pooling.max_pool_,
        reals(2, 4, 6, 2),
        **_with(**_SQUARE, padding=((0, 0), (0, 0)), dilation=(1, 1)),
        avoid="ties",
        reference=_max_pool,
        more=[
            sample(reals(2, 4, 5), **_with(**_AROUND, dilation=(1, 1))),
            sample(reals(2, 4, 5), **_with(**_APART)),
            sample(reals(6), **_with(axes=(0,))),
            sample(reals(2, 3), **_with(size=(1,), stride=(1,))),
            sample(reals(0, 4), **_with()),
            sample(exactly([[1.0, _NAN, 2.0, 3.0]]), smooth=False, **_with()),
            sample(_LOWEST, smooth=False, **_with(stride=(1,), padding=((1, 0),))),
        ],
        errors=[
            _BAD,
            error(DTypeError, "is not defined for bool", booleans(2, 4), **_with()),
            error(DTypeError, "is not defined for complex", numbers(2, 4), varied="complex64", **_with()),
        ],
    ),
    Case(
        pooling.max_pool_gradient,
        floats(1, 3),
        _TIED,
        exactly([[3.0, 3.0, 2.0]]),
        **_with(),
        reference=_max_pool_gradient,
        scale=8.0,
        # A step in the operand would no longer fit the result.
        gradient="its derivative is checked as the second derivative of max_pool",
        more=[
            sample(floats(1, 3), _TIED, exactly([[3.0, 3.0, 2.0]]), **_with(stride=(1,), size=(4,))),
            sample(floats(1, 1), exactly([[1.0, _NAN, 2.0]]), exactly([[_NAN]]), **_with(size=(3,))),
            sample(floats(1, 3), _LOWEST, exactly([[-_INF, -_INF, 1.0]]), **_with(stride=(1,), padding=((1, 0),))),
            sample(floats(2, 1, 2), exactly(np.arange(12.0).reshape(2, 2, 3)), exactly([[[4.0, 5.0]], [[10.0, 11.0]]]),
                   **_with(size=(2, 2), stride=(2, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), axes=(1, 2))),
            sample(floats(0, 2), floats(0, 4), floats(0, 2), **_with()),
        ],
        errors=[
            error(ShapeError, "the incoming gradient has the wrong shape", floats(1, 2), floats(1, 6), floats(1, 3),
                  **_with()),
            error(ShapeError, "a window is longer than its axis", floats(2, 1), floats(2, 1), floats(2, 1), **_with()),
            error(DTypeError, "is not defined for bool", booleans(1, 3), booleans(1, 6), booleans(1, 3), **_with()),
        ],
    ),
    Case(
        pooling.avg_pool_,
        numbers(2, 4, 6, 2),
        **_average(**_SQUARE, padding=((0, 0), (0, 0))),
        reference=_avg_pool,
        scale=8.0,
        more=[
            sample(numbers(2, 4, 5), **_average(**_AROUND)),
            sample(numbers(2, 4, 5), **_average(**_AROUND, count_include_pad=True)),
            sample(numbers(6), **_average(axes=(0,))),
            sample(numbers(2, 3), **_average(size=(1,), stride=(1,))),
            sample(numbers(0, 4), **_average()),
            sample(exactly(np.full((1, 3), 60000.0)), **_average(size=(3,))),
            sample(exactly([[1.0, _INF, 2.0, 3.0]]), smooth=False, **_average()),
        ],
        errors=[error(ShapeError, "a window is longer than its axis", floats(2, 3), **_average(size=(4,)))],
    ),
]  # fmt: skip
