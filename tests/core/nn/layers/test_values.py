"""The values of layers beside float64 formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import polytape as pt

nn = pt.nn
IMAGES, SEQUENCES, ROWS = (2, 6, 8, 4), (2, 5, 4), (3, 4)


def numbers(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(7).normal(size=shape)


def built(layer: Any, shape: tuple[int, ...]) -> tuple[Any, dict[str, Any]]:
    """The layer with random float64 weights, and these."""
    x = numbers(shape)
    layer(pt.asarray(x))
    values = {}
    for name, variable in layer.named_variables.items():
        values[name] = numbers((*variable.shape, 3))[..., 2] * 0.5
        if "variance" in name:
            values[name] = np.abs(values[name]) + 0.5
        variable.assign(pt.asarray(values[name], dtype=variable.dtype))
    return x, {name: np.asarray(variable.numpy(), "float64") for name, variable in layer.named_variables.items()}


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def test_dense() -> None:
    layer = nn.Dense(5, "tanh")
    x, w = built(layer, ROWS)
    assert np.allclose(layer(pt.asarray(x)).numpy(), np.tanh(x @ w["weight"] + w["bias"]), rtol=1e-12)


def test_conv2d_and_its_transpose() -> None:
    layer = nn.Conv2D(3, 2, 2)
    x, w = built(layer, IMAGES)
    patches = x.reshape(2, 3, 2, 4, 2, 4)
    expected = np.einsum("nahbwc,hwco->nabo", patches, w["weight"]) + w["bias"]
    assert np.allclose(layer(pt.asarray(x)).numpy(), expected, rtol=1e-12)
    back = nn.Conv2DTranspose(3, 2, 2)
    x, w = built(back, IMAGES)
    expected = np.einsum("nabc,hwoc->nahbwo", x, w["weight"]).reshape(2, 12, 16, 3) + w["bias"]
    assert np.allclose(back(pt.asarray(x)).numpy(), expected, rtol=1e-12)


def test_channels_first_is_the_same_convolution() -> None:
    last, first = nn.Conv2D(3, 3), nn.Conv2D(3, 3, data_format="channels_first")
    x, w = built(last, IMAGES)
    y = first(pt.asarray(x.transpose(0, 3, 1, 2)))
    for name, variable in first.named_variables.items():
        variable.assign(pt.asarray(w[name], dtype=variable.dtype))
    y = first(pt.asarray(x.transpose(0, 3, 1, 2)))
    assert np.allclose(y.numpy().transpose(0, 2, 3, 1), last(pt.asarray(x)).numpy(), rtol=1e-12)


def test_separable_and_depthwise_convolutions() -> None:
    layer = nn.SeparableConv1D(5, 2, multiplier=2)
    x, w = built(layer, SEQUENCES)
    windows = np.stack([x[:, k : k + 4] for k in range(2)], axis=1)
    depthwise = np.einsum("nktc,kcm->ntcm", windows, w["depthwise_weight"]).reshape(2, 4, 8)
    expected = depthwise @ w["pointwise_weight"][0] + w["bias"]
    assert np.allclose(layer(pt.asarray(x)).numpy(), expected, rtol=1e-12)


def test_batch_norm_uses_averages_and_updates_them_in_training(backend: str) -> None:
    with pt.device(backend):
        layer = nn.BatchNorm(0.75)
        x, w = built(layer, IMAGES)
        evaluated = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-3) * w["weight"] + w["bias"]
        assert np.allclose(layer(pt.asarray(x)).numpy(), evaluated, rtol=1e-6)
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        trained = (x - mean) / np.sqrt(variance + 1e-3) * w["weight"] + w["bias"]
        assert np.allclose(layer(pt.asarray(x), training=True).numpy(), trained, rtol=1e-6)
        unbiased = x.var((0, 1, 2), ddof=1)
        assert np.allclose(layer.moving_mean.numpy(), 0.75 * w["moving_mean"] + 0.25 * mean, rtol=1e-5)
        assert np.allclose(layer.moving_variance.numpy(), 0.75 * w["moving_variance"] + 0.25 * unbiased, rtol=1e-5)
        assert [v.trainable for v in layer.variables] == [True, True, False, False]


def test_batch_norm_updates_its_averages_in_a_traced_function_and_not_if_frozen(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(numbers(ROWS).astype("float32"))
        eager, traced = nn.BatchNorm(0.5), nn.BatchNorm(0.5)
        step = pt.function(lambda x: traced(x, training=True))
        for _ in range(3):
            y = eager(x, training=True)
            assert np.allclose(step(x).numpy(), y.numpy(), rtol=1e-6)
        assert np.allclose(traced.moving_mean.numpy(), eager.moving_mean.numpy(), rtol=1e-6)
        assert not np.allclose(eager.moving_mean.numpy(), 0.0)
        eager.trainable = False
        before = eager.moving_mean.numpy()
        assert np.array_equal(eager(x, training=True).numpy(), eager(x).numpy())
        assert np.array_equal(eager.moving_mean.numpy(), before)


def test_layer_norm_over_axes_that_are_not_the_last() -> None:
    layer = nn.LayerNorm((1, 3))
    x, w = built(layer, IMAGES)
    mean, variance = x.mean((1, 3), keepdims=True), x.var((1, 3), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-5) * w["weight"] + w["bias"]
    assert w["weight"].shape == (6, 1, 4) and np.allclose(layer(pt.asarray(x)).numpy(), expected, rtol=1e-10)


def lstm_formula(x: Any, w: dict[str, Any], prefix: str = "", reverse: bool = False) -> Any:
    units = w[f"{prefix}weight_hh"].shape[1]
    h = c = np.zeros((x.shape[0], units))
    outputs = np.zeros((x.shape[0], x.shape[1], units))
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        gates = x[:, t] @ w[f"{prefix}weight_ih"].T + h @ w[f"{prefix}weight_hh"].T + w[f"{prefix}bias"]
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = outputs[:, t] = sigmoid(o) * np.tanh(c)
    return outputs, h, c


def test_lstm_and_bidirectional_with_states() -> None:
    layer = nn.LSTM(3, return_sequences=True, return_state=True)
    x, w = built(nn.LSTM(3), SEQUENCES)
    y, (h, c) = layer(pt.asarray(x))
    for name, variable in layer.named_variables.items():
        variable.assign(pt.asarray(w[name], dtype=variable.dtype))
    y, (h, c) = layer(pt.asarray(x))
    outputs, h_expected, c_expected = lstm_formula(x, w)
    for found, expected in ((y, outputs), (h, h_expected), (c, c_expected)):
        assert np.allclose(found.numpy(), expected, rtol=1e-6, atol=1e-8)
    first, state = layer(pt.asarray(x[:, :2]))
    second, _ = layer(pt.asarray(x[:, 2:]), state)
    assert np.allclose(np.concatenate([first.numpy(), second.numpy()], 1), y.numpy(), rtol=1e-10)
    both = nn.Bidirectional(nn.LSTM(3, return_sequences=True))
    x, w = built(both, SEQUENCES)
    halves = [lstm_formula(x, w, "forward_layer/")[0], lstm_formula(x, w, "backward_layer/", reverse=True)[0]]
    assert np.allclose(both(pt.asarray(x)).numpy(), np.concatenate(halves, -1), rtol=1e-6, atol=1e-8)


def test_the_result_of_a_reversed_layer_is_the_output_that_was_computed_last() -> None:
    layer = nn.LSTM(3, reverse=True)
    x, w = built(layer, SEQUENCES)
    assert np.allclose(layer(pt.asarray(x)).numpy(), lstm_formula(x, w, reverse=True)[1], rtol=1e-6, atol=1e-8)


def test_gru_and_simple_rnn() -> None:
    layer = nn.GRU(3)
    x, w = built(layer, SEQUENCES)
    h = np.zeros((2, 3))
    for t in range(5):
        a, b = x[:, t] @ w["weight_ih"].T + w["bias"], h @ w["weight_hh"].T + w["recurrent_bias"]
        r, z = sigmoid(a[:, :3] + b[:, :3]), sigmoid(a[:, 3:6] + b[:, 3:6])
        h = (1 - z) * np.tanh(a[:, 6:] + r * b[:, 6:]) + z * h
    assert np.allclose(layer(pt.asarray(x)).numpy(), h, rtol=1e-6, atol=1e-8)
    layer = nn.SimpleRNN(3, "relu")
    x, w = built(layer, SEQUENCES)
    h = np.zeros((2, 3))
    for t in range(5):
        h = np.maximum(x[:, t] @ w["weight_ih"].T + w["bias"] + h @ w["weight_hh"].T, 0)
    assert np.allclose(layer(pt.asarray(x)).numpy(), h, rtol=1e-6, atol=1e-8)


def test_the_forget_gate_begins_open() -> None:
    layer = nn.LSTM(2)
    layer.build((None, 1, 3))
    assert layer.bias is not None and layer.bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_multi_head_attention_with_a_mask() -> None:
    layer = nn.MultiHeadAttention(2)
    x, w = built(layer, SEQUENCES)
    q, k, v = np.split(x @ w["in_weight"].T + w["in_bias"], 3, axis=-1)
    heads = []
    for head in (slice(0, 2), slice(2, 4)):
        scores = q[..., head] @ k[..., head].transpose(0, 2, 1) / np.sqrt(2)
        scores = np.where(np.tril(np.ones((5, 5))) > 0, scores, -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        heads.append(e / e.sum(-1, keepdims=True) @ v[..., head])
    expected = np.concatenate(heads, -1) @ w["out_weight"].T + w["out_bias"]
    for arguments in ({"is_causal": True}, {"mask": pt.asarray(np.tril(np.ones((5, 5))) > 0)}):
        assert np.allclose(layer(pt.asarray(x), **arguments).numpy(), expected, rtol=1e-6)


def test_upsampling_padding_and_time_distributed_values() -> None:
    x = numbers(SEQUENCES)
    assert np.array_equal(nn.UpSampling1D(3)(pt.asarray(x)).numpy(), x.repeat(3, axis=1))
    assert np.array_equal(nn.ZeroPadding1D((1, 2))(pt.asarray(x)).numpy(), np.pad(x, ((0, 0), (1, 2), (0, 0))))
    layer = nn.TimeDistributed(nn.Dense(2))
    x, w = built(layer, SEQUENCES)
    assert np.allclose(layer(pt.asarray(x)).numpy(), x @ w["layer/weight"] + w["layer/bias"], rtol=1e-12)


def test_dropout_drops_in_training_only_and_repeats_with_a_seed() -> None:
    layer = nn.Dropout(0.25, generator=pt.random.Generator(3))
    x = pt.ones((1000,))
    assert layer(x).tolist() == x.tolist()
    y = layer(x, training=True).numpy()
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1 / 0.75))} and 0.2 < (y == 0).mean() < 0.3
    assert not np.array_equal(layer(x, training=True).numpy(), y)
    assert np.array_equal(nn.Dropout(0.25, generator=pt.random.Generator(3))(x, training=True).numpy(), y)
