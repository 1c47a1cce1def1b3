"""Activations against scipy.special, at the ends of their range, and at their joints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

import polytape as pt

X = np.random.default_rng(0).normal(0.0, 5.0, (4, 6))
INF = float("inf")


def gradient(f: Any, x: Any) -> Any:
    x = pt.asarray(x)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.sum(f(x))
    return tape.gradient(y, x).tolist()


def test_gelu_agrees_with_scipy_far_into_its_tail(backend: str) -> None:
    x = np.linspace(-30.0, 10.0, 401)
    with pt.device(backend):
        result = pt.nn.gelu(pt.asarray(x)).numpy()
    np.testing.assert_allclose(result, x * scipy.special.ndtr(x), rtol=1e-12)


def test_the_approximate_gelu_is_near_the_exact_one(backend: str) -> None:
    with pt.device(backend):
        exact, approximate = pt.nn.gelu(pt.asarray(X)), pt.nn.gelu(pt.asarray(X), approximate=True)
    assert 0.0 < np.abs(exact.numpy() - approximate.numpy()).max() < 5e-4


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus"])
def test_smooth_rectifiers_have_their_limits_at_the_infinities(name: str, backend: str) -> None:
    f = getattr(pt.nn, name)
    with pt.device(backend):
        assert f(pt.asarray([-INF, INF])).tolist() == [0.0, INF]
        assert gradient(f, [-INF, INF]) == [0.0, 1.0]


def test_the_approximate_gelu_has_its_limits_at_the_infinities(backend: str) -> None:
    with pt.device(backend):
        assert pt.nn.gelu(pt.asarray([-INF, INF]), approximate=True).tolist() == [0.0, INF]
        assert gradient(lambda x: pt.nn.gelu(x, approximate=True), [-INF, INF]) == [0.0, 1.0]


def test_log_sigmoid_keeps_its_digits_where_sigmoid_underflows(backend: str) -> None:
    x = [-1000.0, -50.0, 0.0, 50.0, 1000.0]
    with pt.device(backend):
        result = pt.nn.log_sigmoid(pt.asarray(x, dtype="float64")).numpy()
    np.testing.assert_allclose(result, scipy.special.log_expit(x), rtol=1e-14)


def test_softmin_is_the_softmax_of_the_negative_numbers(backend: str) -> None:
    with pt.device(backend):
        result = pt.nn.softmin(pt.asarray(X), axis=0).numpy()
    np.testing.assert_allclose(result, scipy.special.softmax(-X, 0), rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "joints", "slopes"),
    [
        ("relu6", [0.0, 6.0], [0.0, 0.0]),
        ("leaky_relu", [0.0], [pytest.approx(0.01)]),
        ("elu", [0.0], [1.0]),
        ("celu", [0.0], [1.0]),
        ("hard_sigmoid", [-3.0, 3.0], [0.0, 0.0]),
        ("hard_tanh", [-1.0, 1.0], [0.0, 0.0]),
        ("hard_swish", [-3.0, 3.0], [0.0, 1.0]),
        ("softshrink", [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
        ("hardshrink", [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
    ],
)
def test_gradients_at_the_joints_are_the_documented_ones(
    name: str, joints: list[float], slopes: list[Any], backend: str
) -> None:
    with pt.device(backend):
        assert gradient(getattr(pt.nn, name), joints) == slopes


@pytest.mark.parametrize("name", ["relu6", "elu", "selu", "hard_tanh", "softshrink", "hardshrink", "gelu", "mish"])
def test_nan_stays_nan(name: str, backend: str) -> None:
    with pt.device(backend):
        assert np.isnan(getattr(pt.nn, name)(pt.asarray([float("nan")])).numpy()).all()


def test_large_operands_overflow_nowhere(backend: str) -> None:
    x = np.array([-1e30, 1e30, 3e38], "float32")
    with pt.device(backend), np.errstate(over="raise", invalid="raise"):
        for name in ("gelu", "silu", "mish", "softplus", "elu", "selu", "celu", "hard_swish", "softsign"):
            f = getattr(pt.nn, name)
            assert np.isfinite(f(pt.asarray(x)).numpy()).all()
            gradient(f, x)


def test_one_learned_slope_per_channel(backend: str) -> None:
    images = X.reshape(1, 2, 3, 4)
    slopes = np.array([0.5, -1.0]).reshape(2, 1, 1)
    with pt.device(backend):
        result = pt.nn.prelu(pt.asarray(images), pt.asarray(slopes)).numpy()
    np.testing.assert_allclose(result, np.where(images > 0, images, slopes * images))
