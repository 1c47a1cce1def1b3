"""Rows: convolutions and the windows they are made of."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ....errors import DTypeError, ShapeError
from ....ops.nn import convolution
from ...case import Case
from ...makers import anything, booleans, counts, exactly, floats, numbers
from ...samples import Sample, error, sample

__all__ = ["CASES", "padded", "plain", "windows"]


def windows(x: Any, *, size: Any, stride: Any, dilation: Any, axes: Any) -> Any:
    """The reference of ``windows``."""
    for axis, k, step, distance in zip(axes, size, stride, dilation, strict=True):
        x = np.lib.stride_tricks.sliding_window_view(x, (k - 1) * distance + 1, axis)[..., ::distance]
        x = x[(slice(None),) * axis + (slice(None, None, step),)]
    return x


def _fold(x: Any, *, sizes: Any, stride: Any, dilation: Any, axes: Any) -> Any:
    rank = x.ndim - len(axes)
    shape = list(x.shape[:rank])
    for axis, n in zip(axes, sizes, strict=True):
        shape[axis] = n
    y = np.zeros(shape, x.dtype)
    for index in itertools.product(*map(range, x.shape)):
        place = list(index[:rank])
        for axis, k, step, distance in zip(axes, index[rank:], stride, dilation, strict=True):
            place[axis] = place[axis] * step + k * distance
        y[tuple(place)] += x[index]
    return y


def padded(x: Any, padding: Any, dilation: Any) -> Any:
    """``x`` with zeros around it and between its elements, or cut off, with the channels last."""
    for axis, (pair, step) in enumerate(zip(padding, dilation, strict=True), 1):
        x = np.moveaxis(x, axis, 0)
        stuffed = np.zeros((max((len(x) - 1) * step + 1, 0), *x.shape[1:]), x.dtype)
        stuffed[::step] = x
        before, after = (max(n, 0) for n in pair)
        stuffed = np.pad(stuffed, [(before, after)] + [(0, 0)] * (x.ndim - 1))
        x = np.moveaxis(stuffed[max(-pair[0], 0) : len(stuffed) - max(-pair[1], 0)], 0, axis)
    return x


def _conv(
    x: Any, w: Any, *, stride: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int, data_format: str
) -> Any:
    rank = w.ndim - 2
    if data_format == "channels_first":
        x = np.moveaxis(x, 1, -1)
    x = padded(x, padding, lhs_dilation)
    if any((k - 1) * d >= n for k, d, n in zip(w.shape, rhs_dilation, x.shape[1:-1], strict=False)):
        return np.zeros((len(x), 0, w.shape[-1]))
    axes = tuple(range(1, rank + 1))
    x = windows(x, size=w.shape[:rank], stride=stride, dilation=rhs_dilation, axes=axes)
    x = x.reshape(*x.shape[: rank + 1], groups, w.shape[-2], *w.shape[:rank])
    w = w.reshape(*w.shape[:-1], groups, w.shape[-1] // groups)
    batch, window, group, row, column = [*range(rank + 1)], [*range(10, 10 + rank)], 20, 21, 22
    y = np.einsum(x, [*batch, group, row, *window], w, [*window, row, group, column], [*batch, group, column])
    y = y.reshape(*y.shape[: rank + 1], w.shape[-2] * w.shape[-1])
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def _sample(x: Any, w: Any, **attributes: Any) -> Sample:
    rank = len(w.shape) - 2
    return sample(x, w, **{**plain(rank), **attributes})


def plain(rank: int) -> dict[str, Any]:
    """The attributes of a plain convolution."""
    ones = (1,) * rank
    return {
        "stride": ones,
        "padding": ((0, 0),) * rank,
        "lhs_dilation": ones,
        "rhs_dilation": ones,
        "groups": 1,
        "data_format": "channels_last",
    }


_ONE_AXIS: Any = {"stride": (1,), "dilation": (1,), "axes": (0,)}
_TWO_AXES: Any = {"stride": (2, 1), "dilation": (1, 2), "axes": (0, 2)}
_FIRST: Any = {"data_format": "channels_first"}
# Several images, so that kernels that compute them in blocks have more than one, and 8 channels: from there on, the
# kernel of the numpy backend takes one product per element of the window.
_WIDE = (numbers(2, 5, 4, 8), numbers(2, 3, 8, 3))
_WIDE_FIRST = (numbers(2, 8, 5, 4), numbers(2, 3, 8, 3))

CASES = [
    Case(
        convolution.windows_,
        anything(7, 2, 6),
        size=(3, 2),
        **_TWO_AXES,
        reference=windows,
        more=[
            sample(anything(5), size=(2,), **_ONE_AXIS),
            sample(anything(5), size=(5,), **_ONE_AXIS),
            sample(anything(0, 4), size=(3,), stride=(2,), dilation=(1,), axes=(1,)),
            sample(anything(3, 4), size=(2, 2), stride=(1, 1), dilation=(1, 1), axes=(1, 0)),
        ],
        errors=[error(ShapeError, "a window is longer than its axis", floats(3), size=(4,), **_ONE_AXIS)],
    ),
    Case(
        convolution.fold_,
        numbers(3, 2, 4, 3, 2),
        sizes=(8, 6),
        **_TWO_AXES,
        reference=_fold,
        scale=8.0,
        more=[
            sample(numbers(4, 2), sizes=(5,), **_ONE_AXIS),
            sample(numbers(1, 5), sizes=(5,), **_ONE_AXIS),
            sample(numbers(0, 2, 3), sizes=(6,), stride=(2,), dilation=(1,), axes=(1,)),
            sample(numbers(2, 3, 2, 2), sizes=(4, 3), stride=(1, 1), dilation=(1, 1), axes=(1, 0)),
        ],
        errors=[
            error(ShapeError, "the windows do not fit", floats(3, 2), sizes=(5,), **_ONE_AXIS),
            error(ShapeError, "a window is longer than its axis", floats(1, 6), sizes=(5,), **_ONE_AXIS),
            error(DTypeError, "is not defined for bool", booleans(4, 2), sizes=(5,), **_ONE_AXIS),
        ],
    ),
    Case(
        convolution.conv_,
        numbers(2, 5, 6, 2),
        numbers(3, 2, 2, 3),
        **{**plain(2), "padding": ((1, 0), (0, 2)), "stride": (2, 1)},
        reference=_conv,
        scale=256.0,
        more=[
            _sample(numbers(2, 5, 1), numbers(2, 1, 2)),
            _sample(numbers(2, 1, 5), numbers(2, 1, 2), **_FIRST),
            _sample(numbers(1, 3, 4, 3, 2), numbers(2, 2, 1, 2, 2), stride=(1, 2, 1)),
            _sample(numbers(2, 2, 4, 5), numbers(2, 3, 2, 3), **_FIRST, stride=(2, 1), padding=((1, 1), (0, 1))),
            _sample(*_WIDE, padding=((1, 0), (1, 1))),
            _sample(*_WIDE, stride=(2, 1), rhs_dilation=(2, 1)),
            _sample(*_WIDE_FIRST, **_FIRST, rhs_dilation=(1, 1)),
            _sample(*_WIDE_FIRST, **_FIRST, stride=(1, 2)),
            # With strides, and a result longer than the window.
            _sample(numbers(2, 7, 6, 8), numbers(2, 3, 8, 3), stride=(2, 1)),
            _sample(numbers(2, 8, 6, 7), numbers(2, 3, 8, 3), **_FIRST, stride=(1, 2)),
            # A window longer than the result, and one of a single element.
            _sample(numbers(2, 4, 5, 2), numbers(3, 4, 2, 3)),
            _sample(numbers(2, 3, 4, 8), numbers(1, 1, 8, 2)),
            # Transposed convolutions: with strides, with a negative padding, with phases that no weight reaches.
            _sample(numbers(2, 3, 2, 2), numbers(3, 2, 2, 3), lhs_dilation=(2, 1), padding=((2, 2), (1, 1))),
            _sample(numbers(1, 3, 2), numbers(2, 2, 1), lhs_dilation=(3,), padding=((1, 2),)),
            _sample(numbers(1, 2, 4), numbers(3, 2, 1), **_FIRST, lhs_dilation=(2,), padding=((-1, 2),)),
            _sample(numbers(1, 4, 2), numbers(2, 2, 1), lhs_dilation=(2,), rhs_dilation=(2,), padding=((1, -2),)),
            _sample(numbers(1, 5, 1), numbers(2, 1, 1), padding=((-1, -2),), stride=(2,)),
            _sample(numbers(1, 5, 1), numbers(1, 1, 1), padding=((-5, 0),)),
            # Groups, depthwise with one window and two per channel.
            _sample(numbers(2, 5, 4), numbers(2, 2, 6), groups=2, padding=((1, 1),)),
            _sample(numbers(2, 4, 5), numbers(2, 2, 6), groups=2, **_FIRST),
            _sample(numbers(2, 5, 3), numbers(2, 1, 3), groups=3, stride=(2,)),
            _sample(numbers(2, 3, 5), numbers(2, 1, 6), groups=3, **_FIRST),
            _sample(numbers(2, 7, 8, 3), numbers(2, 3, 1, 3), groups=3, padding=((1, 0), (1, 1)), smooth=False),
            # One image, and a window longer than the result, as in the gradient of depthwise weights.
            _sample(numbers(1, 8, 6), numbers(4, 2, 3), groups=3, stride=(2,)),
            # No images, no channels, a window that does not fit.
            _sample(numbers(0, 4, 2), numbers(2, 2, 3)),
            _sample(numbers(2, 4, 0), numbers(2, 0, 3)),
            _sample(numbers(2, 4, 2), numbers(2, 2, 0)),
            sample(exactly([[[1.0], [float("inf")], [2.0], [3.0]]]), floats(2, 1, 1), smooth=False, **plain(1)),
        ],
        errors=[
            error(ShapeError, "the weights do not fit", floats(2, 5, 3), floats(2, 2, 1), **plain(1)),
            error(ShapeError, "the weights do not fit", floats(2, 5, 3), floats(2, 3, 3, 1), **plain(2)),
            error(ShapeError, "the weights do not fit", floats(2, 5, 4), floats(2, 2, 3), **{**plain(1), "groups": 2}),
            error(ShapeError, "there is no axis to slide along", floats(2, 5), floats(5, 1), **plain(0)),
            error(
                ShapeError,
                "there is no data format 'NHWC'",
                floats(2, 5, 4),
                floats(2, 4, 3),
                **{**plain(1), "data_format": "NHWC"},
            ),
            error(DTypeError, "is not defined for bool", booleans(2, 5, 4), booleans(2, 4, 3), **plain(1)),
        ],
        # Small convolutions are one product with all windows; these take the ways of larger ones: a product per image,
        # per shifted or sliced element of the window, per position, per phase, per group, of elements, of one image.
        large=[
            _sample(counts(2, 30, 31, 3), counts(3, 3, 3, 5), padding=((1, 1), (0, 2))),
            _sample(counts(2, 3, 30, 31), counts(3, 3, 3, 5), **_FIRST, stride=(2, 1)),
            _sample(counts(2, 20, 21, 12), counts(3, 3, 12, 7)),
            _sample(counts(2, 12, 20, 21), counts(3, 3, 12, 7), **_FIRST),
            _sample(counts(2, 40, 41, 12), counts(3, 2, 12, 7), stride=(2, 3), rhs_dilation=(1, 2)),
            _sample(counts(2, 12, 40, 41), counts(3, 2, 12, 7), **_FIRST, stride=(2, 3)),
            _sample(counts(4, 24, 25, 5), counts(22, 22, 5, 6)),
            _sample(counts(2, 20, 21, 6), counts(3, 3, 6, 7), lhs_dilation=(2, 2), padding=((2, 2), (2, 3))),
            _sample(counts(2, 20, 21, 12), counts(3, 3, 6, 8), groups=2, padding=((1, 1), (1, 1))),
            _sample(counts(2, 30, 31, 9), counts(3, 3, 1, 18), groups=9),
            _sample(counts(1, 60, 61, 12), counts(56, 56, 2, 6), groups=6),
            # Channels first: one element per window, and more windows than are copied at once.
            _sample(counts(2, 12, 40, 41), counts(1, 1, 12, 7), **_FIRST),
            _sample(counts(2, 12, 60, 41), counts(1, 1, 12, 7), **_FIRST, stride=(2, 1)),
            _sample(counts(1, 100, 72, 72).of("float32"), counts(3, 3, 100, 1).of("float32"), **_FIRST),
            # Channels of their own, in blocks of images and of rows.
            _sample(counts(5, 45, 31, 12), counts(3, 3, 1, 12), groups=12),
            _sample(counts(5, 12, 45, 31), counts(3, 3, 1, 12), groups=12, **_FIRST),
            _sample(counts(1, 100, 60, 13), counts(3, 2, 1, 13), groups=13),
        ],
    ),
]
