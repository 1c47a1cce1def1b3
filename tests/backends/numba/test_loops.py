"""The compiled loops on large operands against NumPy in float64, with special values among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError

pytest.importorskip("numba")

BACKENDS = ["numba", "numpy"]
SIZE = 20_001  # elements: above every threshold, in several blocks, with a rest
EDGES = [0.0, -0.0, 1e-40, 1e-30, -1e-7, 60.0, -60.0, 88.0, -89.0, 3e38, -3e38, np.inf, -np.inf, np.nan]


def sigmoid(x: Any) -> Any:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.maximum(x, 0))), np.exp(np.minimum(x, 0)) / (1 + np.exp(-abs(x))))


def normal(x: Any) -> Any:
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


# op, the same in float64, and the largest error in units of the last place above 1e-30
ELEMENTWISE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = {
    "sigmoid": (pt.nn.sigmoid, sigmoid, 4),
    "silu": (pt.nn.silu, lambda x: np.where(x == -np.inf, 0, x * sigmoid(x)), 5),
    "softplus": (pt.nn.softplus, lambda x: np.logaddexp(x, 0), 5),
    "elu": (pt.nn.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), 5),
    "gelu": (pt.nn.gelu, lambda x: np.where(x == -np.inf, 0, x * normal(x)), 80),  # in the tail; 5 above -4
    "erf": (pt.special.erf, lambda x: np.array([math.erf(v) for v in x]), 5),
    "relu": (pt.nn.relu, lambda x: np.maximum(x, 0), 0),
    "log1p": (pt.log1p, np.log1p, 5),
    "x ** 3": (lambda x: x**3, lambda x: x**3, 2),
    "x ** -2": (lambda x: x**-2, lambda x: x**-2.0, 2),
    "x ** 5": (lambda x: x**5, lambda x: x**5, 4),
    "lgamma": (pt.special.lgamma, lambda x: np.array([lgamma(v) for v in x]), 2),
}


def lgamma(x: float) -> float:
    return math.inf if x == 0 or math.isinf(x) or (x < 0 and x == math.floor(x)) else math.lgamma(x)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", list(ELEMENTWISE))
def test_large_operands_agree_with_float64(name: str, backend: str) -> None:
    fn, reference, limit = ELEMENTWISE[name]
    x = (np.random.default_rng(0).standard_normal(SIZE) * 4).astype("f4")
    with pt.device(f"{backend}:cpu"), np.errstate(all="ignore"):
        for edges in ([], EDGES):  # without and with them, since kernels look for large numbers
            x[: len(edges)] = edges
            y, expected = fn(pt.asarray(x)).numpy(), reference(x.astype("f8"))
            rounded = expected.astype("f4")
            exact = ~np.isfinite(rounded)
            np.testing.assert_array_equal(y[exact], rounded[exact])
            units = np.spacing(np.maximum(abs(rounded[~exact]), 1e-30).astype("f4"))
            assert np.max(abs(y[~exact] - expected[~exact]) / units) <= limit


@pytest.mark.parametrize("backend", BACKENDS)
def test_log1p_keeps_the_sign_of_zero(backend: str) -> None:
    with pt.device(f"{backend}:cpu"):
        y = pt.log1p(pt.asarray(np.full(1000, -0.0, "f4"))).numpy()
    assert np.signbit(y).all()


@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("op", [pt.cumulative_sum, pt.cumulative_prod], ids=["sum", "prod"])
def test_scans_of_rows(op: Any, initial: bool) -> None:
    x = np.random.default_rng(0).uniform(0.5, 1.5, (3, 500)).astype("f4")
    fn = np.cumsum if op is pt.cumulative_sum else np.cumprod
    expected = fn(x.astype("f8"), -1)
    if initial:
        expected = np.concatenate([np.full((3, 1), 0.0 if fn is np.cumsum else 1.0), expected], -1)
    with pt.device("numba:cpu"):
        y = op(pt.asarray(x), axis=1, include_initial=initial).numpy()
        whole = op(pt.asarray(x * 3), axis=1, dtype="int64", include_initial=initial).numpy()
    assert y.dtype == "f4" and whole.dtype == "i8"
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_array_equal(whole[:, -20:], fn((x * 3).astype("i8"), -1)[:, -20:])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_rows_are_added_by_number(backend: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, numbers = rng.standard_normal((300, 7)).astype("f4"), rng.integers(-5, 5, 300).astype(dtype)
    expected = np.zeros((5, 7))
    np.add.at(expected, numbers, x.astype("f8"))
    with pt.device(f"{backend}:cpu"):
        data, ids = pt.asarray(x), pt.asarray(numbers)
        np.testing.assert_allclose(pt.segment_sum(data, ids, num_segments=5).numpy(), expected, atol=1e-4)
        with pt.GradientTape() as tape:
            table = pt.asarray(np.zeros((5, 7), "f4"))
            tape.watch(table)
            y = table[ids]
        np.testing.assert_allclose(tape.gradient(y, table, output_gradients=data).numpy(), expected, atol=1e-4)
        for wrong in (5, -6):
            numbers[7] = wrong
            with pytest.raises(OutOfRangeError, match="out of range"):
                pt.segment_sum(data, pt.asarray(numbers), num_segments=5)


@pytest.mark.parametrize("n", [20, 70, 100])
def test_the_factors_of_an_lu_factorization(n: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, n, n)).astype("f4")
    x[1, :, 3] = 0  # a singular matrix
    with pt.device("numba:cpu"):
        packed, order = [part.numpy() for part in pt.linalg.lu_factor(pt.asarray(x))]
    lower, upper = np.tril(packed.astype("f8"), -1) + np.eye(n), np.triu(packed.astype("f8"))
    assert abs(lower).max() <= 1.0
    np.testing.assert_allclose(lower @ upper, np.take_along_axis(x, order[..., None], 1), atol=2e-5)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (1, 2)])
def test_depthwise_convolution_agrees_with_the_numpy_kernel(padding: str, stride: int, dilation: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 9, 8, 5)).astype("f4"), rng.standard_normal((3, 2, 5, 1)).astype("f4")
    results = []
    for backend in BACKENDS:
        with pt.device(f"{backend}:cpu"):
            sources = [pt.asarray(x), pt.asarray(w)]
            with pt.GradientTape() as tape:
                tape.watch(sources)
                y = pt.nn.depthwise_conv2d(*sources, stride=stride, padding=padding, dilation=dilation)
            results.append([y.numpy(), *[g.numpy() for g in tape.gradient(y, sources, output_gradients=y)]])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
