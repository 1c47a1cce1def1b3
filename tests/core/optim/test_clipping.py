"""Clipping of gradients against NumPy, dense and sparse, and as options of optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import polytape as pt

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=5)
TOTAL = float(np.sqrt((A * A).sum() + (B * B).sum()))


def dense(x: Any) -> Any:
    return x.to_dense().numpy() if isinstance(x, pt.IndexedSlices) else x.numpy()


def test_a_value_is_limited() -> None:
    np.testing.assert_array_equal(pt.optim.clip_by_value(pt.asarray(A), -0.5, 0.25).numpy(), A.clip(-0.5, 0.25))


@given(st.floats(0.01, 100.0))
def test_a_norm_is_limited_and_smaller_gradients_stay(norm: float) -> None:
    clipped = pt.optim.clip_by_norm(pt.asarray(B), norm).numpy()
    own = np.linalg.norm(B)
    np.testing.assert_allclose(clipped, B * min(1.0, norm / own), rtol=1e-12)


def test_the_norm_of_all_together(backend: str) -> None:
    with pt.device(backend):
        gradients = [pt.asarray(A), None, pt.asarray(B)]
        clipped, total = pt.optim.clip_by_global_norm(gradients, 1.0)
    assert clipped[1] is None and float(total) == pytest.approx(TOTAL)
    np.testing.assert_allclose(clipped[0].numpy(), A / TOTAL)
    np.testing.assert_allclose(clipped[2].numpy(), B / TOTAL)
    assert float(pt.optim.global_norm(clipped)) == pytest.approx(1.0)
    unchanged, _ = pt.optim.clip_by_global_norm([pt.asarray(B)], 100.0)
    np.testing.assert_array_equal(unchanged[0].numpy(), B)


def test_duplicate_rows_are_summed_before_their_norm() -> None:
    sparse = pt.IndexedSlices(pt.asarray([[3.0], [1.0], [4.0]]), pt.asarray([1, 0, 1]), (3, 1))
    norm = float(np.sqrt(7.0**2 + 1.0))
    assert float(pt.optim.global_norm([sparse])) == pytest.approx(norm)
    np.testing.assert_allclose(
        dense(pt.optim.clip_by_norm(sparse, 1.0)), np.array([[1.0], [7.0], [0.0]]) / norm, rtol=1e-6
    )
    np.testing.assert_array_equal(dense(pt.optim.clip_by_value(sparse, 0.0, 5.0)), [[1.0], [5.0], [0.0]])


def test_squares_of_half_precision_do_not_overflow() -> None:
    assert float(pt.optim.global_norm([pt.asarray([300.0, 400.0], dtype="float16")])) == 500.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_stays_visible(bad: float) -> None:
    clipped, total = pt.optim.clip_by_global_norm([pt.asarray([1.0, bad]), pt.asarray([2.0])], 1.0)
    assert not np.isfinite(float(total))
    assert all(np.isnan(x.numpy()).all() for x in clipped)


@pytest.mark.parametrize(
    ("option", "factor"),
    [({"clip_norm": 1.0}, 1.0 / np.linalg.norm(B)), ({"global_clip_norm": 1.0}, 1.0 / TOTAL), ({}, 1.0)],
)
@pytest.mark.parametrize("traced", [False, True])
def test_an_optimizer_clips(option: dict[str, float], factor: float, traced: bool) -> None:
    a, b = pt.Variable(np.zeros((3, 4))), pt.Variable(np.zeros(5))
    optimizer = pt.optim.SGD(1.0, **option)

    def step() -> None:
        optimizer.apply_gradients([(pt.asarray(A), a), (pt.asarray(B), b)])

    (pt.function(step) if traced else step)()
    np.testing.assert_allclose(b.numpy(), -B * factor, rtol=1e-12)
