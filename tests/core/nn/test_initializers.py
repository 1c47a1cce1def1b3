"""Initializers, regularizers and constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError

init, reg, con = pt.nn.initializers, pt.nn.regularizers, pt.nn.constraints
SHAPE = (3, 3, 40, 60)  # fan in 360, fan out 540


@pytest.mark.parametrize(
    ("name", "variance", "limit"),
    [
        ("glorot_uniform", 2 / 900, np.sqrt(6 / 900)),
        ("glorot_normal", 2 / 900, 2 * np.sqrt(2 / 900) / 0.8796),
        ("he_uniform", 2 / 360, np.sqrt(6 / 360)),
        ("he_normal", 2 / 360, 2 * np.sqrt(2 / 360) / 0.8796),
        ("lecun_uniform", 1 / 360, np.sqrt(3 / 360)),
        ("lecun_normal", 1 / 360, 2 * np.sqrt(1 / 360) / 0.8796),
        (init.VarianceScaling(3.0, "fan_out", "normal"), 3 / 540, np.inf),
        (init.VarianceScaling(1.0, "fan_avg", "truncated_normal"), 1 / 450, 2 * np.sqrt(1 / 450) / 0.8796),
        ("uniform", 0.05**2 / 3, 0.05),
        ("normal", 0.05**2, np.inf),
        ("truncated_normal", (0.05 * 0.87962566) ** 2, 0.1),
    ],
    ids=str,
)
def test_random_weights_have_this_variance_and_limit(name: Any, variance: float, limit: float) -> None:
    pt.random.seed(5)
    layer = pt.nn.Conv2D(60, 3, weight_initializer=name)
    layer.build((None, 3, 3, 40))
    values = np.asarray(layer.weight.numpy(), "float64")
    assert values.shape == SHAPE and abs(values.mean()) < 4 * np.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.05) and np.abs(values).max() <= limit * (1 + 1e-4)


def test_a_transposed_weight_has_the_fans_of_its_layer() -> None:
    pt.random.seed(5)
    layer = pt.nn.Conv2DTranspose(400, 1, weight_initializer="he_normal")
    layer.build((None, 3, 3, 40))
    assert layer.weight.shape == (1, 1, 400, 40)
    assert float(pt.var(layer.weight)) == pytest.approx(2 / 40, rel=0.05)


def test_weights_that_are_not_random(backend: str) -> None:
    with pt.device(backend):
        assert init.Zeros()((2,)).tolist() == [0, 0] and init.Ones()((2,)).tolist() == [1, 1]
        assert init.Constant(2)((2,), "float64").tolist() == [2.0, 2.0]
        assert init.Identity(2.0)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
        assert init.Constant(2)((1,)).dtype == init.Identity()((1, 1)).dtype == init.Zeros()((1,)).dtype == pt.float32


def test_orthogonal_weights_have_orthonormal_rows_or_columns() -> None:
    wide = np.asarray(init.Orthogonal(3.0)((2, 2, 9), "float64").numpy()).reshape(4, 9)
    assert np.allclose(wide @ wide.T, 9 * np.eye(4), atol=1e-12)
    tall = np.asarray(init.Orthogonal()((9, 4), "float64").numpy())
    assert np.allclose(tall.T @ tall, np.eye(4), atol=1e-12)


def test_a_generator_makes_weights_reproducible() -> None:
    for cls in (init.Uniform, init.Normal, init.TruncatedNormal, init.GlorotUniform, init.HeNormal, init.Orthogonal):
        first, second = (cls(generator=pt.random.Generator(4))((3, 4)).numpy() for _ in range(2))
        assert np.array_equal(first, second)


def test_what_stands_for_an_initializer() -> None:
    for given, expected in (
        ("ones", [[1.0, 1.0]]),
        (init.Ones, [[1.0, 1.0]]),
        (2.5, [[2.5, 2.5]]),
        ([[1, 2]], [[1.0, 2.0]]),
        (np.array([[3.0, 4.0]]), [[3.0, 4.0]]),
        (pt.asarray([[5.0, 6.0]]), [[5.0, 6.0]]),
        (lambda shape, dtype: pt.full(shape, 7, dtype=dtype), [[7.0, 7.0]]),
    ):
        layer = pt.nn.Dense(2, weight_initializer=given)
        layer.build((None, 1))
        assert layer.weight.tolist() == expected and layer.weight.dtype == pt.float32


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ("glorot", SettingError, r"no initializer 'glorot'(.|\n)*glorot_uniform"),
        ({}, DTypeError, "is not an initializer"),
        (np.zeros((2, 2)), ShapeError, r"shape \(1, 2\)"),
        (init.Identity(), None, ""),
        (lambda shape, dtype: pt.zeros((3,)), ShapeError, "another shape than the weight"),
    ],
)
def test_what_is_no_initializer(given: Any, error: type | None, text: str) -> None:
    layer = pt.nn.Dense(2, weight_initializer=given)
    if error is None:
        layer.build((None, 1))
        return
    with pytest.raises(error, match=text):
        layer.build((None, 1))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: init.VarianceScaling(0.0), SettingError),
        (lambda: init.VarianceScaling(mode="fan"), SettingError),
        (lambda: init.VarianceScaling(distribution="untruncated"), SettingError),
        (lambda: init.Identity()((2,)), ShapeError),
        (lambda: init.Orthogonal()((2,)), ShapeError),
        (lambda: reg.L1(-1.0), SettingError),
        (lambda: reg.L1L2(l2=float("nan")), SettingError),
        (lambda: con.MaxNorm(0.0), SettingError),
        (lambda: con.MinMaxNorm(2.0, 1.0), SettingError),
        (lambda: con.MinMaxNorm(rate=1.5), SettingError),
    ],
)
def test_a_wrong_argument_is_an_error(wrong: Any, error: type) -> None:
    with pytest.raises(error):
        wrong()


W = np.array([[3.0, 0.1, 0.0], [-4.0, 0.2, 0.0]])
NORMS = np.sqrt((W**2).sum(0))


def test_regularizers_and_constraints(backend: str) -> None:
    with pt.device(backend):
        w = pt.asarray(W)
        assert float(reg.L1L2(0.5, 2.0)(w)) == pytest.approx(0.5 * np.abs(W).sum() + 2.0 * np.square(W).sum())
        assert float(reg.L1(0.5)(w)) == pytest.approx(0.5 * np.abs(W).sum())
        assert float(reg.L2(0.5)(w)) == pytest.approx(0.5 * np.square(W).sum())
        assert float(reg.L1L2()(w)) == 0.0
        assert np.allclose(con.NonNeg()(w).numpy(), np.maximum(W, 0))
        assert np.allclose(con.UnitNorm()(w).numpy(), W / np.array([5.0, NORMS[1], 1.0]))
        assert np.allclose(con.MaxNorm(2.0)(w).numpy(), W * [0.4, 1.0, 1.0])
        assert np.allclose(con.MinMaxNorm(1.0, 3.0)(w).numpy(), W * [0.6, 1 / NORMS[1], 1.0])
        assert np.allclose(con.MinMaxNorm(0.0, 3.0, 0.5)(w).numpy(), W * [0.8, 1.0, 1.0])
        rows = con.UnitNorm(axis=1)(w).numpy()
        assert np.allclose((rows**2).sum(1), 1.0)
        assert con.NonNeg()(pt.asarray(W, dtype="float32")).dtype == pt.float32


def test_they_print_as_they_are_made() -> None:
    assert repr(init.VarianceScaling(2.0, "fan_out")) == "VarianceScaling(2.0, 'fan_out')"
    assert [repr(x) for x in (init.HeNormal(), init.Constant(3), reg.L1L2(0.5), con.MaxNorm(axis=0), con.NonNeg())] == [
        "HeNormal()", "Constant(3)", "L1L2(0.5)", "MaxNorm(axis=0)", "NonNeg()",
    ]  # fmt: skip
