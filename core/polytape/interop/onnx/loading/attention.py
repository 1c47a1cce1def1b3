"""Nodes of sequence models: attention, rotary embeddings, recurrent networks."""

from __future__ import annotations

import math
from typing import Any

import polytape as pt

from .registry import as_dtype, constant, node


def _heads(x: Any, count: int | None) -> Any:
    """[batch, length, heads * d] as [batch, heads, length, d]; a tensor with heads as it is."""
    if x.ndim == 4:
        return x
    assert count is not None
    return pt.permute_dims(pt.reshape(x, (*x.shape[:2], count, -1)), (0, 2, 1, 3))


def _together(x: Any) -> Any:
    """[batch, heads, length, d] as [batch, length, heads * d]."""
    x = pt.permute_dims(x, (0, 2, 1, 3))
    return pt.reshape(x, (*x.shape[:2], -1))


def _visible(allowed: Any, dtype: Any) -> Any:
    """A mask to add: 0 where a key may be seen, -inf elsewhere."""
    return pt.where(allowed, pt.zeros((), dtype=dtype), -pt.inf)


def _bias(
    query: Any, length: int, mask: Any, offset: Any, lengths: Any, is_causal: int, before: int, after: int
) -> Any:
    """The numbers to add to the scores [..., queries, keys], or None."""
    bias = None
    if mask is not None:
        if mask.shape[-1] < length:  # keys beyond the mask are hidden
            widths = [(0, 0)] * (mask.ndim - 1) + [(0, length - mask.shape[-1])]
            mask = pt.pad(mask, widths, constant_values=False if mask.dtype == pt.bool else -math.inf)
        bias = _visible(mask, query.dtype) if mask.dtype == pt.bool else mask
    # How many keys later than the query's own position each key is.
    distance = pt.arange(length) - pt.reshape(pt.arange(query.shape[2]), (-1, 1)) - offset
    rules = [distance <= 0] if is_causal else []
    rules += [distance >= -before] if before >= 0 else []
    rules += [distance <= after] if after >= 0 else []
    if lengths is not None:
        rules.append(pt.arange(length) < pt.reshape(lengths, (-1, 1, 1, 1)))
    for rule in rules:
        allowed = _visible(rule, query.dtype)
        bias = allowed if bias is None else bias + allowed
    return bias


@node("Attention")
def _attention(
    query: Any, key: Any, value: Any, mask: Any = None, past_key: Any = None, past_value: Any = None,
    nonpad_kv_seqlen: Any = None, *, is_causal: int = 0, kv_num_heads: int | None = None,
    left_window_size: int = -1, q_num_heads: int | None = None, qk_matmul_output_mode: int = 0,
    right_window_size: int = -1, scale: float | None = None, softcap: float = 0.0,
    softmax_precision: int | None = None, run: Any,
) -> Any:  # fmt: skip
    together = query.ndim == 3
    query, key, value = _heads(query, q_num_heads), _heads(key, kv_num_heads), _heads(value, kv_num_heads)
    offset: Any = 0
    if past_key is not None:
        offset = past_key.shape[2]
        key, value = pt.concat([past_key, key], axis=2), pt.concat([past_value, value], axis=2)
    elif nonpad_kv_seqlen is not None:
        offset = pt.reshape(nonpad_kv_seqlen, (-1, 1, 1, 1)) - query.shape[2]
    present = key, value
    bias = _bias(
        query, key.shape[2], mask, offset, nonpad_kv_seqlen, is_causal, left_window_size, right_window_size
    )  # fmt: skip
    if query.shape[1] != key.shape[1]:  # several heads of queries share one of keys
        shared = query.shape[1] // key.shape[1]
        key, value = pt.repeat(key, shared, axis=1), pt.repeat(value, shared, axis=1)
    if run.outputs < 4 and not softcap and softmax_precision is None:
        y = pt.nn.scaled_dot_product_attention(query, key, value, bias, scale=scale)
        return (_together(y) if together else y, *present)
    y, scores = _with_scores(query, key, value, bias, scale, softcap, softmax_precision, qk_matmul_output_mode)
    return (_together(y) if together else y, *present, scores)


def _with_scores(
    query: Any, key: Any, value: Any, bias: Any, scale: float | None, softcap: float, precision: int | None, mode: int
) -> tuple[Any, Any]:
    """Attention step by step, for options that `pt.nn.scaled_dot_product_attention` lacks."""
    root = math.sqrt(1 / math.sqrt(query.shape[3]) if scale is None else scale)
    scores = [(query * root) @ (key * root).mT]  # by mode: products, capped ones, with the bias, probabilities
    scores.append(softcap * pt.tanh(scores[0] / softcap) if softcap else scores[0])
    scores.append(scores[1] if bias is None else scores[1] + bias)
    wide = scores[2] if precision is None else pt.astype(scores[2], as_dtype(precision))
    probabilities = pt.nn.softmax(wide, axis=-1)
    if bias is not None:  # a query that may see no key gives 0
        probabilities = pt.where(pt.max(bias, axis=-1, keepdims=True) == -pt.inf, 0, probabilities)
    scores.append(pt.astype(probabilities, query.dtype))
    return scores[3] @ value, scores[mode]


@node("FlexAttention")
def _flex_attention(
    query: Any, key: Any, value: Any, *, prob_mod: Any = None, scale: float | None = None, score_mod: Any = None,
    softmax_precision: int | None = None, run: Any,
) -> Any:  # fmt: skip
    if query.shape[1] != key.shape[1]:
        shared = query.shape[1] // key.shape[1]
        key, value = pt.repeat(key, shared, axis=1), pt.repeat(value, shared, axis=1)
    dtype = pt.result_type(query.dtype, pt.float32) if softmax_precision is None else as_dtype(softmax_precision)
    scores = pt.astype(query, dtype) @ pt.astype(key, dtype).mT * (scale or 1 / math.sqrt(query.shape[3]))
    if score_mod is not None:
        (scores,) = run(score_mod, [scores])
    probabilities = pt.nn.softmax(scores, axis=-1)
    if prob_mod is not None:
        (probabilities,) = run(prob_mod, [probabilities])
    return pt.astype(pt.astype(probabilities, value.dtype) @ value, query.dtype)


@node("LinearAttention")
def _linear_attention(
    query: Any, key: Any, value: Any, state: Any = None, decay: Any = None, beta: Any = None, *, kv_num_heads: int,
    q_num_heads: int, chunk_size: int = 64, scale: float = 0.0, update_rule: str = "gated_delta",
) -> tuple[Any, Any]:  # fmt: skip
    own, state_dtype = query.dtype, query.dtype if state is None else state.dtype
    q, k, v = (
        pt.astype(_heads(x, n), pt.float32)
        for x, n in ((query, q_num_heads), (key, kv_num_heads), (value, kv_num_heads))
    )
    d, shared = q.shape[3], q_num_heads // kv_num_heads
    gate = None if decay is None else pt.exp(pt.astype(_heads(decay, kv_num_heads), pt.float32))
    rate = None if beta is None else pt.astype(_heads(beta, beta.shape[2]), pt.float32)
    shape = (q.shape[0], kv_num_heads, d, v.shape[3])
    memory = pt.zeros(shape, dtype=pt.float32) if state is None else pt.astype(state, pt.float32)
    outputs = []
    for i in range(q.shape[2]):
        key_now, value_now = k[:, :, i, :, None], v[:, :, i, None, :]
        if gate is not None:
            memory = memory * gate[:, :, i, :, None]
        if rate is not None:
            value_now = rate[:, :, i, None] * (value_now - key_now.mT @ memory)
        memory = memory + key_now * value_now
        outputs.append(q[:, :, i, None, :] @ (pt.repeat(memory, shared, axis=1) if shared > 1 else memory))
    y = pt.concat(outputs, axis=2) * (scale or 1 / math.sqrt(d))
    return pt.astype(_together(y), own), pt.astype(memory, state_dtype)


@node("RotaryEmbedding")
def _rotary_embedding(
    x: Any, cos_cache: Any, sin_cache: Any, position_ids: Any = None, *, interleaved: int = 0,
    num_heads: int | None = None, rotary_embedding_dim: int = 0,
) -> Any:  # fmt: skip
    """The angles are operands here; `pt.nn.rotary_embedding` computes them."""
    together = x.ndim == 3
    x = _heads(x, num_heads)
    d = rotary_embedding_dim or x.shape[3]
    turned, rest = x[..., :d], x[..., d:]
    cos, sin = (
        pt.expand_dims(t if position_ids is None else pt.take(t, position_ids, axis=0), 1)[..., : d // 2]
        for t in (cos_cache, sin_cache)
    )
    halves = (turned[..., 0::2], turned[..., 1::2]) if interleaved else (turned[..., : d // 2], turned[..., d // 2 :])
    real, imaginary = cos * halves[0] - sin * halves[1], sin * halves[0] + cos * halves[1]
    if interleaved:
        y = pt.reshape(pt.stack([real, imaginary], axis=-1), turned.shape)
    else:
        y = pt.concat([real, imaginary], axis=-1)
    y = pt.concat([y, rest], axis=-1)
    return _together(y) if together else y


# --- recurrent networks -----------------------------------------------------------------------------------------------


class Directions:
    """One or two networks over time, as ONNX's RNN, GRU and LSTM have them.

    Weights have the directions as their first axis. ``layout`` 1 has the batch before the time.
    """

    def __init__(self, x: Any, direction: str, layout: int, lengths: Any) -> None:
        self.x = pt.swapaxes(x, 0, 1) if layout else x
        self.layout = layout
        self.reverse = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
        assert lengths is None or (lengths == self.x.shape[0]).all(), "sequences of different lengths"

    def state(self, given: Any, i: int, hidden: int) -> Any:
        """The state of a direction before the first step, [batch, hidden]."""
        if given is None:
            return pt.zeros((self.x.shape[1], hidden), dtype=self.x.dtype)
        return given[:, i] if self.layout else given[i]

    def outputs(self, ys: list[Any]) -> Any:
        """The outputs [time, batch, hidden] of each direction, as [time, directions, batch, hidden]."""
        y = pt.stack(ys, axis=1)
        return pt.permute_dims(y, (2, 0, 1, 3)) if self.layout else y

    def last(self, states: list[Any]) -> Any:
        """The last states of each direction."""
        return pt.stack(states, axis=1 if self.layout else 0)


def _reordered(order: tuple[int, ...], x: Any) -> Any:
    """Weights of gates in another order; None as it is."""
    if x is None:
        return None
    gates = pt.reshape(x, (len(order), -1, *x.shape[1:]))
    return pt.reshape(pt.take(gates, constant(order), axis=0), x.shape)


def _biases(bias: Any, i: int) -> tuple[Any, Any]:
    if bias is None:
        return None, None
    half = bias.shape[1] // 2
    return bias[i, :half], bias[i, half:]


@node("RNN", host="sequence_lens")
def _rnn(
    x: Any, w: Any, r: Any, bias: Any = None, sequence_lens: Any = None, initial_h: Any = None, *,
    direction: str = "forward", hidden_size: int, layout: int = 0,
) -> tuple[Any, Any]:  # fmt: skip
    over = Directions(x, direction, layout, sequence_lens)
    ys, states = [], []
    for i, reverse in enumerate(over.reverse):
        y, h = pt.nn.rnn(over.x, w[i], r[i], *_biases(bias, i), over.state(initial_h, i, hidden_size), reverse=reverse)
        ys.append(y)
        states.append(h)
    return over.outputs(ys), over.last(states)


@node("LSTM", host="sequence_lens")
def _lstm(
    x: Any, w: Any, r: Any, bias: Any = None, sequence_lens: Any = None, initial_h: Any = None, initial_c: Any = None,
    peepholes: Any = None, *, direction: str = "forward", hidden_size: int, layout: int = 0,
) -> tuple[Any, Any, Any]:  # fmt: skip
    over = Directions(x, direction, layout, sequence_lens)
    ys, hs, cs = [], [], []
    for i, reverse in enumerate(over.reverse):
        state = over.state(initial_h, i, hidden_size), over.state(initial_c, i, hidden_size)
        if peepholes is None:
            # ONNX has the gates input, output, forget, cell; pt.nn.lstm has input, forget, cell, output.
            order = (0, 2, 3, 1)
            w_i, r_i, b_w, b_r = (_reordered(order, t) for t in (w[i], r[i], *_biases(bias, i)))
            y, (h, c) = pt.nn.lstm(over.x, w_i, r_i, b_w, b_r, state, reverse=reverse)
        else:
            y, h, c = _peeping(over.x, w[i], r[i], _biases(bias, i), state, peepholes[i], reverse)
        ys.append(y)
        hs.append(h)
        cs.append(c)
    return over.outputs(ys), over.last(hs), over.last(cs)


def _peeping(x: Any, w: Any, r: Any, biases: Any, state: Any, peepholes: Any, reverse: bool) -> tuple[Any, Any, Any]:
    """An LSTM whose gates see the cell."""
    (h, c), ys = state, []
    p_in, p_out, p_forget = (part for part in pt.split(peepholes, 3))
    for step in reversed(range(x.shape[0])) if reverse else range(x.shape[0]):
        gates = x[step] @ w.mT + h @ r.mT
        for bias in biases:
            gates = gates if bias is None else gates + bias
        i, o, f, g = pt.split(gates, 4, axis=-1)
        i, f = pt.nn.sigmoid(i + p_in * c), pt.nn.sigmoid(f + p_forget * c)
        c = f * c + i * pt.tanh(g)
        h = pt.nn.sigmoid(o + p_out * c) * pt.tanh(c)
        ys.append(h)
    return pt.stack(ys[::-1] if reverse else ys), h, c


@node("GRU", host="sequence_lens")
def _gru(
    x: Any, w: Any, r: Any, bias: Any = None, sequence_lens: Any = None, initial_h: Any = None, *,
    direction: str = "forward", hidden_size: int, layout: int = 0, linear_before_reset: int = 0,
) -> tuple[Any, Any]:  # fmt: skip
    over = Directions(x, direction, layout, sequence_lens)
    ys, hs = [], []
    for i, reverse in enumerate(over.reverse):
        h = over.state(initial_h, i, hidden_size)
        weights = (w[i], r[i], *_biases(bias, i))
        if linear_before_reset:
            # ONNX has the gates update, reset, new; pt.nn.gru has reset, update, new.
            w_i, r_i, b_w, b_r = (_reordered((1, 0, 2), t) for t in weights)
            y, h = pt.nn.gru(over.x, w_i, r_i, b_w, b_r, h, reverse=reverse)
        else:
            y, h = _resetting_first(over.x, *weights, h, reverse)
        ys.append(y)
        hs.append(h)
    return over.outputs(ys), over.last(hs)


def _resetting_first(x: Any, w: Any, r: Any, b_w: Any, b_r: Any, h: Any, reverse: bool) -> tuple[Any, Any]:
    """A GRU whose reset gate multiplies the state before its product, as in the first version of the paper."""
    size, ys = h.shape[-1], []
    for step in reversed(range(x.shape[0])) if reverse else range(x.shape[0]):
        inputs = x[step] @ w.mT
        inputs = inputs if b_w is None else inputs + b_w + b_r
        z, reset, new = pt.split(inputs, 3, axis=-1)
        z = pt.nn.sigmoid(z + h @ r[:size].mT)
        reset = pt.nn.sigmoid(reset + h @ r[size : 2 * size].mT)
        new = pt.tanh(new + (reset * h) @ r[2 * size :].mT)
        h = (1 - z) * new + z * h
        ys.append(h)
    return pt.stack(ys[::-1] if reverse else ys), h
