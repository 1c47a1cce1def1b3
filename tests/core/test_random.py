"""Draws: the streams, how draws share them, and the distributions of the numbers."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import polytape as pt
from polytape.errors import BackendError, DTypeError, SettingError, ShapeError
from polytape.random import default_generator

# The first block of the published known-answer tests of Philox4x32-10: counter 0, key 0.
KNOWN = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.fixture(scope="module")
def sim() -> Iterator[str]:
    """The device name of the sim backend, which is registered here if it is not installed."""
    try:
        pt.get_backend("sim")
        yield "sim"
    except BackendError:
        plugin = pytest.importorskip("polytape_sim.plugin", reason="polytape-sim is not on the path")
        with pt.register_backend(plugin.polytape_backend()):
            yield "sim"


def counter(generator: pt.random.Generator) -> int:
    return int(generator.state.numpy()[1])


def test_uniform_float32_is_the_upper_24_bits_of_each_known_word() -> None:
    numbers = pt.random.uniform((4,), generator=pt.random.Generator(0))
    np.testing.assert_array_equal(numbers.numpy(), np.asarray([word >> 8 for word in KNOWN], "float32") * 2.0**-24)


def test_integers_multiply_and_shift_two_known_words() -> None:
    numbers = pt.random.integers(-3, 1000, (2,), dtype="int64", generator=pt.random.Generator(0))
    wide = [KNOWN[0] | KNOWN[1] << 32, KNOWN[2] | KNOWN[3] << 32]
    assert numbers.tolist() == [-3 + (value * 1003 >> 64) for value in wide]


@pytest.mark.parametrize(
    ("draw", "blocks"),
    [
        (lambda g: pt.random.uniform((5,), generator=g), 2),
        (lambda g: pt.random.uniform((5,), dtype="float64", generator=g), 3),
        (lambda g: pt.random.uniform((), generator=g), 1),
        (lambda g: pt.random.uniform((0, 3), generator=g), 0),
        (lambda g: pt.random.normal((5,), generator=g), 2),
        (lambda g: pt.random.normal((5,), dtype="float64", generator=g), 3),
        (lambda g: pt.random.normal((5,), dtype="float16", generator=g), 2),
        (lambda g: pt.random.integers(6, shape=(5,), generator=g), 3),
        (lambda g: pt.random.integers(6, shape=(2, 2), dtype="uint8", generator=g), 2),
    ],
)
def test_a_draw_moves_the_counter_past_all_the_words_it_takes(draw: object, blocks: int) -> None:
    generator = pt.random.Generator(1)
    assert callable(draw)
    draw(generator)
    assert counter(generator) == blocks


def test_consecutive_draws_continue_one_stream() -> None:
    a, b = pt.random.Generator(5), pt.random.Generator(5)
    whole = pt.random.uniform((12,), generator=a).numpy()
    parts = [pt.random.uniform((n,), generator=b).numpy() for n in (4, 8)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_the_counter_wraps_at_64_bits() -> None:
    generator = pt.random.Generator(9)
    generator.state.assign(np.asarray([9, 2**64 - 1], "uint64"))
    pt.random.uniform((8,), generator=generator)
    assert counter(generator) == 1


def test_the_sim_backend_draws_the_same_numbers(sim: str) -> None:
    for draw, ulp in ((pt.random.uniform, 0), (pt.random.normal, 4)):
        for dtype in ("float32", "float64"):
            host = draw((1000,), dtype=dtype, generator=pt.random.Generator(3)).numpy()
            on_sim = draw((1000,), dtype=dtype, device=sim, generator=pt.random.Generator(3))
            assert on_sim.device.backend == "sim"
            np.testing.assert_array_max_ulp(host, on_sim.numpy(), ulp)
    host = pt.random.integers(10, shape=(1000,), generator=pt.random.Generator(3)).numpy()
    on_sim = pt.random.integers(10, shape=(1000,), device=sim, generator=pt.random.Generator(3))
    np.testing.assert_array_equal(host, on_sim.numpy())


@pytest.mark.parametrize("device", ["numpy", "sim"])
def test_a_traced_function_draws_the_same_numbers_as_an_eager_one(device: str, sim: str) -> None:
    traced, eager = pt.random.Generator(11), pt.random.Generator(11)

    def body(x: pt.Tensor, generator: pt.random.Generator) -> pt.Tensor:
        first = pt.random.uniform((3,), -1.0, 1.0, device=device, generator=generator)
        return x + first * pt.random.normal((3,), device=device, generator=generator)

    run = pt.function(lambda x: body(x, traced))
    x = pt.asarray([1.0, 2.0, 3.0], device=device)
    for _ in range(3):
        np.testing.assert_array_max_ulp(run(x).numpy(), body(x, eager).numpy(), 4)
    assert traced.state.tolist() == eager.state.tolist()


def test_uniform_and_normal_numbers_follow_their_distributions() -> None:
    generator = pt.random.Generator(2024)
    uniform = pt.random.uniform((20_000,), -2.0, 5.0, generator=generator).numpy()
    normal = pt.random.normal((20_001,), 3.0, 0.5, generator=generator).numpy()
    assert uniform.min() >= -2.0 and uniform.max() < 5.0
    assert stats.kstest((uniform + 2.0) / 7.0, "uniform").pvalue > 1e-3
    assert stats.kstest((normal - 3.0) / 0.5, "norm").pvalue > 1e-3


def test_integers_are_equally_frequent_and_cover_the_range() -> None:
    numbers = pt.random.integers(-2, 5, (14_000,), generator=pt.random.Generator(6)).numpy()
    values, counts = np.unique(numbers, return_counts=True)
    assert values.tolist() == list(range(-2, 5))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_neighbouring_seeds_give_unrelated_numbers() -> None:
    a, b = (pt.random.uniform((5000,), generator=pt.random.Generator(seed)).numpy() for seed in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06


def test_threads_that_share_a_generator_never_share_bits() -> None:
    generator = pt.random.Generator(8)

    def draw(_: int) -> list[float]:
        return [float(pt.random.uniform((4,), dtype="float64", generator=generator)[0]) for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [value for part in pool.map(draw, range(8)) for value in part]
    assert len(set(numbers)) == len(numbers) == 1600
    assert counter(generator) == 1600 * 2


def test_a_seed_restarts_the_default_stream() -> None:
    pt.random.seed(42)
    first = pt.random.uniform((3,)).tolist()
    pt.random.uniform((3,))
    pt.random.seed(42)
    assert pt.random.uniform((3,)).tolist() == first
    assert pt.random.uniform((3,), generator=pt.random.Generator(42)).tolist() == first


def test_a_generator_can_be_saved_and_restored_copied_and_pickled(tmp_path: Path) -> None:
    generator = pt.random.Generator(13)
    pt.random.uniform((7,), generator=generator)
    path = pt.Checkpoint(generator=generator).save(tmp_path)
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator)), pt.random.Generator(0)]
    pt.Checkpoint(generator=copies[2]).restore(path).assert_consumed()
    expected = pt.random.normal((4,), generator=generator).tolist()
    for duplicate in copies:
        assert pt.random.normal((4,), generator=duplicate).tolist() == expected
        assert repr(duplicate) == repr(generator) == "Generator(key=13, counter=3)"


def test_bad_arguments_are_rejected_and_leave_the_stream_unchanged() -> None:
    generator = pt.random.Generator(1)
    with pytest.raises(DTypeError, match=r"cannot draw random numbers of int32.*\n.*\n.*\n.*random\.integers"):
        pt.random.uniform((2,), dtype="int32", generator=generator)
    with pytest.raises(DTypeError, match=r"an integer dtype"):
        pt.random.integers(5, dtype="float32", generator=generator)
    with pytest.raises(DTypeError, match=r"cannot draw uint8 numbers from 0 to 256"):
        pt.random.integers(257, dtype="uint8", generator=generator)
    with pytest.raises(DTypeError, match=r"low < high"):
        pt.random.integers(3, 3, generator=generator)
    with pytest.raises(ShapeError):
        pt.random.normal((-1,), generator=generator)
    with pytest.raises(SettingError, match="uniform cannot draw numbers from 3 to 1"):
        pt.random.uniform((2,), 3, 1, generator=generator)
    with pytest.raises(SettingError, match=r"stddev=-1"):
        pt.random.normal((2,), 0.0, -1, generator=generator)
    with pytest.raises(SettingError, match="high=inf"):
        pt.random.uniform((2,), 0.0, float("inf"), generator=generator)
    with pytest.raises(DTypeError, match=r"normal cannot use .1. as mean"):
        pt.random.normal((2,), "1", generator=generator)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(DTypeError, match=r"integers cannot use 1\.5 as low"):
        pt.random.integers(1.5, generator=generator)  # type: ignore[arg-type]  # on purpose
    assert counter(generator) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: pt.random.normal(0, 1, 100),
        lambda: pt.random.normal(0.0, 1.0, (3,)),
        lambda: pt.random.normal(3, 4),
        lambda: pt.random.uniform(-1, 1, 10),
        lambda: pt.random.exponential(2.0, 5),
        lambda: pt.random.truncated_normal(5, 0.0, 1.0),
    ],
)
def test_arguments_in_the_order_of_numpy_are_rejected(call: Callable[[], object]) -> None:
    pt.random.seed(1)
    with pytest.raises(DTypeError, match=r"has a number where the shape belongs(.|\n)*fix: \w+\(\(-?\d+,\), \.\.\.\)"):
        call()
    assert counter(default_generator()) == 0


def test_a_number_is_a_shape_beside_named_arguments() -> None:
    assert pt.random.normal(3, mean=4.0, stddev=0.0).tolist() == [4.0, 4.0, 4.0]
    assert pt.random.uniform(2).shape == (2,)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "7"])
def test_a_seed_that_is_not_a_64_bit_integer_is_rejected(seed: object) -> None:
    with pytest.raises(DTypeError, match="is not a valid seed"):
        pt.random.seed(seed)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(DTypeError, match="is not a valid seed"):
        pt.random.Generator(seed)  # type: ignore[arg-type]  # on purpose


def test_the_state_is_a_variable_on_the_host_that_no_tape_watches(sim: str) -> None:
    with pt.device(sim):
        generator = pt.random.Generator(4)
    assert generator.state.device.backend == "numpy"
    assert not generator.state.trainable
    x = pt.Variable(2.0)
    with pt.GradientTape() as tape:
        y = x * pt.random.uniform((), generator=generator)
    assert tape.gradient(y, x).tolist() == (y / 2.0).tolist()
    assert tape.watched_variables() == ()
