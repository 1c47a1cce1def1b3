"""Normalizations against NumPy, and the moving averages of batch_norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(1.0, 2.0, (3, 8, 5, 4))  # channels along axis 1
W, B = RNG.normal(size=8), RNG.normal(size=8)


def _normalised(x: Any, axes: tuple[int, ...]) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


def _scaled(x: Any) -> Any:
    return x * W[:, None, None] + B[:, None, None]


@pytest.mark.parametrize("last", [False, True])
def test_group_and_instance_norm_normalise_over_positions(last: bool, backend: str) -> None:
    axis = -1 if last else 1
    x = np.moveaxis(IMAGES, 1, -1) if last else IMAGES
    groups = _normalised(IMAGES.reshape(3, 4, 2, 5, 4), (2, 3, 4)).reshape(IMAGES.shape)
    with pt.device(backend):
        by_group = pt.nn.group_norm(pt.asarray(x.copy()), W, B, groups=4, axis=axis).numpy()
        by_instance = pt.nn.instance_norm(pt.asarray(x.copy()), W, B, axis=axis).numpy()
    np.testing.assert_allclose(np.moveaxis(by_group, axis, 1), _scaled(groups), rtol=1e-9, atol=1e-12)
    expected = _scaled(_normalised(IMAGES, (2, 3)))
    np.testing.assert_allclose(np.moveaxis(by_instance, axis, 1), expected, rtol=1e-9, atol=1e-12)


def test_batch_norm_uses_the_batch_in_training_and_moves_the_averages(backend: str) -> None:
    mean, variance = RNG.normal(size=8), RNG.uniform(0.5, 2.0, 8)
    with pt.device(backend):
        x = pt.asarray(IMAGES)
        trained = pt.nn.batch_norm(x, mean, variance, W, B, axis=1, training=True, momentum=0.9, epsilon=1e-5)
        fixed = pt.nn.batch_norm(x, mean, variance, W, B, axis=1, epsilon=1e-5)
    np.testing.assert_allclose(trained.y.numpy(), _scaled(_normalised(IMAGES, (0, 2, 3))), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trained.mean.numpy(), 0.9 * mean + 0.1 * IMAGES.mean((0, 2, 3)))
    np.testing.assert_allclose(trained.variance.numpy(), 0.9 * variance + 0.1 * IMAGES.var((0, 2, 3), ddof=1))
    y = _scaled((IMAGES - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 1e-5))
    np.testing.assert_allclose(fixed.y.numpy(), y, rtol=1e-9, atol=1e-12)
    assert fixed.mean.tolist() == mean.tolist()


def test_the_gradient_of_batch_norm_includes_that_of_the_statistics(backend: str) -> None:
    x, w, b = IMAGES[:, :3, :2, 0], W[:3], B[:3]
    with pt.device(backend):
        zero, one = pt.zeros(3, dtype="float64"), pt.ones(3, dtype="float64")

        def f(x: pt.Tensor, w: pt.Tensor, b: pt.Tensor) -> pt.Tensor:
            return pt.nn.batch_norm(x, zero, one, w, b, axis=1, training=True).y

        pt.check_gradients(f, [x, w, b], order=2)


def test_half_precision_statistics_do_not_overflow(backend: str) -> None:
    x = np.array([[1000.0, -1000.0, 500.0, -500.0]])
    with pt.device(backend):
        y = pt.nn.layer_norm(pt.asarray(x, dtype="float16")).numpy()
        z = pt.nn.l2_normalize(pt.asarray(x, dtype="float16")).numpy()
    np.testing.assert_allclose(y.astype("float64"), _normalised(x, (1,)), rtol=2e-3)
    np.testing.assert_allclose(z.astype("float64"), x / np.linalg.norm(x), rtol=2e-3)


def test_a_vector_of_zeros_stays_zero(backend: str) -> None:
    with pt.device(backend):
        x = pt.zeros((1, 3))
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.nn.l2_normalize(x)
        assert y.tolist() == [[0.0, 0.0, 0.0]]
        assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_local_response_norm_sums_over_neighbouring_channels(backend: str) -> None:
    expected = np.empty_like(IMAGES)
    for channel in range(8):
        near = IMAGES[:, max(channel - 2, 0) : channel + 3]
        expected[:, channel] = IMAGES[:, channel] / (1.0 + 0.1 * (near**2).sum(1)) ** 0.75
    with pt.device(backend):
        y = pt.nn.local_response_norm(pt.asarray(IMAGES), depth_radius=2, alpha=0.1, beta=0.75, axis=1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)


def test_wrong_channels_are_rejected(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(IMAGES)
        with pytest.raises(ShapeError, match="the weight does not match the channels"):
            pt.nn.batch_norm(x, pt.zeros(8), pt.ones(8), pt.ones(4), axis=1)
        with pytest.raises(ShapeError, match="groups of equal size"):
            pt.nn.group_norm(x, groups=3, axis=1)
        with pytest.raises(ShapeError, match="axis 0 counts the examples"):
            pt.nn.instance_norm(x, axis=0)
