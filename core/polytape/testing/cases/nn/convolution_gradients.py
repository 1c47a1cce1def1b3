"""Rows of the gradients of convolutions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import convolution_gradients
from ...case import Case
from ...makers import booleans, counts, floats, numbers
from ...samples import Sample, error, sample
from .convolution import padded, plain

__all__ = ["CASES"]


def _weights(
    g: Any, x: Any, *, window: Any, stride: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int,
    data_format: str,
) -> Any:  # fmt: skip
    if data_format == "channels_first":
        g, x = np.moveaxis(g, 1, -1), np.moveaxis(x, 1, -1)
    x = padded(np.conj(x), padding, lhs_dilation)
    x, g = [t.reshape(*t.shape[:-1], groups, t.shape[-1] // groups) for t in (x, g)]
    dw = np.zeros((*window, x.shape[-1], groups, g.shape[-1]), np.result_type(g, x))
    for tap in itertools.product(*map(range, window)):
        starts = [k * r for k, r in zip(tap, rhs_dilation, strict=True)]
        cut = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, g.shape[1:], stride, strict=False)]
        if g.size and x.size:
            dw[tap] = np.einsum(
                "pgr,pgc->rgc", x[(slice(None), *cut)].reshape(-1, *x.shape[-2:]), g.reshape(-1, *g.shape[-2:])
            )
    return dw.reshape(*dw.shape[:-2], -1)


def _sample(g: Any, x: Any, *window: int, smooth: bool = True, **attributes: Any) -> Sample:
    return sample(g, x, smooth=smooth, window=window, **{**plain(len(window)), **attributes})


_PLAIN: Any = {**plain(1), "window": (2,)}
_FIRST: Any = {"data_format": "channels_first"}

CASES = [
    Case(
        convolution_gradients.conv_weight_gradient,
        numbers(2, 2, 6, 3),
        numbers(2, 5, 6, 2),
        window=(3, 2),
        **{**plain(2), "padding": ((1, 0), (0, 1)), "stride": (2, 1)},
        reference=_weights,
        scale=256.0,
        more=[
            _sample(numbers(2, 4, 2), numbers(2, 5, 1), 2),
            _sample(numbers(2, 2, 4), numbers(2, 1, 5), 2, **_FIRST),
            _sample(numbers(2, 3, 3, 5), numbers(2, 2, 4, 5), 2, 3, **_FIRST, padding=((0, 0), (1, 1))),
            _sample(numbers(1, 2, 2, 3, 2), numbers(1, 3, 4, 3, 2), 2, 2, 1, stride=(1, 2, 1)),
            _sample(numbers(2, 4, 5, 3), numbers(2, 5, 4, 8), 2, 3, padding=((0, 0), (2, 1)), rhs_dilation=(1, 1)),
            _sample(numbers(2, 4, 2, 3), numbers(2, 5, 4, 8), 2, 2, rhs_dilation=(1, 2)),
            _sample(numbers(2, 5, 3), numbers(2, 3, 2), 2, lhs_dilation=(2,), padding=((1, 0),)),
            _sample(numbers(2, 4, 6), numbers(2, 5, 4), 2, groups=2),
            _sample(numbers(2, 3, 4, 5), numbers(2, 4, 5, 5), 3, 2, groups=5, padding=((1, 0), (0, 0)), smooth=False),
            _sample(numbers(0, 3, 3), numbers(0, 4, 2), 2),
            _sample(numbers(2, 0, 3), numbers(2, 1, 2), 2),
        ],
        large=[
            _sample(counts(3, 30, 31, 6), counts(3, 32, 32, 5), 3, 2),
            _sample(counts(2, 40, 41, 12), counts(2, 40, 41, 12), 3, 3, groups=12, padding=((1, 1), (1, 1))),
        ],
        errors=[
            error(ShapeError, "the incoming gradient has the wrong shape", floats(2, 3, 2), floats(2, 5, 1), **_PLAIN),
            error(ShapeError, "the incoming gradient has the wrong shape", floats(2, 2), floats(2, 5, 1), **_PLAIN),
            error(ShapeError, "the weights do not fit", floats(2, 4, 3), floats(2, 5, 2), **{**_PLAIN, "groups": 2}),
            error(DTypeError, "is not defined for bool", booleans(2, 4, 2), booleans(2, 5, 1), **_PLAIN),
        ],
    ),
]
