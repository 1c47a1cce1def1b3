"""The namespace `polytape.nn`."""

from __future__ import annotations

import polytape as pt
from polytape.ops.nn import activations, losses


def test_the_namespace_exports_the_ops_of_polytape_ops_nn() -> None:
    assert pt.nn.__all__ == ["log_softmax", "relu", "sigmoid", "softmax", "sparse_softmax_cross_entropy_with_logits"]
    for name in pt.nn.__all__:
        assert getattr(pt.nn, name) is getattr(losses if "cross_entropy" in name else activations, name)


def test_a_loss_on_logits_trains_a_classifier() -> None:
    x = pt.asarray([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    labels = pt.asarray([0, 1, 1])
    w = pt.Variable([[0.1, -0.1], [0.2, 0.3]])
    sgd = pt.optim.SGD(1.0)
    losses = []
    for _ in range(20):
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x @ w))
        sgd.apply_gradients([(tape.gradient(loss, w), w)])
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 2
