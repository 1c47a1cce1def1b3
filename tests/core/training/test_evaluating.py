"""`evaluate` and `predict`: scikit-learn's numbers, whatever the batches are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape import training
from polytape.errors import DTypeError, SettingError

sklearn_metrics = pytest.importorskip("sklearn.metrics")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 3)).astype("float32")
Y = RNG.integers(0, 4, 53).astype("int32")
SCORES = pt.asarray(RNG.normal(size=(3, 4)).astype("float32"))


def model(x: pt.Tensor) -> pt.Tensor:
    return x @ SCORES


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 60), weighted=st.booleans(), function=st.booleans())
def test_loss_and_accuracy_are_those_of_scikit_learn_for_any_batch_size(
    size: int, weighted: bool, function: bool
) -> None:
    weights = RNG.uniform(0.5, 2.0, 53).astype("float32") if weighted else None
    found = training.evaluate(
        model, X, Y, loss="sparse_softmax_cross_entropy", metrics=["sparse_categorical_accuracy"], batch_size=size,
        weights=weights, function=function,
    )  # fmt: skip
    logits = X.astype("float64") @ SCORES.numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = sklearn_metrics.log_loss(Y, p, sample_weight=weights)
    if weights is not None:
        loss *= weights.sum() / len(Y)  # scikit-learn divides by the sum of the weights
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    accuracy = sklearn_metrics.accuracy_score(Y, p.argmax(axis=1), sample_weight=weights)
    assert found["sparse_categorical_accuracy"] == pytest.approx(accuracy, rel=1e-6)


def test_metrics_that_are_not_numbers_are_arrays_and_no_loss_is_needed() -> None:
    found = training.evaluate(
        lambda x: pt.argmax(model(x), axis=-1), X, Y, metrics={"confusion": pt.metrics.ConfusionMatrix(4)},
    )  # fmt: skip
    predicted = (X @ SCORES.numpy()).argmax(axis=1)
    np.testing.assert_array_equal(found["confusion"], sklearn_metrics.confusion_matrix(Y, predicted))
    assert list(found) == ["confusion"]


def test_layers_do_not_train_and_regularizers_count() -> None:
    network = pt.nn.Sequential(
        pt.nn.Dense(4, weight_regularizer=pt.nn.regularizers.L2(0.1)), pt.nn.BatchNorm(), pt.nn.Dropout(0.9)
    )
    first = network.evaluate(X, Y, loss="sparse_softmax_cross_entropy", batch_size=7)
    moving = [variable.numpy().copy() for variable in network.non_trainable_variables]
    assert first["loss"] == pytest.approx(network.evaluate(X, Y, loss="sparse_softmax_cross_entropy")["loss"], rel=1e-6)
    for variable, value in zip(network.non_trainable_variables, moving, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    logits = network(X)
    expected = float(pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(Y, logits))) + float(sum(network.losses))
    assert first["loss"] == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(network.predict(X, batch_size=10).numpy(), logits.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("elements", [X, (X, Y), (X, Y, np.ones(53, "float32"))], ids=["x", "x-y", "x-y-weights"])
def test_predict_takes_x_of_the_batches_of_a_dataset(backend: str, elements: Any) -> None:
    with pt.device(backend):
        dataset = pt.data.Dataset.from_tensor_slices(elements).batch(8)
        found = training.predict(lambda x: [2.0 * x, {"first": x[:, 0]}], dataset)
    np.testing.assert_array_equal(found[0].numpy(), 2.0 * X)
    np.testing.assert_array_equal(found[1]["first"].numpy(), X[:, 0])


def test_errors_of_arguments() -> None:
    with pytest.raises(SettingError, match="nothing to compute"):
        training.evaluate(model, X, Y)
    with pytest.raises(DTypeError, match="show nothing"):
        training.evaluate(model, X, Y, loss="l1_loss", verbose=0)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(DTypeError, match="use one of these names"):
        training.predict(model, X, lots=0)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(SettingError, match="predict has no samples"):
        training.predict(model, X[:0])
    with pytest.raises(SettingError, match="batch_size"):
        training.predict(model, pt.data.Dataset.from_tensor_slices(X).batch(3), batch_size=2)
    with pytest.raises(DTypeError, match="call the class"):
        training.predict(pt.nn.Sequential, X)
    with pytest.raises(DTypeError, match="cannot be trained or evaluated"):
        training.evaluate(3, X, Y, loss="l1_loss")
