"""Neural-network ops against scipy.special, and at the ends of their range."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import polytape as pt
from polytape.errors import DTypeError, ShapeError

X = np.random.default_rng(0).normal(0.0, 5.0, (4, 7))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_and_log_softmax_agree_with_scipy(axis: int, backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(X)
        np.testing.assert_allclose(pt.nn.softmax(x, axis=axis).numpy(), scipy.special.softmax(X, axis), rtol=1e-13)
        result = pt.nn.log_softmax(x, axis=axis).numpy()
        np.testing.assert_allclose(result, scipy.special.log_softmax(X, axis), rtol=1e-13)


def test_sigmoid_agrees_with_scipy_expit(backend: str) -> None:
    host = np.concatenate([X.ravel(), [-745.0, -40.0, 40.0, 745.0, -np.inf, np.inf]])
    with pt.device(backend), np.errstate(all="ignore"):
        result = pt.nn.sigmoid(pt.asarray(host)).numpy()
    np.testing.assert_allclose(result, scipy.special.expit(host), rtol=1e-13, atol=1e-320)


def test_the_cross_entropy_is_the_negative_log_softmax_at_the_label(backend: str) -> None:
    labels = np.array([0, 6, 3, 3])
    with pt.device(backend):
        losses = pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=pt.asarray(X)).numpy()
    np.testing.assert_allclose(losses, -scipy.special.log_softmax(X, 1)[np.arange(4), labels], rtol=1e-12)


def test_large_logits_do_not_overflow(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[1000.0, 0.0, -1000.0]])
        assert pt.nn.softmax(x).tolist() == [[1.0, 0.0, 0.0]]
        assert pt.nn.log_softmax(x).tolist() == [[0.0, -1000.0, -2000.0]]
        assert pt.nn.sparse_softmax_cross_entropy_with_logits(pt.asarray([2]), x).tolist() == [2000.0]


def test_the_loss_rejects_labels_that_do_not_match_the_logits(backend: str) -> None:
    with pt.device(backend):
        logits = pt.ones((2, 3))
        with pytest.raises(DTypeError, match="labels must be class indices"):
            pt.nn.sparse_softmax_cross_entropy_with_logits(labels=pt.ones(2), logits=logits)
        with pytest.raises(ShapeError, match=r"labels and logits do not match(.|\n)*one label per row"):
            pt.nn.sparse_softmax_cross_entropy_with_logits(labels=pt.asarray([1, 2, 0]), logits=logits)


def test_a_complete_loss_can_be_differentiated_twice(backend: str) -> None:
    labels = np.array([1, 0, 2])

    def loss(w: pt.Tensor, b: pt.Tensor) -> pt.Tensor:
        logits = pt.nn.sigmoid(pt.asarray(X[:3, :2], device=w.device) @ w) + b
        return pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))

    with pt.device(backend):
        pt.check_gradients(loss, [X[:2, :3], X[0, :3]], order=2)
