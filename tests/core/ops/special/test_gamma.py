"""The gamma function and its relatives: accuracy against SciPy, zeros, poles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape import special
from polytape.errors import OutOfRangeError

RNG = np.random.default_rng(4)
POSITIVE = np.concatenate([RNG.uniform(0.01, 12, 2000), 10.0 ** RNG.uniform(-6, 6, 500)])


def relative(got: Any, expected: Any) -> float:
    return float(np.max(np.abs(got - expected) / np.abs(expected)))


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-6), ("float64", 3e-15)])
def test_lgamma_and_digamma_are_accurate_near_their_zeros_too(dtype: str, limit: float, backend: str) -> None:
    x = np.concatenate([POSITIVE, RNG.uniform(0.99, 1.01, 100), RNG.uniform(1.99, 2.01, 100)]).astype(dtype)
    x = x[(x != 1) & (x != 2)]
    wide = x.astype("float64")
    with pt.device(backend):
        y = special.lgamma(pt.asarray(x)).numpy()
        assert np.max(np.abs(y - scipy.special.gammaln(wide)) / np.maximum(scipy.special.gammaln(wide), 1)) < limit
        y = special.digamma(pt.asarray(x)).numpy()
    assert relative(y, scipy.special.psi(wide)) < 2 * limit


# Computed with 40 digits; SciPy's and Python's lgamma are wrong in the last digits.
NEAR_ZEROS = {
    1.01: (-0.0056903079460696505037, -0.56088545786867448308),
    0.99: (0.0058548067647097814532, -0.59378630405559515926),
    1.99: (-0.0041955290887916687019, 0.41631470604541495081),
    2.01: (0.0042600229070983458338, 0.42921355203231546491),
    1.4616: (-0.12148629003589732842, -0.000031106251230341649658),
}


@pytest.mark.parametrize("x", NEAR_ZEROS)
def test_values_near_zeros_have_all_digits_that_the_argument_determines(x: float, backend: str) -> None:
    gamma, derivative = NEAR_ZEROS[x]
    with pt.device(backend):
        tensor = pt.asarray(x, dtype="float64")
        assert special.lgamma(tensor).item() == pytest.approx(gamma, rel=2e-14)
        assert special.digamma(tensor).item() == pytest.approx(derivative, rel=1e-11)


def test_negative_arguments_and_poles(backend: str) -> None:
    x = RNG.uniform(-8, 0, 500)
    poles = np.array([0.0, -1.0, -2.0])
    with pt.device(backend), np.errstate(all="ignore"):
        tensor = pt.asarray(x)
        np.testing.assert_allclose(special.lgamma(tensor).numpy(), scipy.special.gammaln(x), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(special.digamma(tensor).numpy(), scipy.special.psi(x), rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(special.gammasgn(tensor).numpy(), scipy.special.gammasgn(x))
        assert special.lgamma(pt.asarray(poles)).tolist() == [math.inf] * 3
        np.testing.assert_array_equal(special.digamma(pt.asarray(poles)).numpy(), scipy.special.psi(poles))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
def test_polygamma_is_scipy_s_and_reflects(n: int, backend: str) -> None:
    x = RNG.uniform(0.1, 30, 200)
    with pt.device(backend):
        y = special.polygamma(n, pt.asarray(x)).numpy()
        np.testing.assert_allclose(y, scipy.special.polygamma(n, x), rtol=1e-12, atol=1e-14)
        # psi(n, x + 1) == psi(n, x) + (-1)**n * n! / x**(n + 1)
        z = -0.3
        left = special.polygamma(n, pt.asarray(z + 1.0, dtype="float64")).item()
        right = special.polygamma(n, pt.asarray(z, dtype="float64")).item()
        assert left == pytest.approx(right + (-1) ** n * math.factorial(n) / z ** (n + 1), rel=1e-4)
        with pytest.raises(OutOfRangeError, match="no such order"):
            special.polygamma(-1, pt.ones(2))


def test_zeta_is_scipy_s(backend: str) -> None:
    s, q = RNG.uniform(1.01, 30, 500), RNG.uniform(0.01, 30, 500)
    with pt.device(backend):
        np.testing.assert_allclose(
            special.zeta(pt.asarray(s), pt.asarray(q)).numpy(), scipy.special.zeta(s, q), rtol=2e-14
        )
        assert special.zeta(pt.asarray(2.0, dtype="float64"), 1.0).item() == pytest.approx(math.pi**2 / 6, rel=1e-15)


def test_betaln_does_not_cancel_for_large_operands(backend: str) -> None:
    a, b = 10.0 ** RNG.uniform(-3, 5, 500), 10.0 ** RNG.uniform(-3, 5, 500)
    with pt.device(backend):
        y = special.betaln(pt.asarray(a), pt.asarray(b)).numpy()
        small = special.beta(pt.asarray(a / 1e4), pt.asarray(b / 1e4)).numpy()
        identity = special.betaln(2.0, pt.asarray(b)).numpy()
    np.testing.assert_allclose(y, scipy.special.betaln(a, b), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(identity, -np.log(b) - np.log1p(b), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(small, scipy.special.beta(a / 1e4, b / 1e4), rtol=1e-12)
