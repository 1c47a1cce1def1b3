"""Random draws as ops: they return the same bits on every backend, from a state on the host."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.ops.random import random_bits, random_integers, random_normal, random_permutation, random_uniform

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


# Random123, kat_vectors, "philox4x32 10": the lower and upper 64 bits of the counter, the key, the answer.
KNOWN_ANSWERS = [
    (0, 0, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    (2**64 - 1, 2**64 - 1, 2**64 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (0x85A308D3243F6A88, 0x0370734413198A2E, 0x299F31D0A4093822, [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]


@pytest.mark.parametrize(("counter", "lane", "key", "answer"), KNOWN_ANSWERS)
@pytest.mark.parametrize("n", [4, 4000])
def test_bits_are_the_published_known_answers(
    backend: str, counter: int, lane: int, key: int, answer: list[int], n: int
) -> None:
    device = pt.get_backend(backend).device_list()[0]
    state = pt.asarray(np.array([key, counter], "uint64"), device="numpy")
    bits = random_bits(state, lane=lane, n=n, device=device)
    assert (bits.dtype.name, bits.device) == ("uint32", device)
    assert bits.tolist()[:4] == answer


def test_lanes_are_unrelated_streams(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]
    state = pt.asarray(STATE, device="numpy")
    lanes = [random_bits(state, lane=lane, n=4096, device=device).numpy() for lane in (0, 1, 2)]
    assert len(np.unique(np.concatenate(lanes))) > 3 * 4096 - 10
    assert abs(np.corrcoef(lanes[0], lanes[1])[0, 1]) < 0.06


def test_words_do_not_depend_on_how_many_are_drawn(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]
    state = pt.asarray(np.array([3, 2**64 - 9000], "uint64"), device="numpy")
    whole = random_bits(state, lane=5, n=70_001, device=device).numpy()
    for n in (1, 41, 32_768, 32_769):
        np.testing.assert_array_equal(random_bits(state, lane=5, n=n, device=device).numpy(), whole[:n])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_bodies_give_the_same_bits_as_the_kernels(dtype: str) -> None:
    state = pt.asarray(STATE)
    uniform = random_uniform.run_body([state], {"shape": (7, 3), "dtype": dtype})  # type: ignore[attr-defined]
    assert uniform.numpy().tobytes() == random_uniform(state, shape=(7, 3), dtype=dtype).numpy().tobytes()
    normal = random_normal.run_body([state], {"shape": (7, 3), "dtype": dtype})  # type: ignore[attr-defined]
    np.testing.assert_array_max_ulp(normal.numpy(), random_normal(state, shape=(7, 3), dtype=dtype).numpy(), 4)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(0, 6, "int32"), (-9, 2**31 - 1, "int32"), (0, 2**32, "int64"), (-(2**63), 2**63, "int64"), (0, 2**64, "uint64"),
     (2**63, 2**63 + 3, "uint64"), (0, 256, "uint8"), (-(2**63), 2**63 - 1, "int64")],
)  # fmt: skip
def test_the_body_of_integers_is_exact_for_every_range(low: int, high: int, dtype: str) -> None:
    state = pt.asarray(STATE)
    attributes = {"low": low, "high": high, "shape": (50,), "dtype": dtype}
    body = random_integers.run_body([state], attributes)  # type: ignore[attr-defined]
    assert body.tolist() == random_integers(state, **attributes).tolist()  # type: ignore[arg-type]


def test_a_permutation_is_the_order_of_64_bit_numbers(backend: str) -> None:
    device = pt.get_backend(backend).device_list()[0]
    state = pt.asarray(STATE, device="numpy")
    words = random_bits(state, n=600, device=device).numpy().view("uint64")
    order = random_permutation(state, n=300, device=device)
    assert order.tolist() == np.argsort(words, kind="stable").tolist()
