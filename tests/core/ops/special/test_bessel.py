"""Modified Bessel functions: accuracy against SciPy, large arguments, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape import special

X = np.random.default_rng(8).uniform(-80, 80, 2000)


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 2e-6), ("float64", 4e-15)])
@pytest.mark.parametrize("name", ["i0", "i0e", "i1", "i1e"])
def test_bessel_functions_are_scipy_s(name: str, dtype: str, limit: float, backend: str) -> None:
    x = X.astype(dtype)
    with pt.device(backend):
        y = getattr(special, name)(pt.asarray(x)).numpy()
    np.testing.assert_allclose(y, getattr(scipy.special, name)(x.astype("float64")), rtol=limit, atol=0)


def test_large_arguments_overflow_only_where_the_result_does(backend: str) -> None:
    with pt.device(backend):
        y = special.i0(pt.asarray(712.0, dtype="float64")).item()
        assert y == pytest.approx(scipy.special.i0e(712.0) * math.exp(12.0) * math.exp(700.0))
        assert special.i1(pt.asarray([-math.inf, math.inf])).tolist() == [-math.inf, math.inf]
        assert special.i0e(pt.asarray([-math.inf, math.inf])).tolist() == [0.0, 0.0]
        assert special.i0e(pt.asarray(1e30)).item() == pytest.approx(1 / math.sqrt(2 * math.pi * 1e30))
        assert math.isnan(special.i1e(pt.asarray(math.nan)).item())
        assert math.copysign(1.0, special.i1(pt.asarray(-0.0)).item()) == -1.0
