"""Losses against formulas in NumPy and scipy.special, and their reductions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats

import polytape as pt
from polytape.errors import SettingError, ShapeError

RNG = np.random.default_rng(0)
A, B, C = (RNG.normal(0.0, 2.0, (4, 6)) for _ in range(3))
P, Q = (scipy.special.softmax(x, 1) for x in (A, B))
BITS = (C > 0).astype("float64")
ONE_HOT = np.eye(6)[[0, 5, 2, 2]]
S = scipy.special.expit(A)
COUNTS = RNG.poisson(3.0, (4, 6)).astype("float64")


def _huber(d: Any) -> Any:
    return np.where(d <= 1.5, d * d / 2, 1.5 * (d - 0.75))


def _triplet(p: float) -> Any:
    def distance(x: Any, y: Any) -> Any:
        return (np.abs(x - y + 1e-6) ** p).sum(-1) ** (1 / p)

    return np.maximum(distance(A, B) - distance(A, C) + 1.0, 0)


_STIRLING = np.where(
    COUNTS > 1,
    COUNTS * np.log(np.maximum(COUNTS, 1)) - COUNTS + np.log(2 * np.pi * np.maximum(COUNTS, 1)) / 2,
    0,
)
LOSSES = {
    "mean_squared_error": (lambda **k: pt.nn.mean_squared_error(A, pt.asarray(B), **k), (A - B) ** 2),
    "l1_loss": (lambda **k: pt.nn.l1_loss(A, pt.asarray(B), **k), np.abs(A - B)),
    "huber_loss": (lambda **k: pt.nn.huber_loss(A, pt.asarray(B), delta=1.5, **k), _huber(np.abs(A - B))),
    "hinge_loss": (lambda **k: pt.nn.hinge_loss(BITS, pt.asarray(A), **k), np.maximum(1 - (2 * BITS - 1) * A, 0)),
    "log_loss": (
        lambda **k: pt.nn.log_loss(BITS, pt.asarray(P), **k),
        -BITS * np.log(P + 1e-7) - (1 - BITS) * np.log(1 - P + 1e-7),
    ),
    "kl_divergence": (lambda **k: pt.nn.kl_divergence(P, pt.asarray(Q), **k), scipy.special.rel_entr(P, Q).sum(1)),
    "poisson_nll": (lambda **k: pt.nn.poisson_nll(COUNTS, pt.asarray(A), **k), np.exp(A) - COUNTS * A),
    "poisson_nll of rates": (
        lambda **k: pt.nn.poisson_nll(COUNTS, pt.asarray(P), log_input=False, full=True, **k),
        P - COUNTS * np.log(P + 1e-8) + _STIRLING,
    ),
    "triplet_margin": (lambda **k: pt.nn.triplet_margin(A, pt.asarray(B), C, **k), _triplet(2.0)),
    "log_cosh_loss": (lambda **k: pt.nn.log_cosh_loss(A, pt.asarray(B), **k), np.log(np.cosh(A - B))),
    "mean_absolute_percentage_error": (
        lambda **k: pt.nn.mean_absolute_percentage_error(A, pt.asarray(B), **k),
        100 * np.abs(A - B) / np.abs(A),
    ),
    "mean_squared_logarithmic_error": (
        lambda **k: pt.nn.mean_squared_logarithmic_error(COUNTS, pt.asarray(B), **k),
        (np.log1p(np.maximum(B, 0)) - np.log1p(COUNTS)) ** 2,
    ),
    "mean_pairwise_squared_error": (
        lambda **k: pt.nn.mean_pairwise_squared_error(A, pt.asarray(B), **k),
        np.array([np.mean([(d[i] - d[j]) ** 2 for i in range(6) for j in range(i)]) for d in A - B]),
    ),
    "cosine_distance": (
        lambda **k: pt.nn.cosine_distance(A, pt.asarray(B), **k),
        1 - (A * B).sum(1) / np.linalg.norm(A, axis=1) / np.linalg.norm(B, axis=1),
    ),
    "gaussian_nll": (
        lambda **k: pt.nn.gaussian_nll(A, pt.asarray(B), P, full=True, **k),
        -scipy.stats.norm(B, np.sqrt(P)).logpdf(A),
    ),
    "categorical_cross_entropy": (
        lambda **k: pt.nn.categorical_cross_entropy(P, pt.asarray(3 * Q), **k),
        -(P * np.log(Q)).sum(1),
    ),
    "squared_hinge_loss": (
        lambda **k: pt.nn.squared_hinge_loss(BITS, pt.asarray(A), **k),
        np.maximum(1 - (2 * BITS - 1) * A, 0) ** 2,
    ),
    "categorical_hinge_loss": (
        lambda **k: pt.nn.categorical_hinge_loss(ONE_HOT, pt.asarray(A), **k),
        np.maximum(1 + ((1 - ONE_HOT) * A).max(1) - (ONE_HOT * A).sum(1), 0),
    ),
    "sigmoid_focal_loss": (
        lambda **k: pt.nn.sigmoid_focal_loss(BITS, pt.asarray(A), **k),
        np.where(BITS > 0, -0.25 * (1 - S) ** 2 * np.log(S), -0.75 * S**2 * np.log1p(-S)),
    ),
    "softmax_focal_loss": (
        lambda **k: pt.nn.softmax_focal_loss(ONE_HOT, pt.asarray(A), gamma=1.5, **k),
        -(ONE_HOT * (1 - P) ** 1.5 * np.log(P)).sum(1),
    ),
    "dice_loss": (
        lambda **k: pt.nn.dice_loss(BITS, pt.asarray(P), axis=1, **k),
        1 - (2 * (BITS * P).sum(1) + 1e-7) / (BITS + P + 1e-7 / 6).sum(1),
    ),
    "tversky_loss": (
        lambda **k: pt.nn.tversky_loss(BITS, pt.asarray(P), alpha=0.3, beta=0.7, axis=1, **k),
        1
        - ((BITS * P).sum(1) + 1e-7)
        / ((BITS * P).sum(1) + 0.3 * ((1 - BITS) * P).sum(1) + 0.7 * (BITS * (1 - P)).sum(1) + 1e-7),
    ),
    "triplet_margin, p = 3": (lambda **k: pt.nn.triplet_margin(A, pt.asarray(B), C, p=3.0, **k), _triplet(3.0)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_its_formula_in_every_reduction(name: str, backend: str) -> None:
    loss, expected = LOSSES[name]
    with pt.device(backend):
        np.testing.assert_allclose(loss(reduction="none").numpy(), expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(loss(reduction="sum").numpy(), expected.sum(), rtol=1e-10)
        np.testing.assert_allclose(loss().numpy(), expected.mean(), rtol=1e-10)
        with pytest.raises(SettingError, match="cannot be reduced by 'max'"):
            loss(reduction="max")


@pytest.mark.parametrize("name", LOSSES)
def test_a_weighted_loss_counts_the_weights_that_are_not_zero(name: str, backend: str) -> None:
    loss, expected = LOSSES[name]
    with pt.device(backend):
        for weights in (np.array([2.0, 0.0, 0.5, 1.0]), np.array([True, False, True, True]), 3.0, np.zeros(4)):
            w = np.broadcast_to(np.asarray(weights, "float64"), (4,)).reshape(4, *(1,) * (expected.ndim - 1))
            given = weights if np.ndim(weights) == 0 else pt.asarray(np.asarray(weights).reshape(w.shape))
            weighted, count = expected * w, max(np.count_nonzero(np.broadcast_to(w, expected.shape)), 1)
            for reduction, value in (("none", weighted), ("sum", weighted.sum()), ("mean", weighted.sum() / count)):
                found = loss(weights=given, reduction=reduction)
                assert found.dtype == pt.float64
                np.testing.assert_allclose(found.numpy(), value, rtol=1e-10, atol=1e-12)
        with pytest.raises(ShapeError, match="the weights do not fit the losses"):
            loss(weights=np.ones((7, *expected.shape)))


def test_half_precision_losses_are_summed_in_single() -> None:
    x = pt.full((3000,), 30.0, dtype="float16")
    loss = pt.nn.l1_loss(pt.zeros((3000,), dtype="float16"), x, weights=pt.ones((3000,)))
    assert loss.dtype == pt.float16 and loss.item() == 30.0


def test_losses_of_extreme_predictions_are_finite_and_have_finite_gradients(backend: str) -> None:
    extreme = np.array([[-500.0, 500.0], [0.0, -500.0]])
    labels = np.array([[1.0, 0.0], [1.0, 0.0]])
    with pt.device(backend):
        for name in ("log_cosh_loss", "sigmoid_focal_loss", "softmax_focal_loss", "categorical_hinge_loss"):
            x = pt.asarray(extreme)
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = getattr(pt.nn, name)(labels, x)
            assert np.isfinite(y.numpy()) and np.isfinite(tape.gradient(y, x).numpy()).all(), name
        x = pt.asarray([[0.0, 1.0]])
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.nn.categorical_cross_entropy([[1.0, 0.0]], x)
        assert y.item() == pytest.approx(-np.log(1e-7), rel=1e-5)
        assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_a_variance_below_epsilon_has_a_gradient(backend: str) -> None:
    with pt.device(backend):
        variance = pt.asarray([1e-9, 2.0], dtype="float64")
        with pt.GradientTape() as tape:
            tape.watch(variance)
            y = pt.nn.gaussian_nll(pt.zeros(2), pt.ones(2), variance, epsilon=0.5, reduction="sum")
        assert np.allclose(tape.gradient(y, variance).numpy(), [0.5 / 0.5 - 0.5 / 0.25, 0.5 / 2 - 0.5 / 4])


DIFFERENTIATED = [
    "mean_squared_error", "huber_loss", "log_loss", "kl_divergence", "poisson_nll", "log_cosh_loss",
    "mean_squared_logarithmic_error", "mean_pairwise_squared_error", "cosine_distance", "categorical_cross_entropy",
    "sigmoid_focal_loss", "softmax_focal_loss", "dice_loss", "tversky_loss",
]  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_a_loss_can_be_differentiated_twice(name: str, backend: str) -> None:
    labels = {"log_loss": BITS, "kl_divergence": P, "poisson_nll": COUNTS, "sigmoid_focal_loss": BITS}.get(name, A)
    with pt.device(backend):
        pt.check_gradients(lambda x: getattr(pt.nn, name)(labels, x), Q * 0.5 + 0.2, order=2)


def test_labels_of_zero_contribute_nothing_to_the_divergence(backend: str) -> None:
    with pt.device(backend), pt.GradientTape() as tape:
        labels = pt.asarray([[0.0, 1.0]])
        predictions = pt.asarray([[0.5, 0.5]])
        tape.watch([labels, predictions])
        y = pt.nn.kl_divergence(labels, predictions)
    assert y.item() == pytest.approx(np.log(2.0))
    assert tape.gradient(y, predictions).tolist() == [[0.0, -2.0]]


def test_the_cosine_similarity_broadcasts_along_the_axis_of_the_vectors(backend: str) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(1, 4, 3)), rng.normal(size=(5, 1, 3))
    a, b = np.broadcast_arrays(x, y)
    expected = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    with pt.device(backend):
        similarity = pt.nn.cosine_similarity(pt.asarray(x), pt.asarray(y), axis=1).numpy()
    np.testing.assert_allclose(similarity, expected, rtol=1e-12)
    assert np.abs(similarity).max() <= 1


def test_the_cosine_similarity_of_zeros_is_zero_and_has_a_gradient(backend: str) -> None:
    with pt.device(backend):
        x, y = pt.asarray(A), pt.asarray(B)
        expected = (A * B).sum(1) / np.linalg.norm(A, axis=1) / np.linalg.norm(B, axis=1)
        np.testing.assert_allclose(pt.nn.cosine_similarity(x, y).numpy(), expected, rtol=1e-12)
        zeros = pt.zeros((2, 3))
        with pt.GradientTape() as tape:
            tape.watch(zeros)
            similarity = pt.nn.cosine_similarity(zeros, pt.ones((2, 3)))
        assert similarity.tolist() == [0.0, 0.0]
        assert np.isfinite(tape.gradient(similarity, zeros).numpy()).all()


def test_the_dense_cross_entropy_of_one_hot_labels_is_the_sparse_one(backend: str) -> None:
    labels = np.array([0, 5, 2, 2])
    with pt.device(backend):
        logits = pt.asarray(A)
        dense = pt.nn.softmax_cross_entropy_with_logits(labels=np.eye(6)[labels], logits=logits)
        sparse = pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        np.testing.assert_allclose(dense.numpy(), sparse.numpy(), rtol=1e-13)
        np.testing.assert_allclose(pt.nn.nll_loss(labels, pt.nn.log_softmax(logits)).numpy(), sparse.numpy())


def test_an_impossible_class_of_label_zero_adds_no_nan(backend: str) -> None:
    with pt.device(backend):
        logits = pt.asarray([[-np.inf, 0.0, 0.0]])
        loss = pt.nn.softmax_cross_entropy_with_logits(labels=pt.asarray([[0.0, 1.0, 0.0]]), logits=logits)
    assert loss.tolist() == [pytest.approx(np.log(2.0))]


def test_the_binary_cross_entropy_is_accurate_for_large_logits(backend: str) -> None:
    with pt.device(backend):
        loss = pt.nn.sigmoid_cross_entropy_with_logits(
            labels=pt.asarray([1.0, 0.0]), logits=pt.asarray([-500.0, 500.0])
        )
    assert loss.tolist() == [500.0, 500.0]


def test_dense_labels_that_do_not_match_are_rejected(backend: str) -> None:
    with pt.device(backend), pytest.raises(ShapeError, match=r"do not match(.|\n)*sparse_softmax_cross_entropy"):
        pt.nn.softmax_cross_entropy_with_logits(labels=pt.ones(4), logits=pt.ones((4, 6)))
