"""The error function and its relatives: accuracy against SciPy and the C library, tails, edges, gradients there."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape import special

RNG = np.random.default_rng(3)
WIDE = np.concatenate([RNG.uniform(-6, 6, 2000), RNG.normal(size=1000) * 10.0 ** RNG.uniform(-8, 1, 1000)])
INVERSE = np.concatenate([RNG.uniform(-1, 1, 2000), 1 - 10.0 ** RNG.uniform(-6, 0, 300)])
PROBABILITY = np.concatenate([RNG.uniform(0, 1, 2000), 10.0 ** RNG.uniform(-30, 0, 300)])


def ulps(got: Any, expected: Any) -> float:
    """The largest error in units of the last place of ``got``."""
    eps, tiny = float(np.finfo(got.dtype).eps), float(np.finfo(got.dtype).tiny)
    return float((np.abs(got.astype("float64") - expected) / (eps * np.maximum(np.abs(expected), tiny))).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "points", "reference"),
    [
        ("erf", WIDE, np.vectorize(math.erf)),
        ("erfc", WIDE, np.vectorize(math.erfc)),
        ("erfcx", WIDE[WIDE > -2], scipy.special.erfcx),
        ("erfinv", INVERSE, scipy.special.erfinv),
        ("ndtri", PROBABILITY, scipy.special.ndtri),
    ],
)
def test_errors_are_at_most_8_ulp(name: str, points: Any, reference: Any, dtype: str, backend: str) -> None:
    x = points.astype(dtype)
    with pt.device(backend):
        y = getattr(special, name)(pt.asarray(x)).numpy()
    assert ulps(y, reference(x.astype("float64"))) < 8.0


def test_tails_keep_their_digits(backend: str) -> None:
    x = np.array([-37.0, -20.0, -8.0, -1.0, 3.0, 8.0])
    with pt.device(backend):
        tensor = pt.asarray(x)
        np.testing.assert_allclose(special.ndtr(tensor).numpy(), scipy.special.ndtr(x), rtol=2e-13)
        np.testing.assert_allclose(special.log_ndtr(tensor).numpy(), scipy.special.log_ndtr(x), rtol=1e-13)
        assert special.erfc(pt.asarray(26.5, dtype="float64")).item() == pytest.approx(math.erfc(26.5), rel=1e-12)
        assert special.log_ndtr(pt.asarray(-1e10, dtype="float64")).item() == pytest.approx(-5e19)


def test_edges_are_scipy_s_and_give_no_warning(backend: str) -> None:
    x = np.array([-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan])
    for name in ("erf", "erfc", "erfinv", "ndtr", "log_ndtr", "ndtri"):
        with pt.device(backend), warnings.catch_warnings():
            warnings.simplefilter("error")
            y = getattr(special, name)(pt.asarray(x)).numpy()
        np.testing.assert_allclose(y, getattr(scipy.special, name)(x), rtol=1e-14, err_msg=name)
    with pt.device(backend):
        assert math.copysign(1.0, special.erf(pt.asarray(-0.0)).item()) == -1.0
        assert math.copysign(1.0, special.erfinv(pt.asarray(-0.0)).item()) == -1.0


def test_gradients_far_from_0_are_neither_nan_nor_cancelled(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([-50.0, 1e5], dtype="float64")
        (g,) = pt.gradients_function(lambda x: pt.sum(special.log_ndtr(x)))(x)
        np.testing.assert_allclose(g.numpy(), [50.01998403190565, 0.0], rtol=1e-13)
        (g,) = pt.gradients_function(lambda x: pt.sum(special.erfcx(x)))(pt.asarray([100.0, 1e5], dtype="float64"))
        exact = [-1 / math.sqrt(math.pi) * (1 / z**2 - 1.5 / z**4) for z in (100.0, 1e5)]
        np.testing.assert_allclose(g.numpy(), exact, rtol=1e-7)
