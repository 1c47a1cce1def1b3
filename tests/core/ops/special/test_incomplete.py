"""The incomplete gamma and beta functions: accuracy against SciPy over all branches, edges, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape import Tensor, special

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 5e-5), ("float64", 3e-13)])
@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_incomplete_gamma_functions_are_scipy_s(name: str, dtype: str, limit: float, backend: str) -> None:
    a = 10.0 ** RNG.uniform(-3, 4, 2000)
    x = a * np.exp(RNG.normal(size=2000) * np.minimum(1.0, 1.5 / np.sqrt(a)))
    a, x = a.astype(dtype), x.astype(dtype)
    with pt.device(backend):
        y = getattr(special, name)(pt.asarray(a), pt.asarray(x)).numpy()
    expected = getattr(scipy.special, name)(a.astype("float64"), x.astype("float64"))
    np.testing.assert_allclose(y, expected, rtol=limit, atol=0)


# Rounding x by half a unit would change the results as much.
@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-3), ("float64", 3e-12)])
@pytest.mark.parametrize(("low", "high"), [(-2, 1), (0, 3), (2, 5)])
def test_the_incomplete_beta_function_is_scipy_s(low: int, high: int, dtype: str, limit: float, backend: str) -> None:
    a, b = 10.0 ** RNG.uniform(low, high, 1000), 10.0 ** RNG.uniform(low, high, 1000)
    x = RNG.beta(a, b)
    a, b, x = (array[(x > 1e-30) & (x < 0.999)].astype(dtype) for array in (a, b, x))
    with pt.device(backend):
        y = special.betainc(pt.asarray(a), pt.asarray(b), pt.asarray(x)).numpy()
    expected = scipy.special.betainc(*(array.astype("float64") for array in (a, b, x)))
    np.testing.assert_allclose(y, expected, rtol=limit, atol=0)


def test_edges_are_scipy_s(backend: str) -> None:
    values = np.array([0.0, 1.0, 2.0, 150.0, np.inf, np.nan, -1.0, 1e-30])
    a, x = (grid.ravel() for grid in np.meshgrid(values, values))
    with pt.device(backend), np.errstate(all="ignore"):
        for name in ("gammainc", "gammaincc"):
            y = getattr(special, name)(pt.asarray(a), pt.asarray(x)).numpy()
            np.testing.assert_allclose(y, getattr(scipy.special, name)(a, x), rtol=1e-12, err_msg=name)
        triples: Any = [
            grid.ravel() for grid in np.meshgrid([0.0, 1.0, 30.0, -1.0, np.nan], [0.5, 2.0], [-1, 0, 0.5, 1, 2])
        ]
        y = special.betainc(*map(pt.asarray, triples)).numpy()
    np.testing.assert_allclose(y, scipy.special.betainc(*triples), rtol=1e-12)


# Not on every backend: each takes several thousand steps.
@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_gradients_of_the_gamma_functions_agree_with_differences(name: str) -> None:
    with pt.device("numpy"):
        a, x = pt.asarray([0.6, 2.5, 130.0], dtype="float64"), pt.asarray([0.4, 4.0, 128.0], dtype="float64")
        pt.check_gradients(getattr(special, name), [a, x], order=2)


@pytest.mark.slow
def test_gradients_of_the_beta_function_agree_with_differences() -> None:
    with pt.device("numpy"):
        a, b = pt.asarray([0.6, 2.5], dtype="float64"), pt.asarray([1.4, 4.0], dtype="float64")
        pt.check_gradients(special.betainc, [a, b, pt.asarray([0.3, 0.7], dtype="float64")], order=2)


def test_the_gradient_with_respect_to_the_argument_is_the_density(backend: str) -> None:
    def total(x: Tensor) -> Tensor:
        return pt.sum(special.gammainc(pt.asarray(3.0, dtype="float64"), x))

    x = np.array([0.5, 2.0, 9.0])
    with pt.device(backend):
        (g,) = pt.gradients_function(total)(pt.asarray(x))
    np.testing.assert_allclose(g.numpy(), x**2 * np.exp(-x) / 2, rtol=1e-12)
