"""The namespace `polytape.nn`."""

from __future__ import annotations

import importlib

import polytape as pt
from polytape.ops.table import FAMILIES


def test_the_namespace_exports_the_public_names_of_the_families_in_polytape_ops_nn() -> None:
    names = ["constraints", "dropout", "initializers", "regularizers"]  # of its own modules, as the classes there
    names += [x for x in pt.nn.__all__ if x[0].isupper() and getattr(pt.nn, x).__module__.startswith("polytape.nn.")]
    for module in (
        importlib.import_module(f"polytape.ops.{family}") for family in FAMILIES if family.startswith("nn.")
    ):
        for name in module.__all__:
            assert getattr(pt.nn, name) is getattr(module, name)
        names += module.__all__
    assert pt.nn.__all__ == sorted(names) and {"conv2d", "relu", "softmax", "layer_norm"} < set(names)


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
