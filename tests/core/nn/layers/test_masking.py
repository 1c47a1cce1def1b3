"""Masks of steps: what a network computes with padding is what it computes without the padded steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError

# Padding before, in between and after; one sequence without, and one of padding only.
SEEN = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
X = np.random.default_rng(0).standard_normal((5, 5, 3)).astype("float32")
LAYERS: dict[str, Callable[..., Any]] = {"LSTM": pt.nn.LSTM, "GRU": pt.nn.GRU, "SimpleRNN": pt.nn.SimpleRNN}


def leaves(state: Any) -> list[Any]:
    return [*state] if isinstance(state, tuple) else [state]


def by_skipping(layer: Any, state: Any, reverse: bool) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """The outputs and last states of a loop over each sequence that leaves the padded steps out."""
    outputs, states = np.zeros((*SEEN.shape, layer.units), "float32"), []
    for row, seen in enumerate(SEEN):
        now = state
        if state is not None:
            now = tuple(s[row : row + 1] for s in state) if isinstance(state, tuple) else state[row : row + 1]
        shown = np.zeros(layer.units, "float32")
        for time in reversed(range(len(seen))) if reverse else range(len(seen)):
            if seen[time]:
                y, now = layer(pt.asarray(X[row : row + 1, time : time + 1]), now)
                shown = y[0, 0].numpy()
            outputs[row, time] = shown
        states.append(now)
    return outputs, states


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_a_masked_network_is_a_loop_that_skips_steps(name: str, given: bool, reverse: bool) -> None:
    layer = LAYERS[name](2, return_sequences=True, return_state=True, reverse=reverse)
    first = pt.random.normal((5, 2)) if given else None
    state = (first, first * 0.5) if given and name == "LSTM" else first
    y, last = layer(pt.asarray(X), state, mask=pt.asarray(SEEN))
    expected, states = by_skipping(layer, state, reverse)
    np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-6)
    for row in range(4):
        for ours, theirs in zip(leaves(last), leaves(states[row]), strict=True):
            np.testing.assert_allclose(ours[row].numpy(), theirs[0].numpy(), rtol=0, atol=1e-6)
    for ours in leaves(last):  # a sequence of padding only leaves the state as it was
        assert (ours[4].numpy() != 0).any() == given
    layer.return_sequences = layer.return_state = False
    np.testing.assert_array_equal(layer(pt.asarray(X), state, mask=SEEN).numpy(), y.numpy()[:, 0 if reverse else -1])


def test_padding_has_no_gradient_and_does_not_change_the_others() -> None:
    layer, x = pt.nn.LSTM(2), pt.Variable(X)
    with pt.GradientTape() as tape:
        loss = pt.sum(layer(x, mask=SEEN))
    gradient = tape.gradient(loss, x).numpy()
    assert (gradient[~SEEN] == 0).all() and (gradient[SEEN] != 0).any(axis=-1).all()
    noise = np.where(SEEN[..., None], X, 7.0).astype("float32")
    np.testing.assert_array_equal(layer(pt.asarray(noise), mask=SEEN).numpy(), layer(x, mask=SEEN).numpy())
    traced = pt.function(lambda x, mask: layer(x, mask=mask))
    np.testing.assert_allclose(traced(pt.asarray(X), pt.asarray(SEEN)).numpy(), layer(x, mask=SEEN).numpy(), atol=1e-6)


@pytest.mark.parametrize("merge", ["concat", None])
def test_bidirectional_masks_both_directions(merge: str | None) -> None:
    layer = pt.nn.Bidirectional(pt.nn.GRU(2, return_sequences=True), merge)
    y = layer(pt.asarray(X), mask=SEEN)
    parts = [part(pt.asarray(X), mask=SEEN).numpy() for part in (layer.forward_layer, layer.backward_layer)]
    found = y.numpy() if merge else np.concatenate([part.numpy() for part in y], axis=-1)
    np.testing.assert_array_equal(found, np.concatenate(parts, axis=-1))


def test_attention_does_not_see_padding() -> None:
    layer, x = pt.nn.MultiHeadAttention(1, use_bias=False), pt.asarray(X)
    y = layer(x, query_mask=SEEN).numpy()
    for row, seen in enumerate(SEEN[:4]):
        alone = layer(pt.asarray(X[row : row + 1, seen])).numpy()
        np.testing.assert_allclose(y[row, seen], alone[0], rtol=0, atol=1e-6)
    assert (y[~SEEN] == 0).all()
    added = pt.zeros((5, 5))
    np.testing.assert_allclose(layer(x, mask=added, query_mask=SEEN).numpy(), y, rtol=0, atol=1e-6)
    other = layer(x, x, key_mask=SEEN).numpy()
    np.testing.assert_allclose(other[SEEN], y[SEEN], rtol=0, atol=1e-6)
    causal = layer(x, mask=np.tril(np.ones((5, 5), bool)), query_mask=SEEN).numpy()
    np.testing.assert_allclose(layer(x, query_mask=SEEN, is_causal=True).numpy(), causal, rtol=0, atol=1e-6)


def test_a_sequential_passes_the_mask_of_an_embedding_on() -> None:
    pt.random.seed(0)
    ids = np.where(SEEN, np.arange(1, 6), 0).astype("int32")
    embedding, first, last = pt.nn.Embedding(6, 3, mask_zero=True), pt.nn.LSTM(4, return_sequences=True), pt.nn.GRU(2)
    dense = pt.nn.Dense(3, activation="relu")
    layers = [
        embedding,
        dense,
        pt.nn.relu,
        pt.nn.Dropout(0.5),
        first,
        pt.nn.MultiHeadAttention(2),
        last,
        pt.nn.Dense(1),
    ]
    model = pt.nn.Sequential(layers)
    mask = embedding.compute_mask(ids)
    assert mask is not None and mask.tolist() == SEEN.tolist()
    x = layers[5](first(dense(embedding(ids)), mask=mask), query_mask=mask)
    expected = layers[7](last(x, mask=mask))
    np.testing.assert_allclose(model(ids).numpy(), expected.numpy(), rtol=0, atol=1e-6)
    nested = pt.nn.Sequential(embedding, pt.nn.Sequential(layers[1:6]), last, layers[7])
    np.testing.assert_allclose(nested(ids).numpy(), expected.numpy(), rtol=0, atol=1e-6)
    plain = pt.nn.Embedding(6, 3)
    assert plain.compute_mask(ids) is None and last.compute_mask(x, mask) is None


def test_masking_marks_steps_that_equal_a_value() -> None:
    x = np.where(SEEN[..., None], X, 9.0).astype("float32")
    layer, network = pt.nn.Masking(9.0), pt.nn.SimpleRNN(2)
    assert layer.compute_mask(pt.asarray(x)).tolist() == SEEN.tolist()
    np.testing.assert_array_equal(layer(pt.asarray(x)).numpy(), np.where(SEEN[..., None], X, 0.0))
    y = pt.nn.Sequential(layer, network)(pt.asarray(x))
    np.testing.assert_array_equal(y.numpy(), network(pt.asarray(X), mask=SEEN).numpy())
    # Flatten has a result without steps, which has no mask.
    assert math.isfinite(float(pt.sum(pt.nn.Sequential(layer, pt.nn.Flatten(), pt.nn.Dense(2))(pt.asarray(x)))))
    with pytest.raises(ShapeError, match="Masking needs features"):
        layer(pt.ones((2, 3)))


def test_a_mask_made_in_a_nested_sequential_leaves_it() -> None:
    x = pt.asarray(np.where(SEEN[..., None], X, 0.0).astype("float32"))
    masking, dense, last = pt.nn.Masking(), pt.nn.Dense(3), pt.nn.LSTM(2)
    expected = pt.nn.Sequential(masking, dense, last)(x).numpy()
    inner, fresh = pt.nn.Sequential(masking, dense), pt.nn.Sequential(masking, dense)
    pt.nn.Sequential(inner, last)(x)
    assert not np.array_equal(last(fresh(x)).numpy(), expected)
    for nested in (inner, pt.nn.Sequential(inner), pt.nn.Sequential(pt.nn.Sequential(masking), dense)):
        np.testing.assert_array_equal(pt.nn.Sequential(nested, last)(x).numpy(), expected)
    y, mask = inner(x, return_mask=True)
    assert mask.tolist() == SEEN.tolist() and y.shape == inner(x).shape
    summaries: list[list[str]] = [[], []]
    for module, lines in zip((inner, fresh), summaries, strict=True):
        pt.nn.Sequential(module).summary(print_fn=lines.append)  # a row per module, with the shape of its result
    assert summaries[0] == summaries[1] and f"({', '.join(map(str, y.shape))})" in "".join(summaries[0])

    class Doubled(pt.nn.Sequential):
        def call(self, x: Any, mask: Any = None) -> Any:  # type: ignore[override]
            return 2.0 * super().call(x, mask)

    doubled = pt.nn.Sequential(masking, Doubled(dense), last)(x)
    np.testing.assert_array_equal(doubled.numpy(), last(2.0 * inner(x), mask=SEEN).numpy())


def test_layers_that_drop_a_mask_drop_it_in_a_nested_sequential_too() -> None:
    steps = X.shape[1]
    inner = pt.nn.Sequential(pt.nn.Masking(), pt.nn.Flatten(), pt.nn.Reshape((steps, -1)))
    assert inner(pt.asarray(X), return_mask=True)[1] is None
    last = pt.nn.LSTM(2)
    y = pt.nn.Sequential(pt.nn.Masking(), inner, last)(pt.asarray(X))
    np.testing.assert_array_equal(y.numpy(), last(inner(pt.asarray(X))).numpy())


def test_a_wrong_mask_is_an_error() -> None:
    layer, x = pt.nn.LSTM(2), pt.asarray(X)
    with pytest.raises(ShapeError, match=r"expected: an entry for each step, shape \(5, 5\)\n.*got: shape \(4, 5\)"):
        layer(x, mask=np.ones((5, 4), bool))
    with pytest.raises(DTypeError, match="expected: bool"):
        layer(x, mask=np.ones((5, 5)))
