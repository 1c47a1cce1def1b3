"""Random draws as ops: they return the same bits on every backend, from a state on the host."""

from __future__ import annotations

import numpy as np

import polytape as pt
from polytape.ops.random import random_integers, random_normal, random_uniform

STATE = np.array([42, 7], "uint64")


def test_draws_are_bit_identical_to_those_of_the_numpy_backend(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]
    state = pt.asarray(STATE, device="numpy")
    for dtype in ("float32", "float64"):
        uniform = random_uniform(state, shape=(300,), dtype=dtype, device=device)
        expected = random_uniform(state, shape=(300,), dtype=dtype, device="numpy").numpy()
        assert uniform.device is device
        assert uniform.numpy().tobytes() == expected.tobytes()
        normal = random_normal(state, shape=(300,), dtype=dtype, device=device).numpy()
        expected = random_normal(state, shape=(300,), dtype=dtype, device="numpy").numpy()
        np.testing.assert_array_max_ulp(normal, expected, 4)
    integers = random_integers(state, low=-9, high=10, shape=(300,), dtype="int32", device=device).numpy()
    assert (integers.min(), integers.max()) == (-9, 9)


def test_draws_are_neither_recorded_nor_differentiated(backend: str) -> None:
    state = pt.asarray(STATE, device="numpy")
    x = pt.ones(3, device=backend)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * random_uniform(state, shape=(3,), dtype="float32", device=x.device)
    assert tape.gradient(y, x).tolist() == y.tolist()


def test_a_later_counter_continues_the_stream() -> None:
    whole = random_uniform(pt.asarray(STATE), shape=(8,), dtype="float32").tolist()
    later = random_uniform(pt.asarray(STATE + np.array([0, 1], "uint64")), shape=(4,), dtype="float32").tolist()
    assert whole[4:] == later
