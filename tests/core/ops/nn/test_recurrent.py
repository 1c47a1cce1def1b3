"""Recurrent cells against their equations in NumPy, and the networks against their cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import polytape as pt
from polytape.errors import SettingError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 2, 3))  # time, batch, features
H, C = RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4))


def weights(gates: int) -> list[Any]:
    rng = np.random.default_rng(gates)
    return [rng.normal(size=shape) for shape in ((gates * 4, 3), (gates * 4, 4), gates * 4, gates * 4)]


def test_a_cell_is_its_equations(backend: str) -> None:
    x = X[0]
    with pt.device(backend):
        w, u, b, c = weights(1)
        np.testing.assert_allclose(pt.nn.rnn_cell(x, H, w, u, b, c).numpy(), np.tanh(x @ w.T + b + H @ u.T + c))
        w, u, b, c = weights(4)
        i, f, g, o = np.split(x @ w.T + b + H @ u.T + c, 4, -1)
        memory = expit(f) * C + expit(i) * np.tanh(g)
        state = pt.nn.lstm_cell(x, (H, C), w, u, b, c)
        np.testing.assert_allclose(state.c.numpy(), memory, rtol=1e-12)
        np.testing.assert_allclose(state.h.numpy(), expit(o) * np.tanh(memory), rtol=1e-12)
        w, u, b, c = weights(3)
        (r, z, n), (rh, zh, nh) = np.split(x @ w.T + b, 3, -1), np.split(H @ u.T + c, 3, -1)
        new, update = np.tanh(n + expit(r + rh) * nh), expit(z + zh)
        y = pt.nn.gru_cell(x, H, w, u, b, c).numpy()
        np.testing.assert_allclose(y, (1 - update) * new + update * H, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_a_network_applies_its_cell_step_by_step(name: str, gates: int, reverse: bool, backend: str) -> None:
    w = weights(gates)
    with pt.device(backend):
        outputs, last = getattr(pt.nn, name)(X, *w, reverse=reverse)
        zero = pt.zeros((2, 4), dtype="float64")
        state: Any = (zero, zero) if name == "lstm" else zero
        order = range(5, -1, -1) if reverse else range(6)
        for time in order:
            state = getattr(pt.nn, f"{name}_cell")(X[time], state, *w)
            h = state.h if name == "lstm" else state
            np.testing.assert_allclose(outputs[time].numpy(), h.numpy(), rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose((last.h if name == "lstm" else last).numpy(), h.numpy(), rtol=1e-11, atol=1e-14)


def test_the_gradient_flows_through_time(backend: str) -> None:
    w = weights(4)
    with pt.device(backend):
        pt.check_gradients(lambda x, *w: pt.nn.lstm(x, *w)[0], [X[:3], *w])


def test_a_network_runs_in_a_traced_function(backend: str) -> None:
    w = weights(3)
    with pt.device(backend):
        x = pt.asarray(X)
        eager = pt.nn.gru(x, *w)[0].numpy()
        traced = pt.function(lambda x: pt.nn.gru(x, *w)[0])(x).numpy()
    np.testing.assert_allclose(traced, eager, rtol=1e-12)


def test_what_a_network_cannot_run_is_rejected(backend: str) -> None:
    w = weights(1)
    with pt.device(backend):
        with pytest.raises(ShapeError, match="there are no time steps"):
            pt.nn.rnn(X[:0], *w)
        with pytest.raises(SettingError, match="'gelu' is not an activation of a recurrent cell"):
            pt.nn.rnn(X, *w, activation="gelu")
        assert (pt.nn.rnn(X, *w, activation="relu")[0].numpy() >= 0.0).all()
