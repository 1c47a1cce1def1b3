"""Attention: masks, heads and rotary embeddings."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import ShapeError

RNG = np.random.default_rng(0)
Q, K, V = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 5, 6))


def test_a_query_that_sees_no_key_gives_0_and_passes_no_gradient(backend: str) -> None:
    mask = np.array([[False] * 5, [True] * 5, [True, False, False, False, False]])
    with pt.device(backend):
        query, key = pt.asarray(Q), pt.asarray(K)
        with pt.GradientTape() as tape:
            tape.watch([query, key])
            y = pt.nn.scaled_dot_product_attention(query, key, V, mask)
        gradients = [g.numpy() for g in tape.gradient(y, [query, key])]
    assert (y.numpy()[:, 0] == 0.0).all()
    np.testing.assert_allclose(y.numpy()[:, 2], V[:, 0])
    assert (gradients[0][:, 0] == 0.0).all()
    assert all(np.isfinite(g).all() for g in gradients)


def test_a_bool_mask_and_minus_infinity_are_the_same(backend: str) -> None:
    mask = RNG.random((3, 5)) < 0.5
    with pt.device(backend):
        by_bool = pt.nn.scaled_dot_product_attention(pt.asarray(Q), K, V, mask)
        by_sum = pt.nn.scaled_dot_product_attention(pt.asarray(Q), K, V, np.where(mask, 0.0, -np.inf))
    assert by_bool.tolist() == by_sum.tolist()


def test_causal_attention_ignores_later_keys(backend: str) -> None:
    changed = K.copy()
    changed[:, 1:] = 7.0
    with pt.device(backend):
        y = pt.nn.scaled_dot_product_attention(pt.asarray(Q), K, V, is_causal=True).numpy()
        z = pt.nn.scaled_dot_product_attention(pt.asarray(Q), changed, V, is_causal=True).numpy()
    np.testing.assert_allclose(y[:, 0], V[:, 0])
    assert (y[:, 0] == z[:, 0]).all()


def test_several_heads_are_attention_of_slices(backend: str) -> None:
    x = RNG.normal(size=(2, 5, 6))
    in_weight, out_weight = RNG.normal(size=(18, 6)), RNG.normal(size=(6, 6))
    in_bias, out_bias = RNG.normal(size=18), RNG.normal(size=6)
    q, k, v = (x @ in_weight[6 * i : 6 * i + 6].T + in_bias[6 * i : 6 * i + 6] for i in range(3))
    with pt.device(backend):
        heads = [
            pt.nn.scaled_dot_product_attention(
                pt.asarray(q[..., s : s + 2].copy()), k[..., s : s + 2].copy(), v[..., s : s + 2].copy()
            ).numpy()
            for s in (0, 2, 4)
        ]
        y = pt.nn.multi_head_attention(pt.asarray(x), x, x, in_weight, out_weight, in_bias, out_bias, num_heads=3)
        with pytest.raises(ShapeError, match="the weights do not match the heads"):
            pt.nn.multi_head_attention(pt.asarray(x), x, x, in_weight, out_weight, num_heads=4)
    np.testing.assert_allclose(y.numpy(), np.concatenate(heads, -1) @ out_weight.T + out_bias, rtol=1e-10)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_embeddings_depend_on_distances_only(interleaved: bool, backend: str) -> None:
    q, k = RNG.normal(size=8), RNG.normal(size=8)
    with pt.device(backend):

        def score(i: int, j: int) -> float:
            a = pt.nn.rotary_embedding(pt.asarray(q[None]), pt.asarray([i]), interleaved=interleaved)
            b = pt.nn.rotary_embedding(pt.asarray(k[None]), pt.asarray([j]), interleaved=interleaved)
            return float(pt.sum(a * b))

        assert score(7, 3) == pytest.approx(score(104, 100), rel=1e-9)
        y = pt.nn.rotary_embedding(pt.asarray(np.stack([q, k])), interleaved=interleaved).numpy()
        assert y[0].tolist() == q.tolist()
        with pytest.raises(ShapeError, match="the features cannot be paired"):
            pt.nn.rotary_embedding(pt.ones((2, 3)))


def test_rotary_embeddings_multiply_by_complex_phases(backend: str) -> None:
    x = RNG.normal(size=(5, 8))
    phases = np.exp(1j * np.arange(5)[:, None] * 10000.0 ** (-np.arange(4) / 4))
    turned = (x[:, :4] + 1j * x[:, 4:]) * phases
    with pt.device(backend):
        y = pt.nn.rotary_embedding(pt.asarray(x)).numpy()
    np.testing.assert_allclose(y, np.concatenate([turned.real, turned.imag], -1), rtol=1e-10)
