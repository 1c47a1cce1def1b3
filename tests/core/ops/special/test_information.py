"""Products with logarithms that are 0 at 0, log-odds and logsumexp: SciPy's edges, gradients at 0."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape import special

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr"])
def test_edges_are_scipy_s(name: str, backend: str) -> None:
    values = np.array([0.0, -0.0, 0.5, 1.0, 2.0, -1.0, INF, NAN, 1e-300])
    x1, x2 = (grid.ravel() for grid in np.meshgrid(values, values))
    with pt.device(backend), np.errstate(all="ignore"):
        y = getattr(special, name)(pt.asarray(x1), pt.asarray(x2)).numpy()
    np.testing.assert_allclose(y, getattr(scipy.special, name)(x1, x2), rtol=1e-14)


def test_divergences_are_scipy_s(backend: str) -> None:
    x1 = np.array([0.0, 0.0, 0.5, 1.0, 2.0, -1.0, NAN])
    x2 = np.array([0.0, 1.0, 0.5, 0.0, 3.0, 1.0, 1.0])
    x = np.array([-INF, -1.0, 0.0, 0.3, 0.5, 0.6, 1.0, 2.0, NAN])
    with pt.device(backend), np.errstate(all="ignore"):
        y = special.kl_div(pt.asarray(x1), pt.asarray(x2)).numpy()
        np.testing.assert_allclose(y, scipy.special.kl_div(x1, x2), rtol=1e-13)
        np.testing.assert_allclose(special.entr(pt.asarray(x)).numpy(), scipy.special.entr(x), rtol=1e-14)
        np.testing.assert_allclose(special.logit(pt.asarray(x)).numpy(), scipy.special.logit(x), rtol=1e-14)


def test_a_small_divergence_keeps_its_digits(backend: str) -> None:
    with pt.device(backend):
        y = special.rel_entr(pt.asarray(1.0 + 1e-9, dtype="float64"), pt.asarray(1.0, dtype="float64")).item()
        assert y == pytest.approx((1.0 + 1e-9) * np.log1p((1.0 + 1e-9) - 1.0), rel=1e-15)
        half = np.float64(0.5 + 1e-12)
        assert special.logit(pt.asarray(half)).item() == pytest.approx(4.0 * (half - 0.5), rel=1e-11)


def test_divergences_of_close_numbers_keep_their_digits(backend: str) -> None:
    x2 = np.float64(3.0)
    x1 = x2 * (1 + np.array([0.0, 1e-9, -1e-6, 0.4, -0.7]))
    change = (x1 - x2) / x2
    series = x2 * change**2 * (1 / 2 - change / 6 + change**2 / 12 - change**3 / 20)
    expected = np.where(np.abs(change) < 1e-4, series, scipy.special.kl_div(x1, x2))
    with pt.device(backend), np.errstate(over="ignore"):
        np.testing.assert_allclose(special.kl_div(pt.asarray(x1), pt.asarray(x2)).numpy(), expected, rtol=3e-15)
        big = special.kl_div(pt.asarray([1e-30, 1e30]), pt.asarray([1e30, 1e-30])).numpy()
        np.testing.assert_allclose(big, [1e30, 1e30 * (60 * np.log(10) - 1)], rtol=1e-6)
        # log(x1) and log(x2) are a thousand times their difference.
        y = special.rel_entr(pt.asarray(np.float64(2e300)), pt.asarray(np.float64(1e300))).item()
        assert y == pytest.approx(2e300 * np.log(2), rel=1e-15)


def test_gradients_at_0_are_0(backend: str) -> None:
    with pt.device(backend):
        x, y = pt.asarray([0.0, 2.0]), pt.asarray([0.0, 3.0])
        g1, g2 = pt.gradients_function(lambda x, y: pt.sum(special.xlogy(x, y)))(x, y)
        np.testing.assert_allclose(g1.numpy(), [0.0, np.log(3.0)], rtol=1e-6)
        np.testing.assert_allclose(g2.numpy(), [0.0, 2.0 / 3.0], rtol=1e-6)
        z = pt.asarray([[-INF, -INF], [0.0, -INF]])
        (g,) = pt.gradients_function(lambda z: pt.sum(special.logsumexp(z, axis=1)))(z)
        assert g.tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_logsumexp_reduces_any_axes_and_nothing_to_minus_infinity(backend: str) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4, 5)) * 50
    with pt.device(backend):
        tensor = pt.asarray(x)
        for axis in (None, 1, (0, 2), ()):
            y = special.logsumexp(tensor, axis=axis, keepdims=True).numpy()
            expected = np.log(np.sum(np.exp(x - 200), axis=axis, keepdims=True)) + 200
            np.testing.assert_allclose(y, expected, rtol=1e-12)
        assert special.logsumexp(pt.zeros((0, 2)), axis=0).tolist() == [-INF, -INF]
        assert special.logsumexp(pt.asarray([1, 1])).item() == pytest.approx(1.6931472)
