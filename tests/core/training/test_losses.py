"""Losses by name and as functions, with and without weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, SettingError, ShapeError

X = np.random.default_rng(0).uniform(0.1, 0.9, size=(10, 3)).astype("float32")
LABELS = np.random.default_rng(1).uniform(0.1, 0.9, size=(10, 3)).astype("float32")
WEIGHTS = np.asarray([0.0, 1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0, 1.0, 0.25], "float32")


def loss_of(loss: Any, labels: Any = LABELS, **options: Any) -> float:
    """The loss of the identity on X, in batches of 4."""
    result: float = training.evaluate(lambda x: x, X, labels, loss=loss, batch_size=4, **options)["loss"]
    return result


NAMES = [
    "mean_squared_error", "l1_loss", "l1", "huber", "log_loss", "kl_divergence", "cosine_distance", "log_cosh", "dice",
    "categorical_cross_entropy", "softmax_cross_entropy", "sigmoid_cross_entropy_with_logits", "poisson_nll",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_function_of_nn_on_all_samples(name: str) -> None:
    function = next(
        getattr(pt.nn, full) for full in (name, f"{name}_with_logits", f"{name}_loss") if hasattr(pt.nn, full)
    )
    if name == "dice":  # it is not a mean over samples, so batches matter
        expected = np.average([float(function(LABELS[k : k + 4], X[k : k + 4])) for k in (0, 4, 8)], weights=[4, 4, 2])
    else:
        expected = float(pt.mean(function(LABELS, pt.asarray(X))))
        weighted = loss_of(name, weights=WEIGHTS)
        losses = np.concatenate([np.ravel(pt.mean(_each(function, k)).numpy()) for k in range(10)])
        assert weighted == pytest.approx(float((losses * WEIGHTS).sum() / np.count_nonzero(WEIGHTS)), rel=1e-5)
    assert loss_of(name) == pytest.approx(expected, rel=1e-5)


def _each(function: Any, k: int) -> pt.Tensor:
    result: pt.Tensor = function(LABELS[k : k + 1], pt.asarray(X[k : k + 1]))
    return result


def test_a_function_may_return_a_number_a_loss_per_sample_or_a_tensor() -> None:
    squares = (LABELS - X) ** 2
    assert loss_of(lambda y, x: pt.sum(pt.square(y - x)) / y.size) == pytest.approx(squares.mean(), rel=1e-5)
    assert loss_of(lambda y, x: pt.sum(pt.square(y - x), axis=1)) == pytest.approx(squares.sum(1).mean(), rel=1e-5)
    found = loss_of(lambda y, x: pt.square(y - x), weights=WEIGHTS)
    assert found == pytest.approx((squares.mean(1) * WEIGHTS).sum() / np.count_nonzero(WEIGHTS), rel=1e-5)


def test_a_batch_whose_weights_are_all_zero_counts_nothing() -> None:
    weights = np.concatenate([np.zeros(4), np.ones(6)]).astype("float32")
    expected = float(np.mean((LABELS[4:] - X[4:]) ** 2))
    assert loss_of("mean_squared_error", weights=weights) == pytest.approx(expected, rel=1e-5)


def test_errors() -> None:
    with pytest.raises(SettingError, match="pass sparse_softmax_cross_entropy_with_logits"):
        loss_of("sparse_categorical_crossentropy")
    with pytest.raises(SettingError, match="there is no loss 'relu'") as caught:
        loss_of("relu")
    assert "huber_loss" in str(caught.value) and "relu," not in str(caught.value)
    with pytest.raises(DTypeError, match="cannot be used as a loss"):
        loss_of(3)
    with pytest.raises(DTypeError, match="did not return a tensor"):
        loss_of(lambda y, x: 1.0)
    with pytest.raises(ShapeError, match="weights of samples cannot be applied"):
        loss_of(lambda y, x: pt.mean(y - x), weights=WEIGHTS)
    with pytest.raises(ShapeError, match="every label with every output"):
        training.evaluate(lambda x: x, X[:, :1], LABELS[:, 0], loss="l1_loss")


def test_a_misspelt_loss_is_corrected() -> None:
    with pytest.raises(SettingError, match="fix: did you mean 'mean_squared_error'"):
        training.evaluate(pt.nn.Dense(1), pt.ones((2, 1)), pt.ones((2, 1)), loss="mean_squarederror")
