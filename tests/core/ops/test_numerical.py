"""Numerical analysis, compared with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError

_RNG = np.random.default_rng(0)
_POINTS = np.sort(_RNG.normal(size=6))
_POINTS[3] = _POINTS[2]  # a jump
_VALUES = _RNG.normal(size=6)
_PATH = np.cumsum(_RNG.normal(size=(3, 20)) * 3, 1)
_ANGLES = (_PATH + np.pi) % (2 * np.pi) - np.pi
_ROWS, _COLUMNS = np.sort(_RNG.normal(size=3)), np.sort(_RNG.normal(size=20))


def close(got: Any, expected: Any) -> None:
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-10, atol=1e-13)


def host(values: Any) -> pt.Tensor:
    return pt.asarray(values, device="numpy")  # float64, which not every backend has


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("unit", [0.0, 1j])
def test_convolutions_are_numpy_s(mode: Any, unit: complex) -> None:
    for first in range(1, 8):
        for second in range(1, 8):
            a, b = _RNG.normal(size=first), _RNG.normal(size=second)
            a, b = (a + unit * a[::-1], b + unit * b * b) if unit else (a, b)
            close(pt.convolve(host(a), host(b), mode), np.convolve(a, b, mode))
            close(pt.correlate(host(a), host(b), mode), np.correlate(a, b, mode))


def test_convolutions_reject_matrices_and_unknown_modes() -> None:
    with pytest.raises(ShapeError, match="only sequences"):
        pt.convolve(host(_PATH), host(_VALUES))
    with pytest.raises(OutOfRangeError, match="no mode 'half'"):
        pt.convolve(host(_VALUES), host(_VALUES), "half")


def test_interpolation_is_numpy_s() -> None:
    x = np.concatenate([_RNG.normal(size=20) * 2, _POINTS, [np.nan, np.inf, -np.inf]])
    with np.errstate(all="ignore"):
        close(pt.interp(host(x), host(_POINTS), host(_VALUES)), np.interp(x, _POINTS, _VALUES))
        expected = np.interp(x, _POINTS, _VALUES, 9.0, 7.0)
        close(pt.interp(host(x), host(_POINTS), host(_VALUES), left=9.0, right=7.0), expected)
    x = x[:20]
    points, values = [3.0, 1.0, 2.0], [5.0, 6.0, 9.0]
    close(pt.interp(host(x), host(points), host(values), period=4.0), np.interp(x, points, values, period=4.0))
    close(pt.interp(host(x), host([0.0]), host([3.0])), np.full(20, 3.0))
    with pytest.raises(ShapeError, match="a value for each point"):
        pt.interp(host(x), host(points), host(_VALUES))


def test_unwrapped_angles_are_numpy_s() -> None:
    close(pt.unwrap(host(_ANGLES)), np.unwrap(_ANGLES))
    close(pt.unwrap(host(_ANGLES), axis=0, discont=4.0), np.unwrap(_ANGLES, axis=0, discont=4.0))
    close(pt.unwrap(host(_ANGLES), period=3.0), np.unwrap(_ANGLES, period=3.0))


def test_integrals_are_numpy_s() -> None:
    close(pt.trapezoid(host(_PATH), host(_COLUMNS)), np.trapezoid(_PATH, _COLUMNS))
    close(pt.trapezoid(host(_PATH), dx=0.3, axis=0), np.trapezoid(_PATH, dx=0.3, axis=0))
    close(pt.trapezoid(host(_PATH), host(_ROWS), axis=0), np.trapezoid(_PATH, _ROWS, axis=0))
    close(pt.trapezoid(host(_PATH), host(_ANGLES), axis=0), np.trapezoid(_PATH, _ANGLES, axis=0))
    expected = np.stack([np.trapezoid(_PATH[:, :stop], _COLUMNS[:stop]) for stop in range(1, 21)], 1)
    close(pt.cumulative_trapezoid(host(_PATH), host(_COLUMNS), initial=0), expected)
    close(pt.cumulative_trapezoid(host(_PATH), host(_COLUMNS)), expected[:, 1:])
    close(pt.cumulative_trapezoid(host(_PATH), axis=0)[-1], np.trapezoid(_PATH, axis=0))


def test_flat_differences_are_numpy_s() -> None:
    expected = np.ediff1d(_PATH, to_end=[1.0, 2.0], to_begin=3.0)
    close(pt.ediff1d(host(_PATH), to_end=host([1.0, 2.0]), to_begin=host(3.0)), expected)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    ("spacing", "axis"),
    [
        ((), None),
        ((0.3,), None),
        ((0.3, 2.0), None),
        ((_ROWS, 0.5), None),
        ((_ROWS, _COLUMNS), None),
        ((_COLUMNS,), 1),
        ((_ROWS,), 0),
        ((), (1, 0)),
        ((0.5,), -1),
    ],
)
def test_slopes_are_numpy_s(spacing: Any, axis: Any, edge_order: Any) -> None:
    own = [host(step) if isinstance(step, np.ndarray) else step for step in spacing]
    got = pt.gradient(host(_PATH), *own, axis=axis, edge_order=edge_order)
    expected = np.gradient(_PATH, *spacing, axis=axis, edge_order=edge_order)
    if not isinstance(got, tuple):
        got, expected = (got,), (expected,)
    for slope, reference in zip(got, expected, strict=True):
        close(slope, reference)


def test_slopes_need_samples() -> None:
    with pytest.raises(ShapeError, match="lacks samples or spacings"):
        pt.gradient(host([1.0]))


@pytest.mark.parametrize("places", [_PATH, _PATH[0, :1], np.arange(2.0), np.ones((1, 1))])
def test_a_sample_has_one_place(places: Any) -> None:
    # Other shapes may broadcast with the slopes, which would be wrong.
    with pytest.raises(ShapeError, match="gradient got places of shape"):
        pt.gradient(host(_PATH), host(places), axis=1)


@pytest.mark.parametrize(
    ("function", "operands"),
    [
        (lambda x1, x2: pt.convolve(x1, x2, "same"), (_POINTS, _VALUES[:3])),
        (pt.correlate, (_POINTS, _VALUES[:3])),
        (pt.interp, ([0.31, 0.87, -5.0], [0.0, 0.5, 1.0], [3.0, 1.0, 2.0])),
        (pt.unwrap, (_ANGLES,)),
        (pt.trapezoid, (_PATH, _COLUMNS)),
        (lambda f: pt.gradient(f, edge_order=2), (_PATH,)),
        (lambda f, x: pt.gradient(f, x, axis=0), (_PATH, _ROWS)),
    ],
)
def test_they_have_gradients(function: Callable[..., Any], operands: Any) -> None:
    pt.check_gradients(function, [host(x) for x in operands], order=2)
