"""Dropout: its distribution, its gradient, and its seed."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError


def test_the_rate_is_the_share_of_zeros_and_the_mean_is_kept(backend: str) -> None:
    with pt.device(backend):
        pt.random.seed(1)
        y = pt.nn.dropout(pt.ones((200, 500)), 0.3).numpy()
    assert (y == 0.0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1.0 / 0.7)}


def test_a_seed_gives_the_same_choice_on_every_backend(backend: str) -> None:
    def draw(name: str) -> list[bool]:
        with pt.device(name):
            generator = pt.random.Generator(7)
            return [bool(y) for y in pt.nn.dropout(pt.ones(100), generator=generator).numpy()]

    assert draw(backend) == draw("numpy")


def test_the_gradient_is_that_of_the_kept_elements(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray(np.full(1000, 2.0))
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = pt.nn.dropout(x, 0.75)
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy() / 2.0)


def test_a_rate_of_1_gives_0_also_for_infinite_elements(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([float("inf"), float("nan"), 1.0])
        assert pt.nn.dropout(x, 1.0).tolist() == [0.0, 0.0, 0.0]


def test_nothing_is_drawn_unless_it_trains(backend: str) -> None:
    with pt.device(backend):
        generator = pt.random.Generator(3)
        x = pt.ones(10)
        assert pt.nn.dropout(x, training=False, generator=generator).tolist() == [1.0] * 10
        assert pt.nn.dropout(x, 0.0, generator=generator).tolist() == [1.0] * 10
        assert generator.state.tolist() == [3, 0]


def test_a_noise_shape_drops_whole_rows(backend: str) -> None:
    with pt.device(backend):
        y = pt.nn.dropout(pt.ones((100, 8)), noise_shape=(100, 1)).numpy()
    assert set(y.sum(1).tolist()) == {0.0, 16.0}


def test_a_traced_function_draws_anew_in_each_run(backend: str) -> None:
    with pt.device(backend):
        f = pt.function(lambda x: pt.nn.dropout(x))
        x = pt.ones(64)
        assert f(x).tolist() != f(x).tolist()


def test_wrong_arguments_are_rejected(backend: str) -> None:
    with pt.device(backend):
        with pytest.raises(SettingError, match=r"cannot drop a share of 1\.5"):
            pt.nn.dropout(pt.ones(3), 1.5)
        with pytest.raises(ShapeError, match="do not broadcast"):
            pt.nn.dropout(pt.ones(3), noise_shape=(2,))
        with pytest.raises(DTypeError, match="floating"):
            pt.nn.dropout(pt.ones(3, dtype="int32"))
