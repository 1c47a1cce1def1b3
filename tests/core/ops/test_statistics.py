"""Statistics, compared with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError, ShapeError

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(4, 6))
_HOLES = _X.copy()
_HOLES[1, 2] = _HOLES[0, 0] = np.nan
_HOLES[2] = np.nan
_WEIGHTS = _RNG.random(6)
_METHODS = [
    *("linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull"),
    *("interpolated_inverted_cdf", "median_unbiased", "normal_unbiased"),
]


def close(got: Any, expected: Any) -> None:
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-10)


def host(values: Any) -> pt.Tensor:
    return pt.asarray(values, device="numpy")  # float64, which not every backend has


@pytest.mark.parametrize(
    "name",
    ["nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd", "nanmedian", "median", "ptp", "average"],
)
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_statistics_are_numpy_s(name: str, axis: int | None) -> None:
    with np.errstate(all="ignore"):
        close(getattr(pt, name)(host(_HOLES), axis), getattr(np, name)(_HOLES, axis=axis))


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize("q", [0.0, 0.1, 0.25, 0.5, 0.77, 1.0])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_quantiles_are_numpy_s(method: str, q: float) -> None:
    for axis in (None, 0, 1):
        close(pt.quantile(host(_X), q, axis, method=method), np.quantile(_X, q, axis=axis, method=method))  # type: ignore[call-overload]
        expected = np.nanquantile(_HOLES, q, axis=axis, method=method)  # type: ignore[call-overload]
        close(pt.nanquantile(host(_HOLES), q, axis, method=method), expected)


def test_several_quantiles_come_first() -> None:
    q = [[0.1, 0.2], [0.3, 0.4]]
    close(pt.quantile(host(_X), q, 1, keepdims=True), np.quantile(_X, q, axis=1, keepdims=True))
    close(pt.percentile(host(_X), [30.0, 60.0]), np.percentile(_X, [30.0, 60.0]))
    close(pt.nanpercentile(host(_HOLES), 30.0), np.nanpercentile(_HOLES, 30.0))


def test_medians_at_the_edges(backend: str) -> None:
    with pt.device(backend):
        assert pt.median(pt.asarray([4, 1, 3, 2])).item() == 2.5
        assert pt.median(pt.asarray([np.inf, np.inf], dtype="float32")).item() == np.inf
        (g,) = pt.gradients_function(pt.median)(pt.asarray([2.0, 3.0, 2.0, 1.0]))
        assert g.tolist() == [0.5, 0.0, 0.5, 0.0]
        assert np.isnan(pt.median(pt.zeros(0)).item())
        assert np.isnan(pt.median(pt.asarray([1.0, float("nan"), 2.0])).item())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_indices_skip_nan() -> None:
    assert pt.nanargmax(host(_HOLES), 1).tolist() == [
        -1 if np.isnan(row).all() else int(np.nanargmax(row)) for row in _HOLES
    ]
    assert pt.nanargmin(host([np.nan, np.inf, np.inf])).item() == 1
    close(pt.nancumsum(host(_HOLES), 1), np.nancumsum(_HOLES, axis=1))
    close(pt.nancumprod(host(_HOLES), 0), np.nancumprod(_HOLES, axis=0))


def test_covariances_are_numpy_s() -> None:
    counts = np.array([1, 2, 3, 1, 1, 2])
    close(pt.cov(host(_X)), np.cov(_X))
    close(pt.cov(host(_X), rowvar=False, correction=0), np.cov(_X, rowvar=False, ddof=0))
    close(pt.cov(host(_X[0]), host(_X[1])), np.cov(_X[0], _X[1]))
    close(pt.cov(host(_X[0])), np.cov(_X[0]))
    close(pt.cov(host(_X), fweights=counts), np.cov(_X, fweights=counts))
    expected = np.cov(_X, fweights=counts, aweights=_WEIGHTS)
    close(pt.cov(host(_X), fweights=counts, aweights=_WEIGHTS), expected)
    z = _X + 1j * _X[::-1]
    close(pt.cov(host(z)), np.cov(z))
    close(pt.corrcoef(host(_X)), np.corrcoef(_X))


def test_averages_take_weights() -> None:
    close(pt.average(host(_X), 1, weights=_WEIGHTS), np.average(_X, axis=1, weights=_WEIGHTS))
    close(pt.average(host(_X), weights=_X * _X), np.average(_X, weights=_X * _X))
    with pytest.raises(ShapeError, match="the weights do not match"):
        pt.average(host(_X), 0, weights=_WEIGHTS)


def test_invalid_quantiles_are_rejected() -> None:
    with pytest.raises(OutOfRangeError, match="divide percentages by 100"):
        pt.quantile(host(_X), 50)
    with pytest.raises(OutOfRangeError, match="one of the methods linear"):
        pt.quantile(host(_X), 0.5, method="cubic")
    with pytest.raises(DTypeError, match="complex numbers have no quantiles"):
        pt.median(host(_X + 1j))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: pt.median(x, 0),
        lambda x: pt.nanquantile(x, 0.3, 1),
        lambda x: pt.quantile(x, [0.2, 0.7], 1),
        pt.cov,
        pt.corrcoef,
        lambda x: pt.nanstd(x, 1),
        lambda x: pt.nanvar(x, 1),
        lambda x: pt.nanmax(x, 1),
        pt.nanprod,
        pt.nanmedian,
        lambda x: pt.ptp(x, 1),
        lambda x: pt.average(x, 1, weights=_WEIGHTS),
        lambda x: pt.nancumprod(x, 1),
    ],
)
def test_statistics_have_gradients(function: Callable[..., Any]) -> None:
    pt.check_gradients(function, host(_X), order=2)


@pytest.mark.parametrize("method", ["linear", "hazen", "weibull", "interpolated_inverted_cdf", "median_unbiased"])
@pytest.mark.parametrize("function", [pt.quantile, pt.nanquantile])
def test_quantiles_have_gradients_by_the_shares(function: Callable[..., Any], method: str) -> None:
    shares = host(np.array([0.37, 0.61]))
    pt.check_gradients(lambda x, q: function(x, q, 1, method=method), [host(_X), shares], order=2)
    (g,) = pt.gradients_function(lambda q: pt.percentile(host(_X), q, 1, method=method))(shares * 100.0)
    (expected,) = pt.gradients_function(lambda q: pt.quantile(host(_X), q, 1, method=method))(shares)
    close(g * 100.0, expected.numpy())


def test_a_quantile_that_is_one_element_has_no_gradient_by_its_share() -> None:
    for method in ("lower", "higher", "nearest", "midpoint"):
        with pt.GradientTape() as tape:
            q = pt.asarray(0.37)
            tape.watch(q)
            y = pt.quantile(host(_X), q, method=method)
        assert tape.gradient(y, q) is None
    # Below the first element's share, every further share gives that element.
    (g,) = pt.gradients_function(lambda q: pt.quantile(host(_X), q, method="hazen"))(pt.asarray(0.0))
    assert g is None or not g.numpy().any()


def test_nan_gets_no_gradient() -> None:
    for function in (pt.nanmean, pt.nanmax, pt.nansum, pt.nanvar):
        (g,) = pt.gradients_function(function)(pt.asarray([1.0, float("nan"), 4.0]))
        assert np.isfinite(g.numpy()).all()
        assert g.tolist()[1] == 0.0
