"""Norms at the ends of the range and at zero, and condition numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt


@pytest.mark.parametrize("order", [1.5, 3, 8, 0.5, 2, -1, -3])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_no_power_leaves_the_range(order: float, size: float, backend: str) -> None:
    host = np.array([[3.0, 1.0, 4.0], [1.0, 5.0, 9.0]])
    with pt.device(backend):
        y = pt.linalg.vector_norm(pt.asarray((host * size).astype("float32")), ord=order, axis=1).numpy()
    np.testing.assert_allclose(y.astype("float64"), np.linalg.norm(host, order, axis=1) * size, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 1.5, 2, 3, np.inf])
def test_the_gradient_of_a_norm_is_zero_at_zero(order: float) -> None:
    x = pt.asarray([[0.0, 0.0], [3.0, 4.0]])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.linalg.vector_norm(x, ord=order, axis=1)
    gradient: Any = tape.gradient(y, x).numpy()
    assert gradient[0].tolist() == [0.0, 0.0]
    assert np.isfinite(gradient).all() and gradient[1].any()


def test_a_negative_order_finds_the_zero() -> None:
    assert pt.linalg.vector_norm(pt.asarray([2.0, 0.0, 1.0]), ord=-2).item() == 0


def test_special_values_pass_through(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[np.inf, 1.0], [np.nan, 1.0], [0.0, -0.0], [3.0, 4.0]])
        for order, expected in ((2, [np.inf, np.nan, 0.0, 5.0]), (3, [np.inf, np.nan, 0.0, 91.0 ** (1 / 3)])):
            np.testing.assert_allclose(pt.linalg.vector_norm(x, axis=1, ord=order).numpy(), expected, rtol=1e-6)


def test_integers_become_float32() -> None:
    x = pt.asarray([[1, -2], [3, 4]])
    for y in (pt.linalg.matrix_norm(x, ord=1), pt.linalg.vector_norm(x, ord=1), pt.linalg.matrix_norm(x)):
        assert y.dtype.name == "float32"


def test_condition_numbers_are_numpy_s() -> None:
    host = np.random.default_rng(0).normal(size=(2, 3, 3))
    for p in (None, 2, -2, 1, np.inf, "fro", "nuc"):
        np.testing.assert_allclose(pt.linalg.cond(host, p).numpy(), np.linalg.cond(host, p), rtol=1e-10)
    assert pt.linalg.cond(np.zeros((2, 2))).item() == np.inf
    assert pt.linalg.cond(np.diag([1.0, 0.0])).item() == np.inf


def test_ranks_take_a_tolerance_per_matrix() -> None:
    x = pt.asarray(np.stack([np.diag([1.0, 0.15])] * 2))
    assert pt.linalg.matrix_rank(x, rtol=pt.asarray([0.1, 0.2])).tolist() == [2, 1]
